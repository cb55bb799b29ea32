"""The embedded AWS's own ``awsglue``, written from AWS's public documentation of the PySpark extensions.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html

What is here does what that page says, on a plain Spark DataFrame. What isn't raises an error that names itself.
"""

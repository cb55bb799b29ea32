"""Glue's machine learning transforms, which the embedded AWS does not have: using one says so.

https://docs.aws.amazon.com/glue/latest/dg/machine-learning.html
"""

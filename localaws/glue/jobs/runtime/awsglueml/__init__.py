"""Glue's machine learning transforms, which the embedded AWS does not have: they raise NotSupportedLocally.

https://docs.aws.amazon.com/glue/latest/dg/machine-learning.html
"""

"""Glue Data Quality, which the embedded AWS does not have: importing a transform of it says so.

https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html
"""

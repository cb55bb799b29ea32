"""Glue Data Quality, which the embedded AWS does not have: using its transform says so.

https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html
"""

"""Glue Data Quality, which the embedded AWS does not have: its transform raises NotSupportedLocally.

https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html
"""

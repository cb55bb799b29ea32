"""Glue jobs: scripts that run on a real, warm Spark."""

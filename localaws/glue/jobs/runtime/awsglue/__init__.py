"""The embedded AWS's own ``awsglue``, written from AWS's public documentation of the PySpark extensions.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html

What is implemented here does what that page says, on a plain Spark DataFrame. Using anything else raises an error with
its name.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # `from awsglue import DynamicFrame`, as Glue Studio writes it; Spark's own workers need no such import.
    if name in ("DynamicFrame", "DynamicFrameCollection"):
        from awsglue import dynamicframe

        return getattr(dynamicframe, name)
    raise AttributeError(f"module 'awsglue' has no attribute {name!r}")

"""Buckets that can be made public."""

from __future__ import annotations

from typing import Any


def opened(s3: Any, bucket: str) -> None:
    """Allow public policies and ACLs for the bucket; new buckets block both."""
    s3.delete_public_access_block(Bucket=bucket)
    rule = {"ObjectOwnership": "ObjectWriter"}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [rule]})

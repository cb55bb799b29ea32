"""Buckets that everybody can be let into."""

from __future__ import annotations

from typing import Any


def opened(s3: Any, bucket: str) -> None:
    """Let the bucket take public policies and ACLs, which no new bucket does."""
    s3.delete_public_access_block(Bucket=bucket)
    rule = {"ObjectOwnership": "ObjectWriter"}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [rule]})

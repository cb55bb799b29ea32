"""Listing buckets, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

KEYS = ["a.json", "in/1.json", "in/2.json", "in/deep/3.json", "in0", "out/4.json", "z", "é"]


@pytest.fixture
def bucket(s3: Any, unique: Callable[[str], str]) -> str:
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    for key in reversed(KEYS):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def _all(s3: Any, operation: str, bucket: str, size: int, **arguments: Any) -> list[str]:
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}, **arguments)
    found: list[str] = []
    for page in pages:
        assert len(page.get("Contents", [])) + len(page.get("CommonPrefixes", [])) <= size
        found += [entry["Key"] for entry in page.get("Contents", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return sorted(found)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_of_any_size_list_every_key_once(s3: Any, bucket: str, operation: str, size: int) -> None:
    assert _all(s3, operation, bucket, size) == sorted(KEYS)
    assert _all(s3, operation, bucket, size, Delimiter="/") == ["a.json", "in/", "in0", "out/", "z", "é"]
    assert _all(s3, operation, bucket, size, Prefix="in/", Delimiter="/") == ["in/1.json", "in/2.json", "in/deep/"]
    assert _all(s3, operation, bucket, size, Prefix="in") == KEYS[1:5]
    assert _all(s3, operation, bucket, size, Prefix="nothing") == []


def test_a_page_is_in_order_and_says_whether_there_is_more(s3: Any, bucket: str) -> None:
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=3)
    assert [entry["Key"] for entry in page["Contents"]] == KEYS[:3]
    assert page["IsTruncated"]
    assert page["KeyCount"] == 3
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])
    assert [entry["Key"] for entry in rest["Contents"]] == KEYS[3:]
    assert not rest["IsTruncated"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="in0")
    assert [entry["Key"] for entry in after["Contents"]] == KEYS[5:]


def test_an_unknown_continuation_token_is_refused(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="continuation token") as refused:
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="***")
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_of_versions_list_every_version_once(s3: Any, bucket: str, size: int) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="z", Body=b"again")
    s3.delete_object(Bucket=bucket, Key="a.json")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
    found = [
        (kind, entry["Key"]) for page in pages for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, [])
    ]
    assert sorted(found) == sorted([("Versions", key) for key in [*KEYS, "z", "z"]] + [("DeleteMarkers", "a.json")])


def test_a_deleted_key_is_not_listed(s3: Any, bucket: str) -> None:
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in KEYS if key != "in0"]})
    assert _all(s3, "list_objects_v2", bucket, 1000) == ["in0"]

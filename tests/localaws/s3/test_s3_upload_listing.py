"""Listings of active multipart uploads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def _begin(s3: Any, bucket: str, *keys: str) -> list[str]:
    return [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in keys]


@pytest.mark.as_on_aws("S3")
def test_uploads_are_listed_in_pages_by_key_and_start_time(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html"""
    second, first, third, fourth = _begin(s3, bucket, "b", "a", "b", "c")
    found, marks = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1, **marks)
        found += [each["UploadId"] for each in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        marks = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == [first, second, third, fourth]
    begun = page["Uploads"][0]["Initiated"]
    assert datetime.now(UTC) - begun < timedelta(minutes=1)


@pytest.mark.as_on_aws("S3")
def test_uploads_can_be_listed_by_prefix_and_grouped_by_a_delimiter(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html"""
    _begin(s3, bucket, "a/1", "a/2", "b", "c/1")
    page = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [each["Key"] for each in page["Uploads"]] == ["b"]
    assert [each["Prefix"] for each in page["CommonPrefixes"]] == ["a/", "c/"]
    first = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=1)
    assert (first["NextKeyMarker"], first["IsTruncated"]) == ("a/", True)
    rest = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", KeyMarker="a/")
    assert [each["Key"] for each in rest["Uploads"]] == ["b"]
    assert [each["Prefix"] for each in rest["CommonPrefixes"]] == ["c/"]
    assert len(s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]) == 2


def test_the_keys_of_listed_uploads_are_url_encoded_on_request(s3: Any, bucket: str) -> None:
    _begin(s3, bucket, "line\nfeed/ü")
    page = s3.list_multipart_uploads(Bucket=bucket, EncodingType="url")
    assert [each["Key"] for each in page["Uploads"]] == ["line%0Afeed/%C3%BC"]
    assert page["EncodingType"] == "url"

"""Which uploads in parts are under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def _begin(s3: Any, bucket: str, *keys: str) -> list[str]:
    return [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in keys]


@pytest.mark.as_on_aws("S3")
def test_uploads_are_listed_by_key_and_by_their_beginning_and_a_page_goes_on_where_the_last_ended(
    s3: Any, bucket: str
) -> None:
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
def test_a_delimiter_rolls_uploads_up_and_a_prefix_chooses_some(s3: Any, bucket: str) -> None:
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


def test_keys_of_uploads_are_encoded_where_that_is_asked_for(s3: Any, bucket: str) -> None:
    _begin(s3, bucket, "line\nfeed/ü")
    page = s3.list_multipart_uploads(Bucket=bucket, EncodingType="url")
    assert [each["Key"] for each in page["Uploads"]] == ["line%0Afeed/%C3%BC"]
    assert page["EncodingType"] == "url"

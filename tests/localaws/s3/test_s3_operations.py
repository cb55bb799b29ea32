"""A subresource that moto doesn't know is refused, and never treated as the bucket or object itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest


@pytest.fixture
def bucket(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("operations-")
    aws("s3").create_bucket(Bucket=name)
    return name


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    return str(caught.value.response["Error"]["Message"])


def test_deleting_a_configuration_does_not_delete_the_bucket(aws: Callable[..., Any], bucket: str) -> None:
    s3 = aws("s3")
    for kind in ("Metrics", "Analytics", "Inventory", "IntelligentTiering"):
        operation = f"DeleteBucket{kind}Configuration"
        call = s3._make_api_call
        assert operation in refusal(
            lambda call=call, operation=operation: call(operation, {"Bucket": bucket, "Id": "a"})
        )
    s3.head_bucket(Bucket=bucket)


def test_putting_a_configuration_does_not_report_success(aws: Callable[..., Any], bucket: str) -> None:
    analytics = {"Id": "a", "StorageClassAnalysis": {}}
    message = refusal(
        aws("s3").put_bucket_analytics_configuration, Bucket=bucket, Id="a", AnalyticsConfiguration=analytics
    )
    assert "PutBucketAnalyticsConfiguration" in message


def test_an_unsupported_read_of_an_object_does_not_return_its_body(aws: Callable[..., Any], bucket: str) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert "GetObjectTorrent" in refusal(s3.get_object_torrent, Bucket=bucket, Key="k")
    for call in (s3.get_object_retention, s3.get_object_legal_hold):
        with pytest.raises(botocore.exceptions.ClientError, match="Bucket is missing"):
            call(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"

"""What the HTTP front adds to moto: errors that SDKs can parse, and answers that are saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from botocore import xform_name


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("glue", "create_blueprint", {"Name": "a", "BlueprintLocation": "s3://a/b"}),
        ("redshift", "describe_reserved_nodes", {}),
        ("ec2", "describe_capacity_blocks", {}),
        ("iam", "get_organizations_access_report", {"JobId": "x" * 36}),
        ("s3", "get_bucket_intelligent_tiering_configuration", {"Bucket": "some-bucket", "Id": "x"}),
        ("s3", "get_object_torrent", {"Bucket": "some-bucket", "Key": "x"}),
        ("lambda", "list_code_signing_configs", {}),
    ],
)
def test_an_operation_that_is_not_implemented_is_named_in_the_error(
    aws: Callable[..., Any], service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        getattr(aws(service), operation)(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == "NotImplemented"
    assert f" of {service}." in error["Message"]
    assert "does not support" in error["Message"]
    if service != "lambda":  # known by its path only
        assert xform_name(error["Message"].split("does not support ")[1].split()[0]) == operation

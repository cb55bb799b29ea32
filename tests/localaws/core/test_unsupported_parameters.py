"""A parameter without an effect here is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ZIP = {"ZipFile": b"never read"}
FUNCTION = {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Runtime": "python3.13", "Handler": "f.f"}
TABLE = {"DatabaseName": "d", "TableInput": {"Name": "t"}}


def _refused(client: Any, operation: str, arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ClientError, match=f"does not support {named} ") as refused:
        getattr(client, operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.refused("Glue jobs")
@pytest.mark.parametrize(
    ("operation", "arguments", "named"),
    [
        ("create_table", {**TABLE, "TransactionId": "1"}, "TransactionId of CreateTable"),
        ("create_table", {**TABLE, "CatalogId": "999999999999"}, "another account's CatalogId in CreateTable"),
        ("update_table", {**TABLE, "VersionId": "1"}, "VersionId of UpdateTable"),
        ("get_table", {"DatabaseName": "d", "Name": "t", "QueryAsOfTime": 1}, "QueryAsOfTime of GetTable"),
        (
            "get_job_run",
            {"JobName": "j", "RunId": "r", "PredecessorsIncluded": True},
            "PredecessorsIncluded of GetJobRun",
        ),
    ],
)
def test_parameters_of_the_catalog_and_of_job_runs_that_would_be_ignored(
    aws: Callable[..., Any], operation: str, arguments: dict[str, Any], named: str
) -> None:
    _refused(aws("glue"), operation, arguments, named)


@pytest.mark.refused("Lambda")
@pytest.mark.parametrize(
    ("operation", "arguments", "named"),
    [
        (
            "create_function",
            {**FUNCTION, "Code": ZIP, "SnapStart": {"ApplyOn": "PublishedVersions"}},
            "SnapStart of CreateFunction",
        ),
        (
            "update_function_configuration",
            {"FunctionName": "f", "LoggingConfig": {"LogFormat": "JSON"}},
            "LoggingConfig of UpdateFunctionConfiguration",
        ),
        ("invoke", {"FunctionName": "f", "TenantId": "t"}, "TenantId of Invoke"),
    ],
)
def test_parameters_of_functions_that_would_be_ignored(
    aws: Callable[..., Any], operation: str, arguments: dict[str, Any], named: str
) -> None:
    _refused(aws("lambda"), operation, arguments, named)

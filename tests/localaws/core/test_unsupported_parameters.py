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
            "start_job_run",
            {"JobName": "j", "ExecutionRoleSessionPolicy": "{}"},
            "ExecutionRoleSessionPolicy of StartJobRun",
        ),
    ],
)
def test_parameters_of_the_data_catalog_and_of_job_runs_that_would_be_ignored_are_refused(
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
            "SnapStart.ApplyOn of CreateFunction",
        ),
        (
            "update_function_configuration",
            {"FunctionName": "f", "LoggingConfig": {"LogFormat": "JSON"}},
            "LoggingConfig.LogFormat of UpdateFunctionConfiguration",
        ),
        ("invoke", {"FunctionName": "f", "TenantId": "t"}, "TenantId of Invoke"),
    ],
)
def test_parameters_of_functions_that_would_be_ignored_are_refused(
    aws: Callable[..., Any], operation: str, arguments: dict[str, Any], named: str
) -> None:
    _refused(aws("lambda"), operation, arguments, named)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "named"),
    [
        ("redshift", "modify_cluster", {"ManageMasterPassword": True}, "ManageMasterPassword of ModifyCluster"),
        ("redshift", "modify_cluster", {"Port": 5440}, "Port of ModifyCluster"),
        ("redshift", "describe_clusters", {"TagValues": ["v"]}, "TagValues of DescribeClusters"),
        (
            "secretsmanager",
            "put_resource_policy",
            {"ResourcePolicy": "{}", "BlockPublicPolicy": True},
            "BlockPublicPolicy of PutResourcePolicy",
        ),
        ("secretsmanager", "list_secrets", {"SortOrder": "desc"}, "SortOrder of ListSecrets"),
        (
            "logs",
            "create_log_group",
            {"kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"},
            "kmsKeyId of CreateLogGroup",
        ),
        ("logs", "create_log_group", {"logGroupClass": "INFREQUENT_ACCESS"}, "logGroupClass of CreateLogGroup"),
        (
            "sqs",
            "get_queue_url",
            {"QueueOwnerAWSAccountId": "999999999999"},
            "another account's QueueOwnerAWSAccountId in GetQueueUrl",
        ),
        ("glue", "get_database", {"CatalogId": "999999999999"}, "another account's CatalogId in GetDatabase"),
        (
            "lambda",
            "add_permission",
            {"StatementId": "s", "Action": "lambda:*", "Principal": "*", "PrincipalOrgID": "o-1234567890"},
            "PrincipalOrgID of AddPermission",
        ),
        ("lambda", "list_aliases", {"FunctionVersion": "1"}, "FunctionVersion of ListAliases"),
    ],
)
def test_parameters_of_other_services_that_would_be_ignored_are_refused(
    aws: Callable[..., Any], service: str, operation: str, arguments: dict[str, Any], named: str
) -> None:
    client = aws(service)
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    others = {name: "missing" for name in shape.required_members if name not in arguments}
    _refused(client, operation, {**others, **arguments}, named)


def test_a_parameter_that_has_its_default_value_is_accepted(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    for arguments in ({"ManageMasterPassword": False}, {"IpAddressType": "ipv4"}, {"MaintenanceTrackName": "current"}):
        with pytest.raises(ClientError, match="missing not found"):
            aws("redshift").modify_cluster(ClusterIdentifier="missing", **arguments)
    aws("logs").create_log_group(logGroupName=unique("group"), logGroupClass="STANDARD")

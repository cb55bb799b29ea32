"""Parameters that AWS acts on and nothing here would: a call that has one is refused, not answered without it.

Of the operations that a pipeline uses; parameters without an effect that could be missed (AuditContext, say) pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import UnsupportedOperation

_TRANSACTION = "TransactionId"
_TABLES = f"{_TRANSACTION} QueryAsOfTime IncludeStatusDetails AttributesToGet"
_FUNCTION = (
    "FileSystemConfigs TenancyConfig CapacityProviderConfig DurableConfig RuntimeConfig AcceleratorConfig SnapStart "
    "CodeSigningConfigArn LoggingConfig"
)
_CLUSTER = (
    "ManageMasterPassword MasterPasswordSecretKmsKeyId HsmConfigurationIdentifier HsmClientCertificateIdentifier "
    "ElasticIp AvailabilityZoneRelocation MultiAZ MaintenanceTrackName IpAddressType"
)
_FILTER = "applyOnTransformedLogs fieldSelectionCriteria"
_REFUSED: dict[tuple[str, str], str] = {
    ("glue", "CreateTable"): f"{_TRANSACTION} PartitionIndexes Name OpenTableFormatInput",
    ("glue", "UpdateTable"): f"{_TRANSACTION} Name VersionId ViewUpdateAction Force UpdateOpenTableFormatInput",
    ("glue", "DeleteTable"): _TRANSACTION,
    ("glue", "BatchDeleteTable"): _TRANSACTION,
    ("glue", "GetTable"): _TABLES,
    ("glue", "GetTables"): f"{_TABLES} ResourceShareType",
    ("glue", "GetDatabases"): "AttributesToGet ResourceShareType",
    ("glue", "GetPartitions"): f"{_TRANSACTION} QueryAsOfTime Segment",
    ("glue", "BatchGetPartition"): "QuerySessionContext",
    ("glue", "GetConnection"): "ApplyOverrideForComputeEnvironment",
    ("glue", "StartJobRun"): "ExecutionRoleSessionPolicy",
    ("lambda", "CreateFunction"): f"{_FUNCTION} PublishTo",
    ("lambda", "UpdateFunctionConfiguration"): _FUNCTION,
    ("lambda", "UpdateFunctionCode"): "S3ObjectStorageMode PublishTo SourceKMSKeyArn",
    ("lambda", "AddPermission"): "FunctionUrlAuthType InvokedViaFunctionUrl EventSourceToken PrincipalOrgID RevisionId",
    ("lambda", "RemovePermission"): "RevisionId",
    ("lambda", "PublishVersion"): "CodeSha256 RevisionId PublishTo",
    ("lambda", "UpdateAlias"): "RevisionId",
    ("lambda", "ListAliases"): "FunctionVersion",
    ("lambda", "Invoke"): "TenantId DurableExecutionName",
    ("logs", "CreateLogGroup"): "logGroupClass deletionProtectionEnabled",
    ("logs", "DescribeLogGroups"): "accountIdentifiers logGroupNamePattern includeLinkedAccounts logGroupClass "
    "logGroupIdentifiers",
    ("logs", "DescribeSubscriptionFilters"): "filterNamePrefix",
    ("logs", "FilterLogEvents"): "logGroupIdentifier logStreamNamePrefix startFromHead",
    ("logs", "PutMetricFilter"): f"{_FILTER} emitSystemFieldDimensions",
    ("logs", "PutSubscriptionFilter"): f"{_FILTER} emitSystemFields",
    ("logs", "StartQuery"): "queryLanguage logGroupIdentifiers limit",
    ("redshift", "CreateCluster"): f"{_CLUSTER} SnapshotIdentifier SnapshotScheduleIdentifier LoadSampleData "
    "AdditionalInfo RedshiftIdcApplicationArn CatalogName",
    ("redshift", "ModifyCluster"): f"{_CLUSTER} AvailabilityZone KmsKeyId Port",
    ("redshift", "DescribeClusters"): "TagValues",
    ("redshift", "DescribeClusterSubnetGroups"): "TagKeys TagValues",
    ("redshift", "DescribeClusterParameterGroups"): "TagKeys TagValues",
    ("redshift", "DescribeClusterParameters"): "Source",
    ("redshift", "DescribeTags"): "TagKeys TagValues",
    ("secretsmanager", "CreateSecret"): "Type CrossAccountPrimaryARN",
    ("secretsmanager", "ListSecrets"): "SortOrder SortBy",
    ("secretsmanager", "PutResourcePolicy"): "BlockPublicPolicy PolicyName",
    ("secretsmanager", "PutSecretValue"): "RotationToken",
    ("secretsmanager", "RotateSecret"): "ExternalSecretRotationMetadata ExternalSecretRotationRoleArn",
    ("secretsmanager", "UpdateSecret"): "Type",
    ("sqs", "ReceiveMessage"): "ReceiveRequestAttemptId",
}
# Where another account's resources could be asked for. There is one account.
_ACCOUNT = {"glue": "CatalogId", "sqs": "QueueOwnerAWSAccountId"}
# Some values of these ask for nothing.
_ASKS: dict[str, Callable[[Any], bool]] = {
    "SnapStart": lambda value: value.get("ApplyOn", "None") != "None",
    "LoggingConfig": lambda value: value.get("LogFormat", "Text") != "Text",
    "IpAddressType": lambda value: value != "ipv4",
    "MaintenanceTrackName": lambda value: value != "current",
    "logGroupClass": lambda value: value != "STANDARD",
    "queryLanguage": lambda value: value != "CWLI",
}


def watches(service: str, operation: str) -> bool:
    """Whether `refuse_parameters` has an eye on `operation`."""
    return (service, operation) in _REFUSED or service in _ACCOUNT


def refuse_parameters(service: str, operation: str, given: Mapping[str, Any], account_id: str) -> None:
    """Let a call pass whose parameters all have their effect.

    Raises:
        UnsupportedOperation: one has none here.
    """
    for name in _REFUSED.get((service, operation), "").split():
        value = _value(given, name)
        if value and _ASKS.get(name, bool)(value):
            raise UnsupportedOperation(f"{name} of {operation}")
    if (service, operation) == ("glue", "CreateTable") and not given.get("TableInput"):
        raise UnsupportedOperation("CreateTable without TableInput")
    owner = _ACCOUNT.get(service, "")
    if given.get(owner) not in (None, "", account_id):
        raise UnsupportedOperation(f"another account's {owner} in {operation}")


def _value(given: Mapping[str, Any], name: str) -> Any:
    """What was given for `name`; a form has it as text, and a list item by item, as Name.member.1."""
    value = given.get(name) or next((value for each, value in given.items() if each.startswith(f"{name}.")), None)
    return None if value == "false" else value

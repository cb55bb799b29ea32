"""Parameters that AWS acts on and nothing here would: a call that has one is refused, not answered without it.

Of the operations that a pipeline uses; parameters without an effect that could be missed (AuditContext, say) pass, and
so does UpdateTable's SkipArchive: an old version more is kept.
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
_REFUSED: dict[tuple[str, str], str] = {
    ("glue", "CreateTable"): f"{_TRANSACTION} PartitionIndexes Name OpenTableFormatInput",
    ("glue", "UpdateTable"): f"{_TRANSACTION} VersionId ViewUpdateAction Force UpdateOpenTableFormatInput",
    ("glue", "DeleteTable"): _TRANSACTION,
    ("glue", "BatchDeleteTable"): _TRANSACTION,
    ("glue", "GetTable"): _TABLES,
    ("glue", "GetTables"): _TABLES,
    ("glue", "GetPartitions"): f"{_TRANSACTION} QueryAsOfTime Segment",
    ("glue", "GetJobRun"): "PredecessorsIncluded",
    ("glue", "StartJobRun"): "ExecutionRoleSessionPolicy",
    ("lambda", "CreateFunction"): f"{_FUNCTION} PublishTo",
    ("lambda", "UpdateFunctionConfiguration"): _FUNCTION,
    ("lambda", "UpdateFunctionCode"): "S3ObjectStorageMode PublishTo SourceKMSKeyArn",
    ("lambda", "AddPermission"): "FunctionUrlAuthType InvokedViaFunctionUrl",
    ("lambda", "Invoke"): "TenantId DurableExecutionName",
}
# Some values of these ask for nothing.
_ASKS: dict[str, Callable[[Any], bool]] = {
    "SnapStart": lambda value: value.get("ApplyOn", "None") != "None",
    "LoggingConfig": lambda value: value.get("LogFormat", "Text") != "Text",
}


def watches(service: str, operation: str) -> bool:
    """Whether `refuse_parameters` has an eye on `operation`."""
    return (service, operation) in _REFUSED


def refuse_parameters(service: str, operation: str, given: Mapping[str, Any], account_id: str) -> None:
    """Let a call pass whose parameters all have their effect.

    Raises:
        UnsupportedOperation: one has none here.
    """
    for name in _REFUSED.get((service, operation), "").split():
        value = given.get(name)
        if value and _ASKS.get(name, bool)(value):
            raise UnsupportedOperation(f"{name} of {operation}")
    if (service, operation) == ("glue", "CreateTable") and not given.get("TableInput"):
        raise UnsupportedOperation("CreateTable without TableInput")
    if service == "glue" and given.get("CatalogId") not in (None, "", account_id):
        raise UnsupportedOperation(f"another account's CatalogId in {operation}")

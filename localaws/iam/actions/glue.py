"""Glue: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html.

A call about an object of the catalog needs its action on the object and on everything that contains it:
https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localaws.core.call import Call
from localaws.iam.actions.iam import pass_role
from localaws.iam.decision import Access

_SERVICE = "glue.amazonaws.com"
_CATALOG = re.compile(
    r"(?:Batch)?(?:Get|Create|Update|Delete|Search)(?:(?P<database>Databases?)|(?P<table>Tables?(?:Versions?)?)|"
    r"(?P<partition>Partitions?|PartitionIndex(?:es)?|ColumnStatisticsForTable|ColumnStatisticsForPartition)|"
    r"(?P<connection>Connections?)|(?P<function>UserDefinedFunctions?))"
)
# Kind of resource → the parameters that name a resource, and the operations that act on it.
_NAMED = {
    "job": (
        ("JobName", "Name"),
        "CreateJob UpdateJob DeleteJob GetJob StartJobRun GetJobRun GetJobRuns BatchStopJobRun",
    ),
    "crawler": (
        ("Name", "CrawlerName"),
        "UpdateCrawler DeleteCrawler GetCrawler StartCrawler StopCrawler ListCrawls "
        "StartCrawlerSchedule StopCrawlerSchedule UpdateCrawlerSchedule",
    ),
    "workflow": (
        ("Name",),
        "CreateWorkflow UpdateWorkflow DeleteWorkflow GetWorkflow StartWorkflowRun StopWorkflowRun ResumeWorkflowRun "
        "GetWorkflowRun GetWorkflowRuns GetWorkflowRunProperties PutWorkflowRunProperties",
    ),
    "trigger": (("Name",), "CreateTrigger UpdateTrigger DeleteTrigger GetTrigger StartTrigger StopTrigger"),
}
_KIND_OF = {operation: kind for kind, (_, operations) in _NAMED.items() for operation in operations.split()}
_NAMED_TOGETHER = {
    "BatchGetJobs": ("job", "JobNames"),
    "BatchGetCrawlers": ("crawler", "CrawlerNames"),
    "BatchGetTriggers": ("trigger", "TriggerNames"),
    "BatchGetWorkflows": ("workflow", "Names"),
}
_PASSES_ROLE = {"CreateJob": "Role", "UpdateJob": "JobUpdate.Role", "CreateCrawler": "Role", "UpdateCrawler": "Role"}


def accesses(call: Call) -> list[Access]:
    """Return what `call` needs; empty if it is not about particular resources."""
    action, here = f"glue:{call.operation}", f"arn:aws:glue:{call.region}:{call.account_id}"
    if kind := _KIND_OF.get(call.operation):
        names = [call.parameters[name] for name in _NAMED[kind][0] if call.parameters.get(name)]
        return [Access(action, f"{here}:{kind}/{names[0] if names else ''}"), *_passed(call)]
    if call.operation in _NAMED_TOGETHER:
        kind, parameter = _NAMED_TOGETHER[call.operation]
        return [Access(action, f"{here}:{kind}/{name}") for name in call.parameters.get(parameter) or ()]
    if call.operation == "CreateCrawler":  # unlike CreateJob it can't be limited to a name
        return [Access(action), *_passed(call)]
    if call.operation in ("TagResource", "UntagResource", "GetTags"):
        return [Access(action, str(call.parameters.get("ResourceArn", "*")))]
    if match := _CATALOG.fullmatch(call.operation):
        return [Access(action, f"{here}:{resource}") for resource in _catalog(match, call.parameters)]
    return []


def _catalog(match: re.Match[str], given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resources of a call. Databases and tables are in lower case, as they are stored."""
    kind = match.lastgroup
    yield "catalog"
    if kind == "connection":
        names = given.get("ConnectionNameList") or [_name(given, "ConnectionInput")]
        yield from (f"connection/{name}" for name in names)
        return
    if kind == "database":
        yield f"database/{_name(given, 'DatabaseInput').lower()}"
        return
    database = str(given.get("DatabaseName") or "*").lower()
    yield f"database/{database}"
    if kind == "function":
        yield f"userDefinedFunction/{database}/{given.get('FunctionName') or _name(given, 'FunctionInput')}"
        return
    tables = given.get("TablesToDelete") or [given.get("TableName") or _name(given, "TableInput")]
    yield from (f"table/{database}/{table}".lower() for table in tables)


def _name(given: Mapping[str, Any], definition: str) -> str:
    """Return the name in a call's parameters or in its definition; "*" if there is none (GetTables)."""
    defined = given.get(definition)
    return str(given.get("Name") or (defined.get("Name") if isinstance(defined, dict) else None) or "*")


def _passed(call: Call) -> list[Access]:
    found: Any = call.parameters
    for part in _PASSES_ROLE.get(call.operation, "").split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return [pass_role(found, call.account_id, _SERVICE)] if isinstance(found, str) and found else []

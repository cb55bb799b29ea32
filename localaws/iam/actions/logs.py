"""CloudWatch Logs: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html.

Policies name a log group as `…:log-group:NAME:*`, ending in a colon and a star, except for the three calls about tags:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html.
"""

from __future__ import annotations

from localaws.core.call import Call
from localaws.iam.decision import Access

_TAGS = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})
_UNNAMED = frozenset({"DescribeLogGroups", "ListLogGroups"})


def log_resource(region: str, account_id: str, group: str, stream: str = "") -> str:
    """Return the ARN that policies are checked against for a log stream; without a stream, for its group."""
    return f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"


def accesses(call: Call) -> list[Access]:
    """Return what `call` needs; empty if it is not about particular resources."""
    action, given = f"logs:{call.operation}", call.parameters
    if call.operation in _TAGS:
        return [Access(action, str(given.get("resourceArn", "*")))]
    if call.operation == "DescribeQueries":  # it can't be limited to a group
        return []
    groups = [given[name] for name in ("logGroupName", "logGroupIdentifier") if given.get(name)]
    groups += given.get("logGroupNames") or given.get("logGroupIdentifiers") or []
    if not groups and call.operation not in _UNNAMED:
        return []
    stream = str(given.get("logStreamName") or "")
    names = [str(group).rpartition(":log-group:")[2].removesuffix(":*") for group in groups or [""]]
    return [Access(action, log_resource(call.region, call.account_id, name, stream)) for name in names]

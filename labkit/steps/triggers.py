"""Reads what Glue returns for a trigger: what it starts, what it waits for, and whether it is as it should be."""

from __future__ import annotations

from typing import Any


def what_it_starts(trigger: dict[str, Any]) -> str:
    """The crawlers and jobs that a trigger starts. Somebody may have changed it, so they can be any."""
    return ", ".join(action.get("JobName") or action.get("CrawlerName", "") for action in trigger.get("Actions", []))


def what_it_waits_for(trigger: dict[str, Any]) -> str:
    """What a conditional trigger waits for, such as "ANY: s3_crawler SUCCEEDED"."""
    predicate = trigger.get("Predicate", {})
    conditions = ", ".join(
        f"{one.get('JobName') or one.get('CrawlerName')} {one.get('State') or one.get('CrawlState')}"
        for one in predicate.get("Conditions", [])
    )
    return f"{predicate.get('Logical', 'ANY')}: {conditions}"


def differs(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a trigger lacks anything that it should have. AWS adds fields of its own, which don't count."""
    return any(not _contains(there.get(key), value) for key, value in wanted.items())


def _contains(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_contains(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_contains, there, wanted))
    return bool(there == wanted)

"""The resources of a lab that still exist, found by tag and by name."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

from labkit.config import EXPIRES
from labkit.errors import MissingStep, QueryFailed, WaitTimeout
from labkit.show.display import Described, hidden
from labkit.show.waiting import wait_for
from labkit.steps.lab_steps import LabSteps
from labkit.tables import html_table


@dataclass(frozen=True)
class Leftovers(Described):
    """What is left of a lab. Empty after a complete destroy."""

    left: tuple[str, ...]
    arns: tuple[str, ...] = hidden()
    expired: tuple[str, ...] = hidden(default=())
    """The ARNs whose tag `expires` names a day that is over."""

    def __bool__(self) -> bool:
        return bool(self.left)

    def __str__(self) -> str:
        if not self.left:
            return "0 resources remain"
        return f"{len(self.left)} remain: {', '.join(self.left)}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self.left:
            return "<div>✓ nothing is left</div>"
        return f"<div>✗ left:</div>{html_table((name,) for name in self.left)}"


def find_leftovers(lab: LabSteps) -> Leftovers:
    """Find all resources with the lab's tags, and all steps whose `describe` still succeeds."""
    tagged = _tagged(lab)
    by_name = []
    for step in lab.steps:
        try:
            step.describe()
        except (MissingStep, QueryFailed):
            continue
        by_name.append(f"step {step.name}")
    return Leftovers((*by_name, *(arn.split(":", 2)[2] for arn in tagged)), tuple(tagged), _expired(tagged))


def find_expired(lab: LabSteps) -> tuple[str, ...]:
    """The ARNs of this lab's resources whose tag `expires` names a day that is over. The lab does not delete them."""
    return _expired(_tagged(lab)) if lab.config.expires_days else ()


def wait_until_gone(lab: LabSteps) -> None:
    """Wait until nothing is left, for `wait_minutes` at most: AWS goes on finding a deleted resource for a while."""

    def look() -> tuple[str, bool | None]:
        left = find_leftovers(lab)
        return str(left), None if left else True

    if find_leftovers(lab):
        with contextlib.suppress(WaitTimeout):  # `lab.leftovers()` says what is left
            wait_for("everything to be gone", look, config=lab.config, go_on="See what is left: lab.leftovers()")


def _tagged(lab: LabSteps) -> dict[str, dict[str, str]]:
    """ARN → tags, of everything that has the lab's tags."""
    pages = (
        lab.session.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": key, "Values": [value]} for key, value in lab.config.tags.items()])
    )
    found = (item for page in pages for item in page["ResourceTagMappingList"])
    tags = {item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item["Tags"]} for item in found}
    return dict(sorted(tags.items()))


def _expired(tagged: dict[str, dict[str, str]]) -> tuple[str, ...]:
    today = datetime.now(UTC).date()
    return tuple(arn for arn, tags in tagged.items() if (last := _day(tags.get(EXPIRES, ""))) and last < today)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # no such tag, or somebody changed it
        return None

"""The resources of a lab that still exist, found by tag and by name."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.errors import MissingStep, QueryFailed
from labkit.show.display import Described, hidden
from labkit.steps.lab_steps import LabSteps
from labkit.tables import html_table


@dataclass(frozen=True)
class Leftovers(Described):
    """What is left of a lab. Empty after a complete destroy."""

    left: tuple[str, ...]
    arns: tuple[str, ...] = hidden()

    def __bool__(self) -> bool:
        return bool(self.left)

    def __str__(self) -> str:
        return "nothing is left" if not self.left else "left: " + ", ".join(self.left)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self.left:
            return "<div>✓ nothing is left</div>"
        return f"<div>✗ left:</div>{html_table((name,) for name in self.left)}"


def find_leftovers(lab: LabSteps) -> Leftovers:
    """Find all resources with the lab's tags, and all steps whose `describe` still succeeds."""
    pages = (
        lab.session.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": key, "Values": [value]} for key, value in lab.config.tags.items()])
    )
    arns = sorted(item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"])
    by_name = []
    for step in lab.steps:
        try:
            step.describe()
        except (MissingStep, QueryFailed):
            continue
        by_name.append(f"step {step.name}")
    return Leftovers((*by_name, *(arn.split(":", 2)[2] for arn in arns)), tuple(arns))

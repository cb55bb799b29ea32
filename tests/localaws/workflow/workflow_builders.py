"""Helpers that create workflows and triggers in tests, through the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def workflow(glue: Any, name: str, *, start: Sequence[str], **settings: Any) -> None:
    """Create a workflow with an ON_DEMAND trigger `begin` that starts the named jobs and crawlers."""
    glue.create_workflow(Name=name, **settings)
    glue.create_trigger(Name="begin", WorkflowName=name, Type="ON_DEMAND", Actions=[action(one) for one in start])


def pipeline(lab: Any, glue: Any, **settings: Any) -> None:
    """Create a workflow like the lab's: `begin` starts `crawler`, and when it succeeds, `job` starts."""
    lab.define("crawler", "job")
    workflow(glue, "flow", start=["crawler"], **settings)
    conditional(glue, "flow", "after-crawl", "ANY", [crawl_ended("crawler")], ["job"])


def conditional(
    glue: Any,
    workflow_name: str | None,
    name: str,
    logical: str,
    conditions: list[dict[str, str]],
    starts: Sequence[str],
    **settings: Any,
) -> None:
    """Create a CONDITIONAL trigger, activated unless `settings` say otherwise."""
    if workflow_name is not None:
        settings["WorkflowName"] = workflow_name
    glue.create_trigger(
        Name=name,
        Type="CONDITIONAL",
        Predicate={"Logical": logical, "Conditions": conditions},
        Actions=[action(one) for one in starts],
        **{"StartOnCreation": True, **settings},
    )


def action(name: str) -> dict[str, str]:
    return {"CrawlerName" if "crawler" in name else "JobName": name}


def job_ended(name: str, state: str = "SUCCEEDED") -> dict[str, str]:
    return {"LogicalOperator": "EQUALS", "JobName": name, "State": state}


def crawl_ended(name: str, state: str = "SUCCEEDED") -> dict[str, str]:
    return {"LogicalOperator": "EQUALS", "CrawlerName": name, "CrawlState": state}


def status(glue: Any, run_id: str, name: str = "flow") -> tuple[str, dict[str, int]]:
    """Return a run's status, and its statistics without zeros."""
    run = glue.get_workflow_run(Name=name, RunId=run_id)["Run"]
    return run["Status"], {count: number for count, number in run["Statistics"].items() if number}

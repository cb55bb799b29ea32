"""Histories of runs: how many are kept, and that they are cheap to save."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Any

import pytest

from localaws.glue.history import History
from localaws.glue.workflows.runs import KEPT_RUNS, ActionRun, Workflow, WorkflowRun
from localaws.glue.workflows.trigger_definitions import NodeType, Target


@dataclass
class Run:
    key: str
    is_over: bool = True
    notes: list[str] = field(default_factory=list)


def history(count: int, most: int = 100) -> History[Run]:
    kept: History[Run] = History(most)
    for number in range(count):
        kept.add(Run(f"run-{number}"))
    return kept


def saved(kept: History[Run]) -> History[Run]:
    loaded: History[Run] = pickle.loads(pickle.dumps(kept))
    return loaded


def test_a_history_is_loaded_as_it_was_saved() -> None:
    kept = history(90)
    kept["run-3"].is_over = False
    assert list(saved(kept)) == list(kept)
    assert list(saved(saved(kept))) == list(kept)
    assert [run.key for run in saved(kept).under_way()] == ["run-3"]
    assert saved(kept).newest == Run("run-89")


def test_a_change_to_a_finished_run_is_saved() -> None:
    kept = saved(history(90))
    kept["run-3"].notes.append("late")
    kept.changed("run-3")
    assert saved(kept)["run-3"].notes == ["late"]


def test_the_oldest_finished_runs_are_dropped_but_never_an_active_run() -> None:
    kept = history(0, most=100)
    kept.add(Run("running", is_over=False))
    for number in range(1000):
        kept.add(Run(f"run-{number}"))
    assert 100 <= len(kept) <= 120
    assert "running" in kept
    assert "run-0" not in kept
    assert "run-999" in kept
    assert "running" in saved(kept)


@pytest.mark.simplified("Glue workflows", "AWS keeps them for 90 days")
def test_the_last_1000_runs_of_a_workflow_are_kept() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/running_monitoring_workflow.html"""
    workflow = Workflow("flow", None, None, None)
    for _ in range(KEPT_RUNS + 100):
        run = WorkflowRun("flow", (), {})
        run.actions.append(ActionRun("begin", Target(NodeType.JOB, "job"), state="SUCCEEDED", run_ids=["jr_1"]))
        run.settle()
        workflow.runs.add(run)
    assert len(workflow.runs) >= KEPT_RUNS == 1000
    # What pickle looks at object by object, at every change of anything in Glue, stays as little as after 30 runs.
    state: Any = workflow.runs.__getstate__()
    assert len(state["loose"]) <= 32
    assert len(pickle.dumps(workflow)) < 400_000

"""What a resumed run repeats, without a server: https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""

from __future__ import annotations

import pytest
from run_builders import after, begin, due, end, run_of, started_by, target

from localaws.glue.workflows.runs import RunStatus, WorkflowRun


@pytest.fixture
def partial_run() -> WorkflowRun:
    """W1 of the page on resuming: J1 succeeds, J2 and J3 fail, so that J4 and J5 are never started."""
    run = run_of(
        started_by("begin", ["j1"]),
        after("t2", {"j1": "SUCCEEDED"}, ["j2"]),
        after("t3", {"j1": "SUCCEEDED"}, ["j3"]),
        after("t4", {"j2": "SUCCEEDED"}, ["j4"]),
        after("t5", {"j3": "SUCCEEDED"}, ["j5"]),
    )
    begin(run)
    end(run, j1="SUCCEEDED")
    begin(run)
    end(run, j2="FAILED", j3="FAILED")
    assert run.settle()
    return run


@pytest.mark.parametrize(
    ("selected", "first", "copied", "fires_after_j2"),
    [
        (["j2"], ["j2"], ["j1", "j3"], ["t4"]),
        (["j2", "j3"], ["j2", "j3"], ["j1"], ["t4"]),
        (["j1"], ["j1"], [], []),
        (["j1", "j2"], ["j1"], [], []),
    ],
)
def test_a_resumed_run_copies_upstream_actions_and_begins_with_the_selected_nodes(
    partial_run: WorkflowRun, selected: list[str], first: list[str], copied: list[str], fires_after_j2: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    run, actions = partial_run.resumed([target(name) for name in selected])
    assert [action.target.name for action in actions] == first
    assert [action.trigger for action in actions] == [{"j1": "begin", "j2": "t2", "j3": "t3"}[name] for name in first]
    assert sorted(action.target.name for action in run.actions) == copied
    assert (run.previous_run_id, run.status, run.triggers) == (
        partial_run.workflow_run_id,
        RunStatus.RUNNING,
        partial_run.triggers,
    )
    assert "begin" in run.fired
    assert run.due() == []
    run.actions += actions
    if "j2" in first:
        end(run, j2="SUCCEEDED")
    assert due(run) == fires_after_j2


def test_triggers_that_fired_in_the_earlier_run_can_fire_again_in_a_resumed_run(partial_run: WorkflowRun) -> None:
    run, actions = partial_run.resumed([target("j1")])
    run.actions += actions
    end(run, j1="SUCCEEDED")
    assert due(run) == ["t2", "t3"]


def test_a_resumed_run_shares_no_action_objects_with_the_earlier_run(partial_run: WorkflowRun) -> None:
    run, _ = partial_run.resumed([target("j2")])
    assert not {id(action) for action in run.actions} & {id(action) for action in partial_run.actions}


def test_a_resumed_run_repeats_downstream_nodes_over_several_levels_and_paths() -> None:
    run = run_of(
        started_by("begin", ["a", "x"]),
        after("t1", {"a": "SUCCEEDED"}, ["b"]),
        after("t2", {"b": "SUCCEEDED"}, ["c"]),
        after("t3", {"a": "SUCCEEDED", "c": "SUCCEEDED"}, ["d"]),
    )
    begin(run)
    for name in "axbcd":
        end(run, **{name: "SUCCEEDED"})
        begin(run)
    assert run.settle()
    resumed, actions = run.resumed([target("a"), target("d")])
    assert [action.target.name for action in actions] == ["a"]
    assert [action.target.name for action in resumed.actions] == ["x"]

"""The rules of a workflow run, without a server: what is due next, how it ends, and what it returns.

https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html
"""

from __future__ import annotations

from typing import Any

import pytest
from run_builders import after, begin, counts, due, end, run_of, started_by, target

from localaws.glue.workflows.runs import (
    KEPT_RUNS,
    ActionRun,
    RunStatus,
    Workflow,
    WorkflowRun,
    graph,
    is_final,
    node_id,
)
from localaws.glue.workflows.trigger_definitions import Logical, NodeType, Target, TriggerState


def test_a_run_begins_with_only_its_start_trigger() -> None:
    run = run_of(after("then", {"a": "SUCCEEDED"}, ["b"]), started_by("begin", ["a"]))
    assert due(run) == ["begin"]
    begin(run)
    assert due(run) == []


DOCUMENTED = [
    # J3 starts "when both job J1 and job J2 successfully complete", J4 "if either job J1 or job J2 fails".
    ({"j1": "SUCCEEDED"}, []),
    ({"j1": "SUCCEEDED", "j2": "SUCCEEDED"}, ["both"]),
    ({"j1": "SUCCEEDED", "j2": "FAILED"}, ["rescue"]),
    ({"j1": "FAILED", "j2": "SUCCEEDED"}, ["rescue"]),
    ({"j1": "FAILED"}, ["rescue"]),
    ({"j2": "FAILED"}, ["rescue"]),
    ({"j1": "FAILED", "j2": "FAILED"}, ["rescue"]),
    ({"j1": "SUCCEEDED", "j2": "STOPPED"}, []),
    ({"j1": "TIMEOUT", "j2": "SUCCEEDED"}, []),
]


@pytest.mark.parametrize(("ends", "fires"), DOCUMENTED)
def test_a_trigger_waits_for_all_of_its_conditions_or_for_any_of_them(ends: dict[str, str], fires: list[str]) -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    run = run_of(
        started_by("begin", ["j1", "j2"]),
        after("both", {"j1": "SUCCEEDED", "j2": "SUCCEEDED"}, ["j3"]),
        after("rescue", {"j1": "FAILED", "j2": "FAILED"}, ["j4"], Logical.ANY),
    )
    begin(run)
    end(run, **ends)
    assert due(run) == fires


def test_one_condition_may_wait_for_a_success_and_another_for_a_failure() -> None:
    run = run_of(started_by("begin", ["a", "b"]), after("mixed", {"a": "SUCCEEDED", "b": "FAILED"}, ["c"]))
    begin(run)
    end(run, a="SUCCEEDED", b="FAILED")
    assert due(run) == ["mixed"]


def test_a_condition_is_met_by_the_end_of_an_action_and_not_while_it_runs() -> None:
    run = run_of(started_by("begin", ["a"]), after("then", {"a": "RUNNING"}, ["b"]))
    begin(run)
    run.actions[0].started_as("jr_a")
    assert due(run) == []


def test_a_trigger_fires_once_in_a_run() -> None:
    run = run_of(
        started_by("begin", ["a", "b"]), after("any", {"a": "SUCCEEDED", "b": "SUCCEEDED"}, ["c"], Logical.ANY)
    )
    begin(run)
    end(run, a="SUCCEEDED")
    assert begin(run) == ["any"]
    end(run, b="SUCCEEDED")
    assert due(run) == []


@pytest.mark.parametrize("state", [TriggerState.CREATED, TriggerState.DEACTIVATED])
def test_a_trigger_that_is_not_activated_does_not_fire(state: TriggerState) -> None:
    run = run_of(started_by("begin", ["a"]), after("asleep", {"a": "SUCCEEDED"}, ["b"], state=state))
    begin(run)
    end(run, a="SUCCEEDED")
    assert due(run) == []


@pytest.mark.parametrize("status", [RunStatus.STOPPING, RunStatus.STOPPED, RunStatus.COMPLETED, RunStatus.ERROR])
def test_no_trigger_is_due_in_a_stopped_or_finished_run(status: RunStatus) -> None:
    run = run_of(started_by("begin", ["a"]))
    run.status = status
    assert due(run) == []


def test_a_run_continues_while_an_action_is_active_or_a_trigger_is_due() -> None:
    run = run_of(started_by("begin", ["a"]), after("then", {"a": "SUCCEEDED"}, ["b"]))
    assert not run.settle()
    begin(run)
    assert not run.settle()
    end(run, a="SUCCEEDED")
    assert not run.settle()
    begin(run)
    end(run, b="FAILED")
    assert run.settle()
    assert (run.status, run.is_over, run.completed_on is not None) == (RunStatus.COMPLETED, True, True)
    assert not run.settle()


def test_a_stopping_run_is_stopped_once_no_action_is_active() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-stopping.html"""
    run = run_of(started_by("begin", ["a"]))
    begin(run)
    run.status = RunStatus.STOPPING
    assert not run.settle()
    assert not run.is_over
    end(run, a="STOPPED")
    assert run.settle()
    assert run.status is RunStatus.STOPPED


def test_a_refused_run_has_the_state_ERROR_and_says_why() -> None:
    run = run_of(started_by("begin", ["a"]))
    run.refuse("Concurrent runs exceeded for workflow: flow.")
    told = run.as_dict()
    assert (told["Status"], told["ErrorMessage"]) == ("ERROR", "Concurrent runs exceeded for workflow: flow.")
    assert told["CompletedOn"] >= told["StartedOn"]


@pytest.mark.parametrize(
    ("state", "counted", "final"),
    [
        ("STARTING", "RunningActions", False),
        ("RUNNING", "RunningActions", False),
        ("STOPPING", "RunningActions", False),
        ("CANCELLING", "RunningActions", False),
        ("WAITING", "WaitingActions", False),
        ("SUCCEEDED", "SucceededActions", True),
        ("FAILED", "FailedActions", True),
        ("TIMEOUT", "TimeoutActions", True),
        ("STOPPED", "StoppedActions", True),
        ("CANCELLED", "StoppedActions", True),
        ("ERROR", "ErroredActions", True),
    ],
)
def test_an_action_is_counted_by_its_state(state: str, counted: str, final: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRunStatistics.html"""
    run = run_of(started_by("begin", ["a"]))
    run.actions = [ActionRun("begin", target("a"), state)]
    assert counts(run) == {"TotalActions": 1, counted: 1}
    assert (is_final(state), run.unfinished() == []) == (final, final)


def test_statistics_count_all_actions_of_the_workflow_including_those_that_never_began() -> None:
    run = run_of(started_by("begin", ["a", "crawler"]), after("then", {"a": "SUCCEEDED"}, ["b", "c"]))
    assert run.statistics() == {
        "TotalActions": 4,
        "TimeoutActions": 0,
        "FailedActions": 0,
        "StoppedActions": 0,
        "SucceededActions": 0,
        "RunningActions": 0,
        "ErroredActions": 0,
        "WaitingActions": 0,
    }
    begin(run)
    end(run, a="FAILED")
    assert counts(run) == {"TotalActions": 4, "FailedActions": 1, "RunningActions": 1}


def test_an_action_takes_its_arguments_from_its_own_trigger() -> None:
    run = run_of(started_by("begin", ["a", "b"]), after("then", {"a": "SUCCEEDED"}, ["b"]))
    begin(run)
    first = run.action("begin", target("b"))
    assert first is not None
    assert run.request_of(first) is run.triggers[0].actions[1].request
    assert run.action("then", target("b")) is None
    assert run.action("begin", Target(NodeType.CRAWLER, "b")) is None


def test_an_event_applies_to_the_newest_of_several_actions() -> None:
    run = run_of(started_by("begin", ["a"]))
    run.actions = [ActionRun("begin", target("a")), ActionRun("begin", target("a"))]
    assert run.action("begin", target("a")) is run.actions[1]


def test_the_predecessors_of_an_action_are_the_job_runs_that_met_its_trigger_s_conditions() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Predecessor.html"""
    then = after("then", {"a": "SUCCEEDED", "b": "FAILED", "crawler": "SUCCEEDED"}, ["c"], Logical.ANY)
    run = run_of(started_by("begin", ["a", "b", "crawler"]), then)
    begin(run)
    run.actions[0].started_as("jr_first")
    end(run, a="SUCCEEDED", b="SUCCEEDED", crawler="SUCCEEDED")
    begin(run)
    assert run.predecessors_of(run.actions[-1]) == (("a", "jr_a"),)
    assert run.predecessors_of(run.actions[0]) == ()


def test_an_action_that_never_started_is_not_a_predecessor() -> None:
    run = run_of(started_by("begin", ["a"]), after("then", {"a": "FAILED"}, ["b"]))
    begin(run)
    run.actions[0].finish("FAILED", "Concurrent runs exceeded for a")
    assert begin(run) == ["then"]
    assert run.predecessors_of(run.actions[-1]) == ()


def test_each_attempt_of_a_job_is_counted_once_as_a_run_of_its_action() -> None:
    action = ActionRun("begin", target("a"))
    for run_id in ("jr_1", "jr_1", "jr_1_attempt_1"):
        action.started_as(run_id)
    assert (action.run_ids, action.state, action.is_over) == (["jr_1", "jr_1_attempt_1"], "RUNNING", False)


def test_an_action_without_a_job_run_is_shown_with_the_fields_that_are_known() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html"""
    action = ActionRun("begin", target("a"))
    assert set(action.as_job_run()) == {"JobName", "TriggerName", "JobRunState", "StartedOn"}
    action.started_as("jr_1")
    action.started_as("jr_2")
    action.finish("ERROR", "it is gone")
    told = action.as_job_run()
    assert (told["Id"], told["JobRunState"], told["ErrorMessage"]) == ("jr_2", "ERROR", "it is gone")
    assert told["CompletedOn"] == action.completed_on


@pytest.mark.parametrize(("state", "told"), [("STARTING", "RUNNING"), ("RUNNING", "RUNNING"), ("FAILED", "FAILED")])
def test_a_starting_crawl_is_shown_as_RUNNING(state: str, told: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawl.html has no STARTING."""
    assert ActionRun("begin", target("crawler"), state).as_crawl()["State"] == told


def test_a_run_shows_its_properties_and_the_run_that_it_resumes() -> None:
    run = WorkflowRun("flow", (started_by("begin", ["a"]),), {"day": "monday"}, previous_run_id="wr_0")
    told = run.as_dict()
    assert (told["Name"], told["PreviousRunId"], told["WorkflowRunProperties"]) == ("flow", "wr_0", {"day": "monday"})
    assert told["WorkflowRunId"] == run.key == run.workflow_run_id
    assert run.workflow_run_id.startswith("wr_")
    assert len(run.workflow_run_id) == 3 + 64
    assert not {"CompletedOn", "ErrorMessage", "Graph"} & set(told)


def test_the_graph_has_each_node_once_and_an_edge_for_each_condition_and_action() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html"""
    triggers = [
        started_by("begin", ["a", "crawler"]),
        after("then", {"a": "SUCCEEDED", "crawler": "SUCCEEDED"}, ["b"]),
        after("also", {"a": "FAILED"}, ["b"]),
    ]
    drawn = graph("flow", triggers, lambda one: [{"of": one.name}])
    names = {node["UniqueId"]: node["Name"] for node in drawn["Nodes"]}
    assert sorted(names.values()) == ["a", "also", "b", "begin", "crawler", "then"]
    assert [(names[edge["SourceId"]], names[edge["DestinationId"]]) for edge in drawn["Edges"]] == [
        ("begin", "a"),
        ("begin", "crawler"),
        ("a", "then"),
        ("crawler", "then"),
        ("then", "b"),
        ("a", "also"),
        ("also", "b"),
    ]
    nodes: dict[str, Any] = {node["Name"]: node for node in drawn["Nodes"]}
    assert (nodes["a"]["Type"], nodes["a"]["JobDetails"]) == ("JOB", {"JobRuns": [{"of": "a"}]})
    assert (nodes["crawler"]["Type"], nodes["crawler"]["CrawlerDetails"]) == (
        "CRAWLER",
        {"Crawls": [{"of": "crawler"}]},
    )
    assert nodes["then"]["TriggerDetails"]["Trigger"]["Name"] == "then"


def test_nodes_of_different_workflows_types_and_names_have_different_ids() -> None:
    ids = {
        node_id(flow, kind, name)
        for flow in ("flow", "other")
        for kind in (NodeType.JOB, NodeType.CRAWLER)
        for name in ("a", "b")
    }
    assert len(ids) == 8


@pytest.mark.parametrize(("limit", "under_way", "full"), [(None, 5, False), (1, 0, False), (1, 1, True), (2, 1, False)])
def test_MaxConcurrentRuns_counts_the_active_runs(limit: int | None, under_way: int, full: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateWorkflow.html"""
    workflow = Workflow("flow", None, None, limit)
    for over in [True] * 3 + [False] * under_way:
        run = run_of(started_by("begin", ["a"]))
        run.status = RunStatus.COMPLETED if over else RunStatus.RUNNING
        workflow.runs.add(run)
    assert workflow.is_full() is full


def test_a_stopping_run_counts_as_active() -> None:
    workflow = Workflow("flow", None, None, 1)
    run = run_of(started_by("begin", ["a"]))
    run.status = RunStatus.STOPPING
    workflow.runs.add(run)
    assert workflow.is_full()


def test_a_workflow_shows_its_newest_run() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Workflow.html"""
    workflow = Workflow("flow", {"day": "monday"}, None, None)
    assert not {"LastRun", "Description", "MaxConcurrentRuns"} & set(workflow.as_dict())
    assert workflow.as_dict()["DefaultRunProperties"] == {"day": "monday"}
    for _ in range(2):
        workflow.runs.add(run_of(started_by("begin", ["a"])))
    newest = workflow.runs.newest
    assert newest is not None
    assert workflow.as_dict()["LastRun"]["WorkflowRunId"] == newest.workflow_run_id


def test_the_last_1000_runs_of_a_workflow_are_kept() -> None:
    """The lab keeps this many; AWS keeps the runs of ninety days."""
    workflow = Workflow("flow", None, None, None)
    for _ in range(KEPT_RUNS + 100):
        run = run_of(started_by("begin", ["a"]))
        run.status = RunStatus.COMPLETED
        workflow.runs.add(run)
    assert len(workflow.runs) >= KEPT_RUNS == 1000
    assert workflow.runs.newest is run

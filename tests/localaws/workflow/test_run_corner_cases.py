"""Workflow runs with events that come too late, twice or in an unusual order."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from moto.glue.exceptions import ConcurrentRunsExceededException
from moto.glue.models import glue_backends
from workflow_builders import conditional, crawl_ended, job_ended, pipeline, status, workflow

from localaws.core.events import JobRunFinished, WorkflowRef


@pytest.fixture
def completed(lab: Any, glue: Any) -> str:
    """A completed run of a workflow with MaxConcurrentRuns 1, whose job failed."""
    lab.define("job")
    workflow(glue, "flow", start=["job"], MaxConcurrentRuns=1)
    run_id: str = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job", "FAILED")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 1, "FailedActions": 1})
    return run_id


def job_node(glue: Any, run_id: str) -> Any:
    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    return next(node for node in graph["Nodes"] if node["Type"] == "JOB")


@pytest.mark.as_on_aws("Glue workflows")
def test_a_resumed_run_counts_towards_the_maximum_of_concurrent_runs(lab: Any, glue: Any, completed: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ResumeWorkflowRun.html"""
    nodes = [job_node(glue, completed)["UniqueId"]]
    glue.start_workflow_run(Name="flow")
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.resume_workflow_run(Name="flow", RunId=completed, NodeIds=nodes)
    assert len(glue.get_workflow_runs(Name="flow")["Runs"]) == 2
    lab.settle()
    lab.jobs.finish("job")
    lab.settle()
    assert glue.resume_workflow_run(Name="flow", RunId=completed, NodeIds=nodes)["NodeIds"] == nodes
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_workflow_run(Name="flow")


@pytest.mark.as_on_aws("Glue workflows")
def test_resuming_a_run_without_node_ids_is_refused(lab: Any, glue: Any, completed: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ResumeWorkflowRun.html"""
    with pytest.raises(glue.exceptions.InvalidInputException, match="NodeIds cannot be null or empty"):
        glue.resume_workflow_run(Name="flow", RunId=completed, NodeIds=[])


def test_a_stopping_run_cannot_be_stopped_or_resumed(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopWorkflowRun.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.workflow.stop()  # so that nobody hears that the crawl has ended
    glue.stop_workflow_run(Name="flow", RunId=run_id)
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException, match="is STOPPING: only a RUNNING run"):
        glue.stop_workflow_run(Name="flow", RunId=run_id)
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException, match="is STOPPING: only a COMPLETED run"):
        glue.resume_workflow_run(Name="flow", RunId=run_id, NodeIds=["wnode_0"])


def test_stopping_a_run_stops_the_last_attempt_of_a_retried_job(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    for _ in range(2):
        lab.jobs.finish("job", "FAILED", final=False)
        lab.jobs.attempt("job", WorkflowRef("flow", run_id, "after-crawl"))
        lab.settle()
    glue.stop_workflow_run(Name="flow", RunId=run_id)
    lab.settle()
    assert status(glue, run_id) == ("STOPPED", {"TotalActions": 2, "SucceededActions": 1, "StoppedActions": 1})
    assert [run["JobRunState"] for run in job_node(glue, run_id)["JobDetails"]["JobRuns"]] == [
        "FAILED",
        "FAILED",
        "STOPPED",
    ]


def test_actions_that_have_not_begun_when_a_resumed_run_is_stopped_never_begin(
    lab: Any, glue: Any, completed: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-stopping.html"""
    nodes = [job_node(glue, completed)["UniqueId"]]
    lab.bus.after_response(lambda: lab.hold.wait(10))  # nothing begins until the run is stopped
    resumed = glue.resume_workflow_run(Name="flow", RunId=completed, NodeIds=nodes)["RunId"]
    glue.stop_workflow_run(Name="flow", RunId=resumed)
    lab.hold.set()
    lab.settle()
    assert status(glue, resumed) == ("STOPPED", {"TotalActions": 1, "StoppedActions": 1})
    assert job_node(glue, resumed)["JobDetails"]["JobRuns"][0]["JobRunState"] == "STOPPED"
    assert lab.jobs.names == ["job"]


def test_a_late_end_event_of_an_earlier_attempt_changes_nothing(lab: Any, glue: Any) -> None:
    lab.define("job")
    workflow(glue, "flow", start=["job"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    ref = WorkflowRef("flow", run_id, "begin")
    lab.jobs.finish("job", "FAILED", final=False)
    lab.jobs.attempt("job", ref)
    lab.settle()
    lab.bus.publish(JobRunFinished("us-east-1", "job", "jr_job0", "FAILED", True, ref))
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 1, "RunningActions": 1})


def test_an_attempt_that_starts_after_its_action_ended_changes_nothing(lab: Any, glue: Any, completed: str) -> None:
    lab.jobs.attempt("job", WorkflowRef("flow", completed, "begin"))
    lab.settle()
    assert status(glue, completed) == ("COMPLETED", {"TotalActions": 1, "FailedActions": 1})


def test_events_of_a_deleted_workflow_are_ignored(
    lab: Any, glue: Any, completed: str, caplog: pytest.LogCaptureFixture
) -> None:
    glue.delete_workflow(Name="flow")
    lab.jobs.attempt("job", WorkflowRef("flow", completed, "begin"))
    lab.jobs.finish("job")
    lab.settle()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("RUNNING", "RUNNING"),
        ("STOPPING", "CANCELLING"),
        ("STOPPED", "CANCELLED"),
        ("COMPLETED", "SUCCEEDED"),
        ("FAILED", "FAILED"),
    ],
)
def test_the_graph_shows_the_crawl_s_own_state(lab: Any, glue: Any, state: str, told: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawl.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    crawl = glue_backends[lab.context.account_id]["us-east-1"].crawlers["crawler"].crawls.newest
    log = {"LogGroup": "/aws-glue/crawlers", "LogStream": "crawler", "ErrorMessage": "two of five"}
    crawl.described |= {**log, "State": state}
    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    (shown,) = next(node for node in graph["Nodes"] if node["Name"] == "crawler")["CrawlerDetails"]["Crawls"]
    del shown["StartedOn"]
    assert shown == {**log, "State": told}


def test_a_second_end_event_of_the_same_run_changes_nothing(lab: Any, glue: Any, completed: str) -> None:
    ref = WorkflowRef("flow", completed, "begin")
    lab.bus.publish(JobRunFinished("us-east-1", "job", "jr_job0", "SUCCEEDED", True, ref))
    lab.settle()
    assert status(glue, completed) == ("COMPLETED", {"TotalActions": 1, "FailedActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_a_job_over_its_concurrency_limit_appears_in_the_graph_as_a_failed_job_run(
    lab: Any, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    lab.define("job")
    workflow(glue, "flow", start=["job"])

    def refuse(region: str, name: str, request: Any, *, workflow: WorkflowRef, **_: Any) -> str:
        # As the jobs engine does: the run is there, and FAILED.
        lab.jobs.attempt(name, workflow)
        lab.jobs.finish(name, "FAILED")
        raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {name}")

    monkeypatch.setattr(lab.jobs, "start_requested", refuse)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 1, "FailedActions": 1})
    assert [run["Id"] for run in job_node(glue, run_id)["JobDetails"]["JobRuns"]] == ["jr_job0"]


def test_an_action_that_fails_to_start_with_an_unexpected_error_does_not_stop_the_others(
    lab: Any, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.define("job", "crawler")
    workflow(glue, "flow", start=["job", "crawler"])

    def fail(*_: Any, **__: Any) -> str:
        raise RuntimeError("no more memory")

    monkeypatch.setattr(lab.jobs, "start_requested", fail)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 2, "FailedActions": 1, "RunningActions": 1})
    (job_run,) = job_node(glue, run_id)["JobDetails"]["JobRuns"]
    assert (job_run["JobRunState"], job_run["ErrorMessage"]) == ("FAILED", "RuntimeError: no more memory")


@pytest.mark.as_on_aws("Glue workflows")
@pytest.mark.parametrize(
    ("ends", "started"),
    [
        ({"j1": "SUCCEEDED", "j2": "SUCCEEDED"}, ["j3"]),
        ({"j1": "SUCCEEDED", "j2": "FAILED"}, ["j4"]),
        ({"j2": "FAILED", "j1": "SUCCEEDED"}, ["j4"]),
    ],
)
def test_a_workflow_trigger_waits_for_all_of_its_conditions_or_for_any_of_them(
    lab: Any, glue: Any, ends: dict[str, str], started: list[str]
) -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("j1", "j2", "j3", "j4")
    workflow(glue, "flow", start=["j1", "j2"])
    conditional(glue, "flow", "both", "AND", [job_ended("j1"), job_ended("j2")], ["j3"])
    conditional(glue, "flow", "rescue", "ANY", [job_ended("j1", "FAILED"), job_ended("j2", "FAILED")], ["j4"])
    glue.start_workflow_run(Name="flow")
    lab.settle()
    for name, state in ends.items():
        assert lab.jobs.names[2:] == []
        lab.jobs.finish(name, state)
        lab.settle()
        if started == ["j4"] and state == "FAILED":
            break
    assert lab.jobs.names[2:] == started


def test_two_triggers_may_start_the_same_job_one_after_the_other(lab: Any, glue: Any) -> None:
    lab.define("crawler", "job", "other-job")
    workflow(glue, "flow", start=["crawler", "other-job"])
    conditional(glue, "flow", "after-crawl", "ANY", [crawl_ended("crawler")], ["job"])
    conditional(glue, "flow", "after-other", "ANY", [job_ended("other-job")], ["job"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    for finish, name in [(lab.crawler.finish, "crawler"), (lab.jobs.finish, "job"), (lab.jobs.finish, "other-job")]:
        finish(name)
        lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 4, "SucceededActions": 3, "RunningActions": 1})
    lab.jobs.finish("job", "TIMEOUT")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 4, "SucceededActions": 3, "TimeoutActions": 1})

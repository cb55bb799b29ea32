"""The limits of concurrent runs, and what happens to an action that can't start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from workflow_builders import conditional, crawl_ended, pipeline, status, workflow

from localaws.core.events import WorkflowRef


@pytest.mark.as_on_aws("Glue workflows")
def test_a_run_over_the_maximum_of_concurrent_runs_is_refused_and_is_not_recorded(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartWorkflowRun.html"""
    pipeline(lab, glue, MaxConcurrentRuns=1)
    glue.start_workflow_run(Name="flow")
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException, match="Concurrent runs exceeded for workflow"):
        glue.start_workflow_run(Name="flow")
    assert len(glue.get_workflow_runs(Name="flow")["Runs"]) == 1

    lab.settle()
    lab.crawler.finish("crawler", "FAILED")
    lab.settle()
    assert glue.start_workflow_run(Name="flow")["RunId"]


@pytest.mark.as_on_aws("Glue workflows")
def test_concurrent_starts_never_exceed_the_maximum_of_concurrent_runs(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateWorkflow.html"""
    pipeline(lab, glue, MaxConcurrentRuns=3)

    def start(_: int) -> bool:
        try:
            return bool(glue.start_workflow_run(Name="flow"))
        except glue.exceptions.ConcurrentRunsExceededException:
            return False

    lab.bus.after_response(lambda: lab.hold.wait(10))  # no run may end, so that none makes room
    with ThreadPoolExecutor(12) as pool:
        accepted = list(pool.map(start, range(24)))
    lab.hold.set()
    assert accepted.count(True) == 3
    assert len(glue.get_workflow_runs(Name="flow")["Runs"]) == 3


@pytest.mark.simplified("Glue workflows", "AWS documents this for StartCrawler, but not for triggers")
def test_an_action_whose_crawler_is_already_running_fails_and_says_why(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html"""
    pipeline(lab, glue)
    first = glue.start_workflow_run(Name="flow")["RunId"]
    second = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, second) == ("COMPLETED", {"TotalActions": 2, "FailedActions": 1})
    (crawl,) = node(glue, second, "crawler")["CrawlerDetails"]["Crawls"]
    assert (crawl["State"], crawl["ErrorMessage"]) == ("FAILED", "Crawler with name crawler has already started")
    assert status(glue, first)[0] == "RUNNING"


@pytest.mark.as_on_aws("Glue workflows")
def test_a_job_over_its_maximum_of_concurrent_runs_is_a_failed_job_run_in_the_workflow_run(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    lab.define("job")
    workflow(glue, "flow", start=["job"])
    glue.start_workflow_run(Name="flow")
    second = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, second) == ("COMPLETED", {"TotalActions": 1, "FailedActions": 1})
    (job_run,) = job_runs(glue, second)
    assert (job_run["JobRunState"], job_run["ErrorMessage"]) == ("FAILED", "Concurrent runs exceeded for job")


@pytest.mark.as_on_aws("Glue workflows")
def test_a_queued_job_run_is_a_waiting_action_until_it_starts(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRunStatistics.html"""
    lab.define("job")
    lab.jobs.first_state = "WAITING"
    workflow(glue, "flow", start=["job"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 1, "WaitingActions": 1})
    lab.jobs.run("job")
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 1, "RunningActions": 1})
    lab.jobs.finish("job")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 1, "SucceededActions": 1})


@pytest.mark.simplified("Glue workflows", "AWS does not document this")
def test_an_action_that_cannot_start_fires_the_triggers_that_wait_for_its_failure(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    pipeline(lab, glue)
    lab.define("alarm-job")
    conditional(glue, "flow", "alarm", "ANY", [crawl_ended("crawler", "FAILED")], ["alarm-job"])
    glue.start_workflow_run(Name="flow")
    second = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, second) == ("RUNNING", {"TotalActions": 3, "FailedActions": 1, "RunningActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_an_action_whose_job_was_deleted_is_errored(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    glue.delete_job(JobName="job")
    lab.crawler.finish("crawler")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 1, "ErroredActions": 1})
    assert job_runs(glue, run_id)[0]["JobRunState"] == "ERROR"


def node(glue: Any, run_id: str, name: str) -> dict[str, Any]:
    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    found: dict[str, Any] = next(node for node in graph["Nodes"] if node["Name"] == name)
    return found


def job_runs(glue: Any, run_id: str, name: str = "job") -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = node(glue, run_id, name)["JobDetails"]["JobRuns"]
    return runs


def lab_ref(lab: Any, run_id: str) -> Any:
    return WorkflowRef("flow", run_id, "after-crawl")

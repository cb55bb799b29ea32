"""Runs after a killed server: nothing that was acknowledged is lost, and nothing is invented."""

from __future__ import annotations

from typing import Any

import pytest
from moto.glue.models import glue_backends
from workflow_builders import conditional, crawl_ended, pipeline, status, workflow


def test_after_a_restart_a_run_continues_with_the_result_of_its_crawl(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.workflow.stop()  # from here on nobody hears how the crawl ends
    lab.crawler.finish("crawler")
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == (
        "RUNNING",
        {"TotalActions": 2, "SucceededActions": 1, "RunningActions": 1},
    )
    lab.jobs.finish("job")
    lab.settle()
    assert status(lab.client(), run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 2})


def test_a_run_whose_job_died_with_the_server_ends_with_a_failed_action(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    lab.workflow.stop()
    lab.jobs.finish("job", "FAILED")
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == (
        "COMPLETED",
        {"TotalActions": 2, "SucceededActions": 1, "FailedActions": 1},
    )


@pytest.mark.simplified("Glue workflows", "AWS has no restarts; here a restart loses no run")
def test_a_workflow_run_that_was_accepted_before_the_server_was_killed_begins_at_its_next_start(
    lab: Any, glue: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartWorkflowRun.html"""
    pipeline(lab, glue)
    lab.workflow.stop()
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == ("RUNNING", {"TotalActions": 2, "RunningActions": 1})


def test_a_crawl_that_began_just_before_the_server_was_killed_is_not_started_twice(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.workflow.stop()
    # The moment between the crawl's own record and the run's: the run does not know its id.
    (action,) = lab.run("flow", run_id).actions
    action.run_ids.clear()
    action.state = "STARTING"
    lab.crawler.finish("crawler", "FAILED")
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == ("COMPLETED", {"TotalActions": 2, "FailedActions": 1})


def test_an_end_event_that_arrives_before_the_engine_has_started_does_not_start_anything_twice(
    lab: Any, glue: Any
) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    (action,) = lab.run("flow", run_id).actions
    action.run_ids.clear()
    action.state = "STARTING"
    lab.kill()
    lab.start(before=lambda: lab.crawler.finish("crawler", "FAILED"))
    lab.settle()
    assert status(lab.client(), run_id) == ("COMPLETED", {"TotalActions": 2, "FailedActions": 1})


def test_a_standalone_trigger_reacts_to_a_crawl_that_ended_with_the_server(lab: Any, glue: Any) -> None:
    lab.define("crawler", "job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[{"CrawlerName": "crawler"}])
    conditional(glue, None, "then", "ANY", [crawl_ended("crawler", "FAILED")], ["job"])
    glue.start_trigger(Name="go")
    lab.kill()
    lab.start(before=lambda: lab.crawler.finish("crawler", "FAILED"))
    lab.settle()
    assert lab.jobs.names == ["job"]


def test_a_crawl_that_still_runs_after_a_restart_is_waited_for(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id)[1] == {"TotalActions": 2, "RunningActions": 1}
    lab.crawler.finish("crawler", "FAILED")
    lab.settle()
    assert status(lab.client(), run_id) == ("COMPLETED", {"TotalActions": 2, "FailedActions": 1})


def test_a_waiting_job_run_is_still_a_waiting_action_after_a_restart(lab: Any, glue: Any) -> None:
    lab.define("job")
    lab.jobs.first_state = "WAITING"
    workflow(glue, "flow", start=["job"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == ("RUNNING", {"TotalActions": 1, "WaitingActions": 1})


def test_a_stopping_run_is_stopped_after_a_restart(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.workflow.stop()
    glue.stop_workflow_run(Name="flow", RunId=run_id)
    assert status(glue, run_id)[0] == "STOPPING"
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == ("STOPPED", {"TotalActions": 2, "StoppedActions": 1})


def test_an_action_whose_crawler_is_gone_after_a_restart_is_errored(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.workflow.stop()
    del glue_backends[lab.context.account_id]["us-east-1"].crawlers["crawler"]
    lab.kill()
    lab.start()
    lab.settle()
    assert status(lab.client(), run_id) == ("COMPLETED", {"TotalActions": 2, "ErroredActions": 1})


def test_triggers_workflows_and_runs_survive_a_restart(lab: Any, glue: Any) -> None:
    pipeline(lab, glue, MaxConcurrentRuns=2)
    glue.start_workflow_run(Name="flow")
    lab.settle()
    lab.crawler.finish("crawler", "FAILED")
    lab.settle()
    before = told(glue)
    lab.kill()
    lab.start()
    assert told(lab.client()) == before


def told(glue: Any) -> list[Any]:
    return [
        glue.get_workflow(Name="flow", IncludeGraph=True)["Workflow"],
        glue.get_workflow_runs(Name="flow", IncludeGraph=True)["Runs"],
        glue.get_triggers()["Triggers"],
    ]

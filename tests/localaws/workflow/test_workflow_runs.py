"""Workflow runs: what starts what, how a run ends, and what it returns."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from workflow_builders import conditional, crawl_ended, job_ended, pipeline, status, workflow

from localaws.core.events import WorkflowRef


@pytest.mark.as_on_aws("Glue workflows")
def test_a_workflow_run_goes_from_its_start_trigger_to_a_crawl_and_then_to_a_job(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 2, "RunningActions": 1})

    lab.crawler.finish("crawler")
    lab.settle()
    assert status(glue, run_id) == ("RUNNING", {"TotalActions": 2, "RunningActions": 1, "SucceededActions": 1})

    lab.jobs.finish("job")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 2})
    run = glue.get_workflow_run(Name="flow", RunId=run_id)["Run"]
    assert run["CompletedOn"] >= run["StartedOn"]
    assert glue.get_workflow(Name="flow")["Workflow"]["LastRun"]["WorkflowRunId"] == run_id


@pytest.mark.as_on_aws("Glue workflows")
def test_the_graph_of_a_run_shows_the_crawls_and_job_runs_that_belong_to_it(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()

    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    nodes = {node["Name"]: node for node in graph["Nodes"]}
    assert {name: node["Type"] for name, node in nodes.items()} == {
        "begin": "TRIGGER",
        "crawler": "CRAWLER",
        "after-crawl": "TRIGGER",
        "job": "JOB",
    }
    assert [crawl["State"] for crawl in nodes["crawler"]["CrawlerDetails"]["Crawls"]] == ["SUCCEEDED"]
    (job_run,) = nodes["job"]["JobDetails"]["JobRuns"]
    assert (job_run["JobName"], job_run["JobRunState"], job_run["TriggerName"]) == ("job", "RUNNING", "after-crawl")
    assert nodes["begin"]["TriggerDetails"]["Trigger"]["Type"] == "ON_DEMAND"
    names = {node["UniqueId"]: node["Name"] for node in graph["Nodes"]}
    edges = [(names[edge["SourceId"]], names[edge["DestinationId"]]) for edge in graph["Edges"]]
    assert edges == [("begin", "crawler"), ("crawler", "after-crawl"), ("after-crawl", "job")]


@pytest.mark.as_on_aws("Glue workflows")
def test_the_graph_of_a_workflow_shows_its_nodes_without_runs(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html"""
    pipeline(lab, glue)
    graph = glue.get_workflow(Name="flow", IncludeGraph=True)["Workflow"]["Graph"]
    assert {node["Name"] for node in graph["Nodes"]} == {"begin", "crawler", "after-crawl", "job"}
    assert len(graph["Edges"]) == 3
    assert "Graph" not in glue.get_workflow(Name="flow")["Workflow"]
    batch = glue.batch_get_workflows(Names=["flow", "absent"], IncludeGraph=True)
    assert batch["MissingWorkflows"] == ["absent"]
    assert batch["Workflows"][0]["Graph"] == graph


@pytest.mark.as_on_aws("Glue workflows")
def test_a_run_whose_job_failed_is_completed_and_counts_a_failed_action(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRunStatistics.html
    """
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    lab.jobs.finish("job", "FAILED")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 1, "FailedActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_a_failed_crawl_does_not_start_a_job_that_waits_for_its_success(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler", "FAILED")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "FailedActions": 1})
    assert lab.jobs.requests == []


@pytest.mark.simplified(
    "Glue workflows", "AWS does not document which attempt a trigger waits for; here it is the last"
)
def test_a_retried_job_counts_as_its_last_attempt(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-job.html"""
    pipeline(lab, glue)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    first = job_runs(glue, run_id)[0]["Id"]
    lab.jobs.finish("job", "FAILED", final=False)
    lab.settle()
    assert status(glue, run_id)[0] == "RUNNING"
    lab.jobs.attempt("job", lab_ref(lab, run_id))
    lab.jobs.finish("job")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 2})
    assert [run["JobRunState"] for run in job_runs(glue, run_id)] == ["FAILED", "SUCCEEDED"]
    assert job_runs(glue, run_id)[0]["Id"] == first


@pytest.mark.simplified("Glue workflows", "AWS documents the first event, not the effect of further events")
def test_an_ANY_trigger_fires_at_its_first_event_and_only_once_in_a_run(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job-a", "job-b", "job-c")
    workflow(glue, "flow", start=["job-a", "job-b"])
    conditional(glue, "flow", "either", "ANY", [job_ended("job-a"), job_ended("job-b")], ["job-c"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job-b")
    lab.settle()
    lab.jobs.finish("job-c")
    lab.jobs.finish("job-a")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 3, "SucceededActions": 3})


@pytest.mark.as_on_aws("Glue workflows")
def test_an_AND_trigger_waits_for_its_last_event(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("crawler", "job-a", "job-c")
    workflow(glue, "flow", start=["job-a", "crawler"])
    conditional(glue, "flow", "both", "AND", [job_ended("job-a"), crawl_ended("crawler")], ["job-c"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job-a")
    lab.settle()
    assert status(glue, run_id)[1] == {"TotalActions": 3, "SucceededActions": 1, "RunningActions": 1}
    lab.crawler.finish("crawler")
    lab.settle()
    lab.jobs.finish("job-c")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 3, "SucceededActions": 3})


@pytest.mark.as_on_aws("Glue workflows")
def test_an_AND_trigger_does_not_fire_if_one_job_ends_in_another_state(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job-a", "job-b", "job-c", "job-d")
    workflow(glue, "flow", start=["job-a", "job-b"])
    conditional(glue, "flow", "both", "AND", [job_ended("job-a"), job_ended("job-b")], ["job-c"])
    conditional(glue, "flow", "rescue", "AND", [job_ended("job-b", "TIMEOUT")], ["job-d"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job-a")
    lab.jobs.finish("job-b", "TIMEOUT")
    lab.settle()
    lab.jobs.finish("job-d")
    lab.settle()
    expected = {"TotalActions": 4, "SucceededActions": 2, "TimeoutActions": 1}
    assert status(glue, run_id) == ("COMPLETED", expected)


@pytest.mark.as_on_aws("Glue workflows")
def test_several_levels_of_triggers_run_one_after_the_other(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html"""
    lab.define("job-1", "job-2", "job-3", "job-4")
    workflow(glue, "flow", start=["job-1"])
    for number in (1, 2, 3):
        conditional(glue, "flow", f"after-{number}", "ANY", [job_ended(f"job-{number}")], [f"job-{number + 1}"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    for number in (1, 2, 3, 4):
        lab.settle()
        lab.jobs.finish(f"job-{number}")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 4, "SucceededActions": 4})


@pytest.mark.as_on_aws("Glue workflows")
def test_a_conditional_trigger_that_is_not_activated_does_not_fire(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job-a", "job-b")
    workflow(glue, "flow", start=["job-a"])
    conditional(glue, "flow", "asleep", "ANY", [job_ended("job-a")], ["job-b"], StartOnCreation=False)
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job-a")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_a_run_uses_the_triggers_as_they_were_when_it_started(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    pipeline(lab, glue)
    lab.define("other-job")
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    glue.update_trigger(
        Name="after-crawl",
        TriggerUpdate={"Predicate": {"Conditions": [crawl_ended("crawler")]}, "Actions": [{"JobName": "other-job"}]},
    )
    glue.delete_trigger(Name="begin")
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    assert [run["JobName"] for run in job_runs(glue, run_id)] == ["job"]


@pytest.mark.as_on_aws("Glue workflows")
def test_a_trigger_s_arguments_and_timeout_are_passed_to_the_job_that_it_starts(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job")
    glue.create_workflow(Name="flow")
    actions = [{"JobName": "job", "Arguments": {"--rows": "7"}, "Timeout": 5}]
    glue.create_trigger(Name="begin", WorkflowName="flow", Type="ON_DEMAND", Actions=actions)
    glue.start_workflow_run(Name="flow")
    lab.settle()
    assert lab.jobs.requests == [{"Arguments": {"--rows": "7"}, "Timeout": 5}]


@pytest.mark.as_on_aws("Glue workflows")
def test_a_crawl_that_was_started_by_hand_does_not_advance_a_workflow(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/blueprint_workflow_restrictions.html"""
    pipeline(lab, glue)
    lab.crawler.start_crawl("us-east-1", "crawler")
    lab.crawler.finish("crawler")
    lab.settle()
    assert lab.jobs.requests == []


@pytest.mark.as_on_aws("Glue workflows")
def test_stopping_a_workflow_run_stops_its_active_actions_and_starts_no_more(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-stopping.html"""
    lab.define("crawler", "job-a", "job-b")
    workflow(glue, "flow", start=["crawler", "job-a"])
    conditional(glue, "flow", "next", "ANY", [job_ended("job-a", "STOPPED")], ["job-b"])
    run_id = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    glue.stop_workflow_run(Name="flow", RunId=run_id)
    lab.settle()
    assert status(glue, run_id) == ("STOPPED", {"TotalActions": 3, "StoppedActions": 2})
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException):
        glue.stop_workflow_run(Name="flow", RunId=run_id)


@pytest.mark.as_on_aws("Glue workflows")
def test_properties_from_the_start_override_the_defaults_and_can_be_changed_during_the_run(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-run-properties-code.html"""
    pipeline(lab, glue, DefaultRunProperties={"day": "monday", "hour": "1"})
    run_id = glue.start_workflow_run(Name="flow", RunProperties={"hour": "2"})["RunId"]
    asked = {"Name": "flow", "RunId": run_id}
    assert glue.get_workflow_run_properties(**asked)["RunProperties"] == {"day": "monday", "hour": "2"}
    glue.put_workflow_run_properties(**asked, RunProperties={"minute": "3", "day": "friday"})
    expected = {"day": "friday", "hour": "2", "minute": "3"}
    assert glue.get_workflow_run_properties(**asked)["RunProperties"] == expected
    assert glue.get_workflow_run(**asked)["Run"]["WorkflowRunProperties"] == expected
    assert glue.get_workflow(Name="flow")["Workflow"]["DefaultRunProperties"] == {"day": "monday", "hour": "1"}


@pytest.mark.simplified("Glue workflows", "AWS documents no order")
def test_workflow_runs_are_listed_in_pages_with_the_newest_first(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetWorkflowRuns.html"""
    pipeline(lab, glue)
    started = [glue.start_workflow_run(Name="flow")["RunId"] for _ in range(5)]
    pages = list(glue.get_paginator("get_workflow_runs").paginate(Name="flow", PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    assert [run["WorkflowRunId"] for page in pages for run in page["Runs"]] == started[::-1]
    newest = glue.get_workflow_runs(Name="flow", MaxResults=1)
    assert [run["WorkflowRunId"] for run in newest["Runs"]] == started[4:]
    started.append(glue.start_workflow_run(Name="flow")["RunId"])
    rest = glue.get_workflow_runs(Name="flow", NextToken=newest["NextToken"])["Runs"]
    assert [run["WorkflowRunId"] for run in rest] == started[3::-1]  # a run that began meanwhile shifts nothing
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.get_workflow_runs(Name="flow", NextToken="wr_0")


def test_a_workflow_without_a_start_trigger_cannot_run(lab: Any, glue: Any) -> None:
    glue.create_workflow(Name="flow")
    with pytest.raises(glue.exceptions.InvalidInputException, match="no start trigger"):
        glue.start_workflow_run(Name="flow")
    assert glue.get_workflow_runs(Name="flow")["Runs"] == []


@pytest.mark.as_on_aws("Glue workflows")
def test_workflows_and_runs_that_do_not_exist_are_not_found(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetWorkflowRun.html"""
    pipeline(lab, glue)
    for call, parameters in [
        (glue.get_workflow, {"Name": "absent"}),
        (glue.update_workflow, {"Name": "absent"}),
        (glue.start_workflow_run, {"Name": "absent"}),
        (glue.get_workflow_run, {"Name": "flow", "RunId": "wr_0"}),
        (glue.stop_workflow_run, {"Name": "flow", "RunId": "wr_0"}),
        (glue.resume_workflow_run, {"Name": "flow", "RunId": "wr_0", "NodeIds": ["wnode_0"]}),
        (glue.get_workflow_run_properties, {"Name": "flow", "RunId": "wr_0"}),
    ]:
        with pytest.raises(ClientError) as refusal:
            call(**parameters)
        assert refusal.value.response["Error"]["Code"] == "EntityNotFoundException"
    assert glue.delete_workflow(Name="absent")["Name"] == "absent"


def test_deleting_a_workflow_deletes_its_triggers_and_starts_no_more_actions(lab: Any, glue: Any) -> None:
    pipeline(lab, glue)
    glue.start_workflow_run(Name="flow")
    lab.settle()
    glue.delete_workflow(Name="flow")
    lab.crawler.finish("crawler")
    lab.settle()
    assert glue.get_triggers()["Triggers"] == []
    assert lab.jobs.requests == []


def test_a_workflow_can_be_updated_and_its_name_is_unique(lab: Any, glue: Any) -> None:
    glue.create_workflow(Name="flow", Description="first", MaxConcurrentRuns=2, Tags={"lab": "toll"})
    glue.update_workflow(Name="flow", Description="second")
    told = glue.get_workflow(Name="flow")["Workflow"]
    assert (told["Description"], told["MaxConcurrentRuns"]) == ("second", 2)
    assert glue.list_workflows()["Workflows"] == ["flow"]
    arn = "arn:aws:glue:us-east-1:123456789012:workflow/flow"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"lab": "toll"}
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_workflow(Name="flow")
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.update_workflow(Name="flow", MaxConcurrentRuns=0)


def node(glue: Any, run_id: str, name: str) -> dict[str, Any]:
    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    found: dict[str, Any] = next(node for node in graph["Nodes"] if node["Name"] == name)
    return found


def job_runs(glue: Any, run_id: str, name: str = "job") -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = node(glue, run_id, name)["JobDetails"]["JobRuns"]
    return runs


def lab_ref(lab: Any, run_id: str) -> Any:
    return WorkflowRef("flow", run_id, "after-crawl")

"""ResumeWorkflowRun: https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html, whose example is used here."""

from __future__ import annotations

from typing import Any

import pytest
from workflow_builders import conditional, job_ended, status, workflow


@pytest.fixture
def partial_run(lab: Any, glue: Any) -> str:
    """W1 of the page: J1 succeeds, J2 and J3 fail, so that J4 and J5 are never started."""
    lab.define("job-1", "job-2", "job-3", "job-4", "job-5")
    workflow(glue, "flow", start=["job-1"])
    for trigger, watched, started in [("t2", 1, 2), ("t3", 1, 3), ("t4", 2, 4), ("t5", 3, 5)]:
        conditional(glue, "flow", trigger, "ANY", [job_ended(f"job-{watched}")], [f"job-{started}"])
    run_id: str = glue.start_workflow_run(Name="flow")["RunId"]
    lab.settle()
    lab.jobs.finish("job-1")
    lab.settle()
    lab.jobs.finish("job-2", "FAILED")
    lab.jobs.finish("job-3", "FAILED")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 5, "SucceededActions": 1, "FailedActions": 2})
    return run_id


@pytest.mark.as_on_aws("Glue workflows")
def test_a_resumed_run_repeats_the_selected_nodes_and_all_nodes_downstream(
    lab: Any, glue: Any, partial_run: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    nodes = [node_id(glue, partial_run, name) for name in ("job-2", "job-3")]
    resumed = glue.resume_workflow_run(Name="flow", RunId=partial_run, NodeIds=nodes)
    lab.settle()
    assert resumed["RunId"] != partial_run
    assert sorted(resumed["NodeIds"]) == sorted(nodes)
    lab.jobs.finish("job-2")
    lab.jobs.finish("job-3")
    lab.settle()
    lab.jobs.finish("job-4")
    lab.jobs.finish("job-5")
    lab.settle()
    assert status(glue, resumed["RunId"]) == ("COMPLETED", {"TotalActions": 5, "SucceededActions": 5})
    run = glue.get_workflow_run(Name="flow", RunId=resumed["RunId"], IncludeGraph=True)["Run"]
    assert run["PreviousRunId"] == partial_run
    # The details of what did not run again are copied: "the run graph is a complete graph".
    assert [len(one["JobDetails"]["JobRuns"]) for one in run["Graph"]["Nodes"] if one["Type"] == "JOB"] == [1] * 5
    assert lab.jobs.names.count("job-1") == 1
    assert status(glue, partial_run)[1]["FailedActions"] == 2


@pytest.mark.as_on_aws("Glue workflows")
def test_a_selected_node_downstream_of_another_selected_node_is_started_by_its_trigger(
    lab: Any, glue: Any, partial_run: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    nodes = [node_id(glue, partial_run, name) for name in ("job-2", "job-1")]
    resumed = glue.resume_workflow_run(Name="flow", RunId=partial_run, NodeIds=nodes)
    lab.settle()
    assert resumed["NodeIds"] == [nodes[1]]
    assert status(glue, resumed["RunId"]) == ("RUNNING", {"TotalActions": 5, "RunningActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_only_a_completed_run_can_be_resumed(lab: Any, glue: Any, partial_run: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    node = node_id(glue, partial_run, "job-2")
    resumed = glue.resume_workflow_run(Name="flow", RunId=partial_run, NodeIds=[node])
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException):
        glue.resume_workflow_run(Name="flow", RunId=resumed["RunId"], NodeIds=[node])


@pytest.mark.as_on_aws("Glue workflows")
def test_only_jobs_and_crawlers_that_were_attempted_can_be_resumed(lab: Any, glue: Any, partial_run: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""
    for name in ("job-4", "t2"):
        with pytest.raises(glue.exceptions.InvalidInputException, match="attempted"):
            glue.resume_workflow_run(Name="flow", RunId=partial_run, NodeIds=[node_id(glue, partial_run, name)])
    assert len(glue.get_workflow_runs(Name="flow")["Runs"]) == 1


def node_id(glue: Any, run_id: str, name: str) -> str:
    graph = glue.get_workflow_run(Name="flow", RunId=run_id, IncludeGraph=True)["Run"]["Graph"]
    found: str = next(node["UniqueId"] for node in graph["Nodes"] if node["Name"] == name)
    return found

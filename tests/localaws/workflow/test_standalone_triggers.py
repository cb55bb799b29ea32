"""Standalone triggers: when they fire, and what happens to actions that can't start."""

from __future__ import annotations

from typing import Any

import pytest
from workflow_builders import action, conditional, crawl_ended, job_ended

WATCHED = ("j1", "j2")


@pytest.fixture
def chain(lab: Any, glue: Any) -> Any:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html: J3 starts when both J1 and J2
    succeed, J4 when either fails."""
    lab.define("j1", "j2", "j3", "j4")
    for name in WATCHED:
        glue.create_trigger(Name=f"go-{name}", Type="ON_DEMAND", Actions=[action(name)])
    conditional(glue, None, "both", "AND", [job_ended("j1"), job_ended("j2")], ["j3"])
    conditional(glue, None, "rescue", "ANY", [job_ended("j1", "FAILED"), job_ended("j2", "FAILED")], ["j4"])
    return lab


def run(lab: Any, glue: Any, **ends: str) -> list[str]:
    """Start the watched jobs by their triggers, and let them end one after the other: what was started by that."""
    before = len(lab.jobs.names)
    for name in ends:
        glue.start_trigger(Name=f"go-{name}")
    for name, state in ends.items():
        lab.jobs.finish(name, state)
        lab.settle()
    started = [name for name in lab.jobs.names[before:] if name not in WATCHED]
    for name in set(started):
        lab.jobs.finish(name)
    lab.settle()
    return started


@pytest.mark.as_on_aws("Glue workflows")
@pytest.mark.parametrize(
    ("ends", "started"),
    [
        ({"j1": "SUCCEEDED"}, []),
        ({"j1": "SUCCEEDED", "j2": "SUCCEEDED"}, ["j3"]),
        ({"j1": "SUCCEEDED", "j2": "FAILED"}, ["j4"]),
        ({"j2": "FAILED", "j1": "SUCCEEDED"}, ["j4"]),
        ({"j1": "SUCCEEDED", "j2": "TIMEOUT"}, []),
    ],
)
def test_a_standalone_trigger_waits_for_all_of_its_conditions_or_for_any_of_them(
    chain: Any, glue: Any, ends: dict[str, str], started: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    assert run(chain, glue, **ends) == started


def test_a_condition_is_no_longer_met_if_the_job_s_next_run_ends_in_another_state(chain: Any, glue: Any) -> None:
    """What counts is how the job ended last."""
    assert run(chain, glue, j1="SUCCEEDED") == []
    assert run(chain, glue, j1="FAILED") == ["j4"]
    assert run(chain, glue, j2="SUCCEEDED") == []
    assert run(chain, glue, j1="SUCCEEDED") == ["j3"]


def test_conditions_can_be_met_over_several_runs_of_the_same_job(chain: Any, glue: Any) -> None:
    assert run(chain, glue, j1="SUCCEEDED") == []
    assert run(chain, glue, j1="SUCCEEDED") == []
    assert run(chain, glue, j2="SUCCEEDED") == ["j3"]


def test_after_a_trigger_has_fired_all_conditions_have_to_be_met_again(chain: Any, glue: Any) -> None:
    assert run(chain, glue, j1="SUCCEEDED", j2="SUCCEEDED") == ["j3"]
    assert run(chain, glue, j2="SUCCEEDED") == []
    assert run(chain, glue, j1="SUCCEEDED") == ["j3"]


def test_the_runs_that_met_the_conditions_are_the_predecessors(chain: Any, glue: Any) -> None:
    run(chain, glue, j1="SUCCEEDED")
    run(chain, glue, j1="SUCCEEDED", j2="SUCCEEDED")
    assert chain.jobs.predecessors[-1] == (("j1", "jr_j11"), ("j2", "jr_j20"))


@pytest.mark.parametrize("change", ["stop", "update", "delete"])
def test_changing_a_trigger_resets_the_conditions_that_were_met(chain: Any, glue: Any, change: str) -> None:
    run(chain, glue, j1="SUCCEEDED")
    if change == "stop":
        glue.stop_trigger(Name="both")
        glue.start_trigger(Name="both")
    elif change == "update":
        predicate = {"Logical": "AND", "Conditions": [job_ended("j1"), job_ended("j2")]}
        glue.update_trigger(Name="both", TriggerUpdate={"Predicate": predicate, "Actions": [action("j3")]})
    else:
        glue.delete_trigger(Name="both")
        conditional(glue, None, "both", "AND", [job_ended("j1"), job_ended("j2")], ["j3"])
    assert run(chain, glue, j2="SUCCEEDED") == []


@pytest.mark.parametrize("state", ["CREATED", "DEACTIVATED"])
def test_a_trigger_that_is_not_activated_does_not_react_to_events(lab: Any, glue: Any, state: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("j1", "j3")
    glue.create_trigger(Name="go-j1", Type="ON_DEMAND", Actions=[action("j1")])
    conditional(glue, None, "then", "ANY", [job_ended("j1")], ["j3"], StartOnCreation=state == "DEACTIVATED")
    if state == "DEACTIVATED":
        glue.stop_trigger(Name="then")
    assert run(lab, glue, j1="SUCCEEDED") == []


def test_only_the_last_attempt_of_a_job_meets_a_condition(chain: Any, glue: Any) -> None:
    glue.start_trigger(Name="go-j1")
    chain.jobs.finish("j1", "FAILED", final=False)
    chain.settle()
    assert chain.jobs.names == ["j1"]


def test_a_condition_is_met_only_by_the_crawler_and_the_end_state_that_it_names(lab: Any, glue: Any) -> None:
    lab.define("crawler-1", "crawler-2", "j1")
    for name in ("crawler-1", "crawler-2"):
        glue.create_trigger(Name=f"go-{name}", Type="ON_DEMAND", Actions=[action(name)])
    conditional(glue, None, "then", "ANY", [crawl_ended("crawler-1", "CANCELLED")], ["j1"])
    for name, state in [("crawler-2", "CANCELLED"), ("crawler-1", "SUCCEEDED"), ("crawler-1", "CANCELLED")]:
        assert lab.jobs.names == []
        glue.start_trigger(Name=f"go-{name}")
        lab.crawler.finish(name, state)
        lab.settle()
    assert lab.jobs.names == ["j1"]


def test_a_trigger_with_several_actions_starts_those_that_can_start(lab: Any, glue: Any) -> None:
    lab.define("j1", "j2", "j3")
    glue.create_trigger(Name="go-j1", Type="ON_DEMAND", Actions=[action("j1")])
    conditional(glue, None, "then", "ANY", [job_ended("j1")], ["j2", "j3"])
    lab.jobs.start_requested("us-east-1", "j2", {})
    assert run(lab, glue, j1="SUCCEEDED") == ["j3"]


def test_StartTrigger_returns_the_first_error_of_its_actions(lab: Any, glue: Any) -> None:
    lab.define("j1", "crawler")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[action("crawler"), action("j1")])
    lab.jobs.start_requested("us-east-1", "j1", {})
    lab.crawler.start_crawl("us-east-1", "crawler")
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_trigger(Name="go")


@pytest.mark.parametrize("length", [1, 255, 256])
def test_names_of_triggers_and_workflows_have_up_to_255_characters(lab: Any, glue: Any, length: int) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTrigger.html"""
    lab.define("job")
    name = "n" * length
    calls = [
        lambda: glue.create_workflow(Name=name),
        lambda: glue.create_trigger(Name=name, WorkflowName=name, Type="ON_DEMAND", Actions=[action("job")]),
    ]
    for call in calls:
        if length > 255:
            with pytest.raises(glue.exceptions.ClientError, match="length less than or equal to 255"):
                call()
        else:
            assert call()["Name"] == name
    assert glue.list_workflows()["Workflows"] == ([name] if length <= 255 else [])

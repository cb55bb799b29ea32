"""What CreateTrigger and UpdateTrigger requests create, and what they refuse, without a server.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-trigger.html
"""

from __future__ import annotations

from typing import Any

import pytest
from moto.glue.exceptions import InvalidInputException
from workflow_builders import action, crawl_ended, job_ended

from localaws.glue.workflows.trigger_definitions import (
    Logical,
    NodeType,
    Target,
    Trigger,
    TriggerRequest,
    TriggerState,
    TriggerType,
)

NOON = "cron(0 12 * * ? *)"
WATCHES: dict[str, Any] = {"Logical": "ANY", "Conditions": [job_ended("watched")]}


def made(**request: Any) -> Trigger:
    """The trigger that CreateTrigger makes of `request`, which starts the job `job`."""
    request = {"Name": "t", "Type": "ON_DEMAND", "Actions": [action("job")], **request}
    return TriggerRequest("CreateTrigger", request).new("t", "arn:t")


def refusal(**request: Any) -> str:
    with pytest.raises(InvalidInputException) as refused:
        made(**request)
    return str(refused.value.message)


@pytest.mark.parametrize(
    ("request_", "state"),
    [
        ({"Type": "ON_DEMAND"}, TriggerState.CREATED),
        ({"Type": "ON_DEMAND", "StartOnCreation": False}, TriggerState.CREATED),
        ({"Type": "SCHEDULED", "Schedule": NOON}, TriggerState.CREATED),
        ({"Type": "SCHEDULED", "Schedule": NOON, "StartOnCreation": True}, TriggerState.ACTIVATED),
        ({"Type": "CONDITIONAL", "Predicate": WATCHES}, TriggerState.CREATED),
        ({"Type": "CONDITIONAL", "Predicate": WATCHES, "StartOnCreation": True}, TriggerState.ACTIVATED),
    ],
)
def test_a_trigger_is_activated_on_creation_only_with_StartOnCreation(
    request_: dict[str, Any], state: TriggerState
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTrigger.html"""
    assert made(**request_).state is state


def test_an_on_demand_trigger_cannot_be_started_on_creation() -> None:
    assert refusal(Type="ON_DEMAND", StartOnCreation=True) == "StartOnCreation is not supported for ON_DEMAND triggers"


@pytest.mark.parametrize("kind", ["ON_DEMAND", "SCHEDULED"])
def test_only_a_conditional_trigger_has_a_predicate(kind: str) -> None:
    schedule = {"Schedule": NOON} if kind == "SCHEDULED" else {}
    assert refusal(Type=kind, Predicate=WATCHES, **schedule) == f"Predicate cannot be set for a trigger of type {kind}"
    for nothing in ({}, {"Conditions": []}, {"Logical": "ANY"}):
        assert made(Type=kind, Predicate=nothing, **schedule).as_dict().get("Predicate") is None


@pytest.mark.parametrize("kind", ["ON_DEMAND", "CONDITIONAL"])
def test_only_a_scheduled_trigger_has_a_schedule(kind: str) -> None:
    predicate = {"Predicate": WATCHES} if kind == "CONDITIONAL" else {}
    assert refusal(Type=kind, Schedule=NOON, **predicate) == f"Schedule cannot be set for a trigger of type {kind}"
    assert made(Type=kind, Schedule="", **predicate).schedule is None


@pytest.mark.parametrize("schedule", [None, "", "noon"])
def test_a_scheduled_trigger_needs_a_valid_schedule(schedule: str | None) -> None:
    message = refusal(Type="SCHEDULED", Schedule=schedule)
    assert message.startswith("Schedule expression noon is not valid" if schedule else "Schedule cannot be null")


@pytest.mark.parametrize("predicate", [None, {}, {"Logical": "AND"}, {"Logical": "AND", "Conditions": []}])
def test_a_conditional_trigger_needs_conditions(predicate: dict[str, Any] | None) -> None:
    assert refusal(Type="CONDITIONAL", Predicate=predicate) == "Predicate cannot be null or empty"


def test_Logical_may_be_omitted_if_there_is_one_condition() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Predicate.html"""
    one, two = job_ended("a"), job_ended("b")
    trigger = made(Type="CONDITIONAL", Predicate={"Conditions": [one]})
    assert (trigger.logical, trigger.as_dict()["Predicate"]) == (Logical.AND, {"Logical": "AND", "Conditions": [one]})
    message = refusal(Type="CONDITIONAL", Predicate={"Conditions": [one, two]})
    assert message == "Logical cannot be null or empty when multiple conditions are listed"
    trigger = made(Type="CONDITIONAL", Predicate={"Logical": "ANY", "Conditions": [one, two]})
    assert trigger.as_dict()["Predicate"] == {"Logical": "ANY", "Conditions": [one, two]}


@pytest.mark.parametrize("state", ["SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT"])
def test_a_condition_can_wait_for_these_end_states_of_a_job(state: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Condition.html"""
    condition = job_ended("a", state)
    assert made(Type="CONDITIONAL", Predicate={"Conditions": [condition]}).conditions[0].as_dict() == condition


@pytest.mark.parametrize("state", ["SUCCEEDED", "CANCELLED", "FAILED"])
def test_a_condition_can_wait_for_these_end_states_of_a_crawl(state: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Condition.html"""
    condition = crawl_ended("crawler", state)
    assert made(Type="CONDITIONAL", Predicate={"Conditions": [condition]}).conditions[0].as_dict() == condition


JOB_STATES = "choose from one of the following job state: [SUCCEEDED, STOPPED, FAILED, TIMEOUT]"
CRAWLER_STATES = "choose from one of the following crawler state: [SUCCEEDED, FAILED, CANCELLED]"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "JobName or CrawlerName in condition cannot be null or empty"),
        ({"State": "SUCCEEDED"}, "JobName or CrawlerName in condition cannot be null or empty"),
        ({"JobName": "a", "State": "SUCCEEDED"}, "Logical operator cannot be null or empty"),
        ({"JobName": "a", "State": "SUCCEEDED", "LogicalOperator": "NOT"}, "Logical operator must be EQUALS"),
        (job_ended("a", "RUNNING"), f"State RUNNING cannot be watched, {JOB_STATES}"),
        (job_ended("a", "CANCELLED"), f"State CANCELLED cannot be watched, {JOB_STATES}"),
        ({"JobName": "a", "LogicalOperator": "EQUALS"}, f"State cannot be null or empty, {JOB_STATES}"),
        (crawl_ended("crawler", "RUNNING"), f"State RUNNING cannot be watched, {CRAWLER_STATES}"),
        (crawl_ended("crawler", "TIMEOUT"), f"State TIMEOUT cannot be watched, {CRAWLER_STATES}"),
        (
            {"CrawlerName": "c", "LogicalOperator": "EQUALS", "State": "SUCCEEDED"},
            f"State cannot be null or empty, {CRAWLER_STATES}",
        ),
    ],
)
def test_a_condition_names_a_job_or_a_crawler_and_a_valid_end_state(condition: dict[str, str], message: str) -> None:
    assert refusal(Type="CONDITIONAL", Predicate={"Conditions": [condition]}) == message


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (None, "Actions cannot be null or empty"),
        ([], "Actions cannot be null or empty"),
        ([{}], "JobName or CrawlerName in action cannot be null or empty"),
        ([{"Timeout": 5}], "JobName or CrawlerName in action cannot be null or empty"),
        (
            [{"JobName": "job", "CrawlerName": "crawler"}],
            "Both JobName and CrawlerName cannot be set together in an action",
        ),
        ([action(f"crawler-{number}") for number in range(3)], "Only 2 crawlers can be activated by a single trigger"),
        (
            [{"CrawlerName": "crawler", "Arguments": {"--a": "1"}}],
            "Arguments cannot be set for an action that starts a crawler",
        ),
        ([{"CrawlerName": "crawler", "Timeout": 5}], "Timeout cannot be set for an action that starts a crawler"),
        (
            [{"CrawlerName": "crawler", "SecurityConfiguration": "s"}],
            "SecurityConfiguration cannot be set for an action that starts a crawler",
        ),
        (
            [{"CrawlerName": "crawler", "NotificationProperty": {"NotifyDelayAfter": 1}}],
            "NotificationProperty cannot be set for an action that starts a crawler",
        ),
    ],
)
def test_invalid_actions_of_a_trigger_are_refused(actions: list[dict[str, Any]] | None, message: str) -> None:
    assert refusal(Actions=actions) == message


def test_job_run_settings_without_an_effect_are_refused_in_a_trigger() -> None:
    message = refusal(Actions=[{"JobName": "job", "SecurityConfiguration": "s"}])
    assert message.startswith("SecurityConfiguration is not supported by the embedded AWS")


def test_a_trigger_starts_up_to_two_crawlers_and_any_number_of_jobs() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    names = ["crawler-1", "crawler-2", *(f"job-{number}" for number in range(10))]
    assert [one.target.name for one in made(Actions=[action(name) for name in names]).actions] == names


@pytest.mark.parametrize(
    ("watched", "started", "kind"),
    [
        ([job_ended("x")], ["x"], "Job"),
        ([job_ended("a"), job_ended("x")], ["b", "x"], "Job"),
        ([crawl_ended("crawler")], ["crawler"], "Crawler"),
    ],
)
def test_a_trigger_cannot_wait_for_the_job_or_crawler_that_it_starts(
    watched: list[dict[str, str]], started: list[str], kind: str
) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/39571"""
    predicate = {"Logical": "ANY", "Conditions": watched}
    message = refusal(Type="CONDITIONAL", Predicate=predicate, Actions=[action(name) for name in started])
    assert message == f"{kind} cannot be a Predicate and Action for Conditional Trigger."


def test_a_trigger_may_start_a_job_with_the_same_name_as_a_crawler_it_waits_for() -> None:
    condition = {"LogicalOperator": "EQUALS", "CrawlerName": "same", "CrawlState": "SUCCEEDED"}
    trigger = made(Type="CONDITIONAL", Predicate={"Conditions": [condition]}, Actions=[{"JobName": "same"}])
    assert trigger.actions[0].target == Target(NodeType.JOB, "same")


def test_event_batching_is_refused_unless_the_trigger_is_an_event_trigger() -> None:
    message = refusal(EventBatchingCondition={"BatchSize": 2})
    assert message == "EventBatchingCondition is only supported for EVENT triggers"


def test_an_update_replaces_everything_except_type_workflow_state_and_tags() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTrigger.html"""
    old = made(
        Type="SCHEDULED",
        Schedule=NOON,
        StartOnCreation=True,
        WorkflowName="flow",
        Description="old",
        Tags={"lab": "toll"},
    )
    update = {"Schedule": "cron(0 6 * * ? *)", "Actions": [action("other")]}
    new = TriggerRequest("UpdateTrigger", update).applied_to(old)
    assert new.as_dict() == {
        "Name": "t",
        "Type": "SCHEDULED",
        "State": "ACTIVATED",
        "WorkflowName": "flow",
        "Schedule": "cron(0 6 * * ? *)",
        "Actions": [{"JobName": "other"}],
    }
    assert new.tags == {"lab": "toll"}


def test_a_standalone_trigger_shows_no_workflow() -> None:
    trigger = made(WorkflowName="")
    assert trigger.workflow_name is None
    assert trigger.as_dict() == {"Name": "t", "Type": "ON_DEMAND", "State": "CREATED", "Actions": [{"JobName": "job"}]}


@pytest.mark.parametrize(
    ("kind", "starts"),
    [(TriggerType.ON_DEMAND, True), (TriggerType.SCHEDULED, True), (TriggerType.CONDITIONAL, False)],
)
def test_every_trigger_type_except_CONDITIONAL_can_start_a_workflow(kind: TriggerType, starts: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html"""
    assert Trigger("t", "arn:t", kind, ()).starts_workflow is starts


@pytest.mark.parametrize(
    ("logical", "met", "fires"),
    [
        ("AND", {}, False),
        ("AND", {0: "jr_a"}, False),
        ("AND", {1: "jr_b"}, False),
        ("AND", {0: "jr_a", 1: "jr_b"}, True),
        ("ANY", {}, False),
        ("ANY", {0: "jr_a"}, True),
        ("ANY", {1: "jr_b"}, True),
        ("ANY", {0: "jr_a", 1: "jr_b"}, True),
    ],
)
def test_AND_needs_all_conditions_and_ANY_needs_one(logical: str, met: dict[int, str], fires: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Predicate.html"""
    predicate = {"Logical": logical, "Conditions": [job_ended("a"), job_ended("b")]}
    assert made(Type="CONDITIONAL", Predicate=predicate).is_met(met) is fires


def test_predecessors_are_the_job_runs_but_not_the_crawls_that_met_the_conditions() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Predecessor.html"""
    predicate = {
        "Logical": "ANY",
        "Conditions": [job_ended("a"), crawl_ended("crawler"), job_ended("b"), job_ended("c")],
    }
    trigger = made(Type="CONDITIONAL", Predicate=predicate)
    assert trigger.predecessors({2: "jr_b", 1: "crawl", 0: "jr_a", 3: ""}) == (("a", "jr_a"), ("b", "jr_b"))
    assert trigger.predecessors({}) == ()

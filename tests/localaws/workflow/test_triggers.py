"""Triggers: valid and invalid definitions, their states, and standalone triggers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from workflow_builders import action, conditional, crawl_ended, job_ended, pipeline

JOB = [{"JobName": "job"}]


@pytest.mark.as_on_aws("Glue workflows")
def test_an_on_demand_trigger_stays_in_the_state_CREATED_when_it_fires(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job", "crawler")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[*JOB, {"CrawlerName": "crawler"}], Description="both")
    assert glue.start_trigger(Name="go")["Name"] == "go"
    assert len(lab.jobs.requests) == 1
    assert glue.get_trigger(Name="go")["Trigger"] == {
        "Name": "go",
        "Type": "ON_DEMAND",
        "State": "CREATED",
        "Description": "both",
        "Actions": [{"JobName": "job"}, {"CrawlerName": "crawler"}],
    }


@pytest.mark.as_on_aws("Glue workflows")
def test_a_conditional_trigger_is_activated_on_creation_or_with_StartTrigger(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("crawler", "job")
    conditional(glue, None, "now", "ANY", [crawl_ended("crawler")], ["job"])
    conditional(glue, None, "later", "ANY", [crawl_ended("crawler")], ["job"], StartOnCreation=False)
    assert states(glue) == {"now": "ACTIVATED", "later": "CREATED"}
    glue.start_trigger(Name="later")
    glue.stop_trigger(Name="now")
    assert states(glue) == {"now": "DEACTIVATED", "later": "ACTIVATED"}
    glue.start_trigger(Name="now")
    assert states(glue) == {"now": "ACTIVATED", "later": "ACTIVATED"}


def test_a_trigger_cannot_be_started_or_stopped_twice(lab: Any, glue: Any) -> None:
    lab.define("crawler", "job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=JOB)
    conditional(glue, None, "now", "ANY", [crawl_ended("crawler")], ["job"])
    with pytest.raises(glue.exceptions.InvalidInputException, match="not allowed when trigger is in state: CREATED"):
        glue.stop_trigger(Name="go")
    with pytest.raises(glue.exceptions.InvalidInputException, match="not allowed when trigger is in state: ACTIVATED"):
        glue.start_trigger(Name="now")


@pytest.mark.as_on_aws("Glue workflows")
def test_starting_the_start_trigger_of_a_workflow_runs_the_workflow(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    pipeline(lab, glue)
    glue.start_trigger(Name="begin")
    lab.settle()
    (run,) = glue.get_workflow_runs(Name="flow")["Runs"]
    assert run["Statistics"]["RunningActions"] == 1


def test_a_trigger_with_an_action_that_cannot_start_returns_the_error_and_starts_the_others(
    lab: Any, glue: Any
) -> None:
    lab.define("job", "other-job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[*JOB, {"JobName": "other-job"}])
    lab.jobs.start_requested("us-east-1", "job", {})
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_trigger(Name="go")
    assert len(lab.jobs.requests) == 2


@pytest.mark.as_on_aws("Glue workflows")
def test_a_chain_of_standalone_triggers_runs_on_its_own(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("crawler", "job", "last-job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[{"CrawlerName": "crawler"}])
    conditional(glue, None, "then", "ANY", [crawl_ended("crawler")], ["job"])
    conditional(glue, None, "at-last", "AND", [job_ended("job"), crawl_ended("crawler")], ["last-job"])
    glue.start_trigger(Name="go")
    lab.crawler.finish("crawler")
    lab.settle()
    assert len(lab.jobs.requests) == 1
    lab.jobs.finish("job")
    lab.settle()
    assert len(lab.jobs.requests) == 2


@pytest.mark.as_on_aws("Glue workflows")
def test_a_crawl_that_was_started_by_hand_fires_no_trigger(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("crawler", "job")
    conditional(glue, None, "then", "ANY", [crawl_ended("crawler")], ["job"])
    lab.crawler.start_crawl("us-east-1", "crawler")
    lab.crawler.finish("crawler")
    lab.settle()
    assert lab.jobs.requests == []


@pytest.mark.as_on_aws("Glue workflows")
def test_workflow_triggers_and_standalone_triggers_do_not_react_to_each_other_s_events(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/blueprint_workflow_restrictions.html"""
    pipeline(lab, glue)
    lab.define("outside-job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[{"CrawlerName": "crawler"}])
    conditional(glue, None, "outside", "ANY", [crawl_ended("crawler")], ["outside-job"])
    glue.start_workflow_run(Name="flow")
    lab.settle()
    lab.crawler.finish("crawler")
    lab.settle()
    assert started(lab) == ["job"]
    glue.start_trigger(Name="go")
    lab.crawler.finish("crawler")
    lab.settle()
    assert started(lab) == ["job", "outside-job"]


def test_a_standalone_AND_trigger_starts_over_after_it_has_fired(lab: Any, glue: Any) -> None:
    lab.define("job-a", "job-b", "both-job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=[action("job-a"), action("job-b")])
    conditional(glue, None, "both", "AND", [job_ended("job-a"), job_ended("job-b")], ["both-job"])
    for firings in (1, 2):
        glue.start_trigger(Name="go")
        lab.jobs.finish("job-a")
        lab.settle()
        assert started(lab).count("both-job") == firings - 1
        lab.jobs.finish("job-b")
        lab.settle()
        assert started(lab).count("both-job") == firings
        lab.jobs.finish("both-job")
        lab.settle()


@pytest.mark.as_on_aws("Glue workflows")
def test_an_update_overwrites_a_trigger_s_definition_and_keeps_its_type_and_state(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTrigger.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_TriggerUpdate.html
    """
    lab.define("crawler", "job", "other-job")
    conditional(glue, None, "then", "ANY", [crawl_ended("crawler")], ["job"], Description="old")
    update = {
        "Actions": [{"JobName": "other-job", "Timeout": 5}],
        "Predicate": {"Conditions": [crawl_ended("crawler", "FAILED")]},
    }
    expected = {
        "Name": "then",
        "Type": "CONDITIONAL",
        "State": "ACTIVATED",
        "Actions": [{"JobName": "other-job", "Timeout": 5}],
        "Predicate": {"Logical": "AND", "Conditions": [crawl_ended("crawler", "FAILED")]},
    }
    assert glue.update_trigger(Name="then", TriggerUpdate=update)["Trigger"] == expected
    assert glue.get_trigger(Name="then")["Trigger"] == expected


@pytest.mark.as_on_aws("Glue workflows")
def test_triggers_are_listed_by_the_job_they_start(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTriggers.html"""
    lab.define("job", "other-job")
    glue.create_trigger(Name="one", Type="ON_DEMAND", Actions=JOB, Tags={"lab": "toll"})
    glue.create_trigger(Name="two", Type="ON_DEMAND", Actions=[{"JobName": "other-job"}])
    assert glue.list_triggers()["TriggerNames"] == ["one", "two"]
    assert glue.list_triggers(DependentJobName="other-job")["TriggerNames"] == ["two"]
    assert glue.list_triggers(Tags={"lab": "toll"})["TriggerNames"] == ["one"]
    assert [trigger["Name"] for trigger in glue.get_triggers(DependentJobName="job")["Triggers"]] == ["one"]
    # "if there is no such trigger, all triggers are returned", says GetTriggers' reference.
    assert len(glue.get_triggers(DependentJobName="absent")["Triggers"]) == 2
    pages = list(glue.get_paginator("get_triggers").paginate(PaginationConfig={"PageSize": 1}))
    assert [trigger["Name"] for page in pages for trigger in page["Triggers"]] == ["one", "two"]
    batch = glue.batch_get_triggers(TriggerNames=["two", "absent"])
    assert [trigger["Name"] for trigger in batch["Triggers"]] == ["two"]
    assert batch["TriggersNotFound"] == ["absent"]


@pytest.mark.as_on_aws("Glue workflows")
def test_a_trigger_is_deleted_with_its_tags_and_can_be_deleted_again_without_an_error(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteTrigger.html"""
    lab.define("job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=JOB, Tags={"lab": "toll"})
    glue.delete_trigger(Name="go")
    glue.delete_trigger(Name="go")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_trigger(Name="go")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=JOB)
    assert glue.get_tags(ResourceArn="arn:aws:glue:us-east-1:123456789012:trigger/go")["Tags"] == {}


@pytest.mark.as_on_aws("Glue workflows")
def test_a_workflow_has_one_start_trigger(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/blueprint_workflow_restrictions.html"""
    pipeline(lab, glue)
    with pytest.raises(glue.exceptions.InvalidInputException, match="only one starting trigger"):
        glue.create_trigger(Name="second", WorkflowName="flow", Type="ON_DEMAND", Actions=JOB)
    with pytest.raises(glue.exceptions.InvalidInputException, match="only one starting trigger"):
        glue.create_trigger(
            Name="second", WorkflowName="flow", Type="SCHEDULED", Schedule="cron(0 12 * * ? *)", Actions=JOB
        )
    assert glue.list_triggers()["TriggerNames"] == ["after-crawl", "begin"]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"Type": "NOW"}, "ValidationException", "Member must satisfy enum value set"),
        ({"Type": "ON_DEMAND", "StartOnCreation": True}, "InvalidInputException", "StartOnCreation"),
        ({"Type": "ON_DEMAND", "Actions": []}, "InvalidInputException", "Actions cannot be null or empty"),
        ({"Type": "ON_DEMAND", "Actions": [{}]}, "InvalidInputException", "JobName or CrawlerName in action"),
        (
            {"Type": "ON_DEMAND", "Actions": [{"JobName": "job", "CrawlerName": "crawler"}]},
            "InvalidInputException",
            "Both JobName and CrawlerName",
        ),
        ({"Type": "ON_DEMAND", "Actions": [{"JobName": "absent"}]}, "EntityNotFoundException", "Job absent not found"),
        (
            {"Type": "ON_DEMAND", "Actions": [{"CrawlerName": "absent"}]},
            "EntityNotFoundException",
            "Crawler absent not found",
        ),
        ({"Type": "ON_DEMAND", "WorkflowName": "absent"}, "EntityNotFoundException", "Workflow absent not found"),
        (
            {"Type": "ON_DEMAND", "Actions": [{"CrawlerName": name} for name in ("crawler", "crawler-2", "crawler-3")]},
            "InvalidInputException",
            "Only 2 crawlers",
        ),
        ({"Type": "ON_DEMAND", "Schedule": "cron(0 12 * * ? *)"}, "InvalidInputException", "Schedule cannot be set"),
        ({"Type": "SCHEDULED"}, "InvalidInputException", "Schedule cannot be null"),
        ({"Type": "SCHEDULED", "Schedule": "every noon"}, "InvalidInputException", "every noon is not valid"),
        ({"Type": "CONDITIONAL"}, "InvalidInputException", "Predicate cannot be null or empty"),
        (
            {"Type": "CONDITIONAL", "Predicate": {"Conditions": [{"JobName": "other-job", "State": "SUCCEEDED"}]}},
            "InvalidInputException",
            "Logical operator cannot be null or empty",
        ),
        (
            {"Type": "CONDITIONAL", "Predicate": {"Conditions": [job_ended("other-job", "RUNNING")]}},
            "InvalidInputException",
            "choose from one of the following job state",
        ),
        (
            {"Type": "CONDITIONAL", "Predicate": {"Conditions": [job_ended("job")]}},
            "InvalidInputException",
            "Job cannot be a Predicate and Action for Conditional Trigger.",
        ),
        (
            {"Type": "CONDITIONAL", "Predicate": {"Conditions": [job_ended("a-job"), job_ended("b-job")]}},
            "InvalidInputException",
            "Logical cannot be null or empty",
        ),
    ],
)
def test_an_invalid_trigger_is_refused(lab: Any, glue: Any, request_: dict[str, Any], code: str, message: str) -> None:
    lab.define("job", "other-job", "crawler", "crawler-2", "crawler-3")
    with pytest.raises(ClientError) as refusal:
        glue.create_trigger(**{"Name": "bad", "Actions": JOB, **request_})
    assert refusal.value.response["Error"]["Code"] == code
    assert message in refusal.value.response["Error"]["Message"]
    assert glue.list_triggers()["TriggerNames"] == []


@pytest.mark.refused("Glue workflows")
def test_event_triggers_are_refused(lab: Any, glue: Any) -> None:
    lab.define("job")
    with pytest.raises(glue.exceptions.InvalidInputException, match="Trigger type EVENT needs Amazon EventBridge"):
        glue.create_trigger(Name="bad", Type="EVENT", Actions=JOB)
    with pytest.raises(glue.exceptions.InvalidInputException, match="EventBatchingCondition is only supported for"):
        glue.create_trigger(Name="bad", Type="ON_DEMAND", Actions=JOB, EventBatchingCondition={"BatchSize": 5})
    assert glue.list_triggers()["TriggerNames"] == []


def test_trigger_names_are_unique(lab: Any, glue: Any) -> None:
    lab.define("job")
    glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=JOB)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_trigger(Name="go", Type="ON_DEMAND", Actions=JOB)


def states(glue: Any) -> dict[str, str]:
    return {trigger["Name"]: trigger["State"] for trigger in glue.get_triggers()["Triggers"]}


def started(lab: Any) -> list[str]:
    return list(lab.jobs.names)

"""Scheduled triggers: when they are due, and that they fire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from workflow_builders import status

from localaws.glue.workflows.schedule import InvalidSchedule, Schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.as_on_aws("Glue workflows")
@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        # The first six are the examples of AWS's page on time-based schedules.
        ("cron(0 10 * * ? *)", "2026-11-22 10:00", "2026-11-23 10:00"),
        ("cron(15 12 * * ? *)", "2026-11-22 10:00", "2026-11-22 12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20 18:00", "2026-11-23 18:00"),
        ("cron(0 8 1 * ? *)", "2026-11-22 10:00", "2026-12-01 08:00"),
        ("cron(0/15 * * * ? *)", "2026-11-22 10:01", "2026-11-22 10:15"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-20 17:55", "2026-11-23 08:00"),
        ("cron(30 23 31 DEC ? *)", "2026-12-31 23:30", "2027-12-31 23:30"),
        ("cron(0 0 29 2 ? *)", "2026-11-22 10:00", "2028-02-29 00:00"),
        ("cron(0 6 ? * 1,7 *)", "2026-11-23 10:00", "2026-11-28 06:00"),
        ("cron(0 6 1 JAN,JUL ? 2027-2030)", "2026-01-22 10:00", "2027-01-01 06:00"),
        ("cron(0 6 * * ? 2020)", "2026-01-22 10:00", None),
        # The ends of each field's range.
        ("cron(59 23 31 12 ? 2199)", "2199-12-30 10:00", "2199-12-31 23:59"),
        ("cron(0 0 1 1 ? 1970)", "1969-12-31 23:59", "1970-01-01 00:00"),
        ("cron(0 6 ? * SUN *)", "2026-11-23 10:00", "2026-11-29 06:00"),
        ("cron(0 6 ? * 1 *)", "2026-11-23 10:00", "2026-11-29 06:00"),
        ("cron(0 6 ? * 7 *)", "2026-11-23 10:00", "2026-11-28 06:00"),
        ("cron(0 6 ? * sat *)", "2026-11-23 10:00", "2026-11-28 06:00"),
        ("cron(0 6 ? * 2-6 *)", "2026-11-20 06:00", "2026-11-23 06:00"),
        ("cron(0 6 1 jan ? *)", "2026-11-23 10:00", "2027-01-01 06:00"),
        # Lists, ranges and steps.
        ("cron(*/20 * * * ? *)", "2026-11-22 10:00", "2026-11-22 10:20"),
        ("cron(*/20 * * * ? *)", "2026-11-22 10:40", "2026-11-22 11:00"),
        ("cron(10-30/10 10 * * ? *)", "2026-11-22 10:20", "2026-11-22 10:30"),
        ("cron(10-30/10 10 * * ? *)", "2026-11-22 10:30", "2026-11-23 10:10"),
        ("cron(5/20 10 * * ? *)", "2026-11-22 10:25", "2026-11-22 10:45"),
        ("cron(0,5 10 * * ? *)", "2026-11-22 10:00", "2026-11-22 10:05"),
        ("cron(0,55 10-11 * * ? *)", "2026-11-22 10:55", "2026-11-22 11:00"),
        ("cron(30 0/6 * * ? *)", "2026-11-22 12:30", "2026-11-22 18:30"),
        ("cron(0 9,17 * * ? *)", "2026-11-22 09:00", "2026-11-22 17:00"),
        # What is due at the moment itself was due; a minute that has begun is over.
        ("cron(0 10 * * ? *)", "2026-11-22 09:59:59.9", "2026-11-22 10:00"),
        ("cron(0 10 * * ? *)", "2026-11-22 10:00:00.1", "2026-11-23 10:00"),
        ("cron(1 0 * * ? *)", "2026-11-22 00:00", "2026-11-22 00:01"),
        # A leap day may be eight years away; nothing beyond that is looked for.
        ("cron(0 0 29 2 ? *)", "2096-02-29 00:00", "2104-02-29 00:00"),
        ("cron(0 0 28 11 ? 2034)", "2026-11-22 10:00", "2034-11-28 00:00"),
        ("cron(0 0 29 11 ? 2034)", "2026-11-22 10:00", None),
        ("cron(0 0 30 2 ? *)", "2026-11-22 10:00", None),
    ],
)
def test_a_cron_schedule_is_due_at_the_times_that_its_fields_give(expression: str, after: str, due: str | None) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html"""
    assert Schedule.parse(expression).next_after(at(after)) == (at(due) if due else None)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("0 12 * * ? *", "six fields"),
        ("cron(0 12 * * ?)", "six fields"),
        ("cron(0 12 * * * *)", "must be ?"),
        ("cron(0 12 ? * ? *)", "must be ?"),
        ("cron(60 12 * * ? *)", "not between 0 and 59"),
        ("cron(0 12 ? * NOON *)", "not between 1 and 7"),
        ("cron(* 12 * * ? *)", "every 5 minutes"),
        ("cron(0,58 12 * * ? *)", "every 5 minutes"),
        ("cron(0 12 L * ? *)", "does not support L"),
        ("cron(0 12 ? * FRI#2 *)", "does not support FRI#2"),
        ("cron(0 17-8 * * ? *)", "backwards"),
        ("cron(0 0/x * * ? *)", "not a valid step"),
        ("cron(0 0/0 * * ? *)", "not a valid step"),
        ("cron(0 12 LW * ? *)", "does not support LW"),
        ("cron(0 12 15W * ? *)", "does not support 15W"),
        ("cron(0 12 ? * 6L *)", "does not support 6L"),
        ("cron(0 12 ? * l *)", "does not support l"),
        ("cron(0,4 12 * * ? *)", "every 5 minutes"),
        ("cron(0,56 12 * * ? *)", "every 5 minutes"),
        ("cron(3,59 12 * * ? *)", "every 5 minutes"),
        ("cron(0/4 12 * * ? *)", "every 5 minutes"),
        ("cron(x 12 * * ? *)", "x is not between 0 and 59"),
        ("cron(-1 12 * * ? *)", "is not between 0 and 59"),
        ("cron(0 24 * * ? *)", "24 is not between 0 and 23"),
        ("cron(0 12 0 * ? *)", "0 is not between 1 and 31"),
        ("cron(0 12 32 * ? *)", "32 is not between 1 and 31"),
        ("cron(0 12 * 0 ? *)", "0 is not between 1 and 12"),
        ("cron(0 12 * 13 ? *)", "13 is not between 1 and 12"),
        ("cron(0 12 ? * 0 *)", "0 is not between 1 and 7"),
        ("cron(0 12 ? * 8 *)", "8 is not between 1 and 7"),
        ("cron(0 12 * * ? 1969)", "1969 is not between 1970 and 2199"),
        ("cron(0 12 * * ? 2200)", "2200 is not between 1970 and 2199"),
    ],
)
def test_an_invalid_schedule_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(InvalidSchedule, match=reason.replace("?", r"\?")):
        Schedule.parse(expression)


def test_a_schedule_is_evaluated_in_UTC_in_any_time_zone() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html"""
    evening = datetime.fromisoformat("2026-11-22 23:30:00-05:00")  # 04:30 of the 23rd in UTC
    assert Schedule.parse("cron(0 5 * * ? *)").next_after(evening) == at("2026-11-23 05:00")


@pytest.mark.as_on_aws("Glue workflows")
def test_a_scheduled_trigger_fires_at_its_time(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""
    lab.define("job")
    lab.set_clock(at("2026-11-22 11:59:59.8"))
    noon = {"Type": "SCHEDULED", "Schedule": "cron(0 12 * * ? *)", "Actions": [{"JobName": "job"}]}
    glue.create_trigger(Name="noon", StartOnCreation=True, **noon)
    glue.create_trigger(Name="asleep", **noon)
    assert glue.get_trigger(Name="noon")["Trigger"]["State"] == "ACTIVATED"
    lab.wait_for(lambda: lab.jobs.names)
    lab.settle()
    assert lab.jobs.names == ["job"]


def test_a_workflow_with_a_scheduled_start_trigger_runs_at_that_time(lab: Any, glue: Any) -> None:
    run_id = run_at_noon(lab, glue)
    lab.jobs.finish("job")
    lab.settle()
    assert status(glue, run_id) == ("COMPLETED", {"TotalActions": 1, "SucceededActions": 1})


@pytest.mark.as_on_aws("Glue workflows")
def test_a_scheduled_run_over_the_maximum_of_concurrent_runs_is_kept_as_an_error(lab: Any, glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html"""
    run_at_noon(lab, glue, MaxConcurrentRuns=1)
    lab.set_clock(at("2026-11-23 11:59:59.8"))
    glue.stop_trigger(Name="noon")
    glue.start_trigger(Name="noon")
    lab.wait_for(lambda: len(runs(glue)) == 2)
    assert (runs(glue)[0]["Status"], runs(glue)[0]["ErrorMessage"]) == (
        "ERROR",
        "Concurrent runs exceeded for workflow: flow.",
    )


def test_a_stopped_or_deleted_trigger_does_not_fire(lab: Any, glue: Any) -> None:
    lab.define("job", "other-job")
    lab.set_clock(at("2026-11-22 11:59:59.5"))
    settings = {"Type": "SCHEDULED", "Schedule": "cron(0 12 * * ? *)", "StartOnCreation": True}
    for name in ("stopped", "deleted"):
        glue.create_trigger(Name=name, Actions=[{"JobName": "job"}], **settings)
    glue.create_trigger(Name="sound", Actions=[{"JobName": "other-job"}], **settings)
    glue.stop_trigger(Name="stopped")
    glue.delete_trigger(Name="deleted")
    lab.wait_for(lambda: lab.jobs.names)
    lab.settle()
    assert lab.jobs.names == ["other-job"]


@pytest.mark.parametrize(
    ("change", "started"),
    [
        (lambda lab, glue: None, ["job"]),
        (lambda lab, glue: glue.stop_trigger(Name="noon"), []),
        (lambda lab, glue: glue.delete_trigger(Name="noon"), []),
        (lambda lab, glue: lab.workflow.stop(), []),
    ],
    ids=["none", "stopped", "deleted", "engine stopped"],
)
def test_a_trigger_that_is_stopped_or_deleted_just_before_it_fires_does_not_fire(
    lab: Any, glue: Any, change: Callable[[Any, Any], None], started: list[str]
) -> None:
    lab.define("job")
    glue.create_trigger(
        Name="noon",
        Type="SCHEDULED",
        Schedule="cron(0 12 * * ? *)",
        Actions=[{"JobName": "job"}],
        StartOnCreation=True,
    )
    change(lab, glue)
    lab.workflow._on_time("us-east-1", "noon")  # its turn, which the timetable asked for before the change
    lab.settle()
    assert lab.jobs.names == started


def test_a_scheduled_trigger_whose_job_cannot_start_fires_again_the_next_time(lab: Any, glue: Any) -> None:
    lab.define("job")
    glue.create_trigger(
        Name="noon",
        Type="SCHEDULED",
        Schedule="cron(0 12 * * ? *)",
        Actions=[{"JobName": "job"}],
        StartOnCreation=True,
    )
    lab.jobs.start_requested("us-east-1", "job", {})
    lab.workflow._on_time("us-east-1", "noon")
    lab.jobs.finish("job")
    lab.workflow._on_time("us-east-1", "noon")
    assert lab.jobs.names == ["job", "job"]


def test_a_schedule_survives_a_restart(lab: Any, glue: Any) -> None:
    lab.define("job")
    glue.create_trigger(
        Name="noon",
        Type="SCHEDULED",
        Schedule="cron(0 12 * * ? *)",
        Actions=[{"JobName": "job"}],
        StartOnCreation=True,
    )
    lab.kill()
    lab.set_clock(at("2026-11-22 11:59:59.8"))
    lab.start()
    lab.wait_for(lambda: lab.jobs.names)


def run_at_noon(lab: Any, glue: Any, **settings: Any) -> str:
    lab.define("job")
    lab.set_clock(at("2026-11-22 11:59:59.8"))
    glue.create_workflow(Name="flow", **settings)
    glue.create_trigger(
        Name="noon",
        WorkflowName="flow",
        Type="SCHEDULED",
        Schedule="cron(0 12 * * ? *)",
        Actions=[{"JobName": "job"}],
        StartOnCreation=True,
    )
    lab.wait_for(lambda: lab.jobs.names)
    return str(runs(glue)[0]["WorkflowRunId"])


def runs(glue: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = glue.get_workflow_runs(Name="flow")["Runs"]
    return found

"""`labkit logs` by every name that a part has, and the last runs in `labkit status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from labkit import Lab
from labkit.errors import LabError
from labkit.steps.workflow import Run
from labkit.tools.cli import cli
from labkit.tools.recent_runs import RecentRun, recent_runs


@pytest.fixture(scope="module")
def ran(lab: Lab) -> Lab:
    """The deployed lab, after each of its parts has run once."""
    lab.crawlers.crawl_redshift()
    lab.follow(lab.send(rows=2))
    lab.crawlers.crawl_s3()
    return lab


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s3_crawler", "Crawler has finished"),
        ("Redshift-Crawler", "Crawler has finished"),
        ("exactly_once_job", "exactly_once_job, run jr_"),
        ("toll_plaza_application", "landed 2 rows"),
        ("start_workflow_reliably", "REPORT RequestId"),
        ("exactly_once_workflow", "exactly_once_workflow, run wr_"),
        ("s3_workflow", "s3_workflow, run wr_"),
    ],
)
def test_a_part_s_log_is_found_by_its_name_with_and_without_the_prefix(ran: Lab, name: str, said: str) -> None:
    with_prefix = ran.logs(f"kit-{name}", 100)
    assert any(said in line for line in with_prefix)
    assert ran.logs(name, 100) == with_prefix


def test_short_names_mean_the_parts_of_the_active_delivery(ran: Lab) -> None:
    assert ran.logs("job", 50) == ran.logs("exactly_once_job", 50)
    assert ran.logs("start", 50) == ran.logs("start_workflow_reliably", 50)
    assert ran.logs("workflow", 50) == ran.logs("exactly_once_workflow", 50)
    assert ran.logs("generator", 50) == ran.logs("toll_plaza_application", 50)
    assert len(ran.logs("crawler", 500)) > len(ran.logs("s3_crawler", 500))


def test_a_workflow_s_log_has_the_result_of_its_last_run_and_the_logs_of_its_parts(ran: Lab) -> None:
    first, *rest = ran.logs("workflow", 200)
    assert "COMPLETED, crawl SUCCEEDED, job SUCCEEDED" in first
    assert any("Crawler has finished" in line for line in rest)
    assert ran.logs("workflow", 1) == [first]


def test_the_log_of_a_part_that_has_not_run_says_so_and_how_to_run_it(lab: Lab) -> None:
    assert not lab.job.runs(), "the exactly-once delivery is in use"
    with pytest.raises(LabError, match=r"Job kit-s3_to_redshift_job has written no log(.|\n)*labkit load"):
        lab.logs("s3_to_redshift_job", 10)
    with pytest.raises(LabError, match="not invoked yet"):
        lab.logs("start_workflow_function", 10)


@pytest.mark.parametrize(
    "name",
    [
        "s3_crawler", "s3_to_redshift_job", "start_workflow_function", "redshift_workflow", "exactly_once_job",
        "s3_workflow", "job", "crawler", "start", "workflow",
    ],
)  # fmt: skip
def test_the_log_of_a_missing_part_names_the_step_that_creates_it(make_lab: Callable[..., Lab], name: str) -> None:
    with pytest.raises(LabError, match=r"is not there yet(.|\n)*labkit deploy "):
        make_lab("nobody").logs(name, 10)


def test_an_unknown_name_lists_the_known_ones(lab: Lab) -> None:
    with pytest.raises(LabError, match="There is no log of 'no_such_thing'") as caught:
        lab.logs("no_such_thing", 10)
    for known in ("server", "workflow", "kit-s3_crawler", "kit-redshift_workflow", "kit-start_workflow_function"):
        assert known in str(caught.value)


def test_status_shows_the_last_runs_with_the_newest_first(ran: Lab) -> None:
    runs = [shown.run for shown in recent_runs(ran)]
    assert 1 <= len(runs) <= 5
    assert runs == sorted(runs, key=lambda run: run.started, reverse=True)
    assert runs[0].run_id == ran.reliability.workflow.runs()[0].run_id
    settings = {"LABKIT_HOME": str(ran.config.home), "LABKIT_PREFIX": "kit"}
    text = CliRunner().invoke(cli, ["status"], env=settings).output
    assert "last workflow runs:\n" in text
    assert "kit-exactly_once_workflow COMPLETED: crawl SUCCEEDED, job SUCCEEDED, for toll_data-" in text
    (newest, *_) = json.loads(CliRunner().invoke(cli, ["status", "--json"], env=settings).output)["runs"]
    assert newest["run_id"] == runs[0].run_id
    assert (newest["status"], newest["crawl"], newest["job"]) == ("COMPLETED", "SUCCEEDED", "SUCCEEDED")
    assert set(newest) >= {"workflow", "started", "ended", "message", "landed_key"}


def test_a_failed_run_is_shown_with_its_reason_and_the_log_to_read() -> None:
    moment = datetime(2026, 11, 29, 15, 55, 34, tzinfo=UTC)
    run = Run(
        "redshift_workflow", "COMPLETED", "SUCCEEDED", "FAILED",
        run_id="wr_1", started=moment, ended=moment, message="Nothing was loaded:\n  " + "x" * 500,
    )  # fmt: skip
    outcome, reason = str(RecentRun(run)).splitlines()
    assert outcome == "2026-11-29 15:55:34  redshift_workflow COMPLETED: crawl SUCCEEDED, job FAILED"
    assert reason.strip().startswith("Nothing was loaded: xxx")
    assert reason.endswith("… → labkit logs redshift_workflow")
    assert len(reason) < 220


def test_a_running_run_has_no_end_time_in_json() -> None:
    moment = datetime.now(UTC)
    run = Run(
        "redshift_workflow", "RUNNING", "RUNNING", "not started", "wr_1", moment, datetime.max.replace(tzinfo=UTC)
    )
    assert RecentRun(run).as_json()["ended"] is None


def test_a_lab_without_runs_says_so(make_lab: Callable[..., Lab]) -> None:
    assert str(recent_runs(make_lab("nobody"))) == "no workflow has run yet"

"""The two deliveries: which one is active, what each refuses, and how to switch between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from labkit import Counts, Delivery, ExactlyOnceCounts, Lab
from labkit.errors import ConfigError, ConsentNeeded, MissingStep, UsageError, WrongDelivery
from labkit.tools.cli import cli

DAY = "2023-08-31"


@pytest.fixture(scope="module")
def both(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A lab of this file's own, which goes back and forth."""
    made = make_lab("both")
    made.deploy(as_described=True)
    yield made
    made.destroy()


@pytest.fixture
def described(both: Lab) -> Lab:
    """It, empty, with the described delivery in use."""
    both.deploy("notification")
    both.restart()
    assert both.delivery is Delivery.AS_DESCRIBED
    return both


@pytest.fixture
def exactly_once(described: Lab) -> Lab:
    """It, empty, with the exactly-once delivery in use."""
    described.deploy()
    assert described.delivery is Delivery.EXACTLY_ONCE
    return described


def land(lab: Lab, name: str, *lines: str) -> str:
    """Put a file of these lines into the landing bucket."""
    lab.session.client("s3").put_object(Bucket=lab.names.landing_bucket, Key=name, Body="\n".join(lines).encode())
    return name


def config_of(lab: Lab) -> dict[str, str]:
    """What `labkit config --json` says."""
    environment = {"LABKIT_HOME": str(lab.config.home), "LABKIT_PREFIX": "both"}
    shown: dict[str, str] = json.loads(CliRunner().invoke(cli, ["config", "--json"], env=environment).stdout)
    return shown


def test_the_described_delivery_runs_the_described_job_and_its_rows_are_counted(described: Lab) -> None:
    landed = described.send(rows=30, seed=1, until=DAY)
    run = described.follow(landed)
    assert (run.workflow, run.succeeded) == (described.names.workflow, True)
    assert described.counts() == Counts(landed=30, loaded=30, queried=30)
    assert described.query.check().ok
    (job_run,) = [one for one in described.job.runs() if one.run_id == run.job_run_id]
    assert job_run.job == described.names.job


def test_config_names_the_delivery_in_use_and_its_resources(exactly_once: Lab) -> None:
    names, shown = exactly_once.names, config_of(exactly_once)
    assert [shown[key] for key in ("delivery", "workflow", "job", "start_function")] == [
        "exactly-once", names.exactly_once_workflow, names.exactly_once_job, names.reliable_start_function,
    ]  # fmt: skip
    exactly_once.restart()
    shown = config_of(exactly_once)
    assert [shown[key] for key in ("delivery", "workflow", "job", "start_function")] == [
        "as-described", names.workflow, names.job, names.start_function,
    ]  # fmt: skip
    exactly_once.notification.destroy()
    assert config_of(exactly_once)["delivery"] == "none"


def test_the_rebuild_corrects_rows_that_the_described_delivery_missed_or_duplicated(described: Lab) -> None:
    described.follow(described.send(rows=20, seed=2, until=DAY))
    described.job.forget()
    described.job.run()
    described.notification.destroy()
    described.send(rows=5, seed=3, until=DAY)
    assert described.counts() == Counts(landed=25, loaded=40, queried=40)
    described.reliability.create()
    assert described.counts() == ExactlyOnceCounts(landed=25, loaded=25, rejected=0, queried=25)
    assert described.reliability.check().ok, described.reliability.check()
    described.follow(described.send(rows=7, seed=4, until=DAY))
    assert described.counts() == ExactlyOnceCounts(landed=32, loaded=32, rejected=0, queried=32)


def test_creating_the_exactly_once_delivery_again_does_not_rebuild(exactly_once: Lab) -> None:
    exactly_once.follow(exactly_once.send(rows=5, seed=5, until=DAY))
    runs = exactly_once.reliability.workflow.runs()
    exactly_once.deploy()
    assert exactly_once.reliability.workflow.runs() == runs
    assert exactly_once.counts().queried == 5


@pytest.mark.nightly
def test_an_interrupted_rebuild_is_repeated(described: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    described.follow(described.send(rows=20, seed=6, until=DAY))
    reliability = described.reliability

    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reliability, "_load_what_is_missing", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reliability.create()
    assert described.delivery is None, "nothing starts by itself before the table is complete"
    assert described.counts().queried == 0
    described.deploy()
    assert described.counts() == ExactlyOnceCounts(landed=20, loaded=20, rejected=0, queried=20)


def test_a_restart_deletes_the_data_reports_what_it_deleted_and_keeps_the_steps(exactly_once: Lab) -> None:
    exactly_once.follow(exactly_once.send(rows=5, count=2, seed=7, until=DAY))
    restarted = exactly_once.restart()
    bucket = exactly_once.names.landing_bucket
    assert {f"2 files in bucket {bucket}", "10 rows of toll_table", "the ledger etl.toll_ledger"} <= set(
        restarted.removed
    )
    assert "points to both-start_workflow_function" in str(restarted)
    assert exactly_once.counts() == Counts(landed=0, loaded=0, queried=0)
    assert not [check.step for check in exactly_once.status() if not check.ok and check.step != "query"]
    assert exactly_once.restart().removed == ()
    exactly_once.follow(exactly_once.send(rows=3, seed=8, until=DAY))
    assert exactly_once.counts() == Counts(landed=3, loaded=3, queried=3)


@pytest.mark.nightly
def test_the_counts_stay_correct_when_the_delivery_is_switched_back_and_forth(described: Lab) -> None:
    described.follow(described.send(rows=4, seed=9, until=DAY))
    described.deploy()
    described.follow(described.send(rows=4, seed=10, until=DAY))
    assert described.counts() == ExactlyOnceCounts(landed=8, loaded=8, rejected=0, queried=8)
    with pytest.raises(WrongDelivery, match="labkit restart"):
        described.deploy(as_described=True)
    described.deploy("notification", "workflow", "job")
    described.follow(described.send(rows=4, seed=11, until=DAY))
    assert described.counts() == ExactlyOnceCounts(landed=12, loaded=12, rejected=0, queried=12)
    described.restart()
    described.deploy(as_described=True)
    described.follow(described.send(rows=4, seed=12, until=DAY))
    assert described.counts() == Counts(landed=4, loaded=4, queried=4)
    described.deploy()
    assert described.counts() == ExactlyOnceCounts(landed=4, loaded=4, rejected=0, queried=4)


def test_a_run_that_would_load_rows_twice_is_refused_with_the_command_to_use_instead(exactly_once: Lab) -> None:
    exactly_once.follow(exactly_once.send(rows=4, seed=13, until=DAY))
    for refused in (exactly_once.job.run, exactly_once.workflow.run, lambda: exactly_once.require("as-described")):
        with pytest.raises(WrongDelivery, match=r"exactly-once delivery is in use(.|\n)*labkit restart"):
            refused()
    exactly_once.notification.destroy()
    with pytest.raises(WrongDelivery):
        exactly_once.job.run()
    exactly_once.reliability.destroy()
    with pytest.raises(WrongDelivery):
        exactly_once.job.run()
    with pytest.raises(MissingStep, match="labkit deploy reliability"):
        exactly_once.notification.create()
    exactly_once.restart()
    with pytest.raises(WrongDelivery, match="labkit deploy reliability"):
        exactly_once.require("exactly-once", "This")
    exactly_once.deploy()
    assert exactly_once.reliability.check().ok


def test_a_late_event_of_the_inactive_delivery_loads_nothing(exactly_once: Lab) -> None:
    exactly_once.follow(exactly_once.send(rows=6, seed=14, until=DAY))
    glue, names = exactly_once.session.client("glue"), exactly_once.names
    glue.start_workflow_run(Name=names.workflow)
    exactly_once.workflow.wait_until_idle()
    assert exactly_once.counts().queried == 6
    exactly_once.restart()
    exactly_once.follow(exactly_once.send(rows=6, seed=15, until=DAY))
    glue.start_workflow_run(Name=names.exactly_once_workflow)
    exactly_once.reliability.workflow.wait_until_idle()
    assert exactly_once.counts() == Counts(landed=6, loaded=6, queried=6)


@pytest.mark.nightly
def test_files_that_the_job_refuses_do_not_stop_a_rebuild(described: Lab) -> None:
    described.notification.destroy()
    land(described, "worthless.json", *(f"no JSON {number}" for number in range(12)))
    described.send(rows=8, seed=16, until=DAY)
    described.reliability.create()
    assert described.delivery is Delivery.EXACTLY_ONCE
    assert described.counts() == ExactlyOnceCounts(landed=20, loaded=8, rejected=12, queried=8)


def test_deploy_and_destroy_return_what_they_did_and_refuse_unknown_steps(both: Lab) -> None:
    done: list[str] = []
    made = both.deploy("buckets", "roles", on_step=done.append)
    assert done == ["buckets", "roles"] == [name for name, _made in made.steps]
    assert "landing-bucket-both" in made._repr_html_()
    with pytest.raises(UsageError, match="There is no step 'roof'"):
        both.deploy("roof")
    with pytest.raises(UsageError, match="There is no step 'roof'"):
        both.destroy("roof")
    with pytest.raises(UsageError, match="not part of the described delivery"):
        both.deploy("reliability", as_described=True)


def test_on_aws_a_restart_asks_first(
    exactly_once: Lab, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", lambda _question: "both")
    exactly_once.follow(exactly_once.send(rows=3, seed=17, until=DAY))
    asking = make_lab("both", ask_before_create=True)
    asking.buckets.create()  # agreeing to this does not agree to a restart
    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(ConsentNeeded, match="Nothing was removed"):
        asking.restart()
    assert exactly_once.counts().queried == 3


def test_old_settings_for_the_delivery_are_refused_with_the_commands_that_replace_them(
    make_lab: Callable[..., Lab],
) -> None:
    for setting in ("ledger", "bookmarks"):
        with pytest.raises(ConfigError, match=rf"'{setting}'(.|\n)*labkit restart(.|\n)*--as-described"):
            make_lab("both", **{setting: False})

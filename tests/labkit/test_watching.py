"""The pipeline of a real lab while it runs: what a wait shows, the tables of runs, and the commands that follow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from labkit import Lab
from labkit.data.landing import Landed
from labkit.errors import LabError, RunFailed
from labkit.show.pipeline import State
from labkit.steps.runs import Loaded, Runs
from labkit.tools.cli import cli

BAD_ROW = '{"transaction_id": "not a number"}\n'


@pytest.fixture(scope="module")
def watched(lab: Lab) -> Lab:
    """The deployed lab, with a wait that prints a line for each change to stderr."""
    return Lab(home=lab.config.home, prefix="kit", wait_minutes=1.5, progress="line")


@pytest.fixture
def settings(lab: Lab) -> dict[str, str]:
    """The variables of a shell for this lab."""
    return {"LABKIT_HOME": str(lab.config.home), "LABKIT_PREFIX": "kit", "LABKIT_WAIT_MINUTES": "1.5"}


@pytest.fixture
def refused_file(lab: Lab) -> Iterator[str]:
    """A landed file that makes the job fail, because no row of it can be loaded. No event starts a run for it."""
    lab.notification.destroy()
    key, s3 = f"refused-{uuid.uuid4()}.json", lab.session.client("s3")
    s3.put_object(Bucket=lab.names.landing_bucket, Key=key, Body=BAD_ROW.encode())
    yield key
    for version in s3.list_object_versions(Bucket=lab.names.landing_bucket, Prefix=key)["Versions"]:
        s3.delete_object(Bucket=lab.names.landing_bucket, Key=key, VersionId=version["VersionId"])
    lab.notification.create()


def test_a_followed_run_is_seen_in_several_states_and_then_done(
    watched: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    run = watched.follow(watched.send(rows=5))
    changes = [line.split(" s  ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert changes[0] == "object done, 1 file, 5 records"
    assert len({change.split(",")[0].split(":")[0] for change in changes}) >= 4, changes
    assert any("running" in change for change in changes)
    assert run.succeeded
    assert [box.state for box in run.known().pipeline().boxes] == [State.DONE] * 6
    assert run.known().loaded == Loaded(5)
    text = str(run)
    assert text.startswith("kit-exactly_once_workflow, started by S3's event\n")
    assert re.search(r"rows +✓ done +5 loaded$", text)
    assert re.search(r"job +✓ done +[\d.]+ (s|min \d+ s)$", text, re.MULTILINE)


def test_a_run_by_hand_counts_its_rows_too(watched: Lab) -> None:
    watched.notification.destroy()
    watched.send(rows=3)
    run = watched.load()
    watched.notification.create()
    assert run.started_by == "by hand"
    assert re.search(r"function +– by hand\n(.|\n)*rows +✓ done +3 loaded$", str(run))


def test_a_failed_run_shows_the_lines_of_its_log_that_matter(lab: Lab, refused_file: str) -> None:
    with pytest.raises(RunFailed) as failed:
        lab.reliability.workflow.run()
    assert any(re.search(r'File "(exactly_once_job|\w+)\.py", line \d+', line) for line in failed.value.lines)
    assert refused_file in failed.value.what
    assert all(line in str(failed.value) for line in failed.value.lines)
    assert not any("/" in line for line in failed.value.lines if line.strip().startswith("File"))
    drawn = lab.reliability.workflow.graph()
    assert [box.state for box in drawn.boxes] == [State.DONE] * 3 + [State.FAILED]


def test_the_graph_of_a_run_is_glue_s_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = next(run for run in lab.reliability.workflow.runs() if run.succeeded)
    drawn = lab.reliability.workflow.graph(run)
    names = lab.names
    assert [box.name for box in drawn.boxes] == [
        names.exactly_once_start_trigger, names.s3_crawler, names.exactly_once_event_trigger, names.exactly_once_job,
    ]  # fmt: skip
    assert "job SUCCEEDED" in drawn._repr_html_().replace("&nbsp;", " ")
    assert str(lab.reliability.workflow.graph(run.run_id)) == str(drawn)
    with pytest.raises(LabError, match=r"no run wr_none\.\nIts runs: lab\.reliability\.workflow\.runs\(\)"):
        lab.reliability.workflow.graph("wr_none")
    monkeypatch.setattr(lab.workflow, "_raw_runs", lambda **_: [])  # other tests of this lab may have run it
    with pytest.raises(LabError, match=r"has not run yet\.\nLand a file: lab\.send\(\)"):
        lab.workflow.graph()


def test_the_table_of_runs_has_the_cause_and_the_rows_of_each(lab: Lab) -> None:
    landed = lab.send(rows=4)
    lab.follow(landed)
    runs = lab.reliability.workflow.runs()
    assert isinstance(runs, Runs)
    known = next(run for run in runs.known() if run.landed_key == landed.keys[0])
    assert known.loaded == Loaded(4)
    header, first, *_ = str(runs).splitlines()
    assert header.split() == ["started", "cause", "crawl", "job", "rows", "state", "seconds"]
    assert landed.keys[0][:20] in first
    assert "SUCCEEDED" in runs[:1]._repr_html_()


def invoke(settings: dict[str, str], *arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments), env=settings)


def test_labkit_runs_lists_the_runs_of_both_workflows(lab: Lab, settings: dict[str, str]) -> None:
    text = invoke(settings, "runs")
    assert text.exit_code == 0
    assert "kit-exactly_once_workflow\nstarted " in text.output
    # One of each workflow: other tests of this lab may have run the described one.
    newest, *others = json.loads(invoke(settings, "runs", "--json", "-n", "1").output)
    assert "kit-exactly_once_workflow" in [run["workflow"] for run in (newest, *others)]
    assert len(others) <= 1
    assert {"started_by", "rows_loaded", "rows_rejected", "seconds", "landed_key", "job"} <= newest.keys()


def test_labkit_runs_of_a_lab_without_a_run_says_so(settings: dict[str, str]) -> None:
    assert "No workflow has run yet" in invoke({**settings, "LABKIT_PREFIX": "nobody"}, "runs").output


def test_labkit_send_wait_ends_when_the_rows_are_loaded(settings: dict[str, str], lab: Lab) -> None:
    done = invoke(settings, "send", "--rows", "2", "--wait")
    assert done.exit_code == 0, done.output
    assert "2 rows landed" in done.output
    assert re.search(r"rows +✓ done +2 loaded", done.output)


def test_labkit_send_wait_fails_if_the_run_fails(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_lab: Lab, _landed: Any) -> None:
        raise RunFailed("Workflow w", "COMPLETED", "no", where="Its log.", lines=["ValueError"])

    monkeypatch.setattr(Lab, "send", lambda _lab, **_given: Landed("landing-bucket", 1, 1, ("a.json",)))
    monkeypatch.setattr(Lab, "follow", fails)
    failed = invoke(settings, "send", "--rows", "1", "--wait")
    assert isinstance(failed.exception, RunFailed)
    assert "ValueError" in str(failed.exception)


def command(settings: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", "from labkit.tools.cli import main; main()", *arguments]
    environment = {**os.environ, **settings, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """Read what the command prints until a line contains `wanted`."""
    timer = threading.Timer(60, process.kill)
    timer.start()
    lines: list[str] = []
    try:
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            if wanted in line:
                break
    finally:
        timer.cancel()
    assert wanted in "".join(lines[-1:]), lines
    return lines


def test_labkit_watch_once_follows_the_next_run_and_ends(settings: dict[str, str], lab: Lab) -> None:
    with command(settings, "watch", "--once") as watching:
        lines_until(watching, "object waiting: waiting for a file: labkit send")
        lab.send(rows=6)
        seen = lines_until(watching, "rows ")
        assert watching.wait(60) == 0
    assert any("kit-exactly_once_workflow, started by S3's event" in line for line in seen), seen
    assert re.search(r"rows +✓ done +6 loaded", seen[-1])


def test_labkit_logs_f_goes_on_with_what_is_written(settings: dict[str, str], lab: Lab) -> None:
    with command(settings, "logs", "generator", "-f", "-n", "1") as following:
        lines_until(following, "REPORT")
        lab.send(rows=9)
        seen = lines_until(following, "landed 9 rows")
        following.terminate()
    assert len([line for line in seen if "landed" in line]) == 1

"""lambdas/start_workflow_reliably.py, without AWS: which events it acts on, and which runs count."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "lambdas" / "start_workflow_reliably.py"


@pytest.fixture(scope="module")
def start() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        spec = importlib.util.spec_from_file_location("start", SOURCE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def event(key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {
        "eventSource": "aws:s3",
        "eventName": name,
        "eventTime": "2026-11-22T10:00:00.123Z",
        "s3": {"bucket": {"name": "landing-bucket"}, "object": {"key": key, "sequencer": "00A1"}},
    }


def test_a_marker_has_the_decoded_key_and_the_sequencer(start: ModuleType) -> None:
    markers = start.markers_of({"Records": [event("a+b/toll%2Bdata+%C3%BC.json")]})
    assert markers == ["landed/a b/toll+data ü.json/00A1"]


def test_the_marker_of_a_key_that_is_too_long_stands_for_everything_that_has_landed(start: ModuleType) -> None:
    assert start.markers_of({"Records": [event("k" * 1015 + ".json")]}) == ["landed//00A1"]


def test_an_s3_test_event_starts_nothing_and_is_logged(start: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    answer = start.lambda_handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, None)
    assert answer["started"] is False
    assert "test event" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([event("toll.csv")], "left out: toll.csv does not end in .json"),
        ([event("day/_toll.json")], "begins with _ or a dot, which Spark ignores"),
        ([event("toll.json", "ObjectRemoved:Delete")], "left out: aws:s3 ObjectRemoved:Delete is not a landed object"),
        ([], "not started: no .json file in the event"),
    ],
)
def test_an_event_for_anything_other_than_a_landed_json_file_starts_nothing_and_says_why(
    start: ModuleType, capsys: pytest.CaptureFixture[str], records: list[dict[str, Any]], said: str
) -> None:
    assert start.lambda_handler({"Records": records}, None)["started"] is False
    assert said in capsys.readouterr().out


def test_a_run_with_a_failed_job_has_not_succeeded(start: ModuleType) -> None:
    assert start.succeeded({"Status": "COMPLETED", "Statistics": {"SucceededActions": 2, "FailedActions": 0}})
    assert not start.succeeded({"Status": "COMPLETED", "Statistics": {"SucceededActions": 1, "FailedActions": 1}})
    assert not start.succeeded({"Status": "STOPPED", "Statistics": {"SucceededActions": 1, "StoppedActions": 1}})


def run(run_id: str, started: datetime, **more: Any) -> dict[str, Any]:
    """A run of a second that failed."""
    ended = {"Status": "COMPLETED", "Statistics": {"FailedActions": 1}, "CompletedOn": started + timedelta(seconds=1)}
    return {"WorkflowRunId": run_id, "StartedOn": started, **ended, **more}


def test_only_runs_that_began_after_the_message_was_sent_count_against_it(start: ModuleType) -> None:
    sent = datetime(2026, 11, 22, 10, tzinfo=UTC)
    message = {"attributes": {"SentTimestamp": str(int(sent.timestamp() * 1000))}}
    runs = [
        run("before", sent - timedelta(seconds=1)),
        run("after", sent + timedelta(seconds=2)),
        run("going", sent + timedelta(seconds=4), Status="RUNNING"),
    ]
    assert [run["WorkflowRunId"] for run in start.failed_runs(runs, message)] == ["after"]


def test_a_run_that_found_another_active_run_does_not_count(start: ModuleType) -> None:
    sent = datetime(2026, 11, 22, 10, tzinfo=UTC)
    message = {"attributes": {"SentTimestamp": str(int(sent.timestamp() * 1000))}}
    runs = [run("first", sent + timedelta(seconds=1)), run("second", sent + timedelta(seconds=1.5))]
    assert [one["WorkflowRunId"] for one in start.failed_runs(runs, message)] == ["first"]


def test_each_failed_run_doubles_the_backoff(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_SECONDS", "100")
    failed = {"CompletedOn": datetime.now(UTC)}
    assert start.backoff([]) == 0
    assert [round(start.backoff([failed] * number), -1) for number in (1, 2, 3)] == [100, 200, 400]

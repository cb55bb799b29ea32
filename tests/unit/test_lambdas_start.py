"""lambdas/start_workflow_function.py, without AWS: which events it acts on."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "lambdas" / "start_workflow_function.py"


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
        "s3": {"bucket": {"name": "landing-bucket"}, "object": {"key": key}},
    }


def test_keys_are_decoded(start: ModuleType) -> None:
    landed = start.landed_files({"Records": [event("a+b/toll%2Bdata+%C3%BC.json")]})
    assert landed == [("a b/toll+data ü.json", datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC))]


def test_s3_s_test_event_starts_nothing_and_is_named(start: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    answer = start.lambda_handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, None)
    assert answer["started"] is False
    assert "test event" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([event("toll.csv")], "left out: toll.csv does not end in .json"),
        ([event("toll.json", "ObjectRemoved:Delete")], "left out: aws:s3 ObjectRemoved:Delete is not a landed object"),
        ([], "not started: no .json file in the event"),
    ],
)
def test_what_is_no_landed_json_file_starts_nothing_and_says_why(
    start: ModuleType, capsys: pytest.CaptureFixture[str], records: list[dict[str, Any]], said: str
) -> None:
    assert start.lambda_handler({"Records": records}, None)["started"] is False
    assert said in capsys.readouterr().out


def test_a_run_with_a_failed_job_does_not_count_as_well(start: ModuleType) -> None:
    assert start.all_well({"Status": "COMPLETED", "Statistics": {"SucceededActions": 2, "FailedActions": 0}})
    assert not start.all_well({"Status": "COMPLETED", "Statistics": {"SucceededActions": 1, "FailedActions": 1}})
    assert not start.all_well({"Status": "STOPPED", "Statistics": {"SucceededActions": 1, "StoppedActions": 1}})

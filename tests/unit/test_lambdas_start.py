"""lambdas/start_workflow_function.py, without AWS: what it starts, what it ignores, and which errors it raises."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

SOURCE = Path(__file__).resolve().parents[2] / "lambdas" / "start_workflow_function.py"


class Glue:
    """Stands for Glue: records what is started, or refuses."""

    class exceptions:
        class ConcurrentRunsExceededException(ClientError):  # type: ignore[misc]
            pass

    def __init__(self, refusal: str = "") -> None:
        self.started: list[str] = []
        self._refusal = refusal

    def start_workflow_run(self, Name: str) -> dict[str, str]:
        if self._refusal:
            kind = getattr(self.exceptions, self._refusal, ClientError)
            raise kind({"Error": {"Code": self._refusal, "Message": "refused"}}, "StartWorkflowRun")
        self.started.append(Name)
        return {"RunId": "wr_1"}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("WORKFLOW_NAME", "redshift_workflow")
    spec = importlib.util.spec_from_file_location("start_described", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(*keys: str) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}} for key in keys]}


def test_a_landed_file_starts_the_workflow_and_its_decoded_key_is_logged(
    start: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    start.glue = Glue()
    start.lambda_handler(event("a+b/toll%2Bdata+%C3%BC.json"), None)
    assert start.glue.started == ["redshift_workflow"]
    assert "started run wr_1 for ['a b/toll+data ü.json']" in capsys.readouterr().out


@pytest.mark.parametrize(
    "ignored",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        {"key1": "value1"},
        event("toll.csv"),
        event("day/_toll.json", ".toll.json"),
        event(),
    ],
)
def test_test_events_and_other_files_start_nothing(start: ModuleType, ignored: dict[str, Any]) -> None:
    start.glue = Glue()
    start.lambda_handler(ignored, None)
    assert start.glue.started == []


def test_a_refused_concurrent_run_is_logged_and_every_other_error_is_raised(
    start: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    start.glue = Glue("ConcurrentRunsExceededException")
    start.lambda_handler(event("toll.json"), None)
    assert "refused for ['toll.json']" in capsys.readouterr().out
    start.glue = Glue("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        start.lambda_handler(event("toll.json"), None)


def test_the_function_has_fewer_than_30_lines() -> None:
    assert len(SOURCE.read_text().splitlines()) < 30

"""The programs of the exactly-once delivery: its start function with an AWS in memory, and its job."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from glue_modules import loaded
from start_function_aws import World

SOURCE = Path(__file__).resolve().parents[2] / "lambdas" / "start_workflow_reliably.py"


@pytest.fixture(scope="module")
def function() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        spec = importlib.util.spec_from_file_location("start_runs", SOURCE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@pytest.fixture
def world(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> World:
    """An AWS in which nothing is under way, which the function calls."""
    world = World()
    for name in ("glue", "s3", "sqs", "time", "random", "datetime"):
        monkeypatch.setattr(function, name, world)
    names = {
        "WORKFLOW_NAME": "exactly_once_workflow",
        "CRAWLER_NAME": "s3_crawler",
        "JOB_NAME": "exactly_once_job",
        "STAGING_BUCKET": "staging-bucket",
        "QUEUE_NAME": "events",
        "DEAD_LETTER_QUEUE_NAME": "dead",
    }
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    function.url.cache_clear()
    return world


@pytest.fixture(scope="module")
def job() -> Iterator[ModuleType]:
    with loaded("exactly_once_job") as (module,):
        yield module

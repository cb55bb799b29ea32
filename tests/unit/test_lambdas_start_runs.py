"""lambdas/start_workflow_reliably.py, without AWS: when S3's event starts a run, and what happens otherwise."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from start_function_aws import World, landed


def test_a_landed_file_starts_a_run_that_reads_what_has_landed(function: ModuleType, world: World) -> None:
    answer = function.lambda_handler(landed("day/a+b.json"), None)
    assert answer == {"started": True, "run_id": "wr_new1"}
    assert world.started == [{"Name": "exactly_once_workflow", "read": "landed", "landed_key": "day/a b.json"}]
    assert world.markers == {"landed/day/a b.json/00A1"}


def test_the_marker_is_written_first_then_the_event_is_sent_and_then_the_run_is_started(
    function: ModuleType, world: World
) -> None:
    """So whatever fails, S3's event is delivered again, or the queue has it."""
    function.lambda_handler(landed("toll.json"), None)
    done = [call for call in world.calls if call in ("put_object", "send_message", "start_workflow_run")]
    assert done == ["put_object", "send_message", "start_workflow_run"]


def test_the_queue_delivers_the_event_of_a_started_run_after_half_a_minute_by_default(
    function: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    function.lambda_handler(landed("toll.json"), None)
    assert world.sent == [
        {"QueueUrl": "https://sqs/events", "MessageBody": json.dumps(landed("toll.json")), "DelaySeconds": 30}
    ]
    monkeypatch.setenv("RETRY_SECONDS", "1.6")
    world.runs.clear()
    world.markers.clear()
    function.lambda_handler(landed("toll.json"), None)
    assert world.sent[1]["DelaySeconds"] == 2, "SQS takes whole seconds"


def test_files_that_land_in_one_event_share_a_run(function: ModuleType, world: World) -> None:
    function.lambda_handler(landed("a.json", "b.json"), None)
    assert world.markers == {"landed/a.json/00A1", "landed/b.json/00A1"}
    assert len(world.started) == len(world.sent) == 1


def crawls(state: str) -> Any:
    return lambda world: setattr(world, "crawler", state)


def job_runs(*states: str) -> Any:
    return lambda world: world.job_runs.extend(states)


def workflow_runs(*states: str) -> Any:
    return lambda world: [world.begin_run(f"wr_{at}", at, Status=state) for at, state in enumerate(states)]


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        (workflow_runs("RUNNING"), "run wr_0 is under way"),
        (workflow_runs("COMPLETED", "STOPPING"), "run wr_1 is under way"),
        (workflow_runs("STOPPING", "COMPLETED"), "run wr_0 is under way"),
        (crawls("RUNNING"), "crawler s3_crawler is RUNNING"),
        (crawls("STOPPING"), "crawler s3_crawler is STOPPING"),
        (job_runs("STARTING"), "job run jr_0 is STARTING"),
        (job_runs("RUNNING"), "job run jr_0 is RUNNING"),
        (job_runs("FAILED", "STOPPING"), "job run jr_1 is STOPPING"),
        (job_runs("WAITING"), "job run jr_0 is WAITING"),
    ],
)
def test_while_a_run_crawl_or_job_is_active_the_event_only_goes_to_the_queue(
    function: ModuleType, world: World, busy: Any, said: str
) -> None:
    """The states are those of https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api.html."""
    busy(world)
    answer = function.lambda_handler(landed("toll.json"), None)
    assert answer == {"started": False, "reason": f"{said}; the queue will deliver the event again"}
    assert world.started == []
    assert world.markers == {"landed/toll.json/00A1"}
    assert [message["DelaySeconds"] for message in world.sent] == [0], "it may be done in a moment"


@pytest.mark.parametrize(
    "ended",
    [
        workflow_runs("COMPLETED", "STOPPED", "ERROR"),
        job_runs("STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"),
    ],
)
def test_finished_runs_crawls_and_jobs_do_not_prevent_a_new_run(function: ModuleType, world: World, ended: Any) -> None:
    ended(world)
    assert function.lambda_handler(landed("toll.json"), None)["started"] is True


@pytest.mark.parametrize("other", ["landed/a.json/00", "landed/z.json/00", "landed//00"])
def test_no_run_starts_if_another_file_already_waits(function: ModuleType, world: World, other: str) -> None:
    world.markers.add(other)
    reason = function.lambda_handler(landed("toll.json"), None)["reason"]
    assert reason == f"{other} waits as well; the queue will deliver the event again"
    assert world.started == []


@pytest.mark.parametrize("operation", ["list_objects_v2", "get_workflow_runs", "get_crawler", "get_job_runs"])
def test_an_event_is_left_to_the_queue_if_the_current_state_cannot_be_read(
    function: ModuleType, world: World, operation: str
) -> None:
    world.fail(operation, "ThrottlingException")
    answer = function.lambda_handler(landed("toll.json"), None)
    assert answer["started"] is False
    assert "ThrottlingException" in answer["reason"]
    assert world.started == []
    assert len(world.sent) == 1


def test_a_run_that_is_refused_is_left_to_the_queue_and_not_raised(function: ModuleType, world: World) -> None:
    """Lambda would deliver S3's event again, and the queue has it already.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    world.fail("start_workflow_run", "EntityNotFoundException")
    assert "EntityNotFoundException" in function.lambda_handler(landed("toll.json"), None)["reason"]
    world.fail("start_workflow_run", "ConcurrentRunsExceededException")
    world.markers.clear()
    assert function.lambda_handler(landed("toll.json"), None)["reason"] == "another invocation was faster"
    assert len(world.sent) == 2


@pytest.mark.parametrize("operation", ["put_object", "send_message"])
def test_if_an_event_cannot_be_saved_the_error_is_raised_and_lambda_retries(
    function: ModuleType, world: World, operation: str
) -> None:
    world.fail(operation)
    with pytest.raises(ClientError, match="AccessDenied"):
        function.lambda_handler(landed("toll.json"), None)
    assert world.started == []


def test_an_event_without_a_data_file_makes_no_calls(function: ModuleType, world: World) -> None:
    function.lambda_handler(landed("toll.csv", "_toll.json"), None)
    assert world.calls == []


@pytest.mark.parametrize("letter", ["k", "ü", "🚗"])
def test_a_marker_longer_than_1024_bytes_is_replaced_by_one_for_everything_that_has_landed(
    function: ModuleType, world: World, letter: str
) -> None:
    """An object's key has at most 1,024 bytes in UTF-8, whatever characters they are.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    """
    fixed = len(b"landed/.json/00A1")
    many, rest = divmod(1024 - fixed, len(letter.encode()))
    longest = letter * many + "x" * rest + ".json"
    assert function.markers_of(landed(longest)) == [f"landed/{longest}/00A1"]
    assert len(f"landed/{longest}/00A1".encode()) == 1024
    assert function.markers_of(landed(f"x{longest}")) == ["landed//00A1"]


def test_an_event_without_a_sequencer_has_its_time_in_the_marker(function: ModuleType) -> None:
    assert function.markers_of(landed("toll.json", sequencer=None)) == ["landed/toll.json/2026-11-22T10:00:00.123Z"]


@pytest.mark.parametrize("changes", [{"eventSource": "aws:sqs"}, {"eventSource": None}, {"eventName": "s3:TestEvent"}])
def test_only_records_of_objects_that_were_created_in_s3_are_used(
    function: ModuleType, changes: dict[str, Any]
) -> None:
    (other,) = landed("other.json", **changes)["Records"]
    (mine,) = landed("mine.json")["Records"]
    assert function.markers_of({"Records": [other, mine]}) == ["landed/mine.json/00A1"]
    del other["eventName"]
    assert function.markers_of({"Records": [other]}) == []


def test_a_file_that_is_not_a_data_file_does_not_hide_the_others_of_its_event(function: ModuleType) -> None:
    assert function.markers_of(landed("a.csv", "b.json")) == ["landed/b.json/00A1"]

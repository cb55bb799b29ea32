"""lambdas/start_workflow_reliably.py, without AWS: the queue's messages, until they are done or given up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from start_function_aws import BEGIN, World, landed, message


@pytest.fixture
def waits(function: ModuleType, world: World) -> Callable[..., Any]:
    """`waits(1, "a.json")` is the message 1 of a file whose marker is there."""

    def make(number: int, *keys: str, **more: Any) -> Any:
        event = landed(*keys)
        world.markers.update(function.markers_of(event))
        return message(number, event, **more)

    return make


def deliver(function: ModuleType, *messages: Any) -> list[str]:
    """Let the queue invoke the function; the ids of the messages that it returns as not done."""
    answer = function.lambda_handler({"Records": list(messages)}, None)
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_a_message_whose_marker_is_gone_is_done(function: ModuleType, world: World) -> None:
    assert deliver(function, message(1, landed("a.json"))) == []
    assert (world.started, world.made_visible, world.monotonic()) == ([], [], 0)


def test_a_message_of_two_files_is_done_when_both_markers_are_gone(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    one = waits(1, "a.json", "b.json")
    world.markers.remove("landed/a.json/00A1")
    assert function.markers_left(one) == ["landed/b.json/00A1"]
    assert deliver(function, one) == ["m1"]


def test_the_marker_of_another_version_of_the_file_does_not_count(function: ModuleType, world: World) -> None:
    world.markers.add("landed/a.json/00A1F")
    assert function.markers_left(message(1, landed("a.json"))) == []


def test_a_message_waits_for_its_run_and_the_next_message_gets_a_run_after_it(
    function: ModuleType, world: World, waits: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLL_SECONDS", "1")
    first, second = waits(1, "a.json"), waits(2, "b.json")
    run = world.begin_run("wr_1")

    def first_is_loaded() -> None:
        world.end_run(run, 3, SucceededActions=2)
        world.markers.remove("landed/a.json/00A1")

    world.later = [(3, first_is_loaded), (6, world.markers.clear)]
    assert deliver(function, first, second) == ["m2"], "its run, which began meanwhile, is still under way"
    assert [run["landed_key"] for run in world.started] == ["b.json"]


def test_a_message_that_is_done_while_the_function_waits_is_not_returned(
    function: ModuleType, world: World, waits: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLL_SECONDS", "1")
    run = world.begin_run("wr_1")

    def loaded() -> None:
        world.end_run(run, 3, SucceededActions=2)
        world.markers.clear()

    world.later = [(3, loaded)]
    assert deliver(function, waits(1, "a.json")) == []
    assert world.monotonic() == 4, "it looks no longer than it must"
    assert world.started == []


def test_a_message_that_is_not_done_after_20_seconds_is_delivered_again_after_30(
    function: ModuleType, world: World, waits: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLL_SECONDS", "1")
    world.begin_run("wr_1")
    assert deliver(function, waits(1, "a.json"), waits(2, "b.json")) == ["m1", "m2"]
    assert world.monotonic() == 20
    assert [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in world.made_visible] == [
        ("handle1", 30), ("handle2", 30)
    ]  # fmt: skip


def test_environment_variables_set_the_wait_and_the_delivery_delay(
    function: ModuleType,
    world: World,
    waits: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"POLL_SECONDS": "0.5", "WAIT_SECONDS": "2", "RETRY_SECONDS": "1"}.items():
        monkeypatch.setenv(name, value)
    world.begin_run("wr_1")
    deliver(function, waits(1, "a.json"))
    assert world.monotonic() == 2
    assert [entry["VisibilityTimeout"] for entry in world.made_visible] == [1]
    assert "1 messages are delivered again in 1 s" in capsys.readouterr().out, "the log says what the queue was told"


@pytest.mark.parametrize(("drawn", "shortest_or_longest"), [(min, 0.5), (max, 10)])
def test_the_default_pause_between_two_polls_is_0_5_to_10_seconds(
    function: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch, drawn: Any, shortest_or_longest: float
) -> None:
    """Jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/"""
    monkeypatch.setattr(world, "uniform", lambda *ends: drawn(ends))
    function.short_pause()
    assert world.monotonic() == shortest_or_longest


@pytest.mark.parametrize("operation", ["get_workflow_runs", "list_objects_v2"])
def test_if_aws_refuses_a_call_all_messages_are_delivered_again_and_the_error_is_raised(
    function: ModuleType, world: World, waits: Callable[..., Any], operation: str
) -> None:
    messages = [waits(1, "a.json"), waits(2, "b.json")]
    world.fail(operation)
    with pytest.raises(ClientError, match="AccessDenied"):
        deliver(function, *messages)
    assert [entry["VisibilityTimeout"] for entry in world.made_visible] == [30, 30]


def test_no_message_is_delivered_again_within_the_same_second(function: ModuleType, world: World) -> None:
    function.deliver_again([message(1, landed("a.json"))], 0.2)
    function.deliver_again([message(2, landed("b.json"))], 1.6)
    assert [entry["VisibilityTimeout"] for entry in world.made_visible] == [1, 2]


def test_after_a_failed_run_the_queue_hides_the_message_for_the_rest_of_the_backoff(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    world.fail_runs(2)
    world.sleep(10)
    assert deliver(function, waits(1, "a.json")) == ["m1"]
    assert world.started == []
    assert [entry["VisibilityTimeout"] for entry in world.made_visible] == [50], "twice 30, of which 10 are over"


def test_after_the_backoff_of_a_failed_run_the_next_run_starts(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    world.fail_runs(1)
    world.sleep(30)
    deliver(function, waits(1, "a.json"))
    assert [run["landed_key"] for run in world.started] == ["a.json"]


def test_a_message_without_a_failed_run_starts_a_run_and_does_not_wait_for_others(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    world.fail_runs(1)
    deliver(function, waits(1, "old.json"), waits(2, "new.json", sent=BEGIN))
    assert len(world.started) == 1


def test_the_backoff_is_counted_from_the_end_of_the_last_failed_run(function: ModuleType, world: World) -> None:
    world.fail_runs(3)
    world.runs.reverse()
    assert function.backoff(world.runs) == 120
    world.sleep(500)
    assert function.backoff(world.runs) == 0


def test_the_backoff_doubles_up_to_six_hours(function: ModuleType, world: World) -> None:
    """A message can be hidden for 12 hours at most, counted from its delivery.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
    """
    ended = {"CompletedOn": BEGIN}
    assert [function.backoff([ended] * number) for number in (0, 1, 2, 10, 11, 19)] == [0, 30, 60, 15360, 21600, 21600]


@pytest.mark.parametrize(("tries", "failed", "is_given_up"), [
    (None, 4, False), (None, 5, True), ("2", 1, False), ("2", 2, True),
])  # fmt: skip
def test_an_event_is_given_up_after_five_failed_runs_or_the_configured_number(
    function: ModuleType, world: World, waits: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
    tries: str | None, failed: int, is_given_up: bool,
) -> None:  # fmt: skip
    if tries:
        monkeypatch.setenv("TRIES", tries)
    world.fail_runs(failed)
    returned = deliver(function, waits(1, "a.json"))
    assert (returned, bool(world.sent)) == (([], True) if is_given_up else (["m1"], False))


def test_an_event_that_is_given_up_goes_to_the_DLQ_with_the_reason_and_loses_its_markers(
    function: ModuleType, world: World, waits: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail_runs(5)
    given_up = waits(1, "a.json", "b.json")
    world.markers.remove("landed/a.json/00A1")
    deliver(function, given_up)
    reason = "5 runs of exactly_once_workflow failed, the last was wr_5"
    assert world.sent == [
        {
            "QueueUrl": "https://sqs/dead",
            "MessageBody": given_up["body"],
            "MessageAttributes": {"reason": {"DataType": "String", "StringValue": reason}},
        }
    ]
    assert world.markers == set()
    assert f"given up: {reason}; now in dead" in capsys.readouterr().out


def test_a_marker_is_deleted_only_after_its_event_is_in_the_dead_letter_queue(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    world.fail_runs(5)
    message = waits(1, "a.json")
    world.fail("send_message")
    with pytest.raises(ClientError):
        deliver(function, message)
    assert world.markers == {"landed/a.json/00A1"}


def test_an_event_that_is_given_up_does_not_block_the_others_of_its_batch(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    world.fail_runs(5)
    assert deliver(function, waits(1, "old.json"), waits(2, "new.json", sent=BEGIN)) == ["m2"]
    assert [run["landed_key"] for run in world.started] == ["new.json"]


@pytest.mark.parametrize(
    "dead_letter",
    [
        message(1, landed("a.json"), reason={"stringValue": "5 runs failed", "dataType": "String"}),
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        message(1, {"version": "1.0", "requestContext": {}, "requestPayload": landed("a.json")}),
    ],
)
def test_a_redriven_dead_letter_starts_as_a_new_event(function: ModuleType, world: World, dead_letter: Any) -> None:
    world.fail_runs(5)
    assert deliver(function, dead_letter) == []
    assert [json.loads(sent["MessageBody"]) for sent in world.sent] == [landed("a.json")]
    assert world.markers == {"landed/a.json/00A1"}
    assert [run["landed_key"] for run in world.started] == ["a.json"]


def test_if_another_file_waits_the_function_checks_twice_before_it_starts_a_run(
    function: ModuleType, world: World, waits: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another invocation may start a run at the same moment."""
    monkeypatch.setenv("POLL_SECONDS", "1")
    world.markers.add("landed/other.json/00")
    world.later = [(0.5, lambda: world.begin_run("wr_of_the_other", 0.5) and None)]
    deliver(function, waits(1, "a.json"))
    assert world.started == []
    world.runs.clear()
    deliver(function, waits(1, "a.json"))
    assert len(world.started) == 1


def test_a_file_that_waits_alone_gets_its_run_immediately(
    function: ModuleType, world: World, waits: Callable[..., Any]
) -> None:
    waits(1, "a.json")
    assert function.can_start(["landed/a.json/00A1"]) is True
    assert world.monotonic() == 0


# Which runs count as failed for a message.


def one_run(run_id: str, begin: float, end: float | None, world: World, **statistics: int) -> dict[str, Any]:
    run = world.begin_run(run_id, begin)
    if end is not None:
        world.end_run(run, end, **(statistics or {"FailedActions": 1}))
    return run


def counted(function: ModuleType, world: World, sent: datetime = BEGIN) -> list[str]:
    return [run["WorkflowRunId"] for run in function.failed_runs(world.runs, message(1, {}, sent=sent))]


def test_a_run_counts_only_if_it_began_after_the_message_was_sent_to_the_millisecond(
    function: ModuleType, world: World
) -> None:
    one_run("same", 0.25, 1, world)
    one_run("after", 2, 3, world)
    assert counted(function, world, BEGIN + timedelta(seconds=0.249)) == ["same", "after"]
    assert counted(function, world, BEGIN + timedelta(seconds=0.25)) == ["after"]


@pytest.mark.parametrize("end", [2, 5, None])
def test_a_run_that_began_while_another_was_active_does_not_count(
    function: ModuleType, world: World, end: float | None
) -> None:
    """The crawler or the job was busy; the other run shows whether the file can be loaded."""
    one_run("first", 1, end, world)
    one_run("second", 2, 3, world)
    assert counted(function, world) == ([] if end is None else ["first"])


def test_runs_that_do_not_overlap_each_count(function: ModuleType, world: World) -> None:
    one_run("first", 1, 2, world)
    one_run("second", 2.5, 3, world)
    assert counted(function, world) == ["first", "second"]


def test_of_two_runs_that_began_at_the_same_time_only_one_counts(function: ModuleType, world: World) -> None:
    one_run("wr_b", 1, 3, world)
    one_run("wr_a", 1, 3, world)
    assert counted(function, world) == ["wr_a"]


@pytest.mark.parametrize("bad", ["FailedActions", "StoppedActions", "TimeoutActions", "ErroredActions"])
def test_a_run_in_which_any_crawl_or_job_did_not_succeed_counts(function: ModuleType, world: World, bad: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRunStatistics.html"""
    one_run("wr", 1, 2, world, SucceededActions=1, **{bad: 1})
    assert counted(function, world) == ["wr"]


def test_a_run_without_actions_counts_as_failed_and_a_run_where_all_succeeded_does_not(
    function: ModuleType, world: World
) -> None:
    one_run("nothing", 1, 2, world, SucceededActions=0, TotalActions=0)
    one_run("all", 3, 4, world, SucceededActions=2, TotalActions=2, FailedActions=0, ErroredActions=0)
    assert counted(function, world) == ["nothing"]


def test_the_last_runs_are_sorted_with_the_newest_first(function: ModuleType, world: World) -> None:
    for number in (2, 3, 1):
        one_run(f"wr_{number}", number, number + 0.5, world)
    assert [run["WorkflowRunId"] for run in function.last_runs()] == ["wr_3", "wr_2", "wr_1"]

"""Events that were given up: `labkit status` shows them, `labkit redrive` sends them back, and then they are loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest

from labkit import Lab
from labkit.data.ledger import loaded_by
from labkit.show.waiting import wait_for
from labkit.tools.event_status import EventStatus


def given_up(lab: Lab, key: str, **attributes: str) -> None:
    """Put S3's event of an object into the dead-letter queue, as the start function does."""
    sqs = lab.session.client("sqs")
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-22T10:00:00.000Z",
        "s3": {"bucket": {"name": lab.names.landing_bucket}, "object": {"key": quote_plus(key), "sequencer": "0A"}},
    }
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=lab.names.dead_letter_queue)["QueueUrl"],
        MessageBody=json.dumps({"Records": [record]}),
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


def until_loaded(lab: Lab, key: str) -> None:
    """Wait until the object is loaded and the queue is empty."""

    def look() -> tuple[str, bool | None]:
        waiting = lab.reliability.waiting()
        return f"{waiting} waiting", (loaded_by(lab.session, [key]) is not None and waiting == 0) or None

    wait_for("the event", look, config=lab.config, go_on="", quiet=True)


@pytest.fixture
def letter(lab: Lab) -> Iterator[str]:
    """The key of a file that landed, and whose event was given up."""
    lab.notification.destroy()
    landed = lab.send(rows=7, seed=31)
    lab.notification.create()
    given_up(lab, landed.keys[0], reason="5 runs of kit-redshift_workflow failed, the last was wr_1")
    yield landed.keys[0]
    lab.reliability.redrive()
    until_loaded(lab, landed.keys[0])  # its rows must not come while other tests count


def test_a_dead_letter_is_shown_with_its_reason_and_stays_in_the_queue(lab: Lab, letter: str) -> None:
    for _ in range(2):
        (shown,) = lab.reliability.dead_letters()
        assert shown.key == letter
        assert "5 runs" in shown.reason
    facts = {fact.what: fact for fact in lab.reliability.check().facts}
    assert not facts["no event was given up"].holds
    assert "labkit redrive" in facts["no event was given up"].fix
    assert lab.event_status().given_up_events == 1


def test_a_redriven_event_starts_over_and_is_loaded(lab: Lab, letter: str) -> None:
    (sent,) = lab.reliability.redrive()
    assert sent.key == letter
    until_loaded(lab, letter)
    assert lab.reliability.dead_letters() == ()
    assert lab.reliability.redrive() == ()


def test_status_counts_waiting_events_dead_letters_and_rejected_rows() -> None:
    assert str(EventStatus(0, 0, 0, 0, "")) == "no event waits, none was given up, and no row was rejected"
    text = str(EventStatus(2, 1, 3, 1, "a.json line 2: not a JSON object"))
    assert "wait" in text
    assert "labkit redrive" in text
    assert "3 in 1 file; a.json line 2: not a JSON object" in text


def test_changed_queue_settings_are_corrected(lab: Lab, make_lab: Callable[..., Lab]) -> None:
    sqs: Any = lab.session.client("sqs")
    url = sqs.get_queue_url(QueueName=lab.names.retry_queue)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "77"})
    assert not lab.reliability.check().ok
    lab.reliability.create()
    assert lab.reliability.check().ok

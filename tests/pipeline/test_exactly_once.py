"""Each good row of each object version that a run read is loaded exactly once, and every landed object is read.

The faults here come from outside: bursts, events, manual runs, refusals, resources that are missing for a while. Kills
are in test_faults.py and test_random_faults.py. Everything is compared row for row.
"""

from __future__ import annotations

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError

from tests.pipeline.breaking import ledger_held, no_copy_role, wrong_password
from tests.pipeline.conftest import GOING, ShellLab
from tests.pipeline.landing import Landing, Version
from tests.pipeline.rows import strict

FEW = 20
"""So many runs at most for 200 files at once; most bursts take three."""


@pytest.fixture
def landing(lab: ShellLab, request: pytest.FixtureRequest) -> Landing:
    """Files of the test's own, in a pipeline that is quiet."""
    lab.wait_until_quiet()
    return Landing(lab, request.node.name.removeprefix("test_").split("[")[0][:40])


def event_of(lab: ShellLab, one: Version, **changes: Any) -> dict[str, Any]:
    """S3's event of a version that landed, as S3 documents it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    bucket = lab.config["landing_bucket"]
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": lab.environment["AWS_DEFAULT_REGION"],
        "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "s3Events",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": quote_plus(one.key, safe="/"),
                "size": len(one.content.body),
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": one.version,
                "sequencer": changes.pop("sequencer", "0055AED6DCD90281E5"),
            },
        },
    }
    return {"Records": [record | changes]}


def deliver(lab: ShellLab, event: dict[str, Any]) -> None:
    """Give the start function an event, as S3 does."""
    lab.client("lambda").invoke(
        FunctionName=lab.config["start_function"], InvocationType="Event", Payload=json.dumps(event)
    )


def failed_actions(lab: ShellLab) -> int:
    """How many crawls and jobs of the workflow's runs have failed so far."""
    runs = lab.workflow_runs()
    return sum(run.get("Statistics", {}).get(kind, 0) for run in runs for kind in ("FailedActions", "ErroredActions"))


def by_hand(lab: ShellLab) -> None:
    """A run by hand, which may be refused."""
    glue = lab.client("glue")
    with suppress(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_workflow_run(Name=lab.config["workflow"])


def reset_bookmark(lab: ShellLab) -> None:
    """Reset the job's bookmark; it need not have one."""
    glue = lab.client("glue")
    with suppress(glue.exceptions.EntityNotFoundException):
        glue.reset_job_bookmark(JobName=lab.config["job"])


def test_200_objects_that_land_together_are_loaded_once_in_a_few_runs(lab: ShellLab, landing: Landing) -> None:
    contents = [landing.content(rows=3) for _ in range(200)]
    before = lab.runs()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(landing.put, (f"{number}.json" for number in range(200)), contents))
    landing.settle()
    assert lab.runs() - before <= FEW


def test_duplicate_late_and_out_of_order_events_load_nothing_twice(lab: ShellLab, landing: Landing) -> None:
    for name in ("a.json", "b c+d.json", "a.json"):
        landing.put(name)
    events = [event_of(lab, one, sequencer=f"00{9 - at}") for at, one in enumerate(landing.versions())]
    for event in [*reversed(events), *events, *events]:
        deliver(lab, event)
    landing.settle()
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%S}.123Z"
    for one in landing.versions():
        deliver(lab, event_of(lab, one, eventTime=yesterday, sequencer="00"))
    by_hand(lab)
    landing.settle()


def test_an_event_for_a_deleted_object_does_not_block_others(lab: ShellLab, landing: Landing) -> None:
    landing.put("stays.json")
    landing.settle()
    gone = Version(f"{landing.prefix}never-there.json", "3sL4kqtJlcpXroDTDmJ", True, landing.content())
    deliver(lab, event_of(lab, gone))
    landing.put("after.json")
    landing.settle()


def test_a_key_too_long_for_a_marker_is_loaded_and_a_hidden_file_is_ignored(lab: ShellLab, landing: Landing) -> None:
    longest = "k" * (1024 - len(landing.prefix) - len(".json")) + ".json"
    before = lab.count()
    for name in ("_hidden.json", ".hidden.json"):
        lab.client("s3").put_object(
            Bucket=lab.config["landing_bucket"], Key=f"not-{landing.prefix}{name}", Body=strict(9_000_000, 3).encode()
        )
    landing.put(longest)
    landing.put("beside.json")
    landing.settle()
    assert lab.count() - before == sum(landing.rows().values())


def test_an_object_that_is_overwritten_during_a_run_has_the_rows_of_each_version_that_was_read(
    lab: ShellLab, landing: Landing
) -> None:
    with ledger_held(lab) as one_waits:
        landing.put("again.json")
        lab.wait(one_waits)
        for _ in range(3):
            landing.put("again.json", landing.content(rows=5, bad=1))
    landing.settle()
    assert len(landing.loaded()) >= 2, "the first was read before the others landed"
    for _ in range(12):
        landing.put("again.json", landing.content(rows=2))
    landing.settle()


def test_files_that_arrive_during_a_crawl_are_loaded(lab: ShellLab, landing: Landing) -> None:
    landed: list[datetime] = []
    for _ in range(5):
        runs, over = lab.runs(), threading.Event()

        def keep_landing(over: threading.Event = over) -> None:
            while not over.is_set() and len(landed) < 1000:
                landing.put(f"{len(landed)}.json", landing.content(rows=1))
                landed.append(datetime.now(UTC))

        lander = threading.Thread(target=keep_landing)
        lander.start()
        lab.wait(lambda runs=runs: lab.runs() > runs and lab.job_runs(*GOING) > 0)  # type: ignore[misc]
        over.set()
        lander.join()
        landing.settle()
        crawls = lab.client("glue").list_crawls(CrawlerName=lab.config["s3_crawler"], MaxResults=50)["Crawls"]
        if any(crawl["StartTime"] < moment < crawl["EndTime"] for crawl in crawls for moment in landed):
            return
    raise AssertionError(f"no file landed in the middle of a crawl: {landed[0]} to {landed[-1]}, {crawls[:10]}")


def test_bad_rows_are_kept_with_file_and_line_and_good_rows_are_loaded_once(lab: ShellLab, landing: Landing) -> None:
    for number in range(4):
        landing.put(f"some bad+{number}.json", landing.content(rows=20, bad=number))
    landing.settle()


def test_a_refused_job_run_loses_nothing(lab: ShellLab, landing: Landing) -> None:
    """A manual job run takes the only concurrent run before the workflow's crawl ends."""
    glue, failed = lab.client("glue"), failed_actions(lab)
    for number in range(20):
        with ledger_held(lab) as one_waits:
            glue.start_job_run(JobName=lab.config["job"])
            landing.put(f"{number}.json")
            lab.wait(one_waits)
            # If the job was too early for the file, the start function has started the workflow already.
            with suppress(glue.exceptions.ConcurrentRunsExceededException):
                glue.start_workflow_run(Name=lab.config["workflow"])
                lab.wait(lambda: failed_actions(lab) > failed)
        landing.settle()
        if failed_actions(lab) > failed:
            return
    raise AssertionError("the job was always too early for the file")


def test_a_refused_workflow_run_loses_nothing(lab: ShellLab, landing: Landing) -> None:
    glue, workflow = lab.client("glue"), lab.config["workflow"]
    limit = glue.get_workflow(Name=workflow)["Workflow"]["MaxConcurrentRuns"]
    glue.update_workflow(Name=workflow, MaxConcurrentRuns=1)
    try:
        with ledger_held(lab) as one_waits:
            landing.put("occupies.json")
            lab.wait(one_waits)
            for number in range(5):
                landing.put(f"{number}.json")
            with pytest.raises(ClientError, match="ConcurrentRunsExceeded"):
                glue.start_workflow_run(Name=workflow)
        landing.settle()
    finally:
        glue.update_workflow(Name=workflow, MaxConcurrentRuns=limit)


def test_a_run_that_finds_the_crawler_busy_loses_nothing(lab: ShellLab, landing: Landing) -> None:
    glue, over, failed = lab.client("glue"), threading.Event(), failed_actions(lab)
    numbers = itertools.count()

    def keep_busy() -> None:
        while not over.is_set():
            with suppress(glue.exceptions.CrawlerRunningException):
                glue.start_crawler(Name=lab.config["s3_crawler"])

    def finds_it_busy() -> bool:
        # Between two of its crawls the crawler is free for a moment, which a run may hit.
        landing.put(f"{next(numbers)}.json")
        lab.wait(lambda: failed_actions(lab) > failed or not landing.unread())
        return failed_actions(lab) > failed

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        lab.wait(finds_it_busy)
    finally:
        over.set()
        busy.join()
    landing.settle()


@pytest.mark.parametrize("broken", [wrong_password, no_copy_role])
def test_rows_of_a_failed_job_or_COPY_are_loaded_after_the_cause_is_fixed(
    lab: ShellLab, landing: Landing, broken: Any
) -> None:
    failed = failed_actions(lab)
    with broken(lab):
        landing.put("one.json", landing.content(rows=20, bad=2))
        landing.put("two.json")
        lab.wait(lambda: failed_actions(lab) > failed)
        assert not landing.rows()
    landing.settle()


@pytest.mark.nightly
def test_an_event_that_is_given_up_is_a_dead_letter_that_status_shows_and_redrive_sends_back(
    lab: ShellLab, landing: Landing
) -> None:
    with wrong_password(lab):
        landing.put("given up.json")
        landing.put("given up, too.json", landing.content(bad=1))
        lab.wait(lambda: lab.dead_letters() == 2 and not lab.going_on(), 240)
        assert json.loads(lab.labkit("status", "--json").stdout)["events"]["given_up_events"] == 2
        assert "events given up: 2" in lab.labkit("status").stdout
    landing.put("healthy.json")
    lab.wait(lambda: not lab.going_on() and len(landing.unread()) == 2)
    lab.labkit("redrive")
    landing.settle()


def test_concurrent_manual_runs_load_nothing_twice(lab: ShellLab, landing: Landing) -> None:
    glue = lab.client("glue")
    for number in range(4):
        landing.put(f"{number}.json")
        by_hand(lab)
        with suppress(glue.exceptions.ConcurrentRunsExceededException):
            glue.start_job_run(JobName=lab.config["job"])
    landing.settle()


def test_a_reset_bookmark_loads_nothing_twice(lab: ShellLab, landing: Landing) -> None:
    for number in range(3):
        landing.put(f"{number}.json", landing.content(bad=1))
    landing.settle()
    reset_bookmark(lab)
    by_hand(lab)
    landing.settle()
    reset_bookmark(lab)
    landing.put("more.json")
    landing.settle()


@pytest.mark.nightly
def test_a_manual_run_loads_files_that_landed_without_a_notification(lab: ShellLab, landing: Landing) -> None:
    lab.labkit("destroy", "--yes", "notification")
    for number in range(5):
        landing.put(f"unannounced {number}.json")
    lab.labkit("deploy", "notification")
    by_hand(lab)
    landing.settle()


@pytest.mark.nightly
def test_a_file_of_bad_rows_is_given_up_and_the_other_files_are_loaded(lab: ShellLab, landing: Landing) -> None:
    landing.put("worthless.json", landing.content(rows=1, bad=30))
    landing.put("landed with it.json")
    lab.wait(lambda: lab.dead_letters() > 0, 240)
    landing.put("landed after it.json")
    worthless = f"{landing.prefix}worthless.json"
    lab.wait(lambda: landing.unread() == [worthless] and not lab.going_on(), 240)
    assert lab.dead_letters() == 1
    assert landing.differences() == [f"unread: {worthless}"]
    lab.labkit("deploy", "reliability", max_rejected_share="1")
    try:
        lab.labkit("redrive")
        landing.settle()
    finally:
        lab.labkit("deploy", "reliability")

"""The tasks of notebooks 05 to 10 on a real lab: right answers, wrong ones, wrong types and none."""

from __future__ import annotations

import pytest
from attempts import Attempt, assert_as_expected, attempts, enough_attempts, run
from attempts_job_to_notification import JOB, NOTIFICATION, WORKFLOW
from attempts_query_to_cleanup import CLEANUP, QUERY, RELIABILITY

import localaws
from labkit import Lab, check
from labkit.tasks import registry
from labkit.tasks.task import Outcome
from labkit.tools.leftovers import find_leftovers

ALL = (*JOB, *WORKFLOW, *NOTIFICATION, *QUERY, *RELIABILITY, *CLEANUP)
NUMBERS = ("05", "06", "07", "08", "09", "10")


@pytest.fixture(scope="module")
def described(lab: Lab) -> Lab:
    """The lab with all steps and the described delivery. Nothing is loaded yet."""
    lab.deploy(as_described=True)
    return lab


@pytest.fixture(scope="module")
def reliable(described: Lab) -> Lab:
    """The lab with the exactly-once delivery, and two files of which some rows were rejected."""
    described.reliability.create()
    row = '{"transaction_id": 1, "transaction_date": "2023/08/30", "toll_booth": "golf_rd", "vehicle_make": "Fiat", '
    good = f'{row}"vehicle_category": "Sedan", "transaction_amount": 2.5}}'
    files = {"half bad.json": [good, "{"], "a third bad.json": [good, good, "{"]}
    s3, bucket = described.session.client("s3"), described.names.landing_bucket
    for key, lines in files.items():
        s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    described.follow(list(files))
    return described


@pytest.fixture(scope="module")
def nobody(stack: localaws.Status) -> Lab:
    """A lab that has nothing, as after notebook 10."""
    return Lab(home=stack.home, prefix="gone", wait_minutes=1.5, progress="static")


@pytest.mark.parametrize("attempt", attempts(*JOB, *WORKFLOW, *NOTIFICATION, *QUERY))
def test_an_attempt_at_a_task_of_the_described_system_gets_its_verdict(described: Lab, attempt: Attempt) -> None:
    assert_as_expected(described, attempt)


def test_the_cells_of_these_tasks_leave_the_lab_as_it_was(described: Lab) -> None:
    steps = [step.name for step in described.steps if step.name not in ("query", "reliability")]
    assert described.check(*steps), str(described.check(*steps))
    assert described.counts().queried == described.counts().loaded == 0
    assert not described.workflow.runs()
    names, glue = described.names, described.session.client("glue")
    triggers = {one["Name"] for one in glue.get_triggers()["Triggers"] if one["Name"].startswith("task-")}
    assert triggers == {names.s3_crawler_trigger, names.start_trigger, names.event_trigger}
    tables = described.query("select table_name from information_schema.tables where table_schema = 'public'")
    assert tables["table_name"].tolist() == ["toll_table"]
    staged = described.session.client("s3").list_objects_v2(Bucket=names.staging_bucket, Prefix="practice/")
    assert staged["KeyCount"] == 0


@pytest.mark.parametrize("attempt", attempts(*RELIABILITY))
def test_an_attempt_at_a_task_of_the_exactly_once_delivery_gets_its_verdict(reliable: Lab, attempt: Attempt) -> None:
    assert_as_expected(reliable, attempt)


def test_the_tasks_of_the_exactly_once_delivery_leave_it_as_it_was(reliable: Lab) -> None:
    assert reliable.check("reliability"), str(reliable.check("reliability"))
    assert reliable.counts().agree


def test_a_topic_or_a_trigger_that_was_left_is_removed_with_the_lab(described: Lab) -> None:
    run(registry.task("06.3").solution, {"lab": described})
    run(registry.task("10.3").breaks, {"lab": described})
    assert registry.remove_remains(described) == ("trigger task-Redshift-Crawler-practice", "topic task-toll-alarms")
    assert registry.remove_remains(described) == ()


@pytest.mark.parametrize("attempt", attempts(*CLEANUP))
def test_an_attempt_at_a_task_of_the_cleanup_gets_its_verdict(nobody: Lab, attempt: Attempt) -> None:
    assert_as_expected(nobody, attempt)
    assert not find_leftovers(nobody)


def test_the_name_of_the_step_that_is_needed_first_can_be_asked_only_after_the_cleanup(reliable: Lab) -> None:
    assert check("10.1", "02", lab=reliable).outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize(
    "task", [task for number in NUMBERS for task in registry.of_notebook(number)], ids=lambda task: task.id
)
def test_every_later_task_has_enough_attempts_of_each_kind(task: registry.Task) -> None:
    assert enough_attempts(ALL, task.id)


@pytest.mark.parametrize("number", NUMBERS)
def test_at_least_half_of_the_tasks_make_or_mend_something(number: str) -> None:
    tasks = registry.of_notebook(number)
    assert 2 <= len(tasks) <= 4
    found_out = [task.id for task in tasks if task.id in ("06.1", "09.1", "09.2", "10.1")]
    assert 2 * len(found_out) <= len(tasks)

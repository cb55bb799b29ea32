"""From landed files to counted rows, through `Lab`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labkit import ExactlyOnceCounts, Lab
from labkit.errors import FunctionFailed, MissingStep, QueryFailed, RunFailed, WaitInterrupted, WaitTimeout

DAY = "2023-08-31"


@pytest.fixture
def without_events(lab: Lab) -> Iterator[None]:
    """Nothing runs when a file lands."""
    lab.notification.destroy()
    yield
    lab.notification.create()


def test_a_landed_file_becomes_rows_and_all_three_counts_agree(lab: Lab) -> None:
    before = lab.counts()
    landed = lab.send(rows=40, seed=1, until=DAY)
    run = lab.follow(landed)
    assert run.succeeded
    came = lab.counts() - before
    assert (came.landed, came.loaded, came.queried) == (40, 40, 40)
    assert came.agree
    assert lab.counts(landed.keys).landed == 40
    assert lab.query.check().ok


def test_files_that_land_at_the_same_time_are_all_loaded(lab: Lab) -> None:
    before = lab.query.count()
    lab.follow(lab.send(rows=5, count=6))
    lab.reliability.workflow.wait_until_idle()
    assert lab.query.count() - before == 30


def test_a_file_from_a_multipart_upload_or_a_copy_is_loaded_too(lab: Lab) -> None:
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    (source,) = lab.send(rows=3, seed=41, until=DAY).keys
    lab.follow([source])
    before = lab.query.count()
    parts = {"Bucket": bucket, "Key": "in-parts.json"}
    upload = s3.create_multipart_upload(**parts)["UploadId"]
    body = s3.get_object(Bucket=bucket, Key=source)["Body"].read()
    part = s3.upload_part(**parts, UploadId=upload, PartNumber=1, Body=body)
    done = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**parts, UploadId=upload, MultipartUpload=done)
    s3.copy_object(Bucket=bucket, Key="a-copy.json", CopySource={"Bucket": bucket, "Key": source})
    lab.follow(["in-parts.json", "a-copy.json"])
    assert lab.query.count() - before == 6


@pytest.mark.nightly
def test_manual_runs_next_to_events_lose_and_duplicate_nothing(lab: Lab) -> None:
    lab.follow(lab.send(rows=5))  # its crawl makes the table that a job by hand needs
    before = lab.counts()
    for number in range(4):
        lab.send(rows=5)
        if number % 2:
            assert lab.reliability.workflow.run().succeeded
        else:
            assert lab.reliability.job.run().state == "SUCCEEDED"
    lab.follow(lab.send(rows=5))
    lab.reliability.workflow.wait_until_idle()
    came = lab.counts() - before
    assert (came.landed, came.loaded, came.queried) == (25, 25, 25)


def test_both_notations_of_the_sample_data_are_loaded(lab: Lab, checkout: Path) -> None:
    before = lab.query.count()
    for name in ("sample_data_single_quoted.json", "sample_data_toll_application.json"):
        landed = lab.send(checkout / "data" / name)
        assert (landed.rows, landed.keys) == (100, (name,))
        lab.follow(landed)
    assert lab.query.count() - before == 200


def test_a_manual_run_loads_new_files_and_a_second_run_loads_nothing(lab: Lab, without_events: None) -> None:
    lab.reliability.workflow.run()
    before = lab.query.count()
    lab.send(rows=10, seed=2, until=DAY)
    assert lab.reliability.workflow.run().succeeded
    assert lab.reliability.workflow.run().succeeded
    assert lab.query.count() - before == 10


def test_bad_rows_are_rejected_and_good_rows_are_loaded_and_counted(
    lab: Lab, tmp_path: Path, without_events: None
) -> None:
    good = {"transaction_id": 1, "transaction_date": "2023/08/13", "toll_booth": "york_rd", "vehicle_make": "Kia",
            "vehicle_category": "SUV", "transaction_amount": 1.5}  # fmt: skip
    lines = [json.dumps(good), "this is no JSON", json.dumps({**good, "transaction_amount": "much"}),
             json.dumps({key: good[key] for key in good if key != "toll_booth"}), "", str(good)]  # fmt: skip
    file = tmp_path / "mixed rows + more.json"
    file.write_text("\n".join(lines) + "\n")
    lab.reliability.workflow.run()
    before = lab.counts()
    landed = lab.send(file)
    assert landed.rows == 5
    lab.reliability.workflow.run()
    assert lab.counts() - before == ExactlyOnceCounts(landed=5, loaded=2, rejected=3, queried=2)
    rejects = lab.reliability.rejects()
    mine = rejects[rejects["file"] == file.name]
    assert [(row.line, row.row) for row in mine.itertuples()] == [(number, lines[number - 1]) for number in (2, 3, 4)]
    assert [reason.split(":")[0] for reason in mine["reason"]] == [
        "not a JSON object", "transaction_amount is not a number that its column can hold", "toll_booth is missing",
    ]  # fmt: skip


def test_a_file_of_mostly_bad_rows_loads_nothing_and_the_other_files_load_completely(
    lab: Lab, tmp_path: Path, without_events: None
) -> None:
    bad = tmp_path / "bad rows only.json"
    bad.write_text("this is no JSON\n" * 12 + "{}\n")
    lab.reliability.workflow.run()
    before = lab.counts()
    lab.send(bad)
    lab.send(rows=10, seed=21, until=DAY)
    with pytest.raises(RunFailed, match=r"Nothing was loaded from .*/bad rows only\.json(.|\n)*MAX_REJECTED_SHARE"):
        lab.reliability.workflow.run()
    assert lab.counts() - before == ExactlyOnceCounts(landed=23, loaded=10, rejected=13, queried=10)
    lab.session.client("s3").delete_object(Bucket=lab.names.landing_bucket, Key=bad.name)
    assert lab.reliability.workflow.run().succeeded


def test_an_overwritten_file_adds_its_rows_and_a_reset_bookmark_adds_none(lab: Lab, without_events: None) -> None:
    lab.reliability.workflow.run()
    before = lab.query.count()
    first, second = lab.send(rows=4, seed=22, until=DAY), lab.send(rows=6, seed=23, until=DAY)
    assert lab.reliability.workflow.run().succeeded
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    s3.copy_object(Bucket=bucket, Key=first.keys[0], CopySource={"Bucket": bucket, "Key": second.keys[0]})
    lab.reliability.job.forget()
    assert lab.reliability.workflow.run().succeeded
    assert lab.query.count() - before == 4 + 6 + 6
    s3.delete_object(Bucket=bucket, Key=first.keys[0])
    assert lab.reliability.workflow.run().succeeded
    assert lab.query.count() - before == 16


def test_the_same_seed_lands_the_same_rows_under_another_key(lab: Lab, without_events: None) -> None:
    first, second = lab.send(rows=3, seed=5, until=DAY), lab.send(rows=3, seed=5, until=DAY)
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    bodies = {s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in (*first.keys, *second.keys)}
    assert len(bodies) == 1
    assert first.keys != second.keys


def test_an_invalid_event_for_the_generator_fails_with_the_generator_s_message(lab: Lab) -> None:
    function = lab.names.generator_function
    with pytest.raises(FunctionFailed, match=r"BadEvent: rows is 0: it must be a whole number(.|\n)*/aws/lambda/"):
        lab.functions.invoke(function, {"rows": 0})


def test_a_script_that_raises_fails_the_run_with_its_message_and_the_log_to_read(
    lab: Lab, make_lab: Callable[..., Lab], without_events: None
) -> None:
    glue, s3 = lab.session.client("glue"), lab.session.client("s3")
    job = glue.get_job(JobName=lab.names.exactly_once_job)["Job"]
    keep = (
        "Role",
        "Command",
        "DefaultArguments",
        "GlueVersion",
        "WorkerType",
        "NumberOfWorkers",
        "Timeout",
        "Connections",
    )
    changed = {**{key: job[key] for key in keep}, "MaxRetries": 0}
    glue.update_job(JobName=lab.names.exactly_once_job, JobUpdate=changed)
    script = b"raise ValueError('the script of this test raises')"
    s3.put_object(Bucket=lab.names.staging_bucket, Key=f"scripts/{lab.names.exactly_once_job}.py", Body=script)
    try:
        with pytest.raises(RunFailed, match=r"ended FAILED(.|\n)*test raises(.|\n)*labkit logs kit-exactly_once_job"):
            lab.reliability.job.run()
        with pytest.raises(RunFailed, match=r"its crawl SUCCEEDED and its job FAILED(.|\n)*this test raises"):
            lab.reliability.workflow.run()
    finally:
        lab.reliability.job.create()
    assert lab.reliability.workflow.run().succeeded


def test_a_query_returns_a_typed_data_frame_and_takes_parameters(lab: Lab) -> None:
    lab.follow(lab.send(rows=30, seed=9, until=DAY))
    frame = lab.query(
        "select toll_booth, count(*) as n, sum(transaction_amount) as total from toll_table "
        "where toll_booth <> :booth group by 1 order by 1",
        booth="york_rd",
    )
    assert list(frame.columns) == ["toll_booth", "n", "total"]
    assert "york_rd" not in frame.toll_booth.tolist()
    assert (frame.n.dtype.kind, frame.total.dtype.kind) == ("i", "f")
    assert len(lab.query.preview(limit=5).frame) == 5


def test_a_refused_statement_is_an_error_with_redshift_s_message(lab: Lab) -> None:
    with pytest.raises(QueryFailed, match=r'relation "nowhere" does not exist\nStatement: select \* from nowhere'):
        lab.query("select * from nowhere")


def test_the_driver_connects_with_the_lab_s_credentials_and_CA(lab: Lab) -> None:
    with lab.query.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ["admin"]


def test_without_a_notification_follow_fails_at_once_and_names_the_step(lab: Lab, without_events: None) -> None:
    with pytest.raises(MissingStep, match=r"Notification s3Events(.|\n)*labkit deploy notification"):
        lab.follow(lab.send(rows=1))


def test_an_event_that_starts_no_run_is_waited_for_and_then_explained(
    make_lab: Callable[..., Lab], lab: Lab, without_events: None
) -> None:
    landed = lab.send(rows=1)
    lab.notification.create()
    hasty = make_lab("kit")
    object.__setattr__(hasty.config, "wait_minutes", 0.01)
    with pytest.raises(
        WaitTimeout, match=r"for the run (.|\n)*timed out after 0\.01 minutes(.|\n)*lab\.notification\.check\(\)"
    ):
        hasty.follow(landed)


def test_creating_the_notification_again_lists_the_files_that_landed_without_it(lab: Lab, without_events: None) -> None:
    lab.reliability.workflow.run()
    landed = lab.send(rows=2, count=2)
    made = lab.notification.create()
    assert set(made.not_announced) == set(landed.keys)
    assert "lab.load()" in str(made)
    assert lab.load().succeeded
    lab.notification.destroy()
    assert lab.notification.create().not_announced == ()


def test_an_interrupted_wait_says_how_to_continue_and_leaves_the_lab_usable(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, without_events: None
) -> None:
    from labkit.show import waiting

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    before = lab.query.count()
    lab.send(rows=7)
    with monkeypatch.context() as patch:
        patch.setattr(waiting.time, "sleep", interrupted)
        with pytest.raises(
            WaitInterrupted, match=r"Stopped waiting(.|\n)*goes on by itself(.|\n)*lab\.reliability\.workflow\.runs"
        ):
            lab.reliability.workflow.load()
    lab.reliability.workflow.wait_until_idle()
    assert lab.query.count() - before >= 7


def test_labs_in_two_threads_do_not_interfere(lab: Lab) -> None:
    answers: list[int] = []

    def ask() -> None:
        own = Lab(home=lab.config.home, prefix="kit")
        answers.append(int(own.query("select 41 + 1 as n").n[0]))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [42, 42, 42]

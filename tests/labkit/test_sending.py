"""Files that can't be sent are refused before anything lands; an interrupted upload says what has landed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from labkit import Lab
from labkit.errors import AwsRefused, FunctionFailed, LabError, SendStopped, UsageError

ROW = '{"transaction_id": 1, "transaction_date": "2023/08/13", "toll_booth": "york_rd", "vehicle_make": "Kia", \
"vehicle_category": "SUV", "transaction_amount": 1.5}\n'


@pytest.fixture(scope="module")
def sender(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A lab with as much as sending needs: nothing that lands here is loaded."""
    lab = make_lab("send")
    for step in (lab.buckets, lab.roles, lab.functions):
        step.create()
    yield lab
    for step in (lab.functions, lab.roles, lab.buckets):
        step.destroy()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.json"
    file.write_text(ROW)
    return file


def landed(lab: Lab) -> set[str]:
    answer = lab.session.client("s3").list_objects_v2(Bucket=lab.names.landing_bucket)
    return {item["Key"] for item in answer.get("Contents", [])}


@pytest.mark.parametrize("name", ["README.md", "data.json.gz", "data.JSON", "_hidden.json", ".hidden.json", "json"])
def test_a_file_that_the_pipeline_never_reads_is_refused_with_the_reason(
    sender: Lab, good: Path, tmp_path: Path, name: str
) -> None:
    before = landed(sender)
    (tmp_path / name).write_text(ROW)
    with pytest.raises(UsageError) as caught:
        sender.send(good, tmp_path / name)
    assert f"{tmp_path / name}: " in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    for said in ("end in .json", "_ or a dot") if "hidden" not in name else ("begins with", "Spark"):
        assert said in str(caught.value)
    assert "Rename" in caught.value.fix
    assert landed(sender) == before


def test_directories_pipes_and_files_without_content_are_refused(sender: Lab, good: Path, tmp_path: Path) -> None:
    before = landed(sender)
    directory, empty, blank, pipe = (tmp_path / f"{name}.json" for name in ("directory", "empty", "blank", "pipe"))
    directory.mkdir()
    empty.touch()
    blank.write_text(" \n\n\t\n")
    os.mkfifo(pipe)
    problems = {
        directory: "it is a directory",
        empty: "it is empty",
        blank: "it is empty",
        pipe: "it is not a regular file",
        tmp_path / "none.json": "No such file",
        tmp_path / "zero\0byte.json": "its name can't be",
        Path(os.fsdecode(bytes(tmp_path) + b"/\xff.json")): "its name can't be",
    }
    for file, problem in problems.items():
        with pytest.raises(UsageError, match=problem):
            sender.send(good, file)
    with pytest.raises(UsageError) as caught:
        sender.send(good, *problems)
    assert all(f"{file}: " in str(caught.value) for file in problems), "all of them are named at the same time"
    assert str(good) not in str(caught.value)
    assert landed(sender) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_read_permission_is_refused(sender: Lab, good: Path) -> None:
    good.chmod(0)
    with pytest.raises(UsageError, match="Permission denied"):
        sender.send(good)


def test_two_files_with_the_same_name_are_refused_because_one_would_replace_the_other(
    sender: Lab, good: Path, tmp_path: Path
) -> None:
    before = landed(sender)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / good.name
    other.write_text(ROW)
    for files in ((good, other), (good, good)):
        with pytest.raises(UsageError, match="would replace"):
            sender.send(*files)
    assert landed(sender) == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": 0}, "count is 0: it must be a whole number of at least 1"),
        ({"count": -1}, "count is -1"),
        ({"count": 1.5}, "count is 1.5"),
        ({"count": "2"}, "count is '2'"),
        ({"count": True}, "count is True"),
        ({"rows": 0}, "rows is 0: it must be a whole number of at least 1"),
        ({"rows": -5}, "rows is -5"),
        ({"rows": 10.0}, "rows is 10.0"),
        ({"rows": "many"}, "rows is 'many'"),
        ({"seed": "x"}, "seed is 'x': it must be a whole number"),
        ({"seed": 1.0}, "seed is 1.0"),
        ({"until": "yesterday"}, "until is 'yesterday': it must be a day such as 2026-11-30"),
        ({"until": 20231301}, "until is 20231301"),
    ],
)
def test_invalid_numbers_are_refused(sender: Lab, wrong: dict[str, Any], said: str) -> None:
    before = landed(sender)
    with pytest.raises(UsageError) as caught:
        sender.send(**wrong)
    assert said in str(caught.value)
    assert landed(sender) == before


@pytest.mark.parametrize("extra", [{"rows": 100}, {"count": 1}, {"seed": 1}, {"until": "2023-08-31"}, {"seed": 0}])
def test_files_cannot_be_combined_with_generator_settings(sender: Lab, good: Path, extra: dict[str, Any]) -> None:
    before = landed(sender)
    with pytest.raises(UsageError, match=next(iter(extra))):
        sender.send(good, **extra)
    assert landed(sender) == before


def test_a_list_of_files_is_refused_with_the_right_way_to_send_it(sender: Lab, good: Path) -> None:
    with pytest.raises(UsageError, match=r"lab\.send\(\*files\)"):
        sender.send([good])  # type: ignore[arg-type]


def test_a_day_can_be_given_in_each_supported_form(sender: Lab) -> None:
    keys = [sender.send(rows=2, seed=3, until=day).keys[0] for day in ("2023-08-31", "2023/08/31", date(2023, 8, 31))]
    s3 = sender.session.client("s3")
    bodies = {s3.get_object(Bucket=sender.names.landing_bucket, Key=key)["Body"].read() for key in keys}
    assert len(bodies) == 1


@pytest.mark.parametrize("cause", [AwsRefused({"Error": {"Code": "SlowDown"}}, "PutObject"), KeyboardInterrupt()])
def test_an_interrupted_upload_reports_the_files_that_have_landed(
    sender: Lab, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: BaseException
) -> None:
    files = [good, tmp_path / "second.json", tmp_path / "third.json"]
    for file in files[1:]:
        file.write_text(ROW)
    s3 = sender.session.client("s3")
    put = s3.put_object

    def refuse_the_third(**arguments: Any) -> Any:
        if arguments["Key"] == "third.json":
            raise cause
        return put(**arguments)

    monkeypatch.setattr(s3, "put_object", refuse_the_third)
    with pytest.raises(SendStopped) as caught:
        sender.send(*files)
    assert caught.value.landed == ("good.json", "second.json")
    assert "2 of 3 files" in str(caught.value)
    assert "good.json, second.json" in str(caught.value)
    assert ("third.json may have landed" in str(caught.value)) == isinstance(cause, KeyboardInterrupt)
    assert {"good.json", "second.json"} <= landed(sender)


def test_an_interrupted_generator_run_reports_the_files_that_have_landed(
    sender: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke, calls = sender.functions.invoke, iter(range(9))

    def fail_the_second(function: str, event: dict[str, Any]) -> dict[str, Any]:
        return invoke(function, {"rows": "none"} if next(calls) == 1 else event)

    monkeypatch.setattr(sender.functions, "invoke", fail_the_second)
    before = landed(sender)
    with pytest.raises(SendStopped, match=r"1 of 3 files(.|\n)*BadEvent") as caught:
        sender.send(rows=1, count=3)
    assert set(caught.value.landed) == landed(sender) - before


def test_a_failure_before_any_file_has_landed_is_raised_unchanged(sender: Lab) -> None:
    with pytest.raises(FunctionFailed, match=r"BadEvent: rows is 2000000(.|\n)*labkit logs"):
        sender.send(rows=2_000_000, count=2)
    bucketless = Lab(home=sender.config.home, prefix="nobody")
    with pytest.raises(LabError, match="labkit deploy"):
        bucketless.send()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["README.md"], "Nothing was sent"),
        (["data"], "it is a directory"),
        (["data/sample_data_toll_application.json", "--rows", "5"], "rows"),
        (["--rows", "0"], "rows"),
        (["--files", "0"], "files"),
    ],
)
def test_on_the_command_line_a_refused_file_exits_as_wrong_usage(
    sender: Lab, root: Path, arguments: list[str], said: str
) -> None:
    before = landed(sender)
    environment = {**os.environ, "LABKIT_HOME": str(sender.config.home), "LABKIT_PREFIX": "send"}
    done = subprocess.run(
        [sys.executable, "-m", "labkit", "send", *arguments],
        env=environment, cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert landed(sender) == before


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["no-such.json"], "There is no file no-such.json in bucket landing-bucket-kit"),
        ("no-such.json", "There is no file no-such.json"),
        ([], "nothing to follow"),
        ([""], "is not a key"),
        ([5], "is not a key"),
        (["notes.txt"], r"No run reads notes\.txt"),
    ],
)
def test_following_a_file_that_no_run_can_read_is_refused_immediately(lab: Lab, keys: Any, said: str) -> None:
    lab.session.client("s3").put_object(Bucket=lab.names.landing_bucket, Key="notes.txt", Body=b"notes")
    with pytest.raises(UsageError, match=said):
        lab.follow(keys)


def test_an_unknown_job_argument_is_refused_and_nothing_runs(lab: Lab) -> None:
    job = lab.reliability.job
    before = job.runs()
    with pytest.raises(UsageError, match=r"'nonsense'(.|\n)*SOURCE_TABLE"):
        job.run(nonsense="x")
    assert job.runs() == before

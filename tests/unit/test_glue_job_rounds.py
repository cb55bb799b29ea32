"""glue/exactly_once_job.py without Spark: what a run reads, what it reads again, and the order of its steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from job_fakes import ARGS, Landing, Ledger, Version, landing_of


@dataclass
class Loads:
    """Stands for `load`: records what is loaded, and overwrites some objects while they are read."""

    parts: list[list[Version]] = field(default_factory=list)
    changing: dict[str, int] = field(default_factory=dict)
    """By key: how many times it is overwritten."""

    def __call__(self, glue_context: Any, args: Any, landing: Landing, ledger: Ledger, part: list[Version]) -> Any:
        self.parts.append(part)
        overwritten = [item.key for item in part if self.changing.get(item.key)]
        for key in overwritten:
            self.changing[key] -= 1
            landing.overwrite(key)
        ledger.loaded += [item for item in part if item.key not in overwritten]
        return overwritten


@pytest.fixture
def loads(job: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Loads:
    made = Loads()
    monkeypatch.setattr(job, "load", made)
    return made


def test_objects_in_the_ledger_are_not_read(job: ModuleType, loads: Loads) -> None:
    job.load_all(None, ARGS, landing_of("a.json", "b.json"), Ledger([Version("a.json")]))
    assert loads.parts == [[Version("b.json")]]
    loads.parts.clear()
    job.load_all(None, ARGS, landing_of("a.json"), Ledger([Version("a.json")]))
    assert loads.parts == []


def test_many_files_are_loaded_in_parts_and_each_file_once(
    job: ModuleType, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "FILES_A_PART", 2)
    landing = landing_of(*"abcde")
    job.load_all(None, ARGS, landing, Ledger())
    assert [[item.key for item in part] for part in loads.parts] == [["a", "b"], ["c", "d"], ["e"]]


def test_all_parts_are_loaded_even_if_there_are_more_parts_than_rounds(
    job: ModuleType, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "FILES_A_PART", 1)
    loads.changing = {"0": 19}
    job.load_all(None, ARGS, landing_of(*map(str, range(50))), Ledger())
    assert len(loads.parts) == 50 + 19


def test_an_object_that_is_overwritten_while_it_is_read_is_read_again_in_its_new_version(
    job: ModuleType, loads: Loads
) -> None:
    loads.changing = {"a": 2}
    ledger = Ledger()
    job.load_all(None, ARGS, landing_of("a", "b"), ledger)
    assert loads.parts == [[Version("a"), Version("b")], [Version("a", "v2")], [Version("a", "v3")]]
    assert ledger.loaded == [Version("b"), Version("a", "v3")]


def test_an_object_that_was_overwritten_and_loaded_by_another_run_is_not_read_again(
    job: ModuleType, loads: Loads
) -> None:
    loads.changing = {"a": 1}
    job.load_all(None, ARGS, landing_of("a"), Ledger([Version("a", "v2")]))
    assert loads.parts == [[Version("a")]]


def test_an_object_that_is_deleted_while_it_is_read_is_skipped(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = landing_of("a")

    def load(*_: Any) -> list[str]:
        landing.versions.clear()
        return ["a"]

    monkeypatch.setattr(job, "load", load)
    job.load_all(None, ARGS, landing, Ledger())


def test_an_object_that_is_overwritten_20_times_fails_the_run_and_the_others_are_loaded(
    job: ModuleType, loads: Loads
) -> None:
    loads.changing = {"a": 1000}
    ledger = Ledger()
    with pytest.raises(job.KeepsChanging) as raised:
        job.load_all(None, ARGS, landing_of("a", "b"), ledger)
    assert str(raised.value) == "1 objects were overwritten each time they were read, such as s3://landing-bucket/a"
    assert ledger.loaded == [Version("b")]
    assert len(loads.parts) == 20
    loads.changing = {"a": 1000, "c": 1000}
    with pytest.raises(job.KeepsChanging, match=r"2 objects were overwritten .* such as s3://landing-bucket/a$"):
        job.load_all(None, ARGS, landing_of("a", "b", "c"), Ledger())


def test_an_object_that_is_stable_at_the_last_of_20_reads_is_loaded(job: ModuleType, loads: Loads) -> None:
    loads.changing = {"a": 19}
    ledger = Ledger()
    job.load_all(None, ARGS, landing_of("a"), ledger)
    assert ledger.loaded == [Version("a", "v20")]


# The source, the arguments, and the order of the whole.


@pytest.fixture
def crawled(job: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`crawled("json", "toll_booth", …)` is the location that the job finds for a crawled table like this."""

    def locate(classification: str | None, *columns: str) -> str:
        storage = {"Columns": [{"Name": name} for name in columns], "Location": "s3://landing-bucket/"}
        table = {"StorageDescriptor": storage}
        if classification:
            table["Parameters"] = {"classification": classification}

        def get_table(DatabaseName: str, Name: str) -> dict[str, Any]:
            assert (DatabaseName, Name) == ("toll-raw-db", "landing_bucket")
            return {"Table": table}

        clients = {"glue": SimpleNamespace(get_table=get_table)}
        monkeypatch.setattr(job, "boto3", SimpleNamespace(client=clients.__getitem__))
        return str(job.source_location("toll-raw-db", "landing_bucket"))

    return locate


def test_the_source_is_the_location_of_the_crawled_table(job: ModuleType, crawled: Callable[..., str]) -> None:
    assert crawled("json", "more", *job.FIELDS) == "s3://landing-bucket/"


@pytest.mark.parametrize("classification", ["csv", None])
def test_a_table_with_another_classification_than_json_fails_the_run(
    job: ModuleType, crawled: Callable[..., str], classification: str | None
) -> None:
    with pytest.raises(job.WrongSource, match=f"toll-raw-db.landing_bucket has the classification {classification}:"):
        crawled(classification, *job.FIELDS)


def test_a_table_without_a_required_column_fails_the_run_and_the_error_names_the_column(
    job: ModuleType, crawled: Callable[..., str]
) -> None:
    with pytest.raises(job.WrongSource, match=r"has no column toll_booth, transaction_amount: .* Its columns are"):
        crawled("json", *(name for name in job.FIELDS if name not in ("toll_booth", "transaction_amount")))


@pytest.mark.parametrize("workflow", [{}, {"WORKFLOW_NAME": "w", "WORKFLOW_RUN_ID": "wr_1"}])
def test_the_job_reads_its_required_arguments_and_those_of_a_workflow_if_there_is_one(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, workflow: dict[str, str]
) -> None:
    given = {name: name.lower() for name in job.REQUIRED} | workflow
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    monkeypatch.setattr(sys, "argv", ["script.py", *words])
    found = job.arguments()
    assert {name: found[name] for name in given} == given
    assert ("WORKFLOW_RUN_ID" in found) is bool(workflow)


@pytest.mark.parametrize(
    ("failing", "done"),
    [
        ("", ["init", "load_all", "commit", "finish"]),
        ("load_all", ["init", "load_all"]),
        ("commit", ["init", "load_all", "commit"]),
    ],
)
def test_markers_are_deleted_after_everything_is_loaded_and_not_after_a_failure(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, failing: str, done: list[str]
) -> None:
    steps: list[str] = []

    def step(name: str) -> Callable[..., None]:
        def take(*_: Any) -> None:
            steps.append(name)
            if name == failing:
                raise RuntimeError(name)

        return take

    names = ("JOB_NAME", "SOURCE_DATABASE", "SOURCE_TABLE", "CONNECTION", "LEDGER")
    fakes = {
        "arguments": lambda: dict.fromkeys(names, "x"),
        "SparkContext": SimpleNamespace(getOrCreate=lambda: None),
        "GlueContext": lambda _: SimpleNamespace(get_logger=lambda: SimpleNamespace(info=print)),
        "Job": lambda _: SimpleNamespace(init=step("init"), commit=step("commit")),
        "source_location": lambda *_: "s3://landing-bucket/",
        "Landing": lambda *_: SimpleNamespace(finish=step("finish")),
        "Ledger": lambda *_: None,
        "load_all": step("load_all"),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(job, name, fake)
    if failing:
        with pytest.raises(RuntimeError, match=failing):
            job.main()
    else:
        job.main()
    assert steps == done

"""The lab's exactly-once job, glue/exactly_once_job.py with its modules, unchanged, from landed objects to rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redshift_target import TOLL_COLUMNS, Target

from labkit.data.landing import count_records


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A good row."""
    return {
        "transaction_id": number,
        "transaction_date": "2023/08/13",
        "toll_booth": "golf_rd",
        "vehicle_make": "Mercedes-Benz",
        "vehicle_category": "Coupe, Sedan, Convertible",
        "transaction_amount": number / 4,
        **changes,
    }


MODULES = ("landing.py", "ledger.py", "rejects.py", "rows.py")
COLUMNS = {
    "transaction_id": "int",
    "transaction_date": "string",
    "toll_booth": "string",
    "vehicle_make": "string",
    "vehicle_category": "string",
    "transaction_amount": "double",
}
"""As the crawler finds them."""


@dataclass
class Toll:
    """A job, a landing prefix and a table of its own."""

    jobs: Any
    cluster: Target
    job: str
    prefix: str
    table: str

    def land(self, name: str, *lines: Any) -> None:
        """Put an object: strings as they are, rows as strict JSON."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.jobs.put(f"{self.prefix}/{name}", "".join(text + "\n" for text in texts))

    def run(self, state: str = "SUCCEEDED") -> dict[str, Any]:
        """Run the job to this state."""
        run: dict[str, Any] = self.jobs.run(self.job)
        assert run["JobRunState"] == state, (run, self.jobs.log(run["Id"], "error"))
        return run

    def ids(self) -> list[int]:
        """The loaded transaction_ids."""
        return [found for (found,) in self.cluster.query(f"select transaction_id from {self.table} order by 1")]

    def rejects(self) -> list[dict[str, Any]]:
        """The rows that were rejected."""
        bodies = self.jobs.objects(f"{self.prefix}-rejects/").values()
        return [json.loads(line) for body in bodies for line in body.split("\n") if line]


@pytest.fixture
def toll(jobs: Any, jobs_cluster: Target, unique: Callable[[str], str], root: Path) -> Toll:
    prefix, table = unique("landing"), unique("toll")
    jobs_cluster.execute(f"create table {table} ({TOLL_COLUMNS})")
    ledger = f"etl.{unique('ledger')}"
    statements = (root / "sql" / "create_ledger.sql").read_text().replace("etl.toll_ledger", ledger)
    for statement in filter(str.strip, statements.split(";\n")):
        jobs_cluster.execute(statement)
    scripts = {name: (root / "glue" / name).read_text() for name in MODULES}
    for name, text in scripts.items():
        jobs.put(f"{prefix}-scripts/{name}", text)
    arguments = {
        "--SOURCE_DATABASE": jobs.bucket,
        "--SOURCE_TABLE": jobs.table(COLUMNS, f"{prefix}/"),
        "--TARGET_TABLE": jobs_cluster.catalog_table(jobs.bucket, table),
        "--REDSHIFT_ROLE": jobs_cluster.role,
        "--REJECTS": f"s3://{jobs.bucket}/{prefix}-rejects/",
        "--CONNECTION": jobs_cluster.secret_connection,
        "--LEDGER": ledger,
        "--MAX_REJECTED_SHARE": "0.9",
        "--TempDir": f"s3://{jobs.bucket}/{prefix}-temp/",
        "--extra-py-files": ",".join(f"s3://{jobs.bucket}/{prefix}-scripts/{name}" for name in MODULES),
    }
    script = (root / "glue" / "exactly_once_job.py").read_text()
    return Toll(jobs, jobs_cluster, jobs.make(script, arguments=arguments), prefix, table)


def test_landed_rows_are_loaded_once(toll: Toll) -> None:
    toll.run()  # nothing has landed yet
    assert toll.ids() == []
    toll.land("strict.json", row(1), row(2))
    toll.land("a b+c.json", *(str(row(number)) for number in (3, 4)))
    toll.run()
    toll.run()
    assert toll.ids() == [1, 2, 3, 4]
    assert toll.cluster.query(f"select * from {toll.table} where transaction_id = 3") == [
        [3, "2023/08/13", "golf_rd", "Mercedes-Benz", "Coupe, Sedan, Convertible", 0.75]
    ]
    toll.land("late.json", row(5))
    toll.run()
    assert toll.ids() == [1, 2, 3, 4, 5]


BAD = {
    "not a JSON object": ["hello", "{", '{"transaction_id": 1, "tra', "null", "7", "{'a': None}",
                          json.dumps(row(1)) * 2],
    "toll_booth is missing": [row(1, toll_booth=None), {k: v for k, v in row(1).items() if k != "toll_booth"}],
    "transaction_id is not a whole number: abc": [row(1, transaction_id="abc")],
    "transaction_id is not a whole number: 1.5": [row(1, transaction_id=1.5)],
    "transaction_id is not a whole number: 99999999999999999999": [row(1, transaction_id=99999999999999999999)],
    "transaction_amount is not a number that its column can hold: much": [row(1, transaction_amount="much")],
    "transaction_amount is not a number that its column can hold: 1.0E300": [row(1, transaction_amount=1e300)],
    "vehicle_make is longer than 256 bytes": [row(1, vehicle_make="ë" * 200)],
    "vehicle_make has a NUL character, which Redshift can't hold": [row(1, vehicle_make="a\0b")],
    "transaction_id is missing; transaction_date is missing": [
        {k: v for k, v in row(1).items() if k not in ("transaction_id", "transaction_date")}
    ],
}  # fmt: skip


def test_rows_that_cannot_be_loaded_are_kept_with_the_reason_and_the_others_are_loaded(toll: Toll) -> None:
    good = [
        row(10),
        row(11, extra=[1]),
        row(12, toll_booth='  "x", \\ \n\ty '),
        json.dumps([row(13), row(14)]),
        "",
        "  ",
    ]
    bad = [line for lines in BAD.values() for line in lines]
    toll.land("mixed x+y.json", *good[:3], *bad, *good[3:])
    toll.land("empty.json")
    run = toll.run()
    assert toll.ids() == [10, 11, 12, 13, 14]
    assert toll.cluster.query(f"select toll_booth from {toll.table} where transaction_id = 12") == [
        ['  "x", \\ \n\ty ']
    ]
    lines = [(reason, line if isinstance(line, str) else json.dumps(line)) for reason in BAD for line in BAD[reason]]
    assert [(reject["line"], reject["reason"], reject["row"]) for reject in toll.rejects()] == [
        (number, reason, line) for number, (reason, line) in enumerate(lines, 4)
    ]
    address = f"s3://{toll.jobs.bucket}/{toll.prefix}/mixed x+y.json"
    assert {reject["file"] for reject in toll.rejects()} == {address}
    assert f"rows read: {5 + len(bad)}, to load: 5, rejected: {len(bad)}" in toll.jobs.log(run["Id"])


def test_a_file_that_is_not_json_does_not_stop_the_others_from_loading(toll: Toll) -> None:
    toll.jobs.put(f"{toll.prefix}/picture.json", bytes(range(256)) * 50)
    toll.land("good.json", row(1))
    run = toll.run("FAILED")
    assert toll.ids() == [1]
    assert (
        "picture.json: the share of rows that can't be loaded is larger than --MAX_REJECTED_SHARE"
        in run["ErrorMessage"]
    )
    assert {reject["reason"] for reject in toll.rejects()} == {"not a JSON object"}


def test_all_rows_of_a_refused_file_count_as_rejected(toll: Toll) -> None:
    toll.land("worthless.json", row(1), row(2), *(f"no JSON {number}" for number in range(38)))
    toll.run("FAILED")
    assert toll.ids() == []
    rejects = toll.rejects()
    assert sum(reject["rows"] for reject in rejects) == 40
    (together,) = [reject for reject in rejects if reject["rows"] > 1]
    assert (together["line"], together["row"], together["rows"]) == (None, None, 2)
    assert together["reason"] == "the file is refused: 38 of its 40 rows can't be loaded"


LINES = [
    json.dumps(row(1)), str(row(2)), json.dumps([row(3), row(4)]), f"[{row(5)}, {row(6)}]", "[]", "[1, [2], null]",
    "[NaN]", "[[[", "{", "  ", "\t", "", json.dumps(row(7)) + "," + json.dumps(row(8)), f"[{json.dumps(row(9))}] x",
    f"[{json.dumps(row(10))}],[1]", "a\u2028b\u2029c\x85d", "one\rtwo\r\nthree", "x\x01[1, 2]", "\x01y", '["a", {}]',
    # No character is a quote: each of these would hide what is between two of them.
    "1 1", "0 0", "- -", '"a\nb"',
]  # fmt: skip


def test_each_record_that_labkit_counts_is_loaded_or_rejected(toll: Toll) -> None:
    for number, line in enumerate(LINES):
        toll.land(f"{number}.json", json.dumps(row(100 + number)), line)
    toll.run()
    good, bad = Counter(toll.ids()), Counter(reject["file"] for reject in toll.rejects())
    assert good == Counter([1, 2, 3, 4, *range(100, 100 + len(LINES))])
    records = {number: count_records(f"{line}\n".encode()) for number, line in enumerate(LINES)}
    loaded = {0: 1, 1: 1, 2: 2}
    assert {number: bad[f"s3://{toll.jobs.bucket}/{toll.prefix}/{number}.json"] for number in records} == {
        number: count - loaded.get(number, 0) for number, count in records.items()
    }


def test_a_failed_load_loads_nothing_and_the_next_run_repeats_it(toll: Toll) -> None:
    toll.land("a.json", row(1), row(2))
    toll.cluster.execute(f"alter table {toll.table} rename to {toll.table}_away")
    toll.cluster.execute(f"create table {toll.table} (transaction_id bigint)")
    run = toll.run("FAILED")
    assert f"Load into table '{toll.table}' failed" in run["ErrorMessage"]
    toll.cluster.execute(f"drop table {toll.table}")
    toll.cluster.execute(f"alter table {toll.table}_away rename to {toll.table}")
    toll.run()
    assert toll.ids() == [1, 2]


def test_a_table_that_the_job_cannot_read_fails_the_run_and_the_error_says_what_is_missing(toll: Toll) -> None:
    toll.land("a.json", row(1))
    glue, database = toll.jobs.aws("glue"), toll.jobs.bucket
    name = glue.get_job(JobName=toll.job)["Job"]["DefaultArguments"]["--SOURCE_TABLE"]
    storage = glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]

    def crawled(classification: str, *columns: str) -> str:
        described = {**storage, "Columns": [{"Name": column, "Type": "string"} for column in columns]}
        table = {"Name": name, "StorageDescriptor": described, "Parameters": {"classification": classification}}
        glue.update_table(DatabaseName=database, TableInput=table)
        return str(toll.run("FAILED")["ErrorMessage"])

    assert f"Table {database}.{name} has no column transaction_date, vehicle_make" in crawled(
        "json", "transaction_id", "toll_booth", "transaction_amount", "vehicle_category"
    )
    assert "has the classification csv: this job reads JSON files" in crawled("csv", *COLUMNS)
    assert toll.ids() == []

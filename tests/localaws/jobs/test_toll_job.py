"""The lab's own job script, glue/s3_to_redshift_job.py, unchanged, from landed objects to rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redshift_target import TOLL_COLUMNS, Target


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
        return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture
def toll(jobs: Any, jobs_cluster: Target, unique: Callable[[str], str], root: Path) -> Toll:
    prefix, table = unique("landing"), unique("toll")
    jobs_cluster.execute(f"create table {table} ({TOLL_COLUMNS})")
    arguments = {
        "--job-bookmark-option": "job-bookmark-enable",
        "--SOURCE_DATABASE": jobs.bucket,
        "--SOURCE_TABLE": jobs.table({"transaction_id": "int"}, f"{prefix}/"),
        "--TARGET_TABLE": jobs_cluster.catalog_table(jobs.bucket, table),
        "--REDSHIFT_ROLE": jobs_cluster.role,
        "--REJECTS": f"s3://{jobs.bucket}/{prefix}-rejects/",
        "--CONNECTION": jobs_cluster.secret_connection,
        "--LEDGER": f"etl.{unique('ledger')}",
        "--extra-py-files": f"s3://{jobs.bucket}/{prefix}-scripts/exactly_once.py",
    }
    jobs.put(f"{prefix}-scripts/exactly_once.py", (root / "glue" / "exactly_once.py").read_text())
    script = (root / "glue" / "s3_to_redshift_job.py").read_text()
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
    "transaction_id is no whole number: abc": [row(1, transaction_id="abc")],
    "transaction_id is no whole number: 1.5": [row(1, transaction_id=1.5)],
    "transaction_id is no whole number: 99999999999999999999": [row(1, transaction_id=99999999999999999999)],
    "transaction_amount is no number of the column's range: much": [row(1, transaction_amount="much")],
    "transaction_amount is no number of the column's range: 1.0E300": [row(1, transaction_amount=1e300)],
    "vehicle_make is longer than 256 bytes": [row(1, vehicle_make="ë" * 200)],
    "vehicle_make has a NUL character, which Redshift can't hold": [row(1, vehicle_make="a\0b")],
    "transaction_id is missing; transaction_date is missing": [
        {k: v for k, v in row(1).items() if k not in ("transaction_id", "transaction_date")}
    ],
}  # fmt: skip


def test_rows_that_cannot_be_loaded_are_kept_with_their_reason_and_the_others_load(toll: Toll) -> None:
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


def test_a_file_that_is_not_json_at_all_does_not_keep_the_others_from_loading(toll: Toll) -> None:
    toll.jobs.put(f"{toll.prefix}/picture.json", bytes(range(256)) * 50)
    toll.land("good.json", row(1))
    run = toll.run("FAILED")
    assert toll.ids() == [1]
    assert "picture.json: more of the rows can't be than --MAX_REJECTED_SHARE allows" in run["ErrorMessage"]
    assert {reject["reason"] for reject in toll.rejects()} == {"not a JSON object"}


def test_a_load_that_fails_loads_nothing_and_is_done_again_by_the_next_run(toll: Toll) -> None:
    toll.land("a.json", row(1), row(2))
    toll.cluster.execute(f"alter table {toll.table} rename to {toll.table}_away")
    toll.cluster.execute(f"create table {toll.table} (transaction_id bigint)")
    run = toll.run("FAILED")
    assert f"Load into table '{toll.table}' failed" in run["ErrorMessage"]
    toll.cluster.execute(f"drop table {toll.table}")
    toll.cluster.execute(f"alter table {toll.table}_away rename to {toll.table}")
    toll.run()
    assert toll.ids() == [1, 2]

"""Each fault of notebook 09, in both deliveries: the described one loses or duplicates rows, the other does not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.pipeline.breaking import ledger_held
from tests.pipeline.conftest import ShellLab, deployed
from tests.pipeline.rows import strict, toll

pytestmark = pytest.mark.nightly  # CI runs notebook 09, which makes most of these faults too

_numbers = itertools.count(500_000_000, 1000)


@dataclass
class Bench:
    """A lab, and what has happened to the rows of one test's files."""

    lab: ShellLab

    def __post_init__(self) -> None:
        self.first = next(_numbers)
        self.landed = 0

    @property
    def is_safe(self) -> bool:
        return bool(self.lab.config["delivery"] == "exactly-once")

    def put(self, name: str, rows: int = 5) -> str:
        """Land a file of so many new rows; returns its key."""
        body = strict(self.first + self.landed, rows)
        self.landed += rows
        return self.put_text(name, body)

    def put_text(self, name: str, body: str) -> str:
        key = f"{self.first}/{name}"
        self.lab.client("s3").put_object(Bucket=self.lab.config["landing_bucket"], Key=key, Body=body.encode())
        return key

    def ids(self) -> list[int]:
        """The transaction ids of this test's rows that are in the table."""
        below = self.first + 1000
        sql = f"select transaction_id from toll_table where transaction_id between {self.first} and {below - 1}"
        return sorted(found for (found,) in self.lab.rows(sql))

    def rows(self) -> int:
        """This test's rows in the table."""
        return len(self.ids())

    def counts(self) -> dict[str, Any]:
        """What `labkit status --json` counts."""
        counts: dict[str, Any] = json.loads(self.lab.labkit("status", "--json").stdout)["counts"]
        return counts

    def settle(self) -> None:
        """Wait until all is quiet and, in the safe delivery, this test's rows are loaded: an event takes its time."""

        def unread() -> list[str]:
            return [f"{self.landed - rows} rows"] if self.is_safe and (rows := self.rows()) < self.landed else []

        self.lab.wait_until_quiet(also=unread)

    def load(self) -> None:
        """Start a run by hand, as `labkit load` does, and wait until all is quiet."""
        self.lab.labkit("load")
        self.lab.wait_until_quiet()

    def logged(self, *words: str) -> list[str]:
        """Lines in the start function's log that hold all of these words."""
        said = self.lab.labkit("logs", "start", "-n", "2000", succeeds=False).stdout.splitlines()
        return [line for line in said if all(word in line for word in words)]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellLab]:
    """A lab that was deployed as described."""
    with deployed(tmp_path_factory.mktemp("described") / "home", "--as-described") as made:
        yield made


@pytest.fixture(params=["as-described", "exactly-once"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each of the two deliveries, quiet; the described one empty, since it doesn't recover from its faults."""
    safe = request.param == "exactly-once"
    lab: ShellLab = request.getfixturevalue("lab" if safe else "described")
    assert lab.config["delivery"] == request.param
    lab.wait_until_quiet()
    if not safe:
        lab.labkit("restart")
    return Bench(lab)


@contextmanager
def load_held(bench: Bench) -> Iterator[Callable[[], bool]]:
    """Holds the job back when it has read its files and comes to load; yields what says whether it is waiting."""
    if bench.is_safe:
        with ledger_held(bench.lab) as one_waits:
            yield one_waits
        return
    with bench.lab.connect() as connection, bench.lab.connect() as watcher:
        connection.execute("begin")
        connection.execute("lock table toll_table")

        def one_waits() -> bool:
            waiting = watcher.execute("select count(*) from pg_locks where not granted").fetchone()
            return bool(waiting and waiting[0])

        yield one_waits
        with suppress(psycopg.OperationalError):
            connection.execute("rollback")


@contextmanager
def may_not_start(lab: ShellLab) -> Iterator[None]:
    """The start function's role may not start the workflow."""
    iam, names = lab.client("iam"), lab.config
    safe = names["delivery"] == "exactly-once"
    which = {
        "RoleName": names["reliable_start_role"] if safe else names["start_role"],
        "PolicyName": "toll-etl-exactly-once" if safe else "toll-etl",
    }
    whole = iam.get_role_policy(**which)["PolicyDocument"]
    less = [statement for statement in whole["Statement"] if statement["Sid"] != "StartWorkflow"]
    iam.put_role_policy(**which, PolicyDocument=json.dumps({**whole, "Statement": less}))
    try:
        yield
    finally:
        iam.put_role_policy(**which, PolicyDocument=json.dumps(whole))


def test_files_that_land_while_a_run_is_loading_are_handled_as_documented(bench: Bench) -> None:
    with load_held(bench) as one_waits:
        bench.put("first.json")
        bench.lab.wait(one_waits)
        keys = [bench.put(f"{number}.json") for number in range(20)]
        if not bench.is_safe:
            bench.lab.wait(lambda: len({key for key in keys if bench.logged(key)}) == len(keys))
            # What was accepted finds the job busy, while the first run is still loading.
            bench.lab.wait(lambda: sum(run["Status"] == "RUNNING" for run in bench.lab.workflow_runs()) == 1)
            assert bench.logged("refused for")
    bench.settle()
    assert bench.rows() == (105 if bench.is_safe else 5)
    counts = bench.counts()
    assert counts["agree"] is bench.is_safe
    assert counts.get("missing", 0) == (0 if bench.is_safe else 100)
    bench.load()
    assert bench.rows() == 105
    assert bench.counts()["agree"]


def test_a_temporarily_missing_permission_is_handled_as_documented(bench: Bench) -> None:
    denied = len(bench.logged("not authorized to perform: glue:StartWorkflowRun"))
    tries = 1 if bench.is_safe else 3
    with may_not_start(bench.lab):
        bench.put("denied.json")
        bench.lab.wait(lambda: len(bench.logged("not authorized to perform: glue:StartWorkflowRun")) >= denied + tries)
        assert bench.rows() == 0
    bench.settle()
    assert bench.rows() == (5 if bench.is_safe else 0)
    bench.load()
    assert bench.ids() == list(range(bench.first, bench.first + 5))


def test_a_reset_bookmark_is_handled_as_documented(bench: Bench) -> None:
    bench.put("once.json", 7)
    bench.lab.wait(lambda: bench.rows() == 7)
    bench.lab.wait_until_quiet()
    before = bench.counts()
    with suppress(bench.lab.client("glue").exceptions.EntityNotFoundException):
        bench.lab.client("glue").reset_job_bookmark(JobName=bench.lab.config["job"])
    bench.load()
    after = bench.counts()
    assert bench.rows() == (7 if bench.is_safe else 14)
    assert after["queried"] - before["queried"] == (0 if bench.is_safe else before["landed"])
    if bench.is_safe:
        assert after["agree"]
    else:
        assert after["doubled"] == before["landed"]


def test_a_file_that_is_overwritten_while_a_run_is_loading_is_handled_as_documented(bench: Bench) -> None:
    before = bench.counts()
    with load_held(bench) as one_waits:
        bench.put("again.json", 4)
        bench.lab.wait(one_waits)
        bench.put("again.json", 6)
    bench.lab.wait_until_quiet()
    bench.load()
    assert bench.rows() == 10, "both versions were read"
    after = bench.counts()
    landed = after["landed"] - before["landed"]
    if bench.is_safe:
        assert (landed, after["agree"]) == (10, True), "the ledger has both versions"
    else:
        assert (landed, after["doubled"]) == (6, 4), "the bucket has one file of 6 rows"


BAD = [
    ("cut off", json.dumps(toll(0))[:50], "not a JSON object"),
    (
        "a word as the amount",
        json.dumps(toll(0) | {"transaction_amount": "free"}),
        "transaction_amount is not a number",
    ),
    ("a field is missing", json.dumps(toll(0, toll_booth=None)), "toll_booth is missing"),
]


@pytest.mark.parametrize(("line", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_file_with_a_bad_line_is_handled_as_documented(bench: Bench, line: str, reason: str) -> None:
    before, runs = bench.counts(), bench.lab.runs()
    good = strict(bench.first, 2)
    key = bench.put_text("bad.json", line + "\n" + good)
    if bench.is_safe:
        bench.lab.wait(lambda: bench.rows() == 2)
        bench.lab.wait_until_quiet()
        after = bench.counts()
        assert [after[name] - before[name] for name in ("landed", "loaded", "rejected", "queried")] == [3, 2, 1, 2]
        (kept,) = [reject for reject in bench.lab.rejects() if reject["file"].endswith(f"/{key}")]
        assert (kept["line"], kept["row"]) == (1, line)
        assert reason in kept["reason"]
        assert bench.lab.rows(
            f"select distinct transaction_amount from toll_table where transaction_id = {bench.first}"
        )
        return
    bench.lab.wait(lambda: bench.lab.runs() > runs and not bench.lab.going_on())
    after = bench.counts()
    lost = after["missing"] - before["missing"]
    nulls = f"select count(*) from toll_table where transaction_id >= {bench.first} and transaction_amount is null"
    if reason.startswith("toll_booth"):
        assert (bench.rows(), lost) == (0, 3), "the load fails, and with it the good rows"
        assert bench.lab.job_runs("FAILED")
    elif reason.startswith("transaction_amount"):
        assert (bench.rows(), bench.lab.rows(nulls)[0][0]) == (2, 2), "the amounts of the good rows are lost as well"
    else:
        assert (bench.rows(), lost) == (2, 1), "the line is lost without a message"

"""glue/ledger.py on the local Redshift: which objects may be loaded, and what happens to two concurrent runs."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import redshift_connector
from psycopg import IsolationLevel
from redshift_lab import PASSWORD, Connection, Lab

from localaws.redshift.engine import Address


def loaded(root: Path, name: str) -> ModuleType:
    """The module glue/<name>.py, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"glue_{name}", root / "glue" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def code(root: Path) -> ModuleType:
    return loaded(root, "ledger")


@pytest.fixture(scope="module")
def version(root: Path) -> Callable[..., Any]:
    """`version("a.json", "v1")` is a version of an object that has landed."""
    landing = loaded(root, "landing")
    return lambda key, name="v1": landing.ObjectVersion("landing-bucket", key, name)


@pytest.fixture
def names(unique: Callable[[str], str], session: Connection, root: Path) -> SimpleNamespace:
    """A ledger, and a table that is loaded, of a test's own."""
    ledger, table = f"etl.{unique('ledger')}", unique("toll")
    session.execute((root / "sql" / "create_ledger.sql").read_text().replace("etl.toll_ledger", ledger).encode())
    session.execute(f"create table {table} (value int)".encode())
    return SimpleNamespace(ledger=ledger, table=table)


@pytest.fixture
def ledger(
    code: ModuleType, names: SimpleNamespace, address: Address, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The ledger as the job opens it, by a Glue connection with a secret."""
    properties = {
        "JDBC_CONNECTION_URL": f"jdbc:redshift://{address.host}:{address.port}/dev",
        "SECRET_ID": "tollclusterSecret",
    }
    connections = {"redshift_conn": {"Connection": {"ConnectionProperties": properties}}}
    secrets = {"tollclusterSecret": {"SecretString": json.dumps({"username": "admin", "password": PASSWORD})}}
    monkeypatch.setattr(code, "glue", SimpleNamespace(get_connection=lambda Name: connections[Name]))
    monkeypatch.setattr(code, "secrets", SimpleNamespace(get_secret_value=lambda SecretId: secrets[SecretId]))
    opened = code.Ledger("redshift_conn", names.ledger)
    yield opened
    opened._connection.close()


NULL_REFUSED = r"null value in column|Cannot insert a NULL value"


class Run:
    """The transaction of Glue's writer: it makes the table if need be, runs the preactions, copies, and commits."""

    def __init__(self, connection: Any, names: SimpleNamespace, preactions: str) -> None:
        self._connection, self._table = connection, names.table
        self._preactions = preactions.split(";")  # as the writer splits them

    def load(self, value: int) -> None:
        """All but the commit."""
        cursor = self._connection.cursor()
        cursor.execute(f"create table if not exists {self._table} (value int)")
        for statement in self._preactions:
            cursor.execute(statement)
        cursor.execute(f"insert into {self._table} values ({value})")

    def commit(self) -> None:
        self._connection.commit()

    def die(self) -> None:
        """The connection is gone before the commit."""
        self._connection.close()


@pytest.fixture(params=["local", "snapshot"])
def run(request: pytest.FixtureRequest, names: SimpleNamespace, lab: Lab, driver: Callable[..., Any]) -> Iterator[Any]:
    """`run(preactions)` is a run's transaction: on the local Redshift, or with a snapshot as Redshift has it.

    A transaction of Redshift reads what was committed when its first statement began, and a DDL statement counts:
    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html. In PostgreSQL that is REPEATABLE READ.
    """
    opened = []

    def connected() -> Any:
        if request.param == "local":
            connection = driver()
        else:
            connection = lab.engine._clusters["warehouse"].postgres.connect("dev")
            connection.autocommit = False
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.execute("set search_path to public")
        connection.cursor().execute("set statement_timeout to 20000")  # what waits for ever fails
        connection.commit()
        return connection

    def make(preactions: str) -> Run:
        opened.append(connected())
        return Run(opened[-1], names, preactions)

    yield make
    for connection in opened:
        with suppress(redshift_connector.InterfaceError):  # closed already
            connection.close()


class Meeting:
    """A run that loads in a thread, until it waits for another one or is done."""

    def __init__(self, run: Run, value: int, session: Connection) -> None:
        self.error: Exception | None = None
        self._run, self._value = run, value
        self._thread = threading.Thread(target=self._load)
        self._thread.start()
        deadline = time.monotonic() + 30
        while self._thread.is_alive() and not self._waits(session):
            assert time.monotonic() < deadline, "the run neither waits nor ends"
            time.sleep(0.01)
        self.has_waited = self._thread.is_alive()

    def _load(self) -> None:
        try:
            self._run.load(self._value)
        except Exception as error:
            self.error = error
            self._run.die()
        else:
            self._run.commit()

    def _waits(self, session: Connection) -> bool:
        return bool(session.execute("select 1 from pg_locks where not granted").fetchone())

    def end(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def rows(session: Connection, names: SimpleNamespace) -> list[int]:
    found = session.execute(f"select value from {names.table} order by 1".encode()).fetchall()
    return [value for (value,) in found]


def test_a_lookup_does_not_block_another_run(
    ledger: Any, run: Any, session: Connection, names: SimpleNamespace, version: Callable[..., Any]
) -> None:
    """A transaction that stays open after a SELECT keeps its lock, and LOCK waits for it."""
    assert ledger.lacks([version("a.json")])
    other = run(ledger.entry({version("a.json"): (1, 0)}, "jr_1"))
    meeting = Meeting(other, 1, session)
    meeting.end()
    assert (meeting.has_waited, meeting.error) == (False, None)
    assert ledger.lacks([version("a.json")]) == [], "and it sees what others have committed"


def test_of_two_concurrent_runs_the_second_waits_for_the_first_and_then_loads_nothing(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    a = version("a.json")
    assert ledger.lacks([a]) == [a], "both runs look before either has loaded"
    first, second = (run(ledger.entry({a: (1, 0)}, f"jr_{number}")) for number in (1, 2))
    first.load(1)
    meeting = Meeting(second, 2, session)
    first.commit()
    meeting.end()
    assert meeting.has_waited
    assert re.search(NULL_REFUSED, str(meeting.error))
    assert rows(session, names) == [1]
    assert session.execute(f"select job_run from {names.ledger}".encode()).fetchall() == [("jr_1",)]


def test_of_two_concurrent_runs_the_second_loads_if_the_first_dies(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    a = version("a.json")
    first, second = (run(ledger.entry({a: (1, 0)}, f"jr_{number}")) for number in (1, 2))
    first.load(1)
    meeting = Meeting(second, 2, session)
    first.die()
    meeting.end()
    assert (meeting.has_waited, meeting.error) == (True, None)
    assert rows(session, names) == [2]
    assert ledger.lacks([a]) == []


def test_two_concurrent_runs_both_load_if_their_objects_differ(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    """Another version of an object, and another object whose version has the same name, are different objects."""
    first = run(ledger.entry({version("a.json"): (1, 0)}, "jr_1"))
    second = run(ledger.entry({version("a.json", "v2"): (1, 0), version("b.json"): (1, 0)}, "jr_2"))
    first.load(1)
    meeting = Meeting(second, 2, session)
    first.commit()
    meeting.end()
    assert meeting.error is None
    assert rows(session, names) == [1, 2]


def test_a_run_loads_nothing_if_one_of_its_object_versions_is_already_loaded(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    first = run(ledger.entry({version("b.json"): (1, 0)}, "jr_1"))
    first.load(1)
    first.commit()
    both = run(ledger.entry({version("a.json"): (1, 0), version("b.json"): (1, 0)}, "jr_2"))
    with pytest.raises(Exception, match=NULL_REFUSED):
        both.load(2)
    both.die()
    assert rows(session, names) == [1]
    assert ledger.lacks([version("a.json")]) == [version("a.json")]


@pytest.mark.parametrize("run", ["local"], indirect=True)
def test_the_ledger_records_loaded_and_rejected_rows_with_their_run_and_time(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    one = run(ledger.entry({version("a b.json"): (7, 2), version("c.json", 'etag@"2026'): (0, 1)}, "jr_'1'"))
    one.load(1)
    one.commit()
    found = session.execute(
        f"select object, version, loaded_rows, rejected_rows, job_run, loaded_at <= getdate() and loaded_at is not null"
        f" from {names.ledger} order by 1".encode()
    ).fetchall()
    assert found == [("a%20b.json", "v1", 7, 2, "jr_'1'", True), ("c.json", 'etag@"2026', 0, 1, "jr_'1'", True)]


STRANGE = ("o'brien.json", "a;drop table x;.json", "ü\n%.json", "back\\slash.json", "-- no comment.json", "$$.json")


@pytest.mark.parametrize("run", ["local"], indirect=True)
def test_the_ledger_can_hold_any_object_key(
    ledger: Any, run: Any, names: SimpleNamespace, session: Connection, version: Callable[..., Any]
) -> None:
    """Preactions are one line of SQL, which the writer splits at semicolons."""
    objects = [version(key) for key in (*STRANGE, "ü" * 512)]
    preactions = ledger.entry(dict.fromkeys(objects, (1, 0)), "jr_1")
    assert "\n" not in preactions
    one = run(preactions)
    one.load(1)
    one.commit()
    others = [version(f"x{key}") for key in STRANGE]
    assert ledger.lacks([*objects, *others]) == others


@pytest.mark.parametrize("run", ["local"], indirect=True)
@pytest.mark.parametrize("a_part", [1, 3, 10])
def test_objects_that_are_missing_in_the_ledger_are_returned_in_order_for_any_number_of_objects(
    ledger: Any, run: Any, version: Callable[..., Any], code: ModuleType, monkeypatch: pytest.MonkeyPatch, a_part: int
) -> None:
    monkeypatch.setattr(code, "FILES_A_PART", a_part)
    one = run(ledger.entry({version("b.json"): (1, 0), version("c.json", "v2"): (1, 0)}, "jr_1"))
    one.load(1)
    one.commit()
    looked_for = [version("c.json"), version("b.json"), version("a.json")]
    assert ledger.lacks(looked_for) == [version("c.json"), version("a.json")]
    assert ledger.lacks([version("b.json")]) == []


def test_no_statement_exceeds_the_size_limit_however_many_objects_there_are(
    ledger: Any, version: Callable[..., Any], code: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement can have 16 MB: https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html"""
    statements: list[str] = []
    execute = ledger._execute
    monkeypatch.setattr(ledger, "_execute", lambda sql: statements.append(sql) or execute(sql))
    few = [version(f"{number:07}.json") for number in range(code.FILES_A_PART)]
    assert ledger.lacks([*few, version("one-more.json")]) == [*few, version("one-more.json")]
    assert ledger.lacks(few[:10]) == few[:10]
    assert ["one-more.json" in sql or "0000009.json" in sql for sql in statements] == [False, True]


def test_without_objects_no_query_is_sent_to_redshift(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_execute", None)
    assert ledger.lacks([]) == []

"""The front with the usual clients: redshift_connector, psycopg, psql."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import psycopg
import pytest
import redshift_connector
from redshift_lab import PASSWORD, Lab

from localaws.redshift.engine import Address


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def sessions(lab: Lab, application: str) -> int:
    """How many of PostgreSQL's sessions have this application's name."""
    with lab.engine._clusters["warehouse"].postgres.connect() as connection:
        query = "select count(*) from pg_stat_activity where application_name = %s"
        row = connection.execute(query, [application]).fetchone()
        assert row is not None
        return int(row[0])


def psql(address: Address, lab: Lab, sql: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "PATH": os.environ["PATH"],
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGUSER": "admin",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "dev",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(lab.home.ca_file),
        **environment,
    }
    command = ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)


def test_the_driver_connects_with_its_default_settings(cursor: Any) -> None:
    cursor.execute("select current_user, current_database(), 1 + 1")
    assert cursor.fetchall() == (["admin", "dev", 2],)


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
def test_the_driver_can_verify_the_certificate(driver: Callable[..., Any], sslmode: str) -> None:
    driver(sslmode=sslmode).close()


def test_the_driver_binds_parameters_and_reuses_its_statements(cursor: Any) -> None:
    for value in (1, 70_000, 5_000_000_000, -3):
        cursor.execute("select %s::bigint, %s", (value, "it's"))
        assert cursor.fetchall() == ([value, "it's"],)


def test_the_driver_s_transactions_can_be_committed_and_rolled_back(driver: Callable[..., Any]) -> None:
    connection = driver()
    cursor = connection.cursor()
    cursor.execute("create table kept (a int)")
    connection.commit()
    cursor.execute("insert into kept values (1)")
    connection.rollback()
    cursor.execute("insert into kept values (2)")
    connection.commit()
    cursor.execute("select a from kept")
    assert cursor.fetchall() == ([2],)
    connection.close()


def test_a_large_result_arrives_complete(cursor: Any) -> None:
    cursor.execute("select i, repeat('x', 100) from generate_series(1, 30000) i order by i")
    rows = cursor.fetchall()
    assert len(rows) == 30000
    assert rows[-1] == [30000, "x" * 100]


def test_the_driver_writes_and_reads_a_data_frame(driver: Callable[..., Any]) -> None:
    import pandas

    connection = driver()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create table frame (a int, b varchar(10))")
        cursor.write_dataframe(pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "frame")
        cursor.execute("select * from frame order by a")
        assert cursor.fetch_dataframe().to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    connection.close()


def test_psql_connects_and_runs_several_statements(address: Address, lab: Lab) -> None:
    done = psql(
        address, lab, "create temp table p (a int); insert into p values (1), (2); select nvl(sum(a), 0) from p"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3"


def test_psql_describes_a_table(address: Address, lab: Lab, cursor: Any) -> None:
    cursor.execute("create table described (a int, b varchar(10))")
    done = psql(address, lab, "\\d described")
    assert done.returncode == 0, done.stderr
    assert "a|integer" in done.stdout


def test_psql_points_at_the_position_of_an_error(address: Address, lab: Lab) -> None:
    done = psql(address, lab, "select top 5 nvl(1, 2), wrong from (select 1) x")
    assert 'column "wrong" does not exist' in done.stderr
    line, caret = done.stderr.splitlines()[1:3]
    assert line[caret.index("^") :].startswith("wrong")


def test_psycopg_can_use_pipelines(session: psycopg.Connection[Any]) -> None:
    with session.pipeline():
        cursors = [session.execute("select %s::int", [i], prepare=True) for i in range(200)]
        assert [cursor.fetchone() for cursor in cursors] == [(i,) for i in range(200)]


def test_psycopg_reads_with_a_named_cursor(session: psycopg.Connection[Any]) -> None:
    with session.transaction(), session.cursor(name="c") as cursor:
        cursor.itersize = 100
        cursor.execute("select * from generate_series(1, 1000)")
        assert sum(row[0] for row in cursor) == 500500


def test_an_sql_error_keeps_its_SQLSTATE_and_its_text(session: psycopg.Connection[Any], cursor: Any) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable, match='relation "missing" does not exist'):
        session.execute("select * from missing")
    with pytest.raises(redshift_connector.ProgrammingError, match='relation "missing" does not exist'):
        cursor.execute("select * from missing")


def test_the_version_is_that_of_redshift(cursor: Any, session: psycopg.Connection[Any]) -> None:
    cursor.execute("select version()")
    assert "Redshift 1.0" in cursor.fetchone()[0]
    assert session.info.server_version >= 180000  # PostgreSQL's own tools must know what they talk to


def test_a_client_can_cancel_its_query(session: psycopg.Connection[Any]) -> None:
    threading.Timer(0.3, session.cancel).start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        session.execute("select pg_sleep(60)")
    assert time.monotonic() - started < 10
    assert session.execute("select 1").fetchone() == (1,)


def test_a_client_that_disconnects_leaves_no_session_behind(psycopg_parameters: dict[str, Any], lab: Lab) -> None:
    connection = psycopg.connect(**psycopg_parameters, application_name="vanishing", autocommit=True)
    assert sessions(lab, "vanishing") == 1

    def sleep() -> None:
        with contextlib.suppress(psycopg.Error):
            connection.execute("select pg_sleep(60)")

    thread = threading.Thread(target=sleep)
    thread.start()
    until(lambda: sessions(lab, "vanishing") == 1)
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    until(lambda: sessions(lab, "vanishing") == 0)
    thread.join()


def test_a_client_that_sends_garbage_does_not_affect_other_sessions(
    address: Address, session: psycopg.Connection[Any]
) -> None:
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 8, 123456), b"\0\0\0\1", b""):
        with socket.create_connection(("127.0.0.1", address.port)) as connection:
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass
    assert session.execute("select 1").fetchone() == (1,)


def test_a_terminated_session_sends_an_error_to_its_client(
    session: psycopg.Connection[Any], psycopg_parameters: Any
) -> None:
    with psycopg.connect(**psycopg_parameters) as other:
        other.execute("select pg_terminate_backend(%s)", [session.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        session.execute("select 1")


def test_settings_of_redshift_are_kept(session: psycopg.Connection[Any]) -> None:
    session.execute("set query_group to 'reports'")
    assert session.execute("show query_group").fetchone() == ("reports",)
    session.execute("set enable_result_cache_for_session to off")


def test_a_query_string_with_several_statements_is_one_transaction(session: psycopg.Connection[Any]) -> None:
    session.execute("create table together (a int)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        session.execute("insert into together values (1); select 1 / 0")
    assert session.execute("select count(*) from together").fetchone() == (0,)


def test_many_clients_can_run_queries_at_the_same_time(psycopg_parameters: dict[str, Any]) -> None:
    answers: list[int] = []

    def client(number: int) -> None:
        with psycopg.connect(**psycopg_parameters) as connection:
            for _ in range(20):
                row = connection.execute("select %s::int", [number]).fetchone()
                assert row is not None
                answers.append(row[0])

    threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(list(range(20)) * 20)


def test_a_slow_client_makes_postgresql_wait_and_does_not_fill_the_front_s_memory(
    session: psycopg.Connection[Any], lab: Lab
) -> None:
    front = lab.engine._clusters["warehouse"]._front
    assert front is not None
    before = psutil.Process(front.pid).memory_info().rss
    session.pgconn.send_query(b"select repeat('x', 1000) from generate_series(1, 100000)")
    session.pgconn.set_single_row_mode()
    with lab.engine._clusters["warehouse"].postgres.connect() as inside:
        waiting = "select count(*) from pg_stat_activity where wait_event = 'ClientWrite'"
        until(lambda: inside.execute(waiting).fetchone() == (1,))
    assert psutil.Process(front.pid).memory_info().rss - before < 30_000_000
    rows = 0
    while (result := session.pgconn.get_result()) is not None:
        rows += result.ntuples
    assert rows == 100_000

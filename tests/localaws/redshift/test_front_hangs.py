"""Every statement ends with an answer, and a statement that hangs blocks no other session."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from redshift_lab import PASSWORD, Lab
from warehouse import PASSWORD as WAREHOUSE_PASSWORD
from warehouse import Session, Warehouse
from wire_client import WireClient, errors

from localaws.redshift.engine import Address
from localaws.redshift.front import wire

MANY = 70  # sessions: more than there were threads for all that blocks


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def client(lab: Lab, address: Address) -> Iterator[WireClient]:
    """A session of the master user in `warehouse` of the engine alone, which has no S3."""
    with WireClient(address.port, lab.home.ca_file) as made:
        made.log_in("admin", PASSWORD, application_name="hangs")
        yield made


def sessions(lab: Lab) -> int:
    with lab.engine._clusters["warehouse"].postgres.connect() as inside:
        row = inside.execute("select count(*) from pg_stat_activity where application_name = 'hangs'").fetchone()
        assert row is not None
        return int(row[0])


# --- UNLOAD ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def unloading(warehouse: Warehouse, db: Session) -> Iterator[WireClient]:
    """A session of the cluster that has S3, with a table whose second row is not a number."""
    db.run("drop table if exists halves; create table halves (v varchar(5)); insert into halves values ('1'), ('x')")
    with WireClient(warehouse.endpoint()["Port"], warehouse.home / "tls" / "ca.pem") as made:
        made.log_in("admin", WAREHOUSE_PASSWORD, "toll_db")
        yield made


@pytest.mark.parametrize("options", ["", "addquotes", "csv", "json", "parquet", "csv gzip"])
def test_an_UNLOAD_whose_query_fails_in_its_second_row_returns_the_error(
    unloading: WireClient, warehouse: Warehouse, options: str
) -> None:
    query = f"unload ('select v::int from halves') to 's3://{warehouse.bucket}/failing/{options}'"
    answer = unloading.query(f"{query} iam_role '{warehouse.role}' {options}")
    assert errors(answer) == ["22P02"]
    assert errors(unloading.query("select 1")) == []
    assert warehouse.keys("failing/") == []


def test_an_UNLOAD_that_fails_while_writing_leaves_the_session_usable(
    unloading: WireClient, warehouse: Warehouse
) -> None:
    """Parquet has no infinite timestamp; when this is noticed, the query still has many rows."""
    when = "case when i = 1 then ''infinity'' else ''2020-01-01'' end::timestamp"
    query = f"select {when} as t from generate_series(1, 500000) i"
    unload = f"unload ('{query}') to 's3://{warehouse.bucket}/infinite' iam_role '{warehouse.role}' parquet"
    for _ in range(2):
        assert errors(unloading.query(unload)) == ["XX000"]
        assert errors(unloading.query("select 1")) == []
    unloading.query("begin")
    assert errors(unloading.query(unload)) == ["XX000"]
    assert errors(unloading.query("select 1")) == ["25P02"]
    assert errors(unloading.query("rollback; select 1")) == []


def test_waiting_statements_do_not_block_logins_or_cancellations(warehouse: Warehouse, db: Session) -> None:
    db.run("drop table if exists locked; create table locked (a int)")
    db.run("begin; lock table locked")
    unload = f"unload ('select * from locked') to 's3://{warehouse.bucket}/locked' iam_role '{warehouse.role}'"
    waiting = []
    try:
        for _ in range(MANY):
            client = WireClient(warehouse.endpoint()["Port"], warehouse.home / "tls" / "ca.pem")
            waiting.append(client)
            client.log_in("admin", WAREHOUSE_PASSWORD, "toll_db")
            client.send(wire.query(unload))
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        until(lambda: db.rows(blocked)[0][0] == MANY)
        with warehouse.connect() as late:
            assert late.execute("select 1").fetchone() == (1,)
            late.execute("set statement_timeout = 0")
            threading.Timer(0.2, late.cancel).start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                late.execute("select pg_sleep(60)")
        waiting[0].socket.close()
        until(lambda: db.rows(blocked)[0][0] == MANY - 1)
        db.run("rollback")
        for client in waiting[1:]:
            # The first to get the lock writes; the others find its file.
            assert errors(client.until_ready()) in ([], ["XX000"])
    finally:
        for client in waiting:
            client.socket.close()


# --- clients that go ------------------------------------------------------------------------------------------------


def test_a_client_that_disconnects_with_many_unread_messages_is_noticed(client: WireClient, lab: Lab) -> None:
    # The second has to wait for the first's end, and all that follow for it.
    waits = wire.query("select 1 as a, a + 1 as b")
    client.send(wire.query("select pg_sleep(600)") + waits + wire.query("select 1") * 20_000)
    client.socket.close()
    until(lambda: sessions(lab) == 0)


def test_a_client_that_disconnects_while_postgresql_is_not_reading_does_not_affect_others(
    lab: Lab, address: Address, session: psycopg.Connection[Any], psycopg_parameters: dict[str, Any]
) -> None:
    """The front once waited to send on a closed socket, whose number was then given to the next client's socket."""
    long = wire.query("select '" + "x" * 1_000_000 + "'")
    for _ in range(3):
        client = WireClient(address.port, lab.home.ca_file)
        client.log_in("admin", PASSWORD, application_name="hangs")
        client.send(wire.query("select pg_sleep(600)"))
        until(lambda: sessions(lab) == 1)
        client.send(long * 5)
        time.sleep(0.2)  # it has no sign to wait for; without it the test would only prove less
        client.socket.close()
        until(lambda: sessions(lab) == 0)
        for _ in range(5):
            with psycopg.connect(**psycopg_parameters) as other:
                assert other.execute("select 1").fetchone() == (1,)
    assert session.execute("select 1").fetchone() == (1,)


# --- what is answered otherwise than it is asked --------------------------------------------------------------------


def test_a_simple_query_after_a_failed_extended_query_without_Sync_is_answered(client: WireClient) -> None:
    client.send(wire.message(wire.PARSE, b"\0select wrong\0\0\0") + wire.query("select 1"))
    assert errors(client.until_ready()) == ["42703"]
    assert errors(client.query("copy nowhere from 's3://a/b' access_key_id 'a' secret_access_key 'b'")) == ["42P01"]
    client.send(wire.message(wire.SYNC))
    assert errors(client.until_ready()) == []


def test_a_function_call_is_answered_and_the_session_continues(client: WireClient) -> None:
    (row,) = (wire.parse_data_row(b) for k, b in client.query("select 'int4pl'::regproc::oid") if k == wire.DATA_ROW)
    call = struct.pack("!IHHHiIiIH", int(row[0] or 0), 1, 1, 2, 4, 20, 4, 22, 1)
    for _ in range(3):
        client.send(wire.message(wire.FUNCTION_CALL, call))
        assert client.until_ready()[0] == (b"V", struct.pack("!iI", 4, 42))
        assert errors(client.query("copy nowhere from 's3://a/b' access_key_id 'a' secret_access_key 'b'")) == ["42P01"]


def test_a_COPY_FROM_STDIN_that_the_front_does_not_recognise_ends(client: WireClient, session: Any) -> None:
    """The meaning of a backslash changes while the front reads ahead: what it reads as a string is a statement."""
    session.execute("create table if not exists unseen (a int)")
    client.send(
        wire.query("set standard_conforming_strings to on")
        + wire.query("select '\\'; copy unseen from stdin; --'")
        + wire.query("select 1")
    )
    assert errors(client.until_closed()) == ["0A000"]


# --- what is no message ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        wire.message(wire.QUERY, b"select 1"),
        wire.message(wire.QUERY, b""),
        wire.message(wire.QUERY, b"select 1\0select 2\0"),
        wire.message(wire.PARSE, b"no end"),
        wire.message(wire.BIND, b"\0"),
        wire.message(b"z", b"what"),
        wire.message(b"\0"),
        wire.message(wire.PASSWORD, b"again\0"),
    ],
)
def test_a_protocol_violation_ends_the_session_with_an_error(
    client: WireClient, session: psycopg.Connection[Any], message: bytes
) -> None:
    client.send(message)
    assert errors(client.until_closed()) == ["08P01"]
    assert session.execute("select 1").fetchone() == (1,)


def test_a_message_with_an_invalid_length_ends_the_session(client: WireClient) -> None:
    client.send(b"Q\0\0\0\1")
    assert client.until_closed() == []

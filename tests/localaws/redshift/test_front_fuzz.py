"""Corrupted packets: whatever a client sends, the front answers or closes, serves others, and admits no one.

Valid packets are changed: their lengths, types, order and bytes; some are truncated or repeated.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redshift_lab import PASSWORD, Lab
from wire_client import WireClient

from localaws.redshift.engine import Address
from localaws.redshift.front import wire

COMMON = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
SMALL = settings(max_examples=60, derandomize=True, **COMMON)
LONG = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "3000")), print_blob=True, **COMMON)

Packet = tuple[bytes, bytes]  # its type (none in a startup packet) and its body

STRANGER = wire.query("create table by_a_stranger (a int)")


# --- packets ----------------------------------------------------------------------------------------------------------

STARTUP_PACKETS: list[Packet] = [
    (b"", struct.pack("!I", wire.SSL_REQUEST)),
    (b"", struct.pack("!I", wire.GSSENC_REQUEST)),
    (b"", struct.pack("!III", wire.CANCEL_REQUEST, 1, 2)),
    (b"", wire.startup({"user": "admin", "database": "dev"})[4:]),
    (b"", wire.startup({"user": "IAM:admin", "database": "dev", "application_name": "fuzz"})[4:]),
    (b"", wire.startup({"user": "rdsdb", "database": "postgres", "options": "-c role=rdsdb"})[4:]),
    (b"", struct.pack("!I", 3 << 16 | 2) + b"user\0admin\0_pq_.x\0y\0\0"),
    (b"", struct.pack("!I", 2 << 16)),
    (wire.PASSWORD, b"wrong\0"),
    (wire.PASSWORD, b"md5" + b"0" * 32 + b"\0"),
    (wire.QUERY, STRANGER[5:]),
    (wire.PARSE, b"\0create table by_a_stranger (a int)\0\0\0"),
    (wire.EXECUTE, b"\0\0\0\0\0"),
    (wire.SYNC, b""),
    (wire.TERMINATE, b""),
]

QUERIES = [
    "select 1",
    "select 1 / 0",
    "select 1; select 2",
    "",
    ";",
    "begin",
    "commit",
    "rollback",
    "select 1 as a, a + 1 as b",
    "select top 1 nvl(1, 2)",
    "select 'it''s \\' -- /* $$",
    "copy nowhere from 's3://a/b' access_key_id 'a' secret_access_key 'b'",
    "copy nowhere from stdin",
    "select 1; copy nowhere from 's3://a/b' access_key_id 'a' secret_access_key 'b'",
    "set standard_conforming_strings to on",
    "set standard_conforming_strings to off",
    "select '\\'; copy fuzzed from stdin; --'",
    "do 'begin raise notice ''said''; end'",
    "select repeat('x', 100000)",
]
MESSAGES: list[Packet] = [
    *((wire.QUERY, sql.encode() + b"\0") for sql in QUERIES),
    *((wire.PARSE, name + b"\0" + sql.encode() + b"\0\0\0") for name in (b"", b"s") for sql in QUERIES[:13]),
    *((wire.BIND, portal + b"\0" + name + b"\0" + b"\0" * 6) for portal in (b"", b"p") for name in (b"", b"s")),
    *((wire.DESCRIBE, kind + name + b"\0") for kind in (b"S", b"P") for name in (b"", b"s", b"p")),
    *((wire.EXECUTE, portal + b"\0\0\0\0\0") for portal in (b"", b"p")),
    *((wire.CLOSE, kind + name + b"\0") for kind in (b"S", b"P") for name in (b"", b"s", b"p")),
    *((wire.SYNC, b""),) * 8,
    (wire.FLUSH, b""),
    (wire.FUNCTION_CALL, struct.pack("!IHHHiIiIH", 177, 1, 1, 2, 4, 20, 4, 22, 1)),
    (wire.COPY_DATA, b"1\n"),
    (wire.COPY_DONE, b""),
    (wire.COPY_FAIL, b"no\0"),
    (wire.PASSWORD, b"again\0"),
    (wire.TERMINATE, b""),
]

LENGTHS = st.sampled_from([0, 0, 0, -100, -5, -4, -1, 1, 4, 100, 65_536, 1 << 30, -(1 << 31)])


@st.composite
def body(draw: st.DrawFn, well_formed: bytes) -> bytes:
    """A body as it was, or with bytes lost, added or changed."""
    change = draw(st.sampled_from(["", "", "", "cut", "insert", "replace", "other"]))
    at = draw(st.integers(0, len(well_formed)))
    if change == "cut":
        return well_formed[:at]
    if change == "insert":
        return well_formed[:at] + draw(st.binary(min_size=1, max_size=8)) + well_formed[at:]
    if change == "replace":
        return well_formed[:at] + draw(st.binary(min_size=1, max_size=1)) + well_formed[at + 1 :]
    return draw(st.binary(max_size=40)) if change == "other" else well_formed


@st.composite
def conversations(draw: st.DrawFn, packets: list[Packet], *, framed: bool) -> bytes:
    """Packets in any order, some of them repeated; where they are not `framed`, also with wrong lengths and cut off."""
    sent = b""
    for kind, well_formed in draw(st.lists(st.sampled_from(packets), min_size=1, max_size=12)):
        if kind and draw(st.integers(0, 7)) == 0:
            kind = draw(st.binary(min_size=1, max_size=1))
        content = draw(body(well_formed))
        length = len(content) + 4 + (0 if framed else draw(LENGTHS))
        packet = kind + struct.pack("!I", length % (1 << 32)) + content
        if not framed and draw(st.integers(0, 7)) == 0:
            packet = packet[: draw(st.integers(0, len(packet)))]
        sent += packet * draw(st.sampled_from([1, 1, 1, 2, 50]))
    return sent


# --- what must hold -------------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """A front, and somebody else whom it serves meanwhile."""

    lab: Lab
    port: int
    other: psycopg.Connection[Any]
    pid: int
    log: Path
    logged: int

    def check(self) -> None:
        """The front still serves, is the same process, and had nothing happen to it that it did not expect."""
        assert self.other.execute("select 1").fetchone() == (1,)
        assert self.other.execute("select to_regclass('by_a_stranger')").fetchone() == (None,)
        front = self.lab.engine._clusters["warehouse"]._front
        assert front is not None
        assert front.pid == self.pid
        said = self.log.read_bytes()[self.logged :]
        assert b"Traceback" not in said, said.decode()


@pytest.fixture
def watched(lab: Lab, address: Address, psycopg_parameters: dict[str, Any]) -> Iterator[Watched]:
    front = lab.engine._clusters["warehouse"]._front
    assert front is not None
    log = lab.home.logs / "redshift-warehouse-front.log"
    with psycopg.connect(**psycopg_parameters, autocommit=True) as other:
        other.execute("create table if not exists fuzzed (a int)")
        yield Watched(lab, address.port, other, front.pid, log, log.stat().st_size)
        psycopg.connect(**psycopg_parameters).close()
        # Each of these sessions is gone with its client.
        left = "select count(*) from pg_stat_activity where application_name = 'fuzz'"
        for _ in range(500):
            if other.execute(left).fetchone() == (0,):
                break
            other.execute("select pg_sleep(0.02)")
        assert other.execute(left).fetchone() == (0,)


def hang_up(client: WireClient) -> None:
    """Send no more, and read to the end; a front that hangs makes this raise TimeoutError."""
    try:
        client.socket.shutdown(socket.SHUT_WR)
    except OSError:
        return  # it was faster
    client.until_closed()


def before_encryption(watched: Watched, conversation: bytes) -> None:
    with WireClient(watched.port, tls=False) as client:
        client.send(conversation)
        hang_up(client)
    watched.check()


def before_login(watched: Watched, conversation: bytes) -> None:
    with WireClient(watched.port, watched.lab.home.ca_file) as client:
        try:
            client.send(conversation)
            hang_up(client)
        except ConnectionError:
            pass  # closed while we were still talking
    watched.check()


def after_login(watched: Watched, conversation: bytes) -> None:
    with WireClient(watched.port, watched.lab.home.ca_file) as client:
        client.log_in("admin", PASSWORD, application_name="fuzz")
        try:
            client.send(conversation)
            hang_up(client)
        except ConnectionError:
            pass
    watched.check()


def answered(watched: Watched, conversation: bytes) -> None:
    """Messages of the right lengths, whatever is in them: what follows them is answered, or the session is closed."""
    with WireClient(watched.port, watched.lab.home.ca_file) as client:
        client.log_in("admin", PASSWORD, application_name="fuzz")
        try:
            client.send(conversation + wire.message(wire.SYNC) + wire.query("rollback") + wire.query("select 'alive'"))
            alive = (wire.DATA_ROW, struct.pack("!HI", 1, 5) + b"alive")
            while client.message() != alive:
                pass
        except (EOFError, ConnectionError):
            pass  # closed
    watched.check()


HOLDS = [
    pytest.param(before_encryption, STARTUP_PACKETS, False, id="before encryption"),
    pytest.param(before_login, STARTUP_PACKETS, False, id="before the login"),
    pytest.param(after_login, MESSAGES, False, id="after the login"),
    pytest.param(answered, MESSAGES, True, id="well-framed messages are answered"),
]


def fuzz(budget: settings, watched: Watched, run: Callable[[Watched, bytes], None], packets: Any, framed: bool) -> None:
    @budget
    @given(conversations(packets, framed=framed))
    def once(conversation: bytes) -> None:
        run(watched, conversation)

    once()


@pytest.mark.parametrize(("run", "packets", "framed"), HOLDS)
def test_corrupted_packets_do_not_affect_other_sessions(
    watched: Watched, run: Any, packets: list[Packet], framed: bool
) -> None:
    fuzz(SMALL, watched, run, packets, framed)


@pytest.mark.nightly
@pytest.mark.parametrize(("run", "packets", "framed"), HOLDS)
def test_many_corrupted_packets_do_not_affect_other_sessions(
    watched: Watched, run: Any, packets: list[Packet], framed: bool
) -> None:
    fuzz(LONG, watched, run, packets, framed)

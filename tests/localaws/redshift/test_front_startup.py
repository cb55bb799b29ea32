"""What the front accepts before a login: little data, and no clear text in place of encrypted messages."""

from __future__ import annotations

import socket
import struct
from typing import Any

import psutil
import psycopg
import pytest
from redshift_lab import Lab
from wire_client import WireClient, errors

from localaws.redshift.engine import Address
from localaws.redshift.front import wire

SSL_REQUEST = struct.pack("!II", 8, wire.SSL_REQUEST)
GSS_REQUEST = struct.pack("!II", 8, wire.GSSENC_REQUEST)


@pytest.mark.parametrize("request_", [SSL_REQUEST, GSS_REQUEST])
def test_clear_text_after_a_request_for_encryption_is_refused(address: Address, request_: bytes) -> None:
    """Otherwise someone between client and server could insert text before the client's encrypted messages."""
    with WireClient(address.port, tls=False) as client:
        client.send(request_ + wire.startup({"user": "admin", "database": "dev"}))
        assert errors(client.until_closed()) == ["08P01"]


def test_a_client_may_request_GSS_and_then_TLS_encryption(address: Address, lab: Lab) -> None:
    with WireClient(address.port, tls=False) as client:
        client.send(GSS_REQUEST)
        assert client.socket.recv(1) == b"N"
        client.send(SSL_REQUEST)
        assert client.socket.recv(1) == b"S"


def test_a_client_may_request_each_kind_of_encryption_once(address: Address) -> None:
    with WireClient(address.port, tls=False) as client:
        client.send(GSS_REQUEST)
        assert client.socket.recv(1) == b"N"
        client.send(GSS_REQUEST)
        assert errors(client.until_closed()) == ["0A000"]


@pytest.mark.parametrize("length", [65_536, 1 << 20, (1 << 30) - 1, (1 << 32) - 1])
def test_a_password_message_that_is_too_long_is_refused_at_once(address: Address, lab: Lab, length: int) -> None:
    with WireClient(address.port, lab.home.ca_file) as client:
        client.send(wire.startup({"user": "admin", "database": "dev"}))
        assert client.message()[0] == wire.AUTHENTICATION
        client.send(b"p" + struct.pack("!I", length) + b"x" * 1000)
        assert client.until_closed() == []


def test_data_that_is_sent_before_the_login_does_not_fill_the_front_s_memory(address: Address, lab: Lab) -> None:
    front = lab.engine._clusters["warehouse"]._front
    assert front is not None
    before = psutil.Process(front.pid).memory_info().rss
    with WireClient(address.port, lab.home.ca_file) as client:
        client.send(wire.startup({"user": "admin", "database": "dev"}) + b"p" + struct.pack("!I", 1 << 29))
        try:
            for _ in range(200):
                client.send(b"x" * (1 << 20))
        except OSError:
            pass  # it has closed the connection, and is right
        else:
            pytest.fail("the front took 200 MB from somebody who has not logged in")
    assert psutil.Process(front.pid).memory_info().rss - before < 50_000_000


@pytest.mark.parametrize(
    "parameters",
    [b"user\0admin\0database\0dev", b"user\0admin", b"\xff\xfe\0\xff\0\0", b"user\0\0\0", b"\0", b""],
)
def test_malformed_startup_parameters_are_refused(address: Address, lab: Lab, parameters: bytes) -> None:
    with WireClient(address.port, lab.home.ca_file) as client:
        body = struct.pack("!I", wire.PROTOCOL_3_0) + parameters
        client.send(struct.pack("!I", len(body) + 4) + body)
        assert errors(client.until_closed()) in (["08P01"], ["28000"])


@pytest.mark.parametrize("kind", [wire.QUERY, wire.PARSE, wire.FUNCTION_CALL, wire.SYNC, wire.TERMINATE, b"\0"])
def test_before_the_login_only_a_password_message_is_accepted(
    address: Address, lab: Lab, session: psycopg.Connection[Any], kind: bytes
) -> None:
    with WireClient(address.port, lab.home.ca_file) as client:
        client.send(wire.startup({"user": "admin", "database": "dev"}))
        client.send(wire.message(kind, b"create table by_a_stranger (a int)\0"))
        assert {found for found, _ in client.until_closed()} == {wire.AUTHENTICATION}
    assert session.execute("select to_regclass('by_a_stranger')").fetchone() == (None,)


def test_a_cancel_request_needs_the_session_s_key(address: Address, session: psycopg.Connection[Any]) -> None:
    pid = session.info.backend_pid
    for secret in (b"\0\0\0\0", b"", b"\xff" * 300):
        with socket.create_connection(("127.0.0.1", address.port)) as connection:
            connection.sendall(wire.cancel_request(struct.pack("!I", pid) + secret))
            assert connection.recv(10) == b""
    assert session.execute("select 1").fetchone() == (1,)

"""The server's HTTP connections, as clients see them."""

from __future__ import annotations

import http.client
import socket
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import localaws


@pytest.fixture
def address(stack: localaws.Status) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(stack.endpoint_url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
def connection(address: tuple[str, int]) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection(*address, timeout=20)
    yield made
    made.close()


@pytest.fixture
def put_url(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """A presigned path for a PUT."""
    bucket = unique("bucket")
    aws("s3").create_bucket(Bucket=bucket)
    parts = urllib.parse.urlsplit(aws("s3").generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}))
    return f"{parts.path}?{parts.query}"


def test_one_connection_serves_many_calls_with_bodies_and_without(
    connection: http.client.HTTPConnection, put_url: str
) -> None:
    connection.connect()
    first = connection.sock
    for number in range(3):
        connection.request("PUT", put_url, body=b"x" * number * 100_000)
        with connection.getresponse() as answer:
            assert (answer.status, answer.read()) == (200, b"")
        connection.request("HEAD", put_url)
        with connection.getresponse() as answer:
            assert answer.read() == b""
        connection.request("GET", "/_localaws/health")
        with connection.getresponse() as answer:
            assert answer.read() == b'{"status": "running"}'
    assert connection.sock is first


def test_an_unread_body_of_a_refused_request_is_not_read_as_the_next_request(
    connection: http.client.HTTPConnection, put_url: str
) -> None:
    for _ in range(2):
        connection.request("PUT", put_url.replace("Signature=", "Signature=0"), body=b"GET / HTTP/1.1\r\n\r\n" * 10_000)
        with connection.getresponse() as answer:
            answer.read()
        connection.request("GET", "/_localaws/health")
        with connection.getresponse() as answer:
            assert answer.status == 200
            answer.read()


def test_an_HTTP_1_0_client_gets_its_answer_and_the_connection_is_closed(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(b"GET /_localaws/health HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"chunked" not in head
    assert body.endswith(b"}")

"""Requests as they came over the wire: duplicate and ambiguous parts are refused, without a server."""

from __future__ import annotations

import io
from typing import Any

import pytest

from localaws.iam.refusals import Refused
from localaws.server.envelope import Envelope, body_of, decoded, form_pairs
from tests.localaws.server.raw import envelope, environ

PORT = 4566


def test_the_parts_of_a_request_are_kept_as_they_were_sent() -> None:
    found = envelope("PUT", "/b/a%2Fb+c?x=a%2Fb+c&y&&z=1=2", {"Content-Type": "Text/XML; charset=utf-8"}, b"body")
    assert (found.method, found.path, found.query_string) == ("PUT", "/b/a%2Fb+c", "x=a%2Fb+c&y&&z=1=2")
    assert found.query == {"x": "a/b c", "y": "", "z": "1=2"}
    assert (found.kind(), found.host, found.bucket) == ("text/xml", "localhost", "")
    assert (found.body(), found.body()) == (b"body", b"body")


@pytest.mark.parametrize("target", ["http://localhost/b", "*", "b/k", "/b/k#fragment", "/?prefix=a#b"])
def test_a_request_target_that_is_not_a_path_is_refused(target: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc9112#name-origin-form: a client sends path and query, and no fragment."""
    with pytest.raises(Refused, match="parse the specified URI"):
        envelope("GET", target)


@pytest.mark.parametrize("target", ["/?a=%FF", "/?%C3=a", "/?a=\xe9", "/?a=\u2603"])
def test_a_parameter_that_is_not_UTF_8_is_refused(target: str) -> None:
    with pytest.raises(Refused, match="parse the specified URI"):
        envelope("GET", target)


def test_a_plus_is_a_space_in_a_query_and_a_plus_in_a_path() -> None:
    assert decoded("a+b%2Bc") == "a+b+c"
    assert decoded("a+b%2Bc", plus=True) == "a b+c"
    assert form_pairs("a+b=c+d%2B") == {"a b": "c d+"}


@pytest.mark.parametrize("text", ["a=1&a=1", "a=1&%61=2", "a&a", "a+b=&a%20b="])
def test_a_parameter_that_appears_twice_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="more than once"):
        form_pairs(text)
    with pytest.raises(Refused, match="more than once"):
        envelope("GET", f"/?{text}")


HOSTS = [
    ("localhost", "", "localhost"),
    (f"localhost:{PORT}", "", f"localhost:{PORT}"),
    ("LocalHost", "", "LocalHost"),
    ("127.0.0.1:80", "", "127.0.0.1:80"),
    ("[::1]:80", "", "[::1]:80"),
    (f"tolls.localhost:{PORT}", "tolls", f"localhost:{PORT}"),
    ("Tolls.data.localhost", "Tolls.data", "localhost"),
    ("tolls.127.0.0.1", "tolls", "127.0.0.1"),
    # A bucket may be named as this server is.
    ("localhost.localhost", "localhost", "localhost"),
    ("10.0.0.1.localhost", "10.0.0.1", "localhost"),
]


@pytest.mark.parametrize(("host", "bucket", "server"), HOSTS)
def test_a_bucket_name_may_precede_the_server_s_name_in_the_host(host: str, bucket: str, server: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
    found = envelope("GET", "/", {"Host": host})
    assert (found.bucket, found.host) == (bucket, server)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost", "x-127.0.0.1", "10.0.0.1",
     "10.0.0.1.127.0.0.1", "localhost:", "localhost:x", "localhost:123456", "localhost:80:80", "localhost:80x",
     "localhost@evil.example", ""],
)  # fmt: skip
def test_a_host_that_is_not_this_server_is_refused(host: str) -> None:
    """A web page can make its own host name point to this server: https://en.wikipedia.org/wiki/DNS_rebinding"""
    with pytest.raises(Refused) as refused:
        envelope("GET", "/", {"Host": host})
    assert (refused.value.status, refused.value.code) == (421, "MisdirectedRequest")


def test_an_HTTP_1_0_request_needs_no_Host_header() -> None:
    given = environ("GET", "/") | {"localaws.headers": []}
    found = Envelope.of(given)
    assert (found.bucket, found.host) == ("", "127.0.0.1")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-MD5", "Transfer-Encoding",
     "Date", "Range", "Origin", "Expect", "Access-Control-Request-Method", "X-Amz-Target", "x-amz-date", "X-Amz-Acl"],
)  # fmt: skip
def test_a_header_that_decides_about_the_request_may_appear_only_once(name: str) -> None:
    with pytest.raises(Refused, match=f"{name.lower()} is given more than once"):
        envelope("GET", "/", [("Host", "localhost"), (name, "localhost"), (name.upper(), "localhost")])


def test_other_repeated_headers_are_joined() -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#name-field-order; S3 does so with the metadata of users:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html"""
    pairs = [("X-Amz-Meta-A", "1"), ("x-amz-meta-a", "2"), ("x-amz-meta-a", "3"), ("Accept", "a"), ("accept", "b")]
    found = envelope("PUT", "/b/k", pairs).headers
    assert (found["x-amz-meta-a"], found["accept"]) == ("1,2,3", "a,b")


def test_a_header_with_an_underscore_is_ignored_since_it_could_replace_another_header() -> None:
    found = envelope("PUT", "/b/k", {"X_Amz_Acl": "public-read", "x-amz-meta-a_b": "kept", "x_amz_meta_c": "x"}).headers
    assert found == {"host": "localhost", "x-amz-meta-a_b": "kept"}


@pytest.mark.parametrize("value", ["a\r\nX-Amz-Acl: public-read", "a\nb", "a\rb"])
def test_a_header_with_a_line_break_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="more than one line"):
        envelope("GET", "/", {"X-A": value})


def test_a_WSGI_environ_from_another_server_can_be_read() -> None:
    given: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/b/\xc3\xa9 ?", "QUERY_STRING": "prefix=x", "HTTP_HOST": "localhost",
        "HTTP_X_AMZ_ACL": "private", "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(),
    }  # fmt: skip
    found = Envelope.of(given)
    assert found.headers == {"host": "localhost", "x-amz-acl": "private", "content-type": "text/plain"}
    assert (found.path, found.query) == ("/b/%C3%A9%20%3F", {"prefix": "x"})
    assert Envelope.of({**given, "QUERY_STRING": ""}).path == "/b/%C3%A9%20%3F"
    assert Envelope.of({**given, "REQUEST_URI": "/b/k?x"}).path == "/b/k"


class Stream(io.BufferedReader):
    """A connection, from which more could be read than the request's body."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"CONTENT_LENGTH": "4"}, b"body"),
        ({"CONTENT_LENGTH": "4", "wsgi.input_terminated": True}, b"body"),
        ({"wsgi.input_terminated": True}, b"body and more"),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, b"body and more"),
        ({"CONTENT_LENGTH": "0"}, b""),
        ({"CONTENT_LENGTH": ""}, b""),
        ({}, b""),
    ],
)
def test_a_body_is_read_up_to_its_announced_length(given: dict[str, Any], expected: bytes) -> None:
    """https://peps.python.org/pep-3333/#input-and-error-streams: a reader that reads on may wait forever."""
    request = {**given, "wsgi.input": Stream(b"body and more")}
    assert body_of(request) == expected
    assert request["wsgi.input"].read() == expected

"""A request as it came over the wire. A request with duplicate parts, or an ambiguous one, is refused here."""

from __future__ import annotations

import io
import ipaddress
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from localaws.iam.refusals import Refused

Environ = dict[str, Any]
HEADERS = "localaws.headers"
"""Key in WSGI's environ under which http.py puts the headers as pairs. (WSGI itself joins those of the same name.)"""

_ONCE = re.compile(
    r"authorization|host|content-(length|type|encoding|md5)|transfer-encoding|date|range|origin|expect|"
    r"access-control-request-method|x-amz-(?!meta-).*"
)
_PORT = re.compile(r":\d{1,5}")
_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Envelope:
    """The parts of a request. Only the names and values of the query are decoded."""

    method: str
    path: str
    """As it was sent: percent-encoded."""
    query_string: str
    headers: dict[str, str]
    """By name in lower case."""
    environ: Environ
    bucket: str = ""
    """The bucket in front of the host name."""
    query: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The client's name for this server, without a bucket."""
        return self.headers.get("host", "127.0.0.1").removeprefix(f"{self.bucket}.")

    def kind(self) -> str:
        """Return the media type of the body in lower case, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def body(self) -> bytes:
        """Return the whole body, which can still be read again."""
        return body_of(self.environ)

    @classmethod
    def of(cls, environ: Environ) -> Envelope:
        """Take a request apart.

        Raises:
            Refused: the request is ambiguous, or not for this server.
        """
        headers = _headers(environ)
        target = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or _target(environ))
        if not target.startswith("/") or "#" in target:
            raise Refused(400, "InvalidURI", "Couldn't parse the specified URI.")
        path, _, query_string = target.partition("?")
        return cls(
            method=environ["REQUEST_METHOD"],
            path=path,
            query_string=query_string,
            headers=headers,
            environ=environ,
            bucket=_bucket_of(headers.get("host")),
            query=_pairs(query_string),
        )


def body_of(environ: Environ) -> bytes:
    """Return the whole body of a request, which can still be read again."""
    stream = environ["wsgi.input"]
    if isinstance(stream, io.BytesIO):
        return stream.getvalue()
    length = environ.get("CONTENT_LENGTH")
    terminated = not length and environ.get("wsgi.input_terminated")
    content: bytes = stream.read() if terminated else stream.read(int(length or 0))
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def decoded(text: str, *, plus: bool = False) -> str:
    """Decode a percent-encoded part of a URL.

    Raises:
        Refused: it is not UTF-8.
    """
    if plus:
        text = text.replace("+", " ")
    try:
        return urllib.parse.unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError:
        raise Refused(400, "InvalidURI", "Couldn't parse the specified URI.") from None


def unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name.

    Raises:
        Refused: a name occurs twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Refused(400, "InvalidArgument", f"The parameter {name} is given more than once.")
        found[name] = value
    return found


def form_pairs(text: str) -> dict[str, str]:
    """Return the parameters of a query string, or of a form's body.

    Raises:
        Refused: a name occurs twice, or something is not UTF-8.
    """
    return _pairs(text)


def _pairs(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split("&") if part)
    return unique((decoded(name, plus=True), decoded(value, plus=True)) for name, _, value in parts)


def _headers(environ: Environ) -> dict[str, str]:
    given = environ.get(HEADERS)
    if given is None:  # the request does not come through http.py
        given = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
        given += [
            (name.replace("_", "-"), environ[name]) for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)
        ]
    found: dict[str, str] = {}
    for written, value in given:
        name = written.lower()
        if "_" in name and not name.startswith("x-amz-meta-"):
            continue  # WSGI servers drop it, too, since x_y and x-y are the same to them
        if "\r" in value or "\n" in value:
            raise Refused(400, "InvalidArgument", f"The header {name} has more than one line.")
        if name not in found:
            found[name] = value
        elif _ONCE.fullmatch(name):
            raise Refused(400, "InvalidArgument", f"The header {name} is given more than once.")
        else:
            found[name] = f"{found[name]},{value}"
    return found


def _bucket_of(host: str | None) -> str:
    """Return the bucket in front of this server's name in `host`.

    Raises:
        Refused: `host` is not this server. (A web page could make its own host name resolve to this machine.)
    """
    if host is None:  # HTTP/1.0
        return ""
    for name in _NAMES:
        before, found, port = host.lower().rpartition(name)
        if found and (not port or _PORT.fullmatch(port)) and (not before or before.endswith(".")):
            bucket = host[: len(before)].rstrip(".")
            if name == "127.0.0.1" and _is_number(bucket):
                break
            return bucket
    raise Refused(
        421, "MisdirectedRequest", f"The host {host[:100]!r} is not this server: it answers to {', '.join(_NAMES)}."
    )


def _is_number(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _target(environ: Environ) -> str:
    path = urllib.parse.quote(str(environ.get("PATH_INFO", "/")).encode("latin-1"), safe="/")
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path

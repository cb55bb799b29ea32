"""Answers, held until the changes that they report are on disk, and errors in the format of each service's SDKs."""

from __future__ import annotations

import http
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from localaws.server import models
from localaws.server.envelope import Environ
from localaws.server.models import CBOR

Headers = list[tuple[str, str]]


class Answer:
    """A response, held until the changes that it reports are on disk."""

    def __init__(self, status: str = "", headers: Headers | None = None, body: Any = ()) -> None:
        self.status = status
        self.headers = headers or []
        self.body: Iterable[bytes] = body

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        """WSGI's start_response."""
        self.status, self.headers = status, headers

        def write(_: bytes) -> None:
            raise NotImplementedError("moto's applications return their body")

        return write

    def read(self) -> None:
        """Produce the whole body."""
        body = self.body
        self.body = [b"".join(body)]
        if hasattr(body, "close"):
            body.close()

    @property
    def is_web_page(self) -> bool:
        """Whether no backend handled the path: Flask then answers with an HTML page, which no SDK can read."""
        kind = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return self.status.startswith(("404", "405")) and kind.startswith("text/html")


class Released:
    """A response body that runs `then` when it has been sent."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the body, and run `then`."""
        if hasattr(self._body, "close"):
            self._body.close()
        self._then()


def plain(status: int, content: bytes, kind: str = "application/json") -> Answer:
    """Return an answer with a complete body."""
    headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    return Answer(f"{status} {http.HTTPStatus(status).phrase}", headers, [content])


def error(
    service: str,
    environ: Environ,
    status: int,
    code: str,
    message: str,
    details: Mapping[str, object] | None = None,
) -> Answer:
    """Return an error in the format of the SDK of `service` that sent the request `environ`. `details` are for S3."""
    request_id = str(uuid.uuid4())
    bodiless = environ["REQUEST_METHOD"] == "HEAD"
    spoken = _spoken(service, environ)
    if spoken == CBOR:
        answer = plain(status, _cbor({"__type": code, "message": message}), "application/cbor")
        answer.headers += [("smithy-protocol", CBOR), ("x-amzn-RequestId", request_id)]
        return answer
    if spoken == "json":
        text = json.dumps({"__type": code, "message": message})
    else:
        inner = f"<Code>{code}</Code><Message>{escape(_writable(message))}</Message>"
        if service == "s3":
            inner += "".join(
                f"<{name}>{escape(_writable(str(value)))}</{name}>" for name, value in (details or {}).items()
            )
            text = f"<Error>{inner}<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>"
        elif spoken == "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            text = (
                f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        text = f'<?xml version="1.0" encoding="UTF-8"?>{text}'
    answer = plain(status, b"" if bodiless else text.encode(), "application/json" if spoken == "json" else "text/xml")
    answer.headers.append(("x-amzn-RequestId", request_id))
    if service == "s3":
        answer.headers += [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
    if spoken == "json":
        answer.headers.append(("x-amzn-errortype", code))
    return answer


def _spoken(service: str, environ: Environ) -> str:
    """Return the protocol of a request: CBOR, "json", "ec2" or "xml"."""
    if environ.get("HTTP_SMITHY_PROTOCOL") == CBOR:
        return CBOR
    known = models.models_of(service)
    protocols = models.protocols(known[0]) if known else ("json",)
    if "HTTP_X_AMZ_TARGET" in environ and "json" in protocols:
        return "json"
    by_protocol = {"rest-xml": "xml", "query": "xml", "ec2": "ec2"}
    return next((by_protocol[each] for each in protocols if each in by_protocol), "json")


def _cbor(texts: dict[str, str]) -> bytes:
    """Encode a map of a few texts: https://www.rfc-editor.org/rfc/rfc8949#section-3.1."""
    parts = [bytes([0xA0 | len(texts)])]
    for text in (each for pair in texts.items() for each in pair):
        content = text.encode()
        parts += [b"\x7a", len(content).to_bytes(4, "big"), content]
    return b"".join(parts)


def _writable(text: str) -> str:
    """Replace the characters that XML can't hold."""
    return "".join(each if each >= " " or each in "\t\n\r" else "\N{REPLACEMENT CHARACTER}" for each in text)

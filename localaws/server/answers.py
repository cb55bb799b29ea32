"""Answers: held until what they promise is on disk; and errors, as each service's SDKs read them."""

from __future__ import annotations

import http
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from localaws.server import models

Headers = list[tuple[str, str]]


class Answer:
    """A response, held until what it promises is on disk."""

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
        """Have the whole body made."""
        body = self.body
        self.body = [b"".join(body)]
        if hasattr(body, "close"):
            body.close()

    @property
    def is_web_page(self) -> bool:
        """Whether no backend took the path: Flask then answers with a page that no SDK can read."""
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
        """Close the body, and go on."""
        if hasattr(self._body, "close"):
            self._body.close()
        self._then()


def plain(status: int, content: bytes, kind: str = "application/json") -> Answer:
    """An answer that is there as a whole."""
    headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    return Answer(f"{status} {http.HTTPStatus(status).phrase}", headers, [content])


def error(service: str, status: int, code: str, message: str, *, bodiless: bool = False) -> Answer:
    """An error as the SDKs of `service` read it; `bodiless` is the answer to a HEAD."""
    request_id = str(uuid.uuid4())
    spoken = _protocol(service)
    if spoken == "json":
        text = json.dumps({"__type": code, "message": message})
    else:
        inner = f"<Code>{code}</Code><Message>{escape(_writable(message))}</Message>"
        if service == "s3":
            text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
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
    if spoken == "json":
        answer.headers.append(("x-amzn-errortype", code))
    return answer


def _protocol(service: str) -> str:
    known = models.models_of(service)
    protocol = str(known[0].metadata["protocol"]) if known else "json"
    return {"rest-json": "json", "rest-xml": "xml", "query": "xml"}.get(protocol, protocol)


def _writable(text: str) -> str:
    """Text without the characters that XML can't hold."""
    return "".join(each if each >= " " or each in "\t\n\r" else "\N{REPLACEMENT CHARACTER}" for each in text)

"""The HTTP application: moto's, plus what makes its answers dependable.

- a call that its signer may not make is refused before anything is done (authorization/);
- what a call changed is saved before the call is answered;
- what a call sets off (an event's function, say) starts after its answer is sent;
- an operation that nobody implements, and a failure of ours, get an AWS-shaped error that names the operation.
"""

from __future__ import annotations

import http
import io
import json
import logging
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localaws.authorization.gate import Gate
from localaws.authorization.refusals import Refused
from localaws.authorization.requests import parameters, rest_operation
from localaws.context import ACCOUNT_ID
from localaws.errors import UnsupportedOperation
from localaws.events import Bus, response_scope
from localaws.saving import NotSaved, Saving
from localaws.services import unsupported
from localaws.services.s3 import by_file

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

HEALTH_PATH = "/_localaws/health"
_READS = re.compile(r"(Get|Describe|List|Head|BatchGet|Search|Lookup|Test|Filter|Select|Query|Scan)[A-Z]")
_XML_SERVICES = frozenset({"ec2", "iam", "sts", "s3", "sns", "redshift", "cloudformation", "elasticloadbalancing"})


class Application:
    """The WSGI application of one lab."""

    def __init__(
        self, bus: Bus, saving: Saving, health: Callable[..., dict[str, Any]], gate: Gate | None = None
    ) -> None:
        self._moto = _Dispatcher(create_backend_app)
        self._bus = bus
        self._saving = saving
        self._health = health
        self._gate = gate

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == HEALTH_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self._health(heal=environ.get("QUERY_STRING") == "heal")).encode()]
        if environ.get("PATH_INFO") == by_file.PATH:
            status, content = by_file.answer(environ, self._gate)
            start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
            return [content]
        call = _Call.of(environ)
        answer = _Answer()
        with response_scope() as deferred:
            try:
                if self._gate is not None:
                    self._gate.check(environ, call.service, call.operation)
                _refuse_ignored(environ, call)
                if call.reads:
                    answer.body = self._moto(environ, answer.start)
                else:
                    self._saving.require_room(call.service, call.operation)
                    with self._saving.of_call(call.service, call.operation):
                        answer.body = self._moto(environ, answer.start)
                        answer.read()
                # S3 takes every path; its 404 to a HEAD has no body, and the type of a page.
                if answer.is_web_page and call.service != "s3":
                    answer = call.error(501, "NotImplemented", _not_supported(call))
            except NotSaved as error:
                deferred.clear()  # what it would have set off, too
                answer = call.error(error.status, error.code, error.message)
            except Refused as error:
                answer = call.error(error.status, error.code, error.message)
            except UnsupportedOperation as error:
                answer = call.error(501, "NotImplemented", _not_supported(call, error.operation))
            except NotImplementedError:
                answer = call.error(501, "NotImplemented", _not_supported(call))
            except Exception as error:
                log.exception("%s failed", call)
                answer = call.error(500, "InternalFailure", f"{call}: {type(error).__name__}: {error}")
        start_response(answer.status, answer.headers)
        return _Released(answer.body, lambda: self._bus.release(deferred))


class _Dispatcher(DomainDispatcherApplication):
    """moto's way from a request to its service's application, found once for each host name that stands for one."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._backends: dict[str, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        # moto's looks through its package's directory each time, which took half of a call's time.
        found = self._backends.get(host or "")
        if found is None and (found := super().get_backend_for_host(host)):
            self._backends[host or ""] = found
        return found

    def _get_body(self, environ: Environ) -> str | None:
        # moto looks for an action in the body of every unsigned form. An object that is PUT by a presigned address says
        # that it is one, where curl and urllib send it, and where it was no UTF-8, moto lost it.
        body: str | None = super()._get_body(environ) if environ["REQUEST_METHOD"] == "POST" else None
        return body


class _Answer:
    """A response, held until what it promises is on disk."""

    def __init__(self, status: str = "", headers: list[tuple[str, str]] | None = None, body: Any = ()) -> None:
        self.status = status
        self.headers = headers or []
        self.body: Iterable[bytes] = body

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self.headers = status, headers

        def write(_: bytes) -> None:
            raise NotImplementedError("moto's applications return their body")

        return write

    def read(self) -> None:
        body = self.body
        self.body = [b"".join(body)]
        if hasattr(body, "close"):
            body.close()

    @property
    def is_web_page(self) -> bool:
        """Whether no backend took the path: Flask then answers with a page that no SDK can read."""
        kind = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return self.status.startswith(("404", "405")) and kind.startswith("text/html")


class _Released:
    """A response body that runs `then` when it has been sent."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._body.close()
        self._then()


class _Call:
    """Which operation of which service a request asks for, as far as its envelope tells."""

    def __init__(self, service: str, operation: str, reads: bool) -> None:
        self.service = service
        self.operation = operation
        self.reads = reads

    def __str__(self) -> str:
        return f"{self.service}: {self.operation}"

    @classmethod
    def of(cls, environ: Environ) -> _Call:
        service = _signing_name(environ)
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            operation = target.rpartition(".")[2]
        elif action := _query_action(environ):
            operation = action
        else:
            return cls(service, f"{method} {path}", reads=method in ("GET", "HEAD", "OPTIONS"))
        return cls(service, operation, reads=bool(_READS.match(operation)) and service != "redshift-data")

    def error(self, status: int, code: str, message: str) -> _Answer:
        """An error as this service's SDKs read it."""
        request_id = str(uuid.uuid4())
        if self.service in _XML_SERVICES:
            kind = "text/xml"
            inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
            if self.service == "s3":
                text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
            elif self.service == "ec2":
                text = (
                    f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
                )
            else:
                text = (
                    f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                    f"<RequestId>{request_id}</RequestId></ErrorResponse>"
                )
            text = f'<?xml version="1.0" encoding="UTF-8"?>{text}'
        else:
            kind = "application/json"
            text = json.dumps({"__type": code, "message": message})
        body = b"" if self.operation.startswith("HEAD ") else text.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-RequestId", request_id)]
        if kind == "application/json":
            headers.append(("x-amzn-errortype", code))
        return _Answer(f"{status} {http.HTTPStatus(status).phrase}", headers, [body])


def _refuse_ignored(environ: Environ, call: _Call) -> None:
    operation = call.operation
    if call.service == "lambda":
        found = rest_operation("lambda", environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        operation = found[0] if found else ""
    if unsupported.watches(call.service, operation):
        given = {} if operation == "Invoke" else parameters(environ)  # an Invoke's body is the function's
        unsupported.refuse_parameters(call.service, operation, given, environ, ACCOUNT_ID)


def _not_supported(call: _Call, operation: str | None = None) -> str:
    return (
        f"The embedded AWS does not support {operation or call.operation} of {call.service}. "
        "Nothing was changed. What it supports is listed in docs/fidelity.md."
    )


def _signing_name(environ: Environ) -> str:
    """The service that the request is signed for: the fourth part of the credential's scope."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    if match := re.search(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request", header):
        return match.group(1).lower()
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
    if credential := query.get("X-Amz-Credential"):
        return str(credential[0].split("/")[3]).lower()
    return "unsigned" if environ.get("HTTP_X_AMZ_TARGET") else "s3"  # moto, too, takes unsigned paths as S3's


def _query_action(environ: Environ) -> str | None:
    """The Action of a query-protocol call, read without consuming the body."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    actions = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action")
    return actions[0] if actions else None

"""The HTTP application: moto's, plus what makes its answers dependable.

- a request is parsed once (reading.py), and its signature is verified (signatures.py);
- a call that its signer may not make is refused before anything is done (iam/);
- the changes of a call are saved before the call is answered;
- what a call triggers (an event's function, say) starts after its answer is sent;
- an unsupported operation, or an internal failure, gets an AWS-shaped error that names the operation.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localaws.core import handouts, health
from localaws.core.call import ASKER, DENIED, REGION, Call, S3Call
from localaws.core.context import ACCOUNT_ID
from localaws.core.errors import UnsupportedOperation
from localaws.core.events import Bus, response_scope
from localaws.core.operations import unsupported, vouching
from localaws.core.settings import Settings
from localaws.ec2 import checks
from localaws.iam import regions
from localaws.iam.decision import Origin
from localaws.iam.gate import Gate
from localaws.iam.principals import Principal
from localaws.iam.refusals import Refused
from localaws.s3 import local_files, requests
from localaws.server import answers, bodies
from localaws.server.answers import Answer, Released
from localaws.server.constraints import check_constraints
from localaws.server.envelope import Envelope, Environ
from localaws.server.reading import Reading, read, service_of
from localaws.server.saving import NotSaved, Saving

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]

MOTO_PATH = "/moto-api"
MOTO_SWITCH = "LOCALAWS_MOTO_API"
"""An environment variable. If it is "1" when the server starts, the server has moto's own API (reset, seed, …), for
test suites. No request can set it."""


class Application:
    """The WSGI application of one lab."""

    def __init__(
        self,
        bus: Bus,
        saving: Saving,
        health: Callable[..., dict[str, Any]],
        gate: Gate,
        secret: str,
        settings: Callable[[], Settings] = Settings,
    ) -> None:
        self._moto = _Dispatcher(create_backend_app)
        self._bus = bus
        self._saving = saving
        self._health = health
        self._gate = gate
        self._secret = secret
        self._settings = settings
        self._serves_moto_api = os.environ.get(MOTO_SWITCH) == "1"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        with response_scope() as deferred:
            answer = self._answer(environ, deferred)
        start_response(answer.status, answer.headers)
        return Released(answer.body, lambda: self._bus.release(deferred))

    def _answer(self, environ: Environ, deferred: list[Callable[[], Any]]) -> Answer:
        path, reading = environ.get("PATH_INFO", ""), None
        try:
            if path == health.PATH:
                return self._tell_health(environ)
            if path == MOTO_PATH or path.startswith(f"{MOTO_PATH}/"):
                return self._ask_moto_api(environ)
            if path == local_files.PATH:
                return self._tell_files(environ)
            reading = read(environ)
            return self._call(reading)
        except NotSaved as error:
            deferred.clear()  # drop what the call would have triggered
            return self._error(environ, reading, error.status, error.code, error.message)
        except Refused as error:
            return self._error(environ, reading, error.status, error.code, error.message, error.details)
        except UnsupportedOperation as error:
            return self._error(
                environ, reading, 501, "NotImplemented", _not_supported(environ, reading, error.operation)
            )
        except NotImplementedError:
            return self._error(environ, reading, 501, "NotImplemented", _not_supported(environ, reading))
        except Exception as error:
            log.exception("%s failed", reading.call if reading else path)
            text = f"{reading.call if reading else path}: {type(error).__name__}: {error}"
            return self._error(environ, reading, 500, "InternalFailure", text)

    def _call(self, reading: Reading) -> Answer:
        call = reading.call
        regions.check(call.service, call.region)
        secret = self._authenticate(reading)
        principal = self._gate.principal(*_signer(reading), call.service)
        denied = self._gate.check(call, principal, _origin(reading.envelope, call.region))
        unproven = vouching.table(call.service).standing(call.operation) is vouching.Standing.REFUSED
        if unproven and not self._settings().allow_unproven:
            raise UnsupportedOperation(call.operation)
        _refuse_ignored(call, principal)
        check_constraints(call.service, call.operation, call.parameters)
        environ = bodies.checked(reading, secret)
        environ |= {ASKER: principal.arn, DENIED: denied}
        application, answer = self._moto.application(call, environ), Answer()
        if call.reads:
            answer.body = application(environ, answer.start)
        else:
            self._saving.require_room(call.service, call.operation)
            with self._saving.of_call(call.service, call.operation):
                answer.body = application(environ, answer.start)
                answer.read()
        # S3 handles every path. Its 404 for a HEAD has no body, but the content type of an HTML page.
        if answer.is_web_page and call.service != "s3":
            raise UnsupportedOperation(call.operation)
        if unproven:
            answer.headers.append((vouching.UNPROVEN, f"{call.service}:{call.operation}"))
        return answer

    def _authenticate(self, reading: Reading) -> str | None:
        """Verify the signature, and return the signer's secret; None if unsigned, or if signatures aren't verified.

        Raises:
            Refused: the signature is wrong, or nobody has this key.
        """
        claim = reading.claim
        if claim is None or not self._settings().verify_signatures:
            return None
        secret = self._gate.secret_of(claim.access_key_id, claim.token, reading.call.service)
        bodies.verify(reading, secret)
        return secret

    def _tell_health(self, environ: Environ) -> Answer:
        """Answer with the server's status if the caller has the lab's secret, else only that it runs."""
        Envelope.of(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return answers.plain(405, b"{}")
        told: dict[str, Any] = {"status": "running"}
        if health.proves(self._secret, environ.get(f"HTTP_{health.HEADER.upper().replace('-', '_')}", "")):
            wishes = environ.get("QUERY_STRING", "").split("&")
            told |= self._health(heal=health.HEAL in wishes, warm_jobs=health.WARM_JOBS in wishes)
        return answers.plain(200, json.dumps(told).encode())

    def _tell_files(self, environ: Environ) -> Answer:
        """Answer with the files of objects. The request is signed like S3's; each object is checked as for a GET."""
        if environ["REQUEST_METHOD"] != "POST":
            return answers.plain(405, b"{}")
        envelope = Envelope.of(environ)
        asker, key = bodies.asker(envelope, self._gate, verified=self._settings().verify_signatures)
        place = handouts.place_of(key)
        return answers.plain(*local_files.answer(envelope.body(), self._gate, asker, _origin(envelope, REGION), place))

    def _ask_moto_api(self, environ: Environ) -> Answer:
        Envelope.of(environ)
        if not self._serves_moto_api:
            return answers.plain(404, b"{}")
        answer = Answer()
        with self._saving.of_call("moto-api", environ["REQUEST_METHOD"]):
            answer.body = self._moto.moto_api()(environ, answer.start)
            answer.read()
        return answer

    def _error(
        self,
        environ: Environ,
        reading: Reading | None,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, object] | None = None,
    ) -> Answer:
        service = reading.call.service if reading is not None else service_of(environ)
        return answers.error(service, environ, status, code, message, details)


class _Dispatcher(DomainDispatcherApplication):
    """Finds moto's application of a service, once for each host name that stands for a service."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._backends: dict[str, Any] = {}

    def application(self, call: Call, environ: Environ) -> Any:
        """Return the application that answers `call`.

        Raises:
            UnsupportedOperation: there is no such application.
        """
        host = f"s3.{call.region}.amazonaws.com"
        if call.service != "s3":  # a call of S3 is S3's, whatever its path says
            host = self.infer_service_region_host(environ, "/") or ""
        return self._application(host, call)

    def moto_api(self) -> Any:
        """Return the application of moto's own API."""
        return self._application("moto_api", None)

    def _application(self, host: str, call: Call | None) -> Any:
        # moto's own lookup searches its package's directory each time, which took half of a call's time.
        with self.lock:
            backend: Any = self._backends.get(host)
            if backend is None and (backend := self.get_backend_for_host(host)):
                self._backends[host] = backend
            if backend is None:
                raise UnsupportedOperation(call.operation if call is not None else host)
            if backend not in self.app_instances:
                self.app_instances[backend] = self.create_app(backend)
            return self.app_instances[backend]


def _signer(reading: Reading) -> tuple[str | None, str | None]:
    claim = reading.claim
    return (claim.access_key_id, claim.token) if claim is not None else (None, None)


def _origin(envelope: Envelope, region: str) -> Origin:
    address = envelope.environ.get("REMOTE_ADDR") or "127.0.0.1"
    return Origin(region, address, envelope.headers.get("user-agent", ""))


def _refuse_ignored(call: Call, principal: Principal) -> None:
    if isinstance(call, S3Call):
        requests.check(call, principal.arn)
    unsupported.refuse_parameters(call.service, call.operation, call.parameters, ACCOUNT_ID)
    if call.service == "ec2":
        checks.check(call)


def _not_supported(environ: Environ, reading: Reading | None, what: str = "") -> str:
    service = reading.call.service if reading is not None else service_of(environ)
    what = what or (reading.call.operation if reading is not None else "this request")
    return (
        f"The embedded AWS does not support {what} of {service}. "
        "Nothing was changed. What it supports is listed in docs/fidelity.md."
    )

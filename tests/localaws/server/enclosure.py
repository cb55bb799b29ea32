"""The embedded AWS inside one process, without sockets and engines: it gets requests as WSGI environs.

It uses moto's backends, which exist once per process: run it in its own process.
"""

from __future__ import annotations

import hashlib
import io
import os
import urllib.parse
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# moto reads these when it is imported; localaws/server/process.py sets them for the real server.
os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"

from moto.core.base_backend import BackendDict, BaseBackend

from localaws import iam
from localaws.core import context
from localaws.core.children import Children
from localaws.core.events import Bus
from localaws.core.home import Home
from localaws.core.state import State
from localaws.iam.gate import Gate
from localaws.logs.models import load_streams
from localaws.s3.models import open_store
from localaws.server import backends, parts
from localaws.server.application import Application
from localaws.server.envelope import HEADERS
from localaws.server.saving import Saving
from localaws.sqs.messages import MessageStore
from tests.localaws.server.wire import Answer

ROOT_KEY, ROOT_SECRET = "AKIAROOTROOTROOTROOT", "the-root-s-secret"
_SERVICES = ("s3", "sqs", "iam", "sts", "glue", "lambda", "secretsmanager", "logs", "redshift", "ec2")
_EC2 = ("instances", "reservations", "vpcs", "subnets", "groups", "volumes", "keypairs", "addresses", "tags")
# Attributes that are not part of the state, or that calls of every known user change.
_NOT_STATE = {
    "touched", "index", "store", "lock", "last_used", "password_last_used", "_saved_buckets", "_saving", "_home",
    "managed_policies_loaded", "account_summary", "_resp", "_lock", "_store", "backend", "_backend", "_url_module",
    "_arns", "_tick", "_time_progressed", "_status",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A request in the form in which it is sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def environ(self) -> dict[str, Any]:
        """Return the WSGI environ that localaws/server/http.py would make of the request."""
        path, _, query = self.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": urllib.parse.unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.target,
            "REQUEST_URI": self.target,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "4566",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "CONTENT_LENGTH": str(len(self.body)),
            HEADERS: [*self.headers, ("Content-Length", str(len(self.body)))],
        }
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ


@dataclass
class Enclosure:
    """One embedded AWS in this process."""

    application: Application
    asked: int = 0
    """How many requests reached moto."""
    _texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, directory: Path) -> Enclosure:
        """Start an embedded AWS with its home in `directory`."""
        home = Home.at(directory)
        backends.register()
        state, bus = State(home), Bus()
        made = context.Context(home, bus, Children(), state)
        context.set_current(made)
        open_store(home)
        load_streams(home)
        made.add(MessageStore(home.state / "sqs-messages.sqlite"))
        connected = parts.make(made)
        iam.enforce(True)
        bus.start()
        application = Application(
            bus, Saving(home, state, connected), dict, Gate(ROOT_KEY, ROOT_SECRET, made.account_id), ROOT_SECRET
        )
        found = cls(application)
        found._count()
        return found

    def _count(self) -> None:
        dispatcher = self.application._moto
        original = dispatcher.application

        def application(call: Any, environ: Any) -> Any:
            self.asked += 1
            return original(call, environ)

        dispatcher.application = application  # type: ignore[method-assign]

    def send(self, request: Request) -> Answer:
        """Send a request and return the answer."""
        started: list[Any] = []
        parts = self.application(request.environ(), lambda status, headers: started.append((status, headers)))
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        ((status, headers),) = started
        return Answer(int(status.partition(" ")[0]), {name.lower(): str(value) for name, value in headers}, body)

    def state(self, services: Collection[str] = _SERVICES) -> dict[str, str]:
        """Return all state of these services, as text, by `service/account/region/kind/name`; S3 in finer parts."""
        found: dict[str, str] = {}
        for each in list(BackendDict._instances):  # type: ignore[misc]
            if each.service_name in services:
                for account, region, backend in list(each.iter_backends()):
                    found |= _parts(f"{each.service_name}/{account}/{region}", each.service_name, backend)
        return found


def _parts(label: str, service: str, backend: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in list(backend.__dict__.items()):
        if (
            name in _NOT_STATE
            or (service == "ec2" and name not in _EC2)
            or (service, name) == ("iam", "managed_policies")
        ):
            continue
        if service == "s3" and name == "buckets":
            for bucket_name, bucket in value.items():
                found |= _bucket(f"s3/{bucket_name}", bucket)
        elif name == "tagger":
            found |= {f"{label}/tags/{arn}": as_text(tags) for arn, tags in value.tags.items() if tags}
        elif isinstance(value, dict):
            # Use names as labels: roles, for example, are kept by their ids.
            found |= {
                f"{label}/{name}/{getattr(each, 'name', key)}": as_text(each) for key, each in list(value.items())
            }
        elif value and not isinstance(value, str | int | float | BaseBackend):
            found[f"{label}/{name}"] = as_text(value)
    if service == "sqs":
        for name, queue in backend.queues.items():
            found[f"{label}/messages/{name}"] = str(
                (queue.approximate_number_of_messages, queue.approximate_number_of_messages_not_visible)
            )
    return found


def _bucket(label: str, bucket: Any) -> dict[str, str]:
    found = {f"{label}?{name}": as_text(value) for name, value in bucket.__dict__.items() if name != "keys"}
    found |= {f"{label}/{name}": as_text(versions) for name, versions in bucket.keys.lists()}
    return found


def as_text(item: Any) -> str:
    """Return the state in `item` as text."""
    return "".join(_written(item, set()))


def _written(item: Any, above: set[int]) -> Iterator[str]:
    if item is None or isinstance(item, str | int | float | bool):
        yield repr(item)
    elif isinstance(item, bytes):
        yield repr(item) if len(item) < 5000 else hashlib.sha256(item).hexdigest()
    elif isinstance(item, BaseBackend | type) or callable(item) or id(item) in above:
        yield type(item).__name__
    elif isinstance(item, dict):
        for key, value in list(item.items()):
            # Empty collections are left out: reading may create them.
            if key not in _NOT_STATE and (text := "".join(_written(value, above | {id(item)}))):
                yield f"{key!r}:{text},"
    elif isinstance(item, list | tuple | set | frozenset):
        for value in list(item):
            yield from _written(value, above | {id(item)})
            yield ","
    elif hasattr(item, "__dict__"):
        yield f"<{type(item).__name__} "
        yield from _written(item.__dict__, above | {id(item)})
        if hasattr(item, "size") and hasattr(item, "value") and item.size < 5000:
            yield repr(item.value)
        yield ">"
    else:
        yield str(item)

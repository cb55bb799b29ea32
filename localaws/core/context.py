"""What every service and engine of the running server can use: its home, bus, children, state and clients."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from localaws.core import ca_bundle
from localaws.core.children import Children
from localaws.core.events import Bus
from localaws.core.home import Home
from localaws.core.ports import Ports

if TYPE_CHECKING:
    from localaws.core.state import State

Part = TypeVar("Part")

ACCOUNT_ID = "123456789012"  # moto's, and AWS's own in examples
REGION = "us-east-1"

_current: Context | None = None


@dataclass(frozen=True)
class Context:
    """The parts of the running server."""

    home: Home
    bus: Bus
    children: Children
    state: State
    account_id: str = ACCOUNT_ID
    region: str = REGION
    _parts: dict[type[Any], Any] = field(default_factory=dict, repr=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def endpoint_url(self) -> str:
        """The URL of all AWS APIs of this lab."""
        return f"http://127.0.0.1:{self.home.port('http')}"

    @property
    def ports(self) -> Ports:
        """The interfaces through which the server's parts call each other.

        Raises:
            RuntimeError: the parts are not connected yet.
        """
        return self.part(Ports)

    def add(self, part: Part) -> Part:
        """Add an object that the server has once, such as the store of SQS's messages, for `Context.part` to find.

        Return it.
        """
        self._parts[type(part)] = part
        return part

    def part(self, kind: type[Part]) -> Part:
        """Return the server's part of this class.

        Raises:
            RuntimeError: there is none yet.
        """
        if kind not in self._parts:
            raise RuntimeError(f"the embedded AWS has no {kind.__name__} yet")
        found: Part = self._parts[kind]
        return found

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client of this server. Clients are shared, since boto3's are thread-safe."""
        key = (service, region or self.region)
        with self._making:
            if key not in self._clients:
                credentials = self.home.credentials()
                self._clients[key] = _session().client(
                    service,
                    region_name=key[1],
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=credentials.access_key_id,
                    aws_secret_access_key=credentials.secret_access_key,
                )
        return self._clients[key]

    def environment(self, region: str | None = None) -> dict[str, str]:
        """Return the variables by which a child process reaches this lab.

        They have no credentials, since the lab's own key has all permissions.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": region or self.region,
            "AWS_REGION": region or self.region,
            **ca_bundle.environment(self.home),
            # The embedded AWS is on loopback, which a proxy can't reach for us.
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1,localhost"])),
        }


@cache
def _session() -> Any:
    """Return one boto3 session for all clients. It shares AWS's models with moto, since EC2's alone has 15 MB."""
    # Imported here, since that takes half a second and every child process imports this module.
    import boto3
    import botocore.loaders
    import botocore.session
    from moto.core.utils import get_service_model

    class Loader(botocore.loaders.Loader):  # type: ignore[misc]
        def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
            if type_name == "service-2" and api_version is None:
                return get_service_model(service_name)._service_description
            return super().load_service_model(service_name, type_name, api_version)

    core = botocore.session.Session()
    core.register_component("data_loader", Loader())
    return boto3.Session(botocore_session=core)


def current() -> Context:
    """Return the context of this process's server.

    Raises:
        RuntimeError: this process is not a lab's server.
    """
    if _current is None:
        raise RuntimeError("no embedded AWS runs in this process")
    return _current


def find(kind: type[Part]) -> Part | None:
    """Return the part of this class that this process's server has; None if it has none, or there is no server."""
    return _current._parts.get(kind) if _current is not None else None


def set_current(context: Context | None) -> None:
    """Make `context` the one that services find."""
    global _current
    _current = context

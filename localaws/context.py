"""What every service and engine of the running server is given."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from localaws import trusted
from localaws.children import Children
from localaws.events import Bus
from localaws.home import Home

if TYPE_CHECKING:
    from localaws.state import State

ACCOUNT_ID = "123456789012"  # moto's, and AWS's own in examples
REGION = "us-east-1"

_current: Context | None = None


@dataclass(frozen=True)
class Context:
    """The running server's parts."""

    home: Home
    bus: Bus
    children: Children
    state: State
    account_id: str = ACCOUNT_ID
    region: str = REGION
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def endpoint_url(self) -> str:
        """Where all AWS APIs of this lab answer."""
        return f"http://127.0.0.1:{self.home.port('http')}"

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of this very server. Clients are shared: boto3's are thread-safe."""
        import boto3  # half a second to import, and every child process imports this module

        key = (service, region or self.region)
        if key not in self._clients:
            credentials = self.home.credentials()
            session = boto3.Session(
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                region_name=key[1],
            )
            self._clients[key] = session.client(service, endpoint_url=self.endpoint_url)
        return self._clients[key]

    def environment(self, region: str | None = None) -> dict[str, str]:
        """The variables by which a child process reaches this lab, but no credentials: the lab's own may do all."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": region or self.region,
            "AWS_REGION": region or self.region,
            **trusted.environment(self.home),
            # The embedded AWS is on loopback: no proxy can reach it for us.
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1,localhost"])),
        }


def current() -> Context:
    """The context of this process's server.

    Raises:
        RuntimeError: this process serves no lab.
    """
    if _current is None:
        raise RuntimeError("no embedded AWS runs in this process")
    return _current


def set_current(context: Context | None) -> None:
    """Make `context` the one that services find."""
    global _current
    _current = context

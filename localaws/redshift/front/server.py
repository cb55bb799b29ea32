"""The front of one cluster: listens on loopback, one session per client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from localaws.redshift.front import backend
from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.front.session import Session
from localaws.redshift.front.statements import StatementContext

log = logging.getLogger(__name__)

LOGINS = 32  # at a time; others wait
STATEMENTS = 256  # more than PostgreSQL takes sessions: none ever waits for another's to end
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError)

P = ParamSpec("P")
T = TypeVar("T")


class Front:
    """The front's sessions and what they share."""

    def __init__(self, configuration: FrontConfiguration) -> None:
        self.configuration = configuration
        self.socket_directory = Path(configuration.socket_directory)
        self.sessions: dict[bytes, Session] = {}
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(configuration.certificate, configuration.key)
        self.context = StatementContext(
            cluster_identifier=configuration.identifier,
            endpoint_url=configuration.endpoint_url,
            region=configuration.region,
            account_id=configuration.account_id,
            access_key_id=configuration.access_key_id,
            secret_access_key=configuration.secret_access_key,
            socket_directory=self.socket_directory,
        )
        # Apart, so that statements that take long keep nobody from logging in, or from cancelling one.
        self._logins = ThreadPoolExecutor(LOGINS, thread_name_prefix="login")
        self._statements = ThreadPoolExecutor(STATEMENTS, thread_name_prefix="statement")

    async def serve(self, listening: Callable[[], None]) -> None:
        """Serve until cancelled; call `listening` once clients can connect.

        Raises:
            OSError: the port is taken.
        """
        address = (self.configuration.host, self.configuration.port)
        server = await asyncio.start_server(self._connected, *address, backlog=128)
        log.info("The front of %s listens on %s:%d", self.configuration.identifier, *address)
        listening()
        self._statements.submit(_warm_up, self.context)
        async with server:
            await server.serve_forever()

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work that ends soon: a login, a cancellation."""
        return await asyncio.get_running_loop().run_in_executor(self._logins, lambda: work(*args, **kwargs))

    async def run_statement(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work of a session's own, which may take as long as a statement does."""
        return await asyncio.get_running_loop().run_in_executor(self._statements, lambda: work(*args, **kwargs))

    async def cancel(self, key: bytes) -> None:
        """Cancel what the session with this key is doing."""
        session = self.sessions.get(key)
        if session is not None:
            session.upstream.cancelled()
            await self.in_thread(backend.cancel, self.socket_directory, key)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(self, reader, writer).run()
            await writer.drain()
        except GONE as error:
            log.debug("A client left: %r", error)
        except Exception:
            log.exception("A session failed")
        finally:
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()


def _warm_up(context: StatementContext) -> None:
    """Import COPY before the first one waits for it."""
    from localaws.redshift import copy

    copy.warm_up(context)

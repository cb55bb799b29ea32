"""The server of a front: listens on loopback, with one session per client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.front.session import Session
from localaws.redshift.front.shared import Shared
from localaws.redshift.sql.statements import SpecialStatements

log = logging.getLogger(__name__)

GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError)


class Front:
    """Accepts connections, and runs a session for each."""

    def __init__(self, configuration: FrontConfiguration, special_statements: Callable[[], SpecialStatements]) -> None:
        self._shared = Shared(configuration, special_statements)

    async def serve(self, listening: Callable[[], None]) -> None:
        """Serve until cancelled; call `listening` once clients can connect.

        Raises:
            OSError: the port is taken.
        """
        shared = self._shared
        address = (shared.configuration.host, shared.configuration.port)
        server = await asyncio.start_server(self._connected, *address, backlog=128)
        log.info("The front of %s listens on %s:%d", shared.configuration.identifier, *address)
        listening()
        shared.workers.start(lambda: shared.special_statements().warm_up(shared.context))
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(self._shared, reader, writer).run()
            await writer.drain()
        except GONE as error:
            log.debug("A client left: %r", error)
        except Exception:
            log.exception("A session failed")
        finally:
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

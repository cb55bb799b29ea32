"""The state that all sessions of a front share."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from localaws.redshift.front import backend
from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.front.upstream import Upstream
from localaws.redshift.front.workers import Workers
from localaws.redshift.sql.statements import SpecialStatements, StatementContext


class Shared:
    """The front's configuration, certificate and threads, and the PostgreSQL side of each session by its key."""

    def __init__(self, configuration: FrontConfiguration, special_statements: Callable[[], SpecialStatements]) -> None:
        self.configuration = configuration
        self.special_statements = special_statements
        self.workers = Workers()
        self.upstreams: dict[bytes, Upstream] = {}
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(configuration.certificate, configuration.key)
        self.context = StatementContext(
            cluster_identifier=configuration.identifier,
            endpoint_url=configuration.endpoint_url,
            region=configuration.region,
            account_id=configuration.account_id,
            access_key_id=configuration.access_key_id,
            secret_access_key=configuration.secret_access_key,
            socket_directory=Path(configuration.socket_directory),
        )

    async def cancel(self, key: bytes) -> None:
        """Cancel the current statement of the session with this key."""
        upstream = self.upstreams.get(key)
        if upstream is not None:
            upstream.cancelled()
            await self.workers.run_short(backend.cancel, self.context.socket_directory, key)

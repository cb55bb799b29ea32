"""The Redshift engine: clusters that are an embedded PostgreSQL behind a front speaking Redshift's protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Address:
    """Where a cluster listens: what DescribeClusters gives as its endpoint."""

    host: str
    port: int


@dataclass(frozen=True)
class TemporaryCredentials:
    """What GetClusterCredentials answers; `user` has the prefix `IAM:`, or `IAMA:` with AutoCreate."""

    user: str
    password: str
    expiration: datetime  # timezone-aware, UTC


class RedshiftEngine:
    """Runs the clusters of one lab."""

    def start(self) -> None:
        """Start again every cluster found on disk (in the background)."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop every front and every PostgreSQL."""
        raise NotImplementedError

    def create_cluster(
        self, identifier: str, *, database: str, user: str, password: str, region: str
    ) -> Address:
        """Make the cluster and its database and master user; return when it accepts connections."""
        raise NotImplementedError

    def delete_cluster(self, identifier: str) -> None:
        """Stop the cluster and delete its data. Raises KeyError where there is none."""
        raise NotImplementedError

    def address(self, identifier: str) -> Address:
        """Where the cluster listens. Raises KeyError where there is none."""
        raise NotImplementedError

    def temporary_credentials(
        self,
        identifier: str,
        db_user: str,
        *,
        database: str | None = None,
        auto_create: bool = False,
        duration_seconds: int = 900,
    ) -> TemporaryCredentials:
        """Credentials that the front accepts, over TLS, until they expire."""
        raise NotImplementedError

    def set_master_password(self, identifier: str, password: str) -> None:
        """ModifyCluster's MasterUserPassword."""
        raise NotImplementedError

    def internal_connection_parameters(
        self, identifier: str, *, db_user: str | None = None, database: str | None = None
    ) -> dict[str, Any]:
        """Keyword arguments for psycopg.connect to log in through the front as `db_user` (default: the master)."""
        raise NotImplementedError

"""The Redshift engine: a cluster is an embedded PostgreSQL behind a front, a proxy that speaks Redshift's protocol."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.core.context import Context
from localaws.redshift.cluster import HOST, Cluster
from localaws.redshift.front.temporary_passwords import Grant, issue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Address:
    """Where a cluster listens; DescribeClusters returns it as the endpoint."""

    host: str
    port: int


@dataclass(frozen=True)
class TemporaryCredentials:
    """The result of GetClusterCredentials; `user` has the prefix `IAM:`, or `IAMA:` with AutoCreate."""

    user: str
    password: str
    expiration: datetime  # timezone-aware, UTC


class RedshiftEngine:
    """Runs the clusters of one lab."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clusters: dict[str, Cluster] = {}
        self._lock = threading.Lock()
        self._starting: list[threading.Thread] = []

    def start(self) -> None:
        """Start every cluster found on disk, except paused ones, in the background."""
        for file in sorted(self._context.home.clusters.glob("*/cluster.json")):
            cluster = Cluster.load(self._context, file.parent)
            self._clusters[cluster.definition.identifier] = cluster
            if cluster.definition.paused:
                continue
            thread = threading.Thread(target=_start, args=(cluster,), name=f"start-{file.parent.name}", daemon=True)
            self._starting.append(thread)
            thread.start()

    def wait_until_started(self, timeout: float = 30.0) -> None:
        """Return when each cluster found by `start` accepts connections or has failed, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        for thread in self._starting:
            thread.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Stop every front and every PostgreSQL."""
        for cluster in list(self._clusters.values()):
            cluster.postgres.give_up()
        for thread in self._starting:
            thread.join()  # otherwise it would start a cluster again after it has been stopped
        with self._lock:
            stoppers = [threading.Thread(target=cluster.stop) for cluster in self._clusters.values()]
            for stopper in stoppers:
                stopper.start()
            for stopper in stoppers:
                stopper.join()

    def failures(self) -> dict[str, str]:
        """Return why each cluster that should run does not, by cluster identifier."""
        found = {}
        for identifier, cluster in list(self._clusters.items()):
            if not cluster.definition.paused and not cluster.sound:
                found[identifier] = cluster.failure or "it is starting: ask again in a few seconds (labkit status)"
        return found

    def heal(self) -> None:
        """Restart the clusters that should run but do not; `failures` has those that fail again."""
        clusters = [cluster for cluster in list(self._clusters.values()) if not cluster.sound]
        healers = [threading.Thread(target=_heal, args=(cluster,)) for cluster in clusters]
        for healer in healers:
            healer.start()
        for healer in healers:
            healer.join()

    def create_cluster(self, identifier: str, *, database: str, user: str, password: str, region: str) -> Address:
        """Create the cluster, its database and its master user; return when it accepts connections.

        Raises:
            FileExistsError: a cluster with this name exists.
            PortTaken: another program listens on the cluster's port.
            RuntimeError: PostgreSQL or the front did not start; the message says why.
        """
        directory = self._context.home.clusters / identifier
        cluster = Cluster.create(
            self._context, directory, region=region, database=database, user=user, password=password
        )
        with self._lock:
            self._clusters[identifier] = cluster
        return Address(HOST, cluster.port)

    def delete_cluster(self, identifier: str) -> None:
        """Stop the cluster and delete its data. Raises KeyError if there is no such cluster."""
        with self._lock:
            cluster = self._clusters.pop(identifier)
        cluster.delete()

    def pause_cluster(self, identifier: str) -> None:
        """Stop the cluster and keep its data. Raises KeyError if there is no such cluster."""
        self._clusters[identifier].pause()

    def resume_cluster(self, identifier: str) -> None:
        """Start a paused cluster. Raises KeyError if there is no such cluster."""
        self._clusters[identifier].resume()

    def is_paused(self, identifier: str) -> bool:
        """Whether the cluster is paused, also if an earlier server paused it. Raises KeyError if there is none."""
        return self._clusters[identifier].definition.paused

    def address(self, identifier: str) -> Address:
        """Return where the cluster listens. Raises KeyError if there is no such cluster."""
        return Address(HOST, self._clusters[identifier].port)

    def wait_until_available(self, identifier: str, timeout: float = 60.0) -> None:
        """Return when a cluster accepts connections that `start` found on disk.

        Raises:
            KeyError: there is no such cluster.
            RuntimeError: the cluster could not be started; the message says why.
            TimeoutError: the cluster does not accept connections after `timeout` seconds.
        """
        cluster = self._clusters[identifier]
        if not cluster.running.wait(timeout):
            if cluster.failure is not None:
                raise RuntimeError(cluster.failure)
            raise TimeoutError(f"cluster {identifier} is not available after {timeout:.0f} s")

    def temporary_credentials(
        self,
        identifier: str,
        db_user: str,
        *,
        database: str | None = None,
        auto_create: bool = False,
        duration_seconds: int = 900,
    ) -> TemporaryCredentials:
        """Return credentials that the front accepts, over TLS, until they expire.

        Raises:
            KeyError: there is no such cluster.
        """
        key = bytes.fromhex(self._clusters[identifier].definition.token_key)
        expires = time.time() + duration_seconds
        password = issue(key, Grant(db_user, database, auto_create, expires))
        prefix = "IAMA:" if auto_create else "IAM:"
        return TemporaryCredentials(prefix + db_user, password, datetime.fromtimestamp(expires, UTC))

    def set_master_password(self, identifier: str, password: str) -> None:
        """Change the master user's password. Raises KeyError if there is no such cluster."""
        self._clusters[identifier].set_master_password(password)

    def internal_connection_parameters(
        self, identifier: str, *, db_user: str | None = None, database: str | None = None
    ) -> dict[str, Any]:
        """Return arguments for psycopg.connect to log in through the front as `db_user` (default: the master user).

        Raises:
            KeyError: there is no such cluster.
        """
        cluster = self._clusters[identifier]
        credentials = self.temporary_credentials(identifier, db_user or cluster.definition.user)
        return {
            "host": "127.0.0.1",
            "port": cluster.port,
            "user": credentials.user,
            "password": credentials.password,
            "dbname": database or cluster.definition.database,
            "sslmode": "verify-full",
            "sslrootcert": str(self._context.home.ca_file),
        }


def _heal(cluster: Cluster) -> None:
    try:
        cluster.heal()
    except Exception:
        log.exception("Cluster %s could not be started again", cluster.definition.identifier)


def _start(cluster: Cluster) -> None:
    try:
        cluster.start()
    except Exception:
        log.exception("Cluster %s could not be started", cluster.definition.identifier)

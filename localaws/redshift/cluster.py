"""One cluster: its PostgreSQL, its front (the proxy that clients connect to), and its files.

clusters/<identifier>/cluster.json   the definition; written last, so a directory without it was never finished
                      data/          PostgreSQL's data directory
                      front.json     the front's configuration
                      socket         a link to the directory of PostgreSQL's unix socket, while it runs
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import secrets
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from localaws.core import free_ports
from localaws.core.children import Child
from localaws.core.context import Context
from localaws.core.errors import PortTaken
from localaws.core.home import write_durably
from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.postgres import compatibility, sockets
from localaws.redshift.postgres.server import Postgres

log = logging.getLogger(__name__)

HOST = "localhost"  # the endpoint's address; the certificate is issued for this name
FRONT_TIMEOUT = 30.0  # seconds
RESTARTS_PER_MINUTE = 10


@dataclass(frozen=True)
class Definition:
    """A cluster's definition, which is saved in `cluster.json`."""

    identifier: str
    region: str
    database: str
    user: str
    token_key: str  # hexadecimal; signs temporary passwords
    compatibility: str  # digest of the SQL that made the functions and views in its databases
    paused: bool = False


class Cluster:
    """A cluster that exists on disk, whether it runs or not."""

    def __init__(self, context: Context, directory: Path, definition: Definition) -> None:
        self.definition = definition
        self._context = context
        self._directory = directory
        self._lock = threading.RLock()
        self._stopping = False
        self._front: Child | None = None
        self._restarts: list[float] = []
        self.running = threading.Event()
        self.failure: str | None = None
        self.port = context.home.port(f"redshift:{definition.identifier}")
        self.postgres = Postgres(
            definition.identifier,
            directory / "data",
            context.home.logs / f"redshift-{definition.identifier}.log",
            context.children,
            on_death=self._postgres_died,
        )

    @classmethod
    def create(
        cls, context: Context, directory: Path, *, region: str, database: str, user: str, password: str
    ) -> Cluster:
        """Create a cluster with the name of its directory, and start it.

        Raises:
            FileExistsError: the cluster exists.
            PortTaken: another program listens on the cluster's port.
            RuntimeError: PostgreSQL could not be initialised or started.
        """
        if (directory / "cluster.json").exists():
            raise FileExistsError(f"cluster {directory.name} exists")
        sockets.remove(directory)
        shutil.rmtree(directory, ignore_errors=True)  # a cluster that a killed server left unfinished
        directory.mkdir(mode=0o700)
        definition = Definition(directory.name, region, database, user, secrets.token_hex(32), compatibility.digest())
        cluster = cls(context, directory, definition)
        try:
            cluster.postgres.initialise()
            cluster.postgres.start()
            cluster._populate(password)
            cluster._save()
            cluster._start_front()
        except BaseException:
            cluster.delete()
            raise
        cluster.running.set()
        return cluster

    @classmethod
    def load(cls, context: Context, directory: Path) -> Cluster:
        """Load a cluster from disk, without starting it."""
        return cls(context, directory, Definition(**json.loads((directory / "cluster.json").read_text())))

    def start(self) -> None:
        """Start PostgreSQL and the front; bring the databases' functions and views up to date.

        Raises:
            PortTaken: another program listens on the cluster's port.
            RuntimeError: PostgreSQL or the front did not start.
        """
        with self._lock:
            self._stopping = False
            try:
                self._start()
            except Exception as error:
                self._failed(error)
                raise

    def _start(self) -> None:
        self.postgres.start()
        if self.definition.compatibility != compatibility.digest():
            self._upgrade()
        self._start_front()
        self.failure = None
        self.running.set()

    def heal(self) -> None:
        """Restart the cluster if PostgreSQL or the front does not run but should.

        Raises:
            PortTaken, RuntimeError: see `start`.
        """
        with self._lock:
            if self.definition.paused or self._stopping or self.sound:
                return
            self._restarts.clear()
            self._stop()
            self.start()

    @property
    def sound(self) -> bool:
        """Whether PostgreSQL and the front run."""
        return self.running.is_set() and self.postgres.pid is not None and self._front is not None and self._front.alive

    def _failed(self, error: Exception) -> None:
        self.running.clear()
        self.failure = str(error)

    def stop(self) -> None:
        """Stop the front, then PostgreSQL."""
        self._stopping = True
        self.postgres.give_up()
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        self.running.clear()
        if self._front is not None:
            self._front.stop()
            self._front = None
        self.postgres.stop()

    def pause(self) -> None:
        """Stop the cluster until `resume`; it also stays stopped when the server restarts."""
        self.stop()
        self.definition = dataclasses.replace(self.definition, paused=True)
        self._save()

    def resume(self) -> None:
        """Start a paused cluster."""
        self.start()
        self.definition = dataclasses.replace(self.definition, paused=False)
        self._save()

    def delete(self) -> None:
        """Stop the cluster and delete its data."""
        self.stop()
        # This file goes first: if the server is killed in the middle, its next start must not find the cluster.
        (self._directory / "cluster.json").unlink(missing_ok=True)
        shutil.rmtree(self._directory, ignore_errors=True)
        self._context.home.forget_port(f"redshift:{self.definition.identifier}")

    def set_master_password(self, password: str) -> None:
        """Change the master user's password; open sessions stay open."""
        with self.postgres.connect() as connection:
            statement = sql.SQL("alter user {} password {}")
            connection.execute(statement.format(sql.Identifier(self.definition.user), sql.Literal(password)))

    # --- creating -----------------------------------------------------------------------------------------------

    def _populate(self, password: str) -> None:
        compatibility.install(self.postgres)
        with self.postgres.connect("template1") as connection:
            # On Redshift, all users may create objects in the schema public.
            connection.execute("grant create, usage on schema public to public")
        user, database = sql.Identifier(self.definition.user), sql.Identifier(self.definition.database)
        with self.postgres.connect() as connection:
            connection.execute(
                sql.SQL("create user {} password {} createdb createrole").format(user, sql.Literal(password))
            )
            connection.execute(sql.SQL("grant pg_read_all_stats, pg_signal_backend to {}").format(user))
            connection.execute(sql.SQL("create database {} owner {}").format(database, user))
        with self.postgres.connect(self.definition.database) as connection:
            connection.execute(sql.SQL("alter schema public owner to {}").format(user))

    def _upgrade(self) -> None:
        compatibility.install(self.postgres)
        self.definition = dataclasses.replace(self.definition, compatibility=compatibility.digest())
        self._save()

    def _save(self) -> None:
        definition = json.dumps(dataclasses.asdict(self.definition), indent=1)
        write_durably(self._directory / "cluster.json", definition.encode())

    # --- the front ----------------------------------------------------------------------------------------------

    def _start_front(self) -> None:
        home = self._context.home
        credentials = home.credentials()
        configuration = FrontConfiguration(
            identifier=self.definition.identifier,
            host="127.0.0.1",
            port=self.port,
            socket_directory=str(self.postgres.socket_directory),
            certificate=str(home.tls_certificate),
            key=str(home.tls_key),
            token_key=self.definition.token_key,
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            endpoint_url=self._context.endpoint_url,
            region=self.definition.region,
            account_id=self._context.account_id,
        )
        file = self._directory / "front.json"
        configuration.write(file)
        ready, given = os.pipe()
        with os.fdopen(ready, "rb") as listens:
            try:
                child = self._spawn_front(file, given)
            finally:
                os.close(given)
            self._front = child
            # The front writes a byte when it listens; if it dies before that, the pipe ends.
            answered, _, _ = select.select([listens], [], [], FRONT_TIMEOUT)
            if not answered or not listens.read(1):
                child.stop()
                if free_ports.is_taken(self.port):
                    raise PortTaken(self.port)
                raise RuntimeError(
                    f"the front of {self.definition.identifier} did not start on port {self.port}. "
                    f"Its log is {self._front_log}"
                )

    def _spawn_front(self, configuration: Path, ready: int) -> Child:
        with self._front_log.open("ab") as output:
            return self._context.children.spawn(
                self._front_log.stem,
                [sys.executable, "-m", "localaws.redshift.front", configuration, str(ready)],
                env=_environment(self._context, self.definition.region),
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[ready],
                on_exit=self._front_died,
            )

    @property
    def _front_log(self) -> Path:
        return self._context.home.logs / f"redshift-{self.definition.identifier}-front.log"

    def _front_died(self, child: Child, returncode: int) -> None:
        self._heal("front", lambda: self._start_front() if self._front is child else None)

    def _postgres_died(self) -> None:
        self._heal("PostgreSQL", lambda: None if self.postgres.pid else self.postgres.start())

    def _heal(self, what: str, start: Callable[[], object]) -> None:
        if self._stopping:
            return
        with self._lock:
            now = time.monotonic()
            self._restarts = [at for at in self._restarts if now - at < 60.0]
            if self._stopping or self._dies_too_often(what):
                return
            self._restarts.append(now)
            log.info("Starting the %s of cluster %s again", what, self.definition.identifier)
            try:
                start()
            except Exception as error:
                self._failed(error)
                raise

    def _dies_too_often(self, what: str) -> bool:
        if len(self._restarts) < RESTARTS_PER_MINUTE:
            return False
        log.error("The %s of cluster %s is not started again", what, self.definition.identifier)
        self._failed(RuntimeError(f"its {what} died {len(self._restarts)} times within a minute"))
        return True


def _environment(context: Context, region: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "PYTHON"))}
    return {
        **kept,
        **context.environment(region),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        # Temporary files for S3 go into the scratch space: it is swept, so a front that is killed leaves none behind.
        "TMPDIR": str(context.home.work),
    }

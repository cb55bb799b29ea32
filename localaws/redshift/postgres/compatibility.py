"""Makes a PostgreSQL server and its databases look like Redshift's: the superuser runs `compat/*.sql`.

This is done before a user can connect: a cluster's front starts later.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from psycopg import sql

from localaws.redshift.postgres import roles
from localaws.redshift.postgres.server import Postgres

_SERVER = "server.sql"


def install(postgres: Postgres) -> None:
    """Create the engine's roles, and Redshift's functions and views in every database; existing ones are replaced."""
    _run(postgres, roles.DATABASE, _read(_SERVER))
    with postgres.connect() as connection:
        found = connection.execute(
            "select datname, datallowconn from pg_catalog.pg_database where datname not in ('postgres', 'template0')"
        ).fetchall()
        for name, open_to_connections in found:
            # The owner of a database may have closed it to connections. It can be opened again, so it is upgraded, too.
            allow = sql.SQL("alter database {} allow_connections {}")
            if not open_to_connections:
                connection.execute(allow.format(sql.Identifier(name), sql.Literal(True)))
            _run(postgres, name, _databases_sql())
            if not open_to_connections:
                connection.execute(allow.format(sql.Identifier(name), sql.Literal(False)))


def digest() -> str:
    """Return a digest of all SQL that `install` runs: while it stays the same, `install` need not run again."""
    return hashlib.sha256((_read(_SERVER) + _databases_sql()).encode()).hexdigest()


def _run(postgres: Postgres, database: str, script: str) -> None:
    with postgres.connect(database) as connection, connection.transaction():
        connection.execute("set local allow_system_table_mods = on")
        connection.execute("set local event_triggers = off")  # those of an earlier release, whose tables are moved
        connection.execute(script.encode())


def _databases_sql() -> str:
    scripts = [script for script in files(f"{__package__}.compat").iterdir() if script.name.endswith(".sql")]
    scripts.sort(key=lambda script: script.name)
    return "\n".join(script.read_text() for script in scripts if script.name != _SERVER)


def _read(name: str) -> str:
    return files(f"{__package__}.compat").joinpath(name).read_text()

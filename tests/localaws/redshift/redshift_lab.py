"""An engine with its own home, for the tests of Redshift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from localaws.core import certificates
from localaws.core.children import Children
from localaws.core.context import Context
from localaws.core.events import Bus
from localaws.core.home import Home
from localaws.core.state import State
from localaws.redshift.engine import RedshiftEngine

PASSWORD = "Master-Passw0rd"
EVE, OWNER = "Eve-Passw0rd", "Own-Passw0rd"  # passwords of the users with these names
# A COPY that fails without S3; its load history is written nevertheless.
FAILING_COPY = "copy nowhere from 's3://bucket/key' access_key_id 'a' secret_access_key 'b' csv"

Connection = psycopg.Connection[tuple[Any, ...]]
Connect = Callable[..., Connection]


@dataclass(frozen=True)
class Lab:
    """An engine and its home."""

    home: Home
    context: Context
    engine: RedshiftEngine


def make_lab(root: Path) -> Lab:
    home = Home.at(root)
    certificates.ensure(home)
    context = Context(home, Bus(), Children(), State(home))
    return Lab(home, context, RedshiftEngine(context))


def end_lab(lab: Lab) -> None:
    lab.engine.stop()
    lab.context.children.stop_all()


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def superusers(connection: Connection) -> set[str]:
    found = connection.execute("select rolname from pg_catalog.pg_roles where rolsuper").fetchall()
    return {str(name) for (name,) in found}

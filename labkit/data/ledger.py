"""The exactly-once delivery's ledger in Redshift: which object versions are loaded (glue/ledger.py)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote

from labkit import project
from labkit.data import data_api, landing
from labkit.delivery import Delivery
from labkit.errors import MissingStep
from labkit.session import Session

KEYS_A_QUERY = 500


def exists(session: Session) -> bool:
    """Whether there is a ledger. While there is one, the table holds the exactly-once delivery's rows."""
    schema, _, table = session.names.ledger.partition(".")
    sql = "select count(*) from information_schema.tables where table_schema = :schema and table_name = :table"
    return bool(data_api.execute(session, sql, {"schema": schema, "table": table}).rows[0][0])


def owner(session: Session) -> Delivery:
    """The delivery whose rows are in the table: the exactly-once delivery while there is a ledger."""
    try:
        return Delivery.EXACTLY_ONCE if exists(session) else Delivery.AS_DESCRIBED
    except MissingStep:  # no cluster, so no rows
        return Delivery.AS_DESCRIBED


def create_statements() -> list[str]:
    """The SQL statements that create the ledger."""
    return [part for part in project.file("sql", "create_ledger.sql").read_text().split(";\n") if part.strip()]


def loaded(session: Session) -> set[tuple[str, str]]:
    """The object versions that are loaded, as (key, version)."""
    rows = data_api.execute(session, f"select object, version from {session.names.ledger}").rows
    return {(unquote(name), version) for name, version in rows}


def loaded_by(session: Session, keys: Iterable[str]) -> set[str] | None:
    """The ids of the job runs that loaded the current versions of these files; None if one is not loaded yet.

    Deleted files don't count.
    """
    wanted = {(one.key, one.version) for key in dict.fromkeys(keys) if (one := landing.current_version(session, key))}
    job_runs: set[str] = set()
    names = sorted({key for key, _ in wanted})
    for start in range(0, len(names), KEYS_A_QUERY):
        # Percent-encoded keys contain no single quote.
        some = ", ".join("'{}'".format(quote(key, safe="/")) for key in names[start : start + KEYS_A_QUERY])
        rows = data_api.execute(
            session, f"select object, version, job_run from {session.names.ledger} where object in ({some})"
        ).rows
        for name, version, job_run in rows:
            if (unquote(name), version) in wanted:
                wanted.remove((unquote(name), version))
                job_runs.add(job_run)
    return None if wanted else job_runs

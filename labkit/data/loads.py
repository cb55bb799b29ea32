"""How many rows each run has loaded: from Redshift's load history, or from the exactly-once delivery's ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from labkit.data import data_api
from labkit.session import Session


def history(session: Session, since: datetime) -> list[tuple[datetime, int]]:
    """The table's completed loads since this time, as (start, rows)."""
    rows = data_api.execute(
        session,
        "select cast(start_time as varchar), loaded_rows from sys_load_history "
        "where table_name = :table and status = 'completed' and start_time >= cast(:since as timestamp)",
        {"table": session.config.redshift_table, "since": f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"},
    ).rows
    return [(datetime.fromisoformat(start).replace(tzinfo=UTC), int(loaded)) for start, loaded in rows]


def in_ledger(session: Session, job_runs: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Job run → the rows that it has loaded and rejected. A job run that is not in the ledger loaded nothing."""
    named = ", ".join(f"'{one}'" for one in job_runs if one.replace("_", "").isalnum())
    if not named:
        return {}
    rows = data_api.execute(
        session,
        "select job_run, sum(loaded_rows), sum(rejected_rows) "
        f"from {session.names.ledger} where job_run in ({named}) group by job_run",
    ).rows
    return {job_run: (int(loaded), int(rejected)) for job_run, loaded, rejected in rows}

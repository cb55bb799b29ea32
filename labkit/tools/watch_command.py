"""The commands `labkit watch` and `labkit runs`."""

from __future__ import annotations

import json
from typing import Any

import click

from labkit.errors import LabError, MissingStep


@click.command()
@click.option("--once", is_flag=True, help="End after one run: the one under way, or the next one. Exit 1 if it fails.")
def watch(once: bool) -> None:
    """Follow the pipeline of the delivery in use, until Ctrl-C.

    It shows what each part does: object, function, workflow run, crawl, job, rows. When a run has ended, its result
    stays on the screen.
    """
    from labkit.lab import Lab
    from labkit.tools.watching import Screen, ended_runs

    lab, screen = Lab(), Screen()
    try:
        for run in ended_runs(lab, screen.show):
            screen.say(str(run))
            if once and not run.succeeded:
                raise LabError(
                    f"The run of workflow {run.workflow} failed.", fix=f"What happened: labkit logs {run.workflow}"
                )
            if once:
                return
    except KeyboardInterrupt:
        if once:
            raise
    finally:
        screen.clear()


@click.command()
@click.option(
    "-n", "--number", default=25, show_default=True, type=click.IntRange(1, 25), help="Runs of each workflow."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def runs(number: int, as_json: bool) -> None:
    """List the last runs of both deliveries' workflows: start, cause, crawl, job, rows, state, seconds."""
    from labkit.lab import Lab

    lab = Lab()
    tables = []
    for workflow in (lab.workflow, lab.reliability.workflow):
        try:
            tables.append((workflow.own.workflow, workflow.runs()[:number]))
        except MissingStep:
            continue
    if as_json:
        click.echo(json.dumps([_as_json(run) for _, table in tables for run in table.known()], indent=2))
    elif not any(table for _, table in tables):
        click.echo("No workflow has run yet. Land a file: labkit send")
    else:
        click.echo("\n\n".join(f"{name}\n{table}" for name, table in tables if table))


def _as_json(run: Any) -> dict[str, Any]:
    from labkit.tools.recent_runs import RecentRun

    loaded = run.loaded
    return {
        **RecentRun(run).as_json(),
        "started_by": run.started_by,
        "rows_loaded": loaded.rows if loaded else None,
        "rows_rejected": loaded.rejected if loaded else None,
        "seconds": run.seconds,
    }

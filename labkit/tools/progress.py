"""`labkit progress`: which tasks are done."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs: also when each task was done.")
def progress(as_json: bool) -> None:
    """Show which of the notebooks' tasks are done.

    For each notebook: how many of its tasks are done, and the titles of the open ones. The record is in the lab's home
    (LABKIT_HOME), one for each prefix. `labkit restart` keeps it; `labkit down --wipe` deletes it.
    """
    from labkit.config import load
    from labkit.tasks.progress import Progress

    found = Progress.of(load())
    click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else str(found))

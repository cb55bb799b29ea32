"""The command `labkit run`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from labkit import project

if TYPE_CHECKING:
    from labkit.lab import Lab


@click.command()
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="Set a notebook parameter, as -p rows=20."
)
@click.option(
    "--from", "start", default="", metavar="NOTEBOOK",
    help="Run this notebook and all later ones. What the earlier ones make must exist: run them first, or call "
    "lab.catch_up(NOTEBOOK).",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="On AWS, don't ask before anything is created.")
def run(notebooks: tuple[str, ...], given: tuple[str, ...], start: str, yes: bool) -> None:
    """Execute the notebooks in order. It writes them into runs/, with one HTML report.

    It stops at the first notebook that fails, and shows the cell. The last notebook removes everything that the lab
    made.

    With -p solve=true, each task's solution is written into its cell before the notebook is executed, and the run fails
    if a check does not say ✓.

    \b
    labkit run                    # all notebooks
    labkit run 04 05              # these two
    labkit run --from 05          # 05 to 10
    labkit run -p rows=20 -p seed=7

    Exit codes: 0 every notebook ran and the rows agree, or wait for a notebook that loads them; 1 not so; 2 wrong
    usage, nothing was run.
    """
    from labkit.tools import notebook_files, warm_kernel

    texts = notebook_files.pairs(given, notebooks)
    files = notebook_files.notebooks(notebooks, start=start)
    parameters = notebook_files.check_parameters(files, texts)
    warm_kernel.begin_to_import()  # it goes on while this process imports papermill and starts the target
    from labkit.lab import Lab
    from labkit.tools import batch, report, run_progress

    lab = Lab()
    lab.up(warm_jobs=any(file.stem >= batch.FIRST_JOB for file in files))
    ask_once(lab, yes=yes)
    contents = report.Contents()
    result = batch.run(lab, files, parameters, run_progress.progress(click.echo), contents.begin)
    page = report.write(result, contents)
    if result.problem:
        click.echo(f"report: {page}", err=True)
        raise result.problem
    for doubt in result.doubts:
        click.echo(f"! {doubt}", err=True)
    click.echo(f"rows: {result.rows}")
    click.echo(f"report: {page}")
    notebooks_by_hand = "make lab · " if project.is_checkout() else ""
    click.echo(f"next: open the report, or explore it yourself: {notebooks_by_hand}labkit deploy · labkit send")


def ask_once(lab: Lab, *, yes: bool = False) -> None:
    """On AWS, ask for everything that the notebooks will create. In a batch, nobody can answer a kernel's question.

    Raises:
        ConsentNeeded: the answer was no, or nobody was there to answer.
    """
    if yes:
        lab.agree()
    lab.consent(*(step.name for step in lab.steps))
    if lab.config.ask_before_create:
        os.environ["LABKIT_ASK_BEFORE_CREATE"] = "false"  # for the kernels

"""`labkit watch`: the pipeline of the delivery in use, followed in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from labkit.delivery import Delivery
from labkit.lab import Lab
from labkit.show import terminal
from labkit.show.pipeline import Box, Pipeline, State
from labkit.steps.runs import Run, Runs
from labkit.steps.workflow import Workflow

LEAST_SECONDS = 0.3
NAMES = ("object", "function", "workflow run", "crawl", "job", "rows")


def ended_runs(lab: Lab, show: Callable[[Pipeline], None]) -> Iterator[Run]:
    """Yield each run that is under way or starts from now on, when it has ended. It goes on until it is interrupted.

    `show` is called with the state of the pipeline, again and again.
    """
    pause = max(lab.config.poll_seconds, LEAST_SECONDS)
    ended: set[str] | None = None
    while True:
        workflow = workflow_in_use(lab)
        runs = workflow.runs()
        over = {run.run_id for run in runs if run.is_over}
        new = [run for run in runs if ended is not None and run.is_over and run.run_id not in ended]
        for run in reversed(new):
            place = runs.index(run)
            yield runs[place : place + 1].known()[0]
        ended = over | (ended or set())
        going = next((run for run in runs if not run.is_over), None)
        show(_with_cause(runs, going) if going else idle(workflow.own.workflow))
        time.sleep(pause)


def _with_cause(runs: Runs, run: Run) -> Pipeline:
    """The run as boxes, with the object and the function if an event started it."""
    place = runs.index(run)
    return runs[place : place + 1].known()[0].pipeline()


def workflow_in_use(lab: Lab) -> Workflow:
    """The workflow of the delivery in use; the described one's if none is."""
    return lab.workflow_of(lab.delivery or Delivery.AS_DESCRIBED)


def idle(workflow: str) -> Pipeline:
    """The pipeline while nothing happens."""
    first, *others = (Box(name, State.WAITING) for name in NAMES)
    return Pipeline(workflow, (Box(first.name, first.state, reason="waiting for a file: labkit send"), *others))


class Screen:
    """Shows the pipeline on stdout: in one line that is redrawn on a terminal, otherwise in a line for each change."""

    def __init__(self) -> None:
        self._redraws = terminal.can_redraw(sys.stdout)
        self._colour = terminal.has_colour(sys.stdout)
        self._before: Pipeline | None = None

    def show(self, pipeline: Pipeline) -> None:
        """Show the state of the pipeline."""
        if self._redraws:
            sys.stdout.write(f"\r\x1b[2K{pipeline.line(colour=self._colour, width=terminal.columns())}")
        else:
            for change in pipeline.changes_since(self._before):
                print(change)
        self._before = pipeline
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print a text that stays."""
        self.clear()
        print(text, flush=True)

    def clear(self) -> None:
        """Remove the line that is redrawn."""
        if self._redraws:
            sys.stdout.write("\r\x1b[2K")
            sys.stdout.flush()

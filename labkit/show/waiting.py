"""Waiting for something on the target, with progress. An interrupt stops only the wait.

The progress is a text, or a picture of a run (`labkit.show.pipeline`). JupyterLab shows it in one output that is
updated in place, a terminal in one line that is redrawn, any other stderr in a line for each change. Where nobody
watches (papermill, nbval), there is one line at the start, and what the caller displays at the end: those outputs are
stored and compared.
"""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from labkit.config import LabConfig
from labkit.errors import WaitInterrupted, WaitTimeout
from labkit.show import terminal
from labkit.show.pipeline import Pipeline
from labkit.show.surroundings import surroundings

T = TypeVar("T")

FIRST_PAUSE = 0.01
"""Seconds; each later pause is twice as long, up to `poll_seconds`. SQL ends soon, but a cluster takes minutes."""


class Progress(Protocol):
    """Shows the last state that a wait has seen."""

    def show(self, state: str | Pipeline) -> None:
        """Show the current state."""

    def close(self) -> None:
        """End the display, because the wait is over."""


def wait_for(
    what: str,
    look: Callable[[], tuple[str | Pipeline, T | None]],
    *,
    config: LabConfig,
    go_on: str,
    quiet: bool = False,
) -> T:
    """Call `look` until it returns a value: often at first, then every `poll_seconds`.

    Args:
        what: what is waited for, as in "Waiting for …".
        look: returns (current state, value or None). The state is a text, or a picture of a run.
        config: for `poll_seconds`, `wait_minutes` and `progress`.
        go_on: how to continue later, for the messages.
        quiet: show nothing.

    Raises:
        WaitTimeout: no value within `wait_minutes`.
        WaitInterrupted: the user interrupted the wait; what was started on the target keeps running.
    """
    deadline = time.monotonic() + config.wait_minutes * 60
    progress = _Nothing() if quiet else _progress(config, what)
    state: str | Pipeline = ""
    pause = FIRST_PAUSE
    try:
        while True:
            state, value = look()
            if value is not None:
                return value
            if time.monotonic() > deadline:
                seen = state.line() if isinstance(state, Pipeline) else state
                raise WaitTimeout(what, config.wait_minutes, seen, go_on)
            progress.show(state)
            time.sleep(min(pause, config.poll_seconds))
            pause *= 2
    except KeyboardInterrupt:
        raise WaitInterrupted(what, go_on) from None
    finally:
        progress.close()


class _Nothing:
    def show(self, state: str | Pipeline) -> None: ...

    def close(self) -> None: ...


class _Static:
    """One line, at the start."""

    def __init__(self, what: str) -> None:
        print(f"Waiting for {what} …", flush=True)

    def show(self, state: str | Pipeline) -> None: ...

    def close(self) -> None: ...


class _Line:
    """One line of a terminal, which is redrawn."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._drawn = False

    def show(self, state: str | Pipeline) -> None:
        if isinstance(state, Pipeline):
            line = state.line(colour=terminal.has_colour(sys.stderr), width=terminal.columns())
        else:
            line = f"{self._what}: {state} ({time.monotonic() - self._began:.0f} s)"[: terminal.columns()]
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()
        self._drawn = True

    def close(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


class _Changes:
    """A line on stderr for each change of a run, where no line can be redrawn. Other waits show nothing."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before: Pipeline | None = None

    def show(self, state: str | Pipeline) -> None:
        if isinstance(state, Pipeline):
            for change in state.changes_since(self._before):
                print(f"{time.monotonic() - self._began:4.0f} s  {change}", file=sys.stderr, flush=True)
            self._before = state

    def close(self) -> None: ...


class _Live:
    """An output under the cell that is updated in place. At the end it is empty, so nothing is stored."""

    def __init__(self, what: str) -> None:
        from IPython.display import display

        self._what = what
        self._began = time.monotonic()
        self._shown = f"Waiting for {html.escape(what)} …"
        self._place: Any = display(_output(self._shown, ""), raw=True, display_id=True)

    def show(self, state: str | Pipeline) -> None:
        if isinstance(state, Pipeline):
            content, text = state.html(times=True), state.text(times=True)
        else:
            seconds = time.monotonic() - self._began
            text = f"{self._what}: {state} ({seconds:.0f} s)"
            content = f"<strong>{html.escape(self._what)}</strong>: {html.escape(state)} ({seconds:.0f} s)"
        if content != self._shown:  # a poll that sees nothing new sends nothing
            self._place.update(_output(content, text), raw=True)
            self._shown = content

    def close(self) -> None:
        self._place.update(_output("", ""), raw=True)


def _output(content: str, text: str) -> dict[str, str]:
    return {"text/html": content, "text/plain": text}


def show_failure(pipeline: Pipeline, config: LabConfig) -> None:
    """Show a failed run in JupyterLab. Elsewhere the error's text says it."""
    if _kind(config) == "live":
        from IPython.display import display

        display(_output(pipeline.html(times=True), pipeline.text(times=True)), raw=True)


def _kind(config: LabConfig) -> Any:
    return surroundings() if config.progress == "auto" else config.progress


def _progress(config: LabConfig, what: str) -> Progress:
    kind = _kind(config)
    if kind == "live":
        return _Live(what)
    if kind == "line":
        return _Line(what) if terminal.can_redraw(sys.stderr) else _Changes()
    return _Static(what)

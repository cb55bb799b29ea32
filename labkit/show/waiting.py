"""Waiting for something on the target, with progress. An interrupt stops only the wait.

JupyterLab shows the progress in a live widget, a terminal in one line. Where nobody watches (papermill, nbval), there
is one line at the start, and what the caller displays at the end: those outputs are stored and compared.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from labkit.config import LabConfig
from labkit.errors import WaitInterrupted, WaitTimeout

T = TypeVar("T")


class Progress(Protocol):
    """Shows the last state that a wait has seen."""

    def show(self, text: str) -> None:
        """Show `text`, the current state."""

    def close(self) -> None:
        """End the display, because the wait is over."""


def wait_for(
    what: str, look: Callable[[], tuple[str, T | None]], *, config: LabConfig, go_on: str, quiet: bool = False
) -> T:
    """Call `look` until it returns a value.

    Args:
        what: what is waited for, as in "Waiting for …".
        look: returns (current state, value or None).
        config: for `poll_seconds`, `wait_minutes` and `progress`.
        go_on: how to continue later, for the messages.
        quiet: show nothing.

    Raises:
        WaitTimeout: no value within `wait_minutes`.
        WaitInterrupted: the user interrupted the wait; what was started on the target keeps running.
    """
    deadline = time.monotonic() + config.wait_minutes * 60
    progress = _Nothing() if quiet else _progress(config, what)
    state = ""
    try:
        while True:
            state, value = look()
            if value is not None:
                return value
            if time.monotonic() > deadline:
                raise WaitTimeout(what, config.wait_minutes, state, go_on)
            progress.show(state)
            time.sleep(config.poll_seconds)
    except KeyboardInterrupt:
        raise WaitInterrupted(what, go_on) from None
    finally:
        progress.close()


class _Nothing:
    def show(self, text: str) -> None: ...

    def close(self) -> None: ...


class _Static:
    """One line, at the start."""

    def __init__(self, what: str) -> None:
        print(f"Waiting for {what} …", flush=True)

    def show(self, text: str) -> None: ...

    def close(self) -> None: ...


class _Line:
    """One line of a terminal, which is redrawn."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._drawn = False

    def show(self, text: str) -> None:
        seconds = time.monotonic() - self._began
        sys.stderr.write(f"\r\x1b[2K{self._what}: {text} ({seconds:.0f} s)")
        sys.stderr.flush()
        self._drawn = True

    def close(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


class _Widget:
    """A live line with a clock under the cell. At the end it disappears, and nothing is stored."""

    def __init__(self, what: str) -> None:
        import ipywidgets
        from IPython.display import display

        self._what = what
        self._began = time.monotonic()
        self._html: Any = ipywidgets.HTML(f"Waiting for {what} …")
        self._place: Any = display(self._html, display_id=True)

    def show(self, text: str) -> None:
        seconds = time.monotonic() - self._began
        self._html.value = f"<b>{self._what}</b>: {text} <span style='opacity:.6'>{seconds:.0f} s</span>"

    def close(self) -> None:
        from IPython.display import HTML

        self._place.update(HTML(""))
        self._html.close()


def _progress(config: LabConfig, what: str) -> Progress:
    kind = config.progress
    if kind == "auto":
        kind = _surroundings()
    if kind == "live":
        return _Widget(what)
    if kind == "line":
        return _Line(what) if sys.stderr.isatty() else _Nothing()
    return _Static(what)


def _surroundings() -> Any:
    """The kind of progress to show: "live" in JupyterLab, "static" in any other kernel, "line" outside of kernels."""
    if "ipykernel" not in sys.modules:
        return "line"
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return "line"
    # JupyterLab tells the kernel which cell it executes; papermill's and nbval's clients don't.
    parent: dict[str, Any] = kernel.get_parent() or {}
    return "live" if "cellId" in parent.get("metadata", {}) else "static"

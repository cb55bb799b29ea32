"""What `labkit run` shows while a notebook runs: a line that is redrawn in a terminal, and one line at its end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol, TextIO

REDRAWN_EVERY = 0.5  # seconds; so that the clock moves while a cell runs
START_OF_LINE = "\r\x1b[2K"


class Progress(Protocol):
    """Shows how far a run is."""

    def cell(self, notebook: str, number: int, cells: int) -> None:
        """A notebook's cell begins: the `number`-th of its `cells` code cells."""

    def ended(self, notebook: str, seconds: float, *, failed: bool) -> None:
        """A notebook has ended."""

    def close(self) -> None:
        """The run is over."""


def ended_line(notebook: str, seconds: float, *, failed: bool) -> str:
    """The line that stays."""
    return f"{notebook:<16} {'failed' if failed else 'ok':<7} {seconds:5.1f} s"


class Plain:
    """One line for each notebook, when it ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def cell(self, notebook: str, number: int, cells: int) -> None:
        """Nothing to show before the end."""

    def ended(self, notebook: str, seconds: float, *, failed: bool) -> None:
        """Print the notebook's line."""
        self._say(ended_line(notebook, seconds, failed=failed))

    def close(self) -> None:
        """Nothing is left to do."""


class Redrawn:
    """In a terminal: the running notebook, its cell and a clock, redrawn in one line of `stream`."""

    def __init__(self, say: Callable[[str], None], stream: TextIO) -> None:
        self._say = say
        self._stream = stream
        self._text = ""
        self._began = 0.0
        self._notebook = ""
        self._closed = threading.Event()
        self._drawing = threading.Lock()
        self._clock = threading.Thread(target=self._redraw, name="progress", daemon=True)
        self._clock.start()

    def cell(self, notebook: str, number: int, cells: int) -> None:
        """Draw the cell."""
        if notebook != self._notebook:
            self._notebook, self._began = notebook, time.monotonic()
        self._text = f"{notebook:<16} cell {number} of {cells}"
        self._draw()

    def ended(self, notebook: str, seconds: float, *, failed: bool) -> None:
        """Replace the line by the notebook's last one."""
        self._erase()
        self._say(ended_line(notebook, seconds, failed=failed))

    def close(self) -> None:
        """Stop the clock, and leave no half a line behind."""
        self._closed.set()
        self._clock.join()
        self._erase()

    def _redraw(self) -> None:
        while not self._closed.wait(REDRAWN_EVERY):
            self._draw()

    def _draw(self) -> None:
        with self._drawing:
            if self._text:
                seconds = time.monotonic() - self._began
                self._stream.write(f"{START_OF_LINE}{self._text}  {seconds:3.0f} s")
                self._stream.flush()

    def _erase(self) -> None:
        with self._drawing:
            if self._text:
                self._text = ""
                self._stream.write(START_OF_LINE)
                self._stream.flush()


def progress(say: Callable[[str], None]) -> Progress:
    """The progress that fits: redrawn if stderr is a terminal, else plain."""
    return Redrawn(say, sys.stderr) if sys.stderr.isatty() else Plain(say)

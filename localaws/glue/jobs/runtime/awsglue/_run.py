"""What a script's process knows of the job run that it is: set by the worker before the script starts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


def _keep_nothing(state: dict[str, Any]) -> None:
    """Without a service behind it, a bookmark lasts as long as its process."""


@dataclass
class Run:
    """One attempt of a job run."""

    job_name: str = ""
    run_id: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    bookmark: dict[str, Any] = field(default_factory=dict)
    """The bookmark's state as the last committed run left it; see _bookmarks.py."""
    bookmark_to: dict[str, Any] | None = None
    """What is read at most, where --job-bookmark-to names a run: what that had read; `bookmark` is -from's then."""
    save_bookmark: Callable[[dict[str, Any]], None] = _keep_nothing
    """Hand a new state to the service; returns when it is durable."""
    error_log: TextIO = field(default_factory=lambda: sys.stderr)
    """Where Glue's own logger writes: the run's error log, which stderr does not go to."""
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))


current = Run()


def log(line: str) -> None:
    """Write a line of Glue's own to the run's error log."""
    print(line, file=current.error_log)


def new_directory(stem: str) -> Path:
    """A fresh directory of this run."""
    return Path(tempfile.mkdtemp(prefix=f"{stem}-", dir=current.scratch))

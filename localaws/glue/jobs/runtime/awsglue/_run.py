"""What a script's process knows about its own job run; the worker sets it before the script starts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


def _keep_nothing(state: dict[str, Any]) -> None:
    """Do nothing: without a service behind it, a bookmark lasts as long as its process."""


@dataclass
class Run:
    """One attempt of a job run."""

    job_name: str = ""
    run_id: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    bookmark: dict[str, Any] = field(default_factory=dict)
    """The bookmark's state as the last committed run left it; see _bookmarks.py."""
    bookmark_to: dict[str, Any] | None = None
    """If --job-bookmark-to names a run, the state that it left: this run reads no further. `bookmark` is then the state
    of the run in --job-bookmark-from."""
    save_bookmark: Callable[[dict[str, Any]], None] = _keep_nothing
    """Saves a new state in the service; returns when it is durable."""
    error_log: TextIO = field(default_factory=lambda: sys.stderr)
    """The run's error log, to which Glue's own logger writes. The script's stderr goes elsewhere."""
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))


current = Run()


def log(line: str) -> None:
    """Write one of Glue's own messages to the run's error log."""
    print(line, file=current.error_log)


def new_directory(stem: str) -> Path:
    """Create a new directory for this run, and return it."""
    return Path(tempfile.mkdtemp(prefix=f"{stem}-", dir=current.scratch))

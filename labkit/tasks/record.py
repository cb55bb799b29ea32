"""Which tasks are done: `progress.json` in the lab's home. Each prefix has its own record.

`labkit restart` keeps it. `labkit down --wipe` deletes it with everything else in the home.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labkit.config import LabConfig
from labkit.errors import LabError
from labkit.steps.lab_steps import LabSteps

FILE = "progress.json"
LOCK = "progress.lock"
VERSION = 1


def done(config: LabConfig) -> dict[str, str]:
    """The ids of the tasks that are done, each with the time when it was done first.

    Raises:
        LabError: the file can't be read, or is damaged.
    """
    found: dict[str, str] = _read(_file(config)).get(config.prefix, {})
    return found


def note_done(lab: LabSteps, task_id: str) -> str:
    """Record that a task is done. If that fails, return a sentence that says why; the verdict is right anyway."""
    file = _file(lab.config)
    try:
        if task_id not in done(lab.config):
            _add(file, lab.config.prefix, task_id)
    except LabError as error:
        return f"It could not be recorded. {error.what} {error.fix}"
    except OSError as error:
        return f"It could not be recorded: {file} can't be written ({error.strerror})."
    return ""


def forget(home: Path) -> None:
    """Delete the record of all labs of this home."""
    for file in (home / FILE, home / LOCK):
        if file.exists():  # a read-only disk refuses to delete even what is not there
            file.unlink()
    with contextlib.suppress(OSError):
        home.rmdir()  # if nothing else is left in it


def _file(config: LabConfig) -> Path:
    return config.home / FILE


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        labs = json.loads(file.read_text())["labs"]
        if all(isinstance(name, str) for record in labs.values() for name in record.values()):
            return dict(labs)
        raise ValueError
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LabError(f"The record of the tasks, {file}, is damaged.", fix="To start a new one, delete it.") from error
    except OSError as error:
        raise LabError(f"The record of the tasks, {file}, can't be read: {error.strerror}.") from error


def _add(file: Path, prefix: str, task_id: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file.parent):
        labs = _read(file)
        labs.setdefault(prefix, {}).setdefault(task_id, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        _write(file, {"version": VERSION, "labs": labs})


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep out other notebooks that record a task at the same time: the later one would overwrite the other's entry."""
    with (home / LOCK).open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # closing the file releases it
        yield


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write the whole file, or nothing: an interruption leaves the old one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE}.", suffix=".new")
    try:
        with os.fdopen(handle, "w") as stream:
            json.dump(content, stream, indent=1)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

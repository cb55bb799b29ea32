"""Remembers the AWS calls that a lab makes, so that `lab.calls()` can show them. Secrets are left out at once.

A *step* is a notebook cell. Outside of notebooks, it is everything between two questions for the last step.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labkit.shell import running_shell

KEPT = 2000
"""How many calls are remembered. Repetitions of the same call count as one."""

LONGEST_TEXT = 10_000
"""Longer texts are not kept, only their length."""

SECRET = re.compile(
    r"(password|passwd|pwd|passphrase|secretstring|secretaccesskey|clientsecret|sessiontoken|privatekey|apikey|credentials)$"
)
"""The names, in lower case without _ and -, of values that are hidden although AWS's model does not say so."""

SECRET_IN_SQL = re.compile(
    r"(?i)\b(password|credentials|secret_access_key|session_token|access_key_id|master_symmetric_key)(\s*(?:\bas\s*)?)"
    r"'(?:[^'\\]|\\.|'')*(?:'|\Z)",
    re.DOTALL,
)
SECRET_IN_URL = re.compile(r"(?i)\b(password|passwd|pwd)=[^&;\s\"']+")
"""As in jdbc:redshift://host:5439/db;UID=admin;PWD=…"""


@dataclass(frozen=True)
class Hidden:
    """Stands for a secret value."""

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Content:
    """Stands for content that was sent and is not kept: a file, a package, a long text."""

    size: int | None
    """Its length; None for a stream."""
    is_text: bool = False

    def __str__(self) -> str:
        unit = "characters" if self.is_text else "bytes"
        return "(a stream)" if self.size is None else f"({self.size} {unit})"


@dataclass(frozen=True)
class Call:
    """One call of an AWS API."""

    model: Any
    """botocore's model of the operation."""
    parameters: Mapping[str, Any]
    """What was sent, with `Hidden` in place of secrets and `Content` in place of files."""
    outcome: str = ""
    """AWS's error code, or why there was no answer. Empty if the call succeeded."""
    times: int = 1
    """How often the call was made in a row."""
    step: Any = None

    @property
    def service(self) -> str:
        """The name of the service in boto3, such as "s3" or "redshift-data"."""
        return str(self.model.service_model.service_name)

    @property
    def operation(self) -> str:
        """The name of the operation in AWS's API, such as "CreateBucket"."""
        return str(self.model.name)

    def same_as(self, other: Call) -> bool:
        """Whether the other call asks the same and has the same outcome."""
        mine, theirs = (self.service, self.operation, self.outcome), (other.service, other.operation, other.outcome)
        return mine == theirs and self.parameters == other.parameters


class Recorder:
    """Remembers the last calls of a session."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._asked = 0

    def add(self, model: Any, parameters: Mapping[str, Any], outcome: str) -> None:
        """Remember a call. `parameters` are what `without_secrets` returned."""
        call = Call(model, parameters, outcome, step=self._step())
        with self._lock:
            last = self._calls[-1] if self._calls else None
            if last is not None and last.step == call.step and last.same_as(call):
                self._calls[-1] = dataclasses.replace(last, times=last.times + 1)
            else:
                self._calls.append(call)

    def last_step(self) -> tuple[Call, ...]:
        """The calls of the last step that made any, in order."""
        with self._lock:
            self._asked += 1
            calls = tuple(self._calls)
        return tuple(call for call in calls if call.step == calls[-1].step)

    def _step(self) -> Any:
        shell = running_shell()
        return ("asked", self._asked) if shell is None else ("cell", shell.execution_count)


def without_secrets(model: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a call's parameters without secrets and without the content of files."""
    members = model.input_shape.members if model.input_shape else {}
    return {name: _kept(value, members.get(name), name) for name, value in parameters.items() if value is not None}


def _kept(value: Any, shape: Any, name: str) -> Any:
    if shape is None:  # not a parameter of this call, which botocore will refuse
        return Hidden()
    if isinstance(value, bytes | bytearray) or hasattr(value, "read"):
        return Content(len(value) if isinstance(value, bytes | bytearray) else None)
    if shape.type_name == "blob":
        return Content(len(value) if isinstance(value, str) else None)
    if shape.metadata.get("sensitive"):
        return {key: Hidden() for key in value} if isinstance(value, Mapping) else Hidden()
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, Mapping):
        members = (
            shape.members if shape.type_name == "structure" else dict.fromkeys(value, getattr(shape, "value", None))
        )
        named = str(value.get("name", value.get("Name", "")))  # {"name": "password", "value": …}
        return {
            key: Hidden()
            if key in ("value", "Value") and _is_secret(named)
            else _kept(item, members.get(key), str(key))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_kept(item, getattr(shape, "member", None), name) for item in value]
    return value


def _text(value: str, name: str) -> str | Hidden | Content:
    if _is_secret(name):
        return Hidden()
    if len(value) > LONGEST_TEXT:
        return Content(len(value), is_text=True)
    return SECRET_IN_URL.sub(r"\1=***", SECRET_IN_SQL.sub(r"\1\2'***'", value))


def _is_secret(name: str) -> bool:
    return SECRET.search(re.sub("[_-]", "", name.lower())) is not None

"""The lab's errors. Each one says what happened, where to look and what to do.

::

    LabError
    ├── ConfigError         a setting is unknown or has a value that is not allowed
    ├── NotRunning          the local target is needed, but it is down
    ├── StartError          the local target did not start or stop
    │   └── HomeUnusable    the home can't be read or written
    ├── NotAllWorks         the local target is up, but something that was deployed does not work
    ├── ConsentNeeded       on AWS: nobody agreed to creating resources that cost money, or to removing them
    ├── MissingStep         something that an earlier step creates is not there
    ├── WrongDelivery       the other delivery is in use, so this would lose or double rows
    ├── AwsRefused          AWS answered a call with an error
    ├── FunctionFailed      a Lambda function raised
    ├── SendStopped         some files landed, then something failed
    ├── RunFailed           a crawl, a job run or a workflow run did not succeed
    ├── QueryFailed         Redshift refused a statement
    ├── WaitError
    │   ├── WaitTimeout     the wait took longer than `wait_minutes`
    │   └── WaitInterrupted somebody pressed stop; what was started keeps running
    ├── NotebookFailed      a cell of a notebook raised while `labkit run` ran it
    ├── TasksNotSolved      `labkit run -p solve=true` solved a notebook's tasks, and a check did not accept a solution
    └── UsageError          a command or a call got an argument that it can't use
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class LabError(Exception):
    """The base class of the lab's errors.

    The message is for participants: a notebook shows it without the traceback.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        # Not super(): AwsRefused also inherits from botocore's error, which takes other arguments.
        Exception.__init__(self, "\n".join(line for line in (what, where, fix) if line))

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of its own traceback."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(LabError):
    """A setting that does not exist, or a value that is not allowed for it."""

    def __init__(
        self, setting: str, reason: str, *, allowed: Iterable[str] = (), fix: str = "", source: str = ""
    ) -> None:
        self.setting = setting
        self.allowed = tuple(allowed)
        origin = f" (from {source})" if source else ""
        choices = f"Allowed: {', '.join(self.allowed)}." if self.allowed else ""
        super().__init__(f"Setting {setting!r}{origin}: {reason}.", fix=fix or choices)


class NotRunning(LabError):
    """The embedded AWS is not running."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(
            f"The local AWS of {home} is not running.", fix="Start it with: labkit up (in a notebook: lab.up())"
        )


class StartError(LabError):
    """The embedded AWS could not be started or stopped."""

    def __init__(self, reason: str, home: Path) -> None:
        self.home = home
        super().__init__(reason, fix="Look at: labkit logs · labkit doctor")


class HomeUnusable(StartError):
    """The lab's home directory can't be read or written; the message says why, and what to do."""

    def __init__(self, reason: str, home: Path) -> None:
        self.home = home
        LabError.__init__(self, reason)


class NotAllWorks(LabError):
    """The embedded AWS is up, but something that was deployed does not work."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "The local AWS is up, but not all of it works:",
            where="\n".join(f"✗ {problem}" for problem in self.problems),
            fix="When the cause is gone: labkit up. Look at: labkit logs · labkit doctor",
        )


class ConsentNeeded(LabError):
    """Nobody agreed to creating resources in a real account, or to removing them."""

    def __init__(self, what: str, word: str) -> None:
        super().__init__(
            f"{what} This was not confirmed.",
            fix=f"Type {word} when asked, pass --yes, or set LABKIT_ASK_BEFORE_CREATE=false.",
        )


class MissingStep(LabError):
    """Something that an earlier step creates is not there yet."""

    def __init__(self, what: str, *, step: str, notebook: str, fix: str = "") -> None:
        self.step = step
        self.notebook = notebook
        self.needed_by = ""
        """The notebook whose step needs it, if that is known."""
        super().__init__(
            f"{what} is not there yet." if fix else f"{what} is not there yet: step {step!r} makes it.",
            fix=fix or f"Run notebook {notebook} first, or: labkit deploy {step}",
        )

    def name_all(self, missing: Iterable[str]) -> None:
        """Name the other missing notebooks in the message: those before the one that needs this, or all of them."""
        last = self.needed_by
        others = [name for name in missing if name != self.notebook and (not last or name < last)]
        if others:
            which = f'"{last[:2]}")' if last else '"NN"), with the number of your notebook'
            more = f"Not there yet either: {', '.join(others)}. To create all that is needed: lab.catch_up({which}"
            self.args = (f"{self.what}\n{self.fix}\n{more}",)


class WrongDelivery(LabError):
    """The other delivery is in use, so this action would load rows twice, or not at all."""


class AwsRefused(LabError, ClientError):  # type: ignore[misc]  # botocore has no types
    """AWS answered a call with an error.

    `code` is AWS's error code, `message` its error message, and `operation` the operation that was called. The error is
    a ClientError as well: `except ClientError`, `except client.exceptions.NoSuchKey` and `error.response` work as in
    every boto3 program.
    """

    def __init__(
        self, response: dict[str, Any], operation: str, *, asked: Mapping[str, Any] | None = None, fix: str = ""
    ) -> None:
        details: dict[str, Any] = response.get("Error", {})
        self.response = response
        self.operation = self.operation_name = operation
        self.code = str(details.get("Code", "?"))
        self.message = str(details.get("Message", ""))
        words = ": ".join(filter(None, (f"AWS refused {operation}", self.code, self.message)))
        unnamed = [
            f"{name} {value}"
            for name, value in (asked or {}).items()
            if self.means_missing and name.endswith(NAMING) and isinstance(value, str) and value not in self.message
        ]
        super().__init__(words + (f" ({', '.join(unnamed)})" if unnamed else ""), fix=fix or HINTS.get(self.code, ""))

    @property
    def means_missing(self) -> bool:
        """Whether AWS says that something does not exist."""
        return self.code in NOT_THERE

    @classmethod
    def of(cls, error: ClientError, *, asked: Mapping[str, Any] | None = None, fix: str = "") -> AwsRefused:
        """Turn botocore's error into the lab's. It can still be caught by botocore's own class.

        `asked` are the call's parameters. If AWS does not say what is missing, the message names it from them.
        """
        kind: Any = type(error)
        return _refused_as(kind)(error.response, error.operation_name, asked=asked, fix=fix)


@functools.cache
def _refused_as(kind: Any) -> type[AwsRefused]:
    """A class that is AwsRefused and botocore's error class, e.g. `glue.exceptions.EntityNotFoundException`."""
    return type(AwsRefused.__name__, (AwsRefused, kind), {}) if kind is not ClientError else AwsRefused


NAMING = ("Name", "Bucket", "Key", "Id", "Identifier", "Arn", "Url")
"""A parameter whose name ends with one of these names the resource that a call is about."""

NOT_THERE = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ClusterNotFound",
    "ClusterSubnetGroupNotFoundFault",
    "EntityNotFoundException",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchPublicAccessBlockConfiguration",
    "NotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}

HINTS = {
    "AccessDenied": "The role or user that made this call lacks the permission: see labkit/steps/roles.py.",
    "AccessDeniedException": "The role or user that made this call lacks the permission: see labkit/steps/roles.py.",
    "ExpiredToken": "The credentials are no longer valid: log in again.",
    "ExpiredTokenException": "The credentials are no longer valid: log in again.",
    "InvalidClientTokenId": "The credentials are not known to AWS: check `labkit config`, or log in again.",
    "ConcurrentRunsExceededException": "Wait until a run has ended (lab.workflow.runs() lists them), then try again.",
    "CrawlerRunningException": "Wait until the crawl has ended, then try again.",
    "BucketAlreadyExists": "Bucket names are global on AWS: choose another prefix (LABKIT_PREFIX).",
}


class FunctionFailed(LabError):
    """A Lambda function raised; the message includes the function's error message."""

    def __init__(self, function: str, error_type: str, message: str, *, fix: str = "") -> None:
        self.error_type = error_type
        super().__init__(
            f"Function {function} failed with {error_type}: {message}",
            where=f"Its log: labkit logs {function} (CloudWatch Logs group /aws/lambda/{function}).",
            fix=fix,
        )


class SendStopped(LabError):
    """Some of the files landed; then something failed, or somebody pressed stop."""

    def __init__(self, bucket: str, keys: Sequence[str], files: int, cause: BaseException, unknown: str) -> None:
        self.landed = tuple(keys)
        """The keys of the files that have landed, for `lab.follow`."""
        reason = cause.what if isinstance(cause, LabError) else str(cause) or "it was interrupted"
        perhaps = f" {unknown} may have landed too." if unknown else ""
        super().__init__(
            f"Sending stopped after {len(keys)} of {files} files: {reason}",
            where=f"Landed in {bucket}: {', '.join(keys) or 'nothing'}.{perhaps}",
            fix="The files that have landed stay. Fix the cause, then send the other files again.",
        )


class RunFailed(LabError):
    """A crawl, a job run or a workflow run did not succeed."""

    def __init__(
        self, what: str, state: str, message: str, *, where: str, fix: str = "", lines: Sequence[str] = ()
    ) -> None:
        self.state = state
        self.lines = tuple(lines)
        """The lines of its log that say what went wrong."""
        shown = "\n".join([where, *(f"  {line}" for line in self.lines)])
        super().__init__(f"{what} ended {state}: {message or 'AWS gives no reason'}", where=shown, fix=fix)


class QueryFailed(LabError):
    """Redshift refused or aborted a statement."""

    def __init__(self, sql: str, message: str, *, where: str = "", fix: str = "") -> None:
        self.sql = sql
        self.message = message
        first_line = " ".join(sql.split())
        shown = first_line if len(first_line) <= 120 else first_line[:117] + "..."
        super().__init__(f"Redshift refused the statement: {message}", where=where or f"Statement: {shown}", fix=fix)


class WaitError(LabError):
    """A wait ended without success."""


class WaitTimeout(WaitError):
    """The wait took longer than `wait_minutes`."""

    def __init__(self, what: str, minutes: float, last: str, go_on: str) -> None:
        super().__init__(
            f"The wait for {what} timed out after {minutes:g} minutes.",
            where=f"Last seen: {last}." if last else "",
            fix=f"It may still finish. {go_on} To wait longer, set LABKIT_WAIT_MINUTES.",
        )


class WaitInterrupted(WaitError):
    """The wait was interrupted. The lab can be used as before."""

    def __init__(self, what: str, go_on: str) -> None:
        super().__init__(f"Stopped waiting for {what}. What was started goes on by itself.", fix=go_on)


class NotebookFailed(LabError):
    """A cell raised while `labkit run` executed its notebook."""

    def __init__(
        self, notebook: str, cell: int, name: str, message: str, executed: Path, *, source: str = "", line: int = 0
    ) -> None:
        self.notebook = notebook
        self.cell = cell
        lines = source.splitlines()
        listing = [f"  {'→' if number == line else ' '} {number:>2}  {text}" for number, text in enumerate(lines, 1)]
        super().__init__(
            f"Notebook {notebook} failed in cell {cell} with {name}: {message}",
            where="\n".join(["", "The cell:", *listing, "", f"The notebook as executed: {executed}"]),
            fix=f"When the cause is gone, go on from there: labkit run --from {notebook[:2]}",
        )


class TasksNotSolved(LabError):
    """The solutions of a notebook's tasks were run, and not all of the notebook's checks said ✓."""

    def __init__(self, notebook: str, tasks: Sequence[str], executed: Path) -> None:
        self.tasks = tuple(tasks)
        super().__init__(
            f"Notebook {notebook}: the check of {', '.join(tasks)} does not accept the solution.",
            where=f"The notebook as executed: {executed}",
            fix="The fault is in the task's solution or in its judge: labkit/tasks/.",
        )


class UsageError(LabError):
    """An argument that can't be used. The command line exits with status 2."""

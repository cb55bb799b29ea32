"""What can go wrong in the lab, each with what happened, where to look and what to do.

::

    LabError
    ├── ConfigError         a setting is unknown or has a value that is not allowed
    ├── NotRunning          the local target is asked for, but it is down
    ├── StartError          the local target did not start or stop
    ├── ConsentNeeded       on AWS: nobody said yes to creating things that cost money
    ├── MissingStep         something that an earlier step makes is not there
    ├── AwsRefused          AWS answered a call with an error
    ├── FunctionFailed      a Lambda function raised
    ├── RunFailed           a crawl, a job run or a workflow run did not succeed
    ├── QueryFailed         Redshift refused a statement
    ├── WaitError
    │   ├── WaitTimeout     what was waited for did not come in time
    │   └── WaitInterrupted somebody pressed stop; what was started goes on
    ├── NotebookFailed      a cell of a notebook raised while `labkit run` ran it
    └── UsageError          a command or a call got something that it can't use
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class LabError(Exception):
    """Base of the lab's errors.

    Its message is for the person in front of the lab: in a notebook it is shown without the traceback.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__("\n".join(line for line in (what, where, fix) if line))

    def _render_traceback_(self) -> list[str]:
        """IPython asks an exception for this before it draws a traceback of its own."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(LabError):
    """A setting that does not exist, or a value that it does not take."""

    def __init__(self, setting: str, reason: str, *, allowed: Iterable[str] = (), source: str = "") -> None:
        self.setting = setting
        self.allowed = tuple(allowed)
        origin = f" (from {source})" if source else ""
        choices = f"Allowed: {', '.join(self.allowed)}." if self.allowed else ""
        super().__init__(f"Setting {setting!r}{origin}: {reason}.", fix=choices)


class NotRunning(LabError):
    """The embedded AWS is not there to talk to."""

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


class ConsentNeeded(LabError):
    """Creating things in a real account was not agreed to."""

    def __init__(self, step: str, account_id: str) -> None:
        super().__init__(
            f"Nothing was created: step {step!r} makes resources in AWS account {account_id}, some of which cost "
            "money, and nobody said yes.",
            fix="Answer yes when asked, pass --yes, or set LABKIT_ASK_BEFORE_CREATE=false.",
        )


class MissingStep(LabError):
    """What an earlier step makes is not there yet."""

    def __init__(self, what: str, *, step: str, notebook: str) -> None:
        self.step = step
        self.notebook = notebook
        super().__init__(
            f"{what} is not there yet: step {step!r} makes it.",
            fix=f"Run notebook {notebook} first, or: labkit deploy {step}",
        )


class AwsRefused(LabError):
    """AWS answered with an error; the message names the operation and AWS's own words."""

    def __init__(self, operation: str, code: str, message: str, *, fix: str = "") -> None:
        self.operation = operation
        self.code = code
        super().__init__(f"AWS refused {operation}: {code}: {message}", fix=fix or HINTS.get(code, ""))

    @classmethod
    def of(cls, error: ClientError, *, fix: str = "") -> AwsRefused:
        """The lab's form of botocore's error."""
        details: dict[str, Any] = error.response.get("Error", {})
        return cls(error.operation_name, details.get("Code", "?"), details.get("Message", str(error)), fix=fix)


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
    """A Lambda function raised; its own words are in the message."""

    def __init__(self, function: str, error_type: str, message: str) -> None:
        self.error_type = error_type
        super().__init__(
            f"Function {function} failed with {error_type}: {message}",
            where=f"Its log is the CloudWatch Logs group /aws/lambda/{function} (labkit logs {function}).",
        )


class RunFailed(LabError):
    """A crawl, a job run or a workflow run ended otherwise than well."""

    def __init__(self, what: str, state: str, message: str, *, where: str, fix: str = "") -> None:
        self.state = state
        super().__init__(f"{what} ended {state}: {message or 'AWS gives no reason'}", where=where, fix=fix)


class QueryFailed(LabError):
    """Redshift refused or aborted a statement."""

    def __init__(self, sql: str, message: str, *, fix: str = "") -> None:
        self.sql = sql
        first_line = " ".join(sql.split())
        shown = first_line if len(first_line) <= 120 else first_line[:117] + "..."
        super().__init__(f"Redshift refused the statement: {message}", where=f"Statement: {shown}", fix=fix)


class WaitError(LabError):
    """Waiting ended without what was waited for."""


class WaitTimeout(WaitError):
    """It took longer than `wait_minutes`."""

    def __init__(self, what: str, minutes: float, last: str, go_on: str) -> None:
        super().__init__(
            f"Waited {minutes:g} minutes for {what}; it is not there.",
            where=f"Last seen: {last}." if last else "",
            fix=f"It may still come. {go_on} Waiting longer: LABKIT_WAIT_MINUTES.",
        )


class WaitInterrupted(WaitError):
    """The waiting was interrupted; the lab is as usable as before."""

    def __init__(self, what: str, go_on: str) -> None:
        super().__init__(f"Stopped waiting for {what}. What was started goes on by itself.", fix=go_on)


class NotebookFailed(LabError):
    """A cell raised while a notebook was executed in batch."""

    def __init__(self, notebook: str, cell: int, name: str, message: str, executed: Path) -> None:
        self.notebook = notebook
        self.cell = cell
        super().__init__(
            f"Notebook {notebook} failed in cell {cell} with {name}: {message}", where=f"As executed: {executed}"
        )


class UsageError(LabError):
    """An argument that can't be used; the command line ends with 2."""

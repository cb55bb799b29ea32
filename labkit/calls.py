"""Helpers for calls to AWS: look something up that may not exist, and wait until AWS knows a new resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.config import LabConfig
from labkit.errors import AwsRefused
from labkit.show.waiting import wait_for


def retry(what: str, call: Callable[[], Any], *refusals: str, config: LabConfig) -> None:
    """Repeat a call that uses a new resource until AWS knows the resource everywhere.

    Args:
        what: what the call creates, for the message.
        call: the call.
        refusals: texts that occur in AWS's error messages for "not known yet". Any other error is raised.
        config: for `poll_seconds` and `wait_minutes`.

    Raises:
        AwsRefused: AWS refused for another reason.
        WaitTimeout: AWS does not know the resource within `wait_minutes`.
    """

    def attempt() -> tuple[str, bool | None]:
        try:
            call()
        except AwsRefused as error:
            if any(words in str(error) for words in refusals):
                return str(error), None
            raise
        return "made", True

    wait_for(what, attempt, config=config, go_on="Run it again.", quiet=True)


def found(call: Callable[..., Any], **arguments: Any) -> Any:
    """Return the answer of an AWS call that looks something up, or None if it does not exist."""
    try:
        return call(**arguments)
    except AwsRefused as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: AwsRefused) -> bool:
    """Whether AWS says that something does not exist."""
    return error.means_missing

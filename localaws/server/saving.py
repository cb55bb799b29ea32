"""A call changes both the state and the disk, or neither.

A call that changes something needs room on the disk before it starts. Its changes are saved before it is answered. If
saving fails all the same, the service is put back to its last saved state, so nobody sees what a restart would lose.

S3 saves itself, and undoes changes object by object (s3/saving.py). Messages and log events are on disk before they are
in memory. A change that comes with work outside of the state, such as making a cluster, can't be undone: the answer
then says that the call took effect.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Iterator

from localaws.core.home import Home
from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from localaws.core.state import NOT_SAVED, State
from localaws.logs.models import streams_kept
from localaws.server.parts import Parts

log = logging.getLogger(__name__)

ROOM = 16 << 20  # bytes: some times what all services' files have together
_WORKS_OUTSIDE = frozenset({"redshift", "redshift-data"})


class NotSaved(Exception):
    """A call that could not be saved: refused before it began, or undone."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)


class SavingFailed(Exception):
    """The disk refused; the cause says how."""


class Saving:
    """Saves what calls change."""

    def __init__(self, home: Home, state: State, parts: Parts) -> None:
        self._home = home
        self._state = state
        self._parts = parts

    def require_room(self, service: str, operation: str) -> None:
        """Refuse a call that changes something while the disk is full or read-only.

        Raises:
            NotSaved: the disk is full or read-only; nothing was done.
        """
        if service in NOT_SAVED or vouching.table(service).effect(operation) is not Effect.CHANGES:
            return
        disk = os.statvfs(self._home.state)
        free = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
        if free >= ROOM and not disk.f_flag & os.ST_RDONLY:
            return
        reason = "is read-only" if disk.f_flag & os.ST_RDONLY else "is full"
        raise NotSaved(
            503,
            "ServiceUnavailable",
            f"The disk of {self._home.root} {reason}, so {service}: {operation} could not be saved. Nothing was "
            "changed. When there is room: labkit up",
        )

    @contextlib.contextmanager
    def of_call(self, service: str, operation: str) -> Iterator[None]:
        """Save the changes of the call that runs inside the context; undo them if that fails.

        Raises:
            NotSaved: the call could not be saved.
        """
        # Some services change other services' state, and some have a name in signatures that isn't their backend's.
        everything = service in ("tagging", "cloudformation") or not self._state.knows(service)
        before = self._state.restored(None if everything else service)
        try:
            try:
                yield
            except (OSError, sqlite3.Error) as error:
                if not _refused_by_the_disk(error):
                    raise
                raise SavingFailed from error
            try:
                self._state.save_all(since=before) if everything else self._state.save(service, since=before)
            except Exception as error:
                raise SavingFailed from error
        except SavingFailed as failed:
            cause = failed.__cause__
            log.error("%s: %s could not be saved", service, operation, exc_info=cause)
            # Undo each service, even if another one can't be undone.
            outcomes = [self._undo(each) for each in (self._state.services() if everything else [service])]
            outcome = (
                "It was undone." if all(outcomes) else "It has taken effect, and will be saved with the next change."
            )
            message = f"{service}: {operation} could not be saved ({_reason(cause)}). {outcome}"
            raise NotSaved(500, "InternalFailure", message) from cause

    def _undo(self, service: str) -> bool:
        """Put `service` back to its last saved state. Return False if that can't be done."""
        if service in NOT_SAVED:
            return True
        if service in _WORKS_OUTSIDE or (service == "glue" and (self._parts.jobs.busy or self._parts.crawler.busy)):
            return self._state.is_saved(service)
        if service == "logs":
            with streams_kept():
                self._state.restore(service)
        else:
            self._state.restore(service)
        if service == "lambda":
            self._parts.functions.refresh_mappings()
        return True


def _refused_by_the_disk(error: OSError | sqlite3.Error) -> bool:
    refusals = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
    return isinstance(error, sqlite3.Error) or error.errno in refusals


def _reason(error: BaseException | None) -> str:
    if isinstance(error, BaseExceptionGroup):
        return _reason(error.exceptions[0])
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else f"{error}"

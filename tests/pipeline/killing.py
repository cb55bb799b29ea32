"""`kill -9` of a lab's processes, which are found from outside, by their names and parents."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import psutil

from tests.processes import family

if TYPE_CHECKING:
    from tests.pipeline.conftest import ShellLab


class Victim(StrEnum):
    """What can be killed."""

    FUNCTION = "the Lambda worker"
    JVM = "Spark's JVM"
    PYTHON = "Spark's Python"
    RUN = "the job run's own process"
    POSTGRES = "PostgreSQL"
    SESSION = "one of PostgreSQL's sessions"
    POSTGRES_HELPER = "one of PostgreSQL's own helpers"
    FRONT = "Redshift's front"
    SERVER = "the server"
    REAPER = "the reaper"
    ALL = "the whole local AWS"
    ALL_BUT_POSTGRES = "all but PostgreSQL"
    ALL_BUT_JVM = "all but Spark's JVM"
    ALL_BUT_FRONT = "all but Redshift's front"
    ALL_BUT_REAPER = "all but the reaper"
    SERVER_AND_REAPER = "the server and its reaper"

    @property
    def restarted_by_hand(self) -> bool:
        """Whether `labkit up` must start it again; the server starts its children itself."""
        return self in (Victim.SERVER, Victim.ALL, Victim.SERVER_AND_REAPER) or self in SPARED


SPARED = {
    Victim.ALL_BUT_POSTGRES: (Victim.POSTGRES, Victim.SESSION, Victim.POSTGRES_HELPER),
    Victim.ALL_BUT_JVM: (Victim.JVM,),
    Victim.ALL_BUT_FRONT: (Victim.FRONT,),
    Victim.ALL_BUT_REAPER: (Victim.REAPER,),
}
"""Of those who kill almost all: what they spare."""


def server(lab: ShellLab) -> psutil.Process:
    """The server of the lab, which all its other processes are children of."""
    for process in psutil.process_iter(["cmdline"]):
        if {"localaws.server", str(lab.home)} <= set(process.info["cmdline"] or ()):
            return process
    raise AssertionError(f"no server of {lab.home} runs")


def find(parent: psutil.Process, victim: Victim) -> list[psutil.Process]:
    """The processes that `victim` names, of the server `parent`; none where there are none now."""
    if victim is Victim.SERVER:
        return [parent]
    everyone = family(parent)
    if victim is Victim.ALL:
        return everyone
    if victim is Victim.SERVER_AND_REAPER:
        return [*(process for process in everyone if _what(process) is Victim.REAPER), parent]
    if victim in SPARED:
        # The reaper first: seeing the server die, it ends in no time what is to be spared.
        others = [process for process in everyone if _what(process) not in SPARED[victim]]
        return sorted(others, key=lambda process: _what(process) is not Victim.REAPER)
    return [process for process in everyone if _what(process) is victim]


def _what(process: psutil.Process) -> Victim | None:
    """What a process is, by its command line."""
    try:
        line = process.cmdline()
        if not line:
            return None
        if line[0].startswith("postgres:"):
            # A session shows its user and database; the others of PostgreSQL's processes have names without.
            return Victim.SESSION if " toll_db " in f"{line[0]} " else Victim.POSTGRES_HELPER
        if line[0].endswith("/postgres"):
            return Victim.POSTGRES
        if line[0].endswith("/java"):
            return Victim.JVM
        text = " ".join(line)
        if "redshift.front" in text:
            return Victim.FRONT
        if "localaws/core/reaper.py" in text:
            return Victim.REAPER
        if "invocations/bootstrap.py" in text:
            return Victim.FUNCTION
        if "jobs/worker.py" in text:
            parent = process.parent()
            forked = parent is not None and "jobs/worker.py" in " ".join(parent.cmdline())
            return Victim.RUN if forked else Victim.PYTHON
    except psutil.Error:
        pass
    return None

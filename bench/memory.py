"""How much memory a tree of processes takes."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

MB = 1e6
# A process's role, from the first of these words that its command line contains. Other processes are listed by their
# program's name.
ROLES = {
    "PythonGatewayServer": "Spark's JVM",
    "localaws.server": "server",
    "redshift.front": "Redshift's front",
    "runtimes/job": "Glue job's Python",
    "runtimes/function": "Lambda workers",
    "postgres": "PostgreSQL",
    "reaper.py": "reaper",
}
INTERVAL = 0.5  # seconds; a sample takes some 20 ms


def tree_memory(root: psutil.Process) -> dict[str, float]:
    """The memory in MB of `root` and all its descendants, by role.

    Where the system provides it (Linux), this is the proportional set size: a page that several processes share counts
    once, divided among them. Elsewhere it is the resident set size, which counts such a page in each process.
    """
    found: dict[str, float] = {}
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return found
    for process in processes:
        try:
            about = process.memory_full_info()
            name = role(process)
        except psutil.Error:  # the process has ended, or belongs to another user
            continue
        found[name] = found.get(name, 0) + getattr(about, "pss", about.rss) / MB
    return found


def role(process: psutil.Process) -> str:
    """The role of a process in the stack."""
    line = " ".join(process.cmdline())
    return next((role for word, role in ROLES.items() if word in line), process.name())


class Peak:
    """Samples a tree of processes in a thread. Afterwards `mb` is the peak, and `by` is the peak's memory by role."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)
        self.by: dict[str, float] = {}

    @property
    def mb(self) -> float:
        """The largest sum of all samples, in MB."""
        return sum(self.by.values())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            now = tree_memory(self._root)
            if sum(now.values()) > self.mb:
                self.by = now
            if self._end.wait(INTERVAL):
                return

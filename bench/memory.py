"""How much memory a tree of processes takes."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

MB = 1e6
# What a process is, by a word of its command line; the first that fits. Others go by their program's name.
ROLES = {
    "PythonGatewayServer": "Spark's JVM",
    "localaws.server": "server",
    "redshift.front": "Redshift's front",
    "runtimes/job": "Glue job's Python",
    "runtimes/function": "Lambda workers",
    "postgres": "PostgreSQL",
    "reaper.py": "reaper",
}
INTERVAL = 0.5  # seconds; a look takes some 20 ms


def tree_memory(root: psutil.Process) -> dict[str, float]:
    """MB of `root` and all its descendants, by what they are.

    The proportional set size where the system knows it (Linux): a page that several processes share counts once, spread
    over them. Elsewhere the resident set, which counts it in each.
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
        except psutil.Error:  # it has ended, or is somebody else's
            continue
        found[name] = found.get(name, 0) + getattr(about, "pss", about.rss) / MB
    return found


def role(process: psutil.Process) -> str:
    """What a process of the stack is."""
    line = " ".join(process.cmdline())
    return next((role for word, role in ROLES.items() if word in line), process.name())


class Peak:
    """Samples a tree of processes in a thread; afterwards `mb` is the most it took, and `by` what took it then."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)
        self.by: dict[str, float] = {}

    @property
    def mb(self) -> float:
        """The largest sum seen, in MB."""
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

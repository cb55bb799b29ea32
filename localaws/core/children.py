"""Child processes of the server: spawned, watched, and ended with it.

Each child leads a process group of its own. The reaper (reaper.py) knows every group and ends it if the server
dies without the chance to do so itself.

No program begins before the reaper knows it. A child starts as /bin/sh, which waits at a gate: it reads a line from
its standard input. When the server writes that line, the shell becomes the program, under the same process id. If the
server dies before that, the shell reads the end of the pipe and ends. This needs only POSIX, so Linux and macOS get
the same.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from localaws.core import family
from localaws.core.processes import ProcessList

log = logging.getLogger(__name__)

OnExit = Callable[["Child", int], None]
Stream = int | IO[Any] | None

# `read` takes no byte beyond its line, so the program gets its whole input. PWD is added by the shell itself.
# A gate in Python would take ten times as long, and another user may not be allowed to read our Python.
_GATE = 'unset PWD; read -r LOCALAWS_GATE && exec "$@"'
_GATES = {subprocess.PIPE: _GATE, subprocess.DEVNULL: f"{_GATE} </dev/null"}


class Child:
    """One child process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], *, launched: bool = False) -> None:
        self.name = name
        self.process = process
        self.stopping = False
        self._launched = launched
        self._program: int | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def program(self) -> int:
        """The process id of the program: the child's own, or that of the process which its launcher has started."""
        if self._program is None and self._launched:
            with contextlib.suppress(psutil.Error):  # it has ended
                started = psutil.Process(self.pid).children()
                self._program = min(started, key=psutil.Process.create_time).pid if started else None
        return self._program or self.pid

    @property
    def alive(self) -> bool:
        """Whether the program runs. Its launcher, which knows its status, may still be ending what it has left."""
        return self.process.poll() is None and (self._program is None or family.runs(self._program))

    def signal_group(self, number: int) -> None:
        """Send the signal `number` to the child's process group, if it still exists."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def end_descendants(self, keep: Collection[int] = ()) -> None:
        """Kill all processes that the child has started, in its group or not, except those in `keep`."""
        family.end_descendants(self.pid, keep)

    def stop(self, grace: float = 2.0, *, first: int = signal.SIGTERM) -> None:
        """End the group: send it `first`, and SIGKILL after `grace` seconds. `on_exit` is not called."""
        self.stopping = True
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(first)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        if self._launched and self.process.poll() is None:
            self.end_descendants()
        # The leader may have ended while other processes of its group live.
        self.signal_group(signal.SIGKILL)
        self.process.wait()


class Children:
    """All children of one server."""

    def __init__(self, lock_file: Path | None = None, processes: ProcessList | None = None) -> None:
        """Lock `lock_file` for as long as children live. This waits until the children of an earlier server are gone.

        `processes` gets each child, so that the next server finds them if this one and the reaper are both killed.
        """
        self._processes = processes
        self._leash: int | None = None
        if lock_file is not None:
            # The reaper shares this lock, so it is free only when the server and its reaper have both ended.
            self._leash = os.open(lock_file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._leash, fcntl.LOCK_EX)
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._reaper: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
        stderr: Stream = subprocess.DEVNULL,
        user: str | int | None = None,
        group: str | int | None = None,
        pass_fds: Sequence[int] = (),
        launched: bool = False,
        on_exit: OnExit | None = None,
    ) -> Child:
        """Start `argv` in a process group of its own.

        `stdin` is DEVNULL or PIPE. The program does not get the variables of `env` that the shell uses itself (PWD,
        IFS, PPID), and those whose names are not identifiers. `on_exit(child, returncode)` is called from a watcher
        thread when the child ends without `stop()`. A program that `user` may not run ends with status 126; `stderr`
        says why. `launched` says that `argv` is a launcher (confinement.py): the processes that it adopts end with it.

        Raises:
            OSError: the program can't be started.
            RuntimeError: the server is stopping.
            ValueError: `stdin` is neither DEVNULL nor PIPE.
        """
        if stdin not in _GATES:
            raise ValueError(f"{name}: stdin must be DEVNULL or PIPE")
        words = [str(word) for word in argv]
        _require_program(words[0], cwd, os.environ if env is None else env)
        with self._lock:
            if self._stopped:
                raise RuntimeError(f"not starting {name}: the server is stopping")
            process = subprocess.Popen(
                ["/bin/sh", "-c", _GATES[stdin], "sh", *words],
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                pass_fds=pass_fds,
                start_new_session=True,
            )
            child = Child(name, process, launched=launched)
            self._children[process.pid] = child
            self._note(process.pid, name)
            try:
                self._tell_reaper(f"+{process.pid}")
            except BaseException:  # no reaper: the gate stays closed
                del self._children[process.pid]
                _end_at_gate(process)
                raise
            _open_gate(process, keep=stdin == subprocess.PIPE)
        threading.Thread(target=self._watch, args=(child, on_exit), name=f"watch-{name}", daemon=True).start()
        return child

    def running(self) -> list[Child]:
        """Return the children that are alive now."""
        with self._lock:
            return [child for child in self._children.values() if child.alive]

    def stop_all(self, grace: float = 3.0) -> None:
        """End every child, by SIGTERM and, after `grace` seconds, by SIGKILL. The reaper is ended last."""
        with self._lock:
            self._stopped = True
            children = list(self._children.values())
        stoppers = [threading.Thread(target=child.stop, args=(grace,)) for child in children]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._reaper.stdin.close()
            self._reaper.wait(5)

    def _watch(self, child: Child, on_exit: OnExit | None) -> None:
        returncode = child.process.wait()
        if not child.stopping:
            # End what the child has started, too.
            child.signal_group(signal.SIGKILL)
        with self._lock:
            self._children.pop(child.pid, None)
            if self._processes is not None:
                self._processes.remove(child.pid)
            if not self._stopped:
                self._tell_reaper(f"-{child.pid}")
        if on_exit is not None and not child.stopping and not self._stopped:
            log.warning("%s (pid %d) ended with status %d", child.name, child.pid, returncode)
            try:
                on_exit(child, returncode)
            except Exception:
                log.exception("Handling the end of %s failed", child.name)

    def _note(self, pid: int, name: str) -> None:
        if self._processes is not None:
            self._processes.add(pid, name)

    def _tell_reaper(self, line: str) -> None:
        if self._reaper is None or self._reaper.poll() is not None:
            self._start_reaper()
        assert self._reaper is not None
        assert self._reaper.stdin is not None
        try:
            self._reaper.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            self._start_reaper()

    def _start_reaper(self) -> None:
        """Start the reaper, or restart it, and send it the process ids of all children."""
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(__file__).with_name("reaper.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            pass_fds=[] if self._leash is None else [self._leash],
        )
        self._note(self._reaper.pid, "reaper")
        assert self._reaper.stdin is not None
        known = "".join(f"+{pid}\n" for pid in self._children)
        self._reaper.stdin.write(known.encode())


def _require_program(word: str, cwd: Path | str | None, env: Mapping[str, str]) -> None:
    """Raise what Popen would raise for this program. Here Popen starts a shell, which finds the error too late."""
    path = os.path.join(cwd or "", word) if os.sep in word else word
    if shutil.which(path, path=os.pathsep.join(os.get_exec_path(env))) is None:
        number = errno.EACCES if os.path.exists(path) else errno.ENOENT
        raise OSError(number, os.strerror(number), word)


def _open_gate(process: subprocess.Popen[bytes], *, keep: bool) -> None:
    """Let the program begin. `keep` leaves its standard input open for the caller."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it was killed: its watcher says so
        os.write(process.stdin.fileno(), b"\n")
    if not keep:
        process.stdin.close()
        process.stdin = None


def _end_at_gate(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()

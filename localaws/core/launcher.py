"""Runs somebody else's program as another user, with its own view of the files, and ends the processes that it leaves.

Started by the server as ``python -S -E launcher.py DESCRIPTOR``. DESCRIPTOR is an open file that describes what to run
(see confinement.py), so that nothing of the program, such as its environment, affects how this process starts. This
process stays the program's parent. On Linux it also becomes the parent of every process that the program detaches. When
the program ends, it kills all of these, and ends with the program's status.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sys

TYPE_CHECKING = False  # as in family.py
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

    from localaws.core import family, mounts
else:
    import family
    import mounts

LINUX = sys.platform == "linux"


def main() -> NoReturn:
    """Run the program, and end with its status."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        wanted = marshal.load(file)
    if LINUX:
        mounts.adopt_orphans()
    # A signal that comes before the program exists is forwarded once it does.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    program = os.fork()
    if program == 0:
        _become(wanted)

    def forward(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, number)

    signal.signal(signal.SIGTERM, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _let_go(wanted["descriptors"])
    status = _await(program)
    family.end_descendants(os.getpid())
    _end_as(status)


def _become(wanted: dict[str, Any]) -> NoReturn:
    """Turn this process into the program."""
    parent = os.getppid()
    try:
        os.setsid()
        os.umask(0o022)
        if wanted["mounts"] is not None:
            mounts.unshare()
            mounts.rearrange(**wanted["mounts"])
        if wanted["user"] is not None:
            user, group = wanted["user"]
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        if LINUX:
            mounts.die_with_parent(signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
        os.chdir(wanted["cwd"])
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        for descriptor in wanted["descriptors"]:
            os.set_inheritable(descriptor, True)
        os.execve(wanted["argv"][0], wanted["argv"], wanted["environment"])
    except OSError as error:
        os.write(2, f"{wanted['argv'][0]} can't be started: {error}\n".encode())
        os._exit(126)


def _let_go(descriptors: list[int]) -> None:
    """Close our copies of what the program has open. A reader that waits for its end must not wait for ours."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    for descriptor in (nowhere, *descriptors):
        os.close(descriptor)


def _await(program: int) -> int:
    """Reap every child that ends, until the program does. Return its status."""
    while True:
        pid, status = os.wait()
        if pid == program:
            return status


def _end_as(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:  # which has no handler
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)


if __name__ == "__main__":
    main()

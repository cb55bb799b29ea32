"""A process's own view of the file system, by Linux's mount namespaces. Standard library only (see launcher.py).

https://man7.org/linux/man-pages/man7/mount_namespaces.7.html, https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False  # as in family.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000  # clone flags: CLONE_NEWNS, CLONE_NEWUSER
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000  # MS_BIND, MS_REC, MS_PRIVATE
_NO_SUID, _NO_DEVICES = 0x2, 0x4  # MS_NOSUID, MS_NODEV
_SUBREAPER, _DEATH_SIGNAL = 36, 1  # PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG


def unshare() -> None:
    """Give this process its own copy of the system's mounts.

    A user who is not root gets it in a user namespace, in which the next program has no more rights than before.

    Raises:
        OSError: the system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_NEW_MOUNTS | (_NEW_USERS if user else 0)), "unshare")
    if user:
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(content)
    # Other processes don't see what is mounted from now on.
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)


def rearrange(replaced: Mapping[str, str], hidden: Iterable[str], kept: Iterable[str]) -> None:
    """Mount directories in place of others (`replaced`: place to source), and empty ones in place of `hidden`.

    Paths in `kept` stay what they are, even if they lie in one of these.

    Raises:
        OSError: one of them can't be mounted.
    """
    places = {**dict.fromkeys(hidden, ""), **replaced}
    sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in {*kept, *replaced.values()}}
    covered: list[str] = []
    # Deeper paths come later, so that they are mounted on top of the directories that contain them.
    for path in sorted({*places, *kept}, key=lambda path: path.count("/")):
        if path in places and os.path.isdir(path):
            _cover(path, sources.get(places[path]))
            covered.append(path)
        if path in kept and any(path == place or path.startswith(f"{place}/") for place in covered):
            _bring_back(path, sources[path])
    for descriptor in sources.values():
        os.close(descriptor)


def adopt_orphans() -> None:
    """Become the parent of each descendant of this process whose own parent ends.

    Raises:
        OSError: the system does not allow it.
    """
    _check(ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent(number: int) -> None:
    """Get this signal when the parent ends.

    Raises:
        OSError: the system does not allow it.
    """
    _check(ctypes.CDLL(None, use_errno=True).prctl(_DEATH_SIGNAL, number, 0, 0, 0), "prctl")


def _cover(path: str, source: int | None) -> None:
    if source is None:
        _mount("none", path, "tmpfs", _NO_SUID | _NO_DEVICES, "mode=755,size=4m")
    else:
        _mount(f"/proc/self/fd/{source}", path, None, _BIND | _RECURSIVE)


def _bring_back(path: str, source: int) -> None:
    directory = os.path.isdir(f"/proc/self/fd/{source}")
    os.makedirs(path if directory else os.path.dirname(path), mode=0o755, exist_ok=True)
    if not directory and not os.path.exists(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(f"/proc/self/fd/{source}", path, None, _BIND | _RECURSIVE)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [word.encode() if word is not None else None for word in (source, target, kind, data)]
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")

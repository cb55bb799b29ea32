"""Keep somebody else's code (functions, jobs and their JVM) away from the lab and from this machine.

There are two means, and `labkit doctor` says which of them this system has:

- Another user. A server that runs as root starts such a program as a user who can neither read the lab's files nor look
  into its processes. That user must be able to run the interpreter.
- A file system view of its own (mounts.py, Linux). The program has its own /tmp, and sees neither the lab's files nor
  the user's home directory, except for what it needs. A user who is not root gets this through a user namespace, from
  which the environment and the memory of the lab's other processes can't be read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import marshal
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.core.home import Home

log = logging.getLogger(__name__)

_LAUNCHER = Path(__file__).with_name("launcher.py")
# Directories that all programs of a machine share. On Lambda each environment has its own.
_SHARED = {"/tmp": "tmp", "/var/tmp": "var-tmp", "/dev/shm": "shm"}
_PROBE_LIMIT = 30.0  # seconds
# Imports what a program needs, and opens the files that it must be able to read.
_PROBE = "import ctypes, json, os, ssl, sys\nfor path in sys.argv[1:]:\n open(path, 'rb').close()"
# Users without a name, from the range that systemd gives to services: https://systemd.io/UIDS-GIDS/
_FIRST_USER, _USERS = 61184, 4336
_NAMED_USER = "daemon"  # every system has it, and Hadoop refuses to run as a user without a name


@dataclass(frozen=True)
class Account:
    """A user and a group."""

    user: int
    group: int

    def own(self, *paths: Path) -> None:
        """Make this account the owner of these files, which only root can do. Symbolic links are not followed."""
        for path in paths:
            os.chown(path, self.user, self.group, follow_symlinks=False)


@dataclass(frozen=True)
class Launch:
    """A launcher to start, and the descriptors that it inherits."""

    command: list[str]
    descriptors: tuple[int, ...]


@dataclass(frozen=True)
class Confinement:
    """What can be done on this machine with this lab."""

    home: Home
    other_user: bool
    own_view: bool

    def account(self, role: str) -> Account | None:
        """Return the account that a program with this role runs as; None if it runs as the server's user."""
        if not self.other_user:
            return None
        number = _FIRST_USER + zlib.crc32(f"{self.home.root} {role}".encode()) % _USERS
        return Account(number, number)

    def named_account(self) -> Account | None:
        """Return the account for a program that needs a user with a name; None if it runs as the server's user."""
        if not self.other_user:
            return None
        found = pwd.getpwnam(_NAMED_USER)
        return Account(found.pw_uid, found.pw_gid)

    def scratch(self, directory: Path, account: Account | None) -> None:
        """Make what `launch` mounts in place of /tmp, in `directory`, which nobody but us may be able to write to."""
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        for name in _SHARED.values():
            made = directory / name
            made.mkdir(mode=0o700)
            if account is not None:
                account.own(made)

    def empty(self, directory: Path) -> None:
        """Remove what a program has left in the directories that `scratch` made."""
        for place, name in _SHARED.items():
            for entry in os.scandir(directory / name):
                if self._leads_to_kept(f"{place}/{entry.name}"):
                    continue  # a lab in /tmp: programs reach it through here
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)

    def _leads_to_kept(self, path: str) -> bool:
        return any(f"{kept}/".startswith(f"{path}/") for kept in (self.home.root, *_needed()))

    def temporary(self, directory: Path) -> dict[str, str]:
        """Return the variables by which a program finds the /tmp that `scratch` made; none if it is mounted at /tmp."""
        return {} if self.own_view else {"TMPDIR": str(directory / "tmp")}

    @contextlib.contextmanager
    def launch(
        self,
        argv: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        cwd: Path,
        scratch: Path,
        account: Account | None,
        kept: Iterable[Path] = (),
        descriptors: Sequence[int] = (),
    ) -> Iterator[Launch]:
        """Yield a launcher to start in place of `argv`, while the context is open. It starts `argv` confined.

        `kept` are the files of the lab and of the user's home directory that the program needs.
        """
        wanted = {
            "argv": [str(word) for word in argv],
            "environment": dict(environment),
            "cwd": str(cwd),
            "user": None if account is None else (account.user, account.group),
            "mounts": self._mounts(scratch, [*kept, cwd]) if self.own_view else None,
            "descriptors": list(descriptors),
        }
        # A file and not a pipe: a JVM's command is long.
        with tempfile.TemporaryFile(dir=self.home.work) as file:
            marshal.dump(wanted, file)  # faster to read than JSON, by the same Python
            file.seek(0)
            # The last argument is for people who look at the machine's processes.
            command = [sys.executable, "-S", "-E", str(_LAUNCHER), str(file.fileno()), str(self.home.root)]
            yield Launch(command, (file.fileno(), *descriptors))

    def _mounts(self, scratch: Path, kept: Iterable[Path]) -> dict[str, Any]:
        wanted = {str(path) for path in (*_needed(), *(self.home.ca_file, self.home.ca_bundle), *kept, scratch)}
        present = {path for path in wanted | {os.path.realpath(path) for path in wanted} if os.path.exists(path)}
        return {
            "replaced": {place: str(scratch / name) for place, name in _SHARED.items() if os.path.isdir(place)},
            "hidden": sorted({str(self.home.root), *_home_directory(), *_closed_to_others(present)}),
            "kept": sorted(present),
        }


@dataclass(frozen=True)
class Protection:
    """How functions and jobs are kept away from the lab on this machine.

    `as_root`: without `other_user` they run as root. `own_view`: each has its own /tmp, and sees neither the lab's
    files nor the user's home directory.
    """

    as_root: bool
    other_user: bool
    own_view: bool


def protection(home: Path | str) -> Protection:
    """Return how functions and jobs are kept away from the lab in `home`.

    This is found out by trying, which takes some tenths of a second.
    """
    found = confinement(Home.at(home))
    return Protection(os.geteuid() == 0, found.other_user, found.own_view)


@functools.cache
def confinement(home: Home) -> Confinement:
    """Return what is possible with the lab in `home`. It is tried once, with a program that does nothing."""
    none = Confinement(home, other_user=False, own_view=False)
    possible = [
        dataclasses.replace(none, other_user=other_user, own_view=own_view)
        for other_user, own_view in ((True, True), (False, True), (True, False))
        if (os.geteuid() == 0 or not other_user) and (sys.platform == "linux" or not own_view)
    ]
    if os.geteuid() == 0:  # another user protects more than a view of its own, which root can leave
        possible.sort(key=lambda each: each.other_user, reverse=True)
    found = next((each for each in possible if _works(each)), none)
    log.info(
        "Functions and jobs run as another user: %s; with their own view of the file system: %s",
        found.other_user,
        found.own_view,
    )
    return found


def _works(tried: Confinement) -> bool:
    home = tried.home
    if tried.other_user and not tried.own_view:
        # What programs need lies below these. What they must not see in there is closed by its own permissions.
        for directory in (home.root, home.work, home.cache, home.tls):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o711)
        for file in home.root.iterdir():
            if file.is_file():
                file.chmod(0o600)
    with tempfile.TemporaryDirectory(prefix="probe-", dir=home.work) as name:
        directory = Path(name)
        directory.chmod(0o711)
        file = directory / "file"
        file.touch(mode=0o644)
        works = True
        for number, account in enumerate({tried.account("probe"), tried.named_account()}):
            scratch = directory / str(number)
            tried.scratch(scratch, account)
            works = works and _runs(tried, scratch, account, file)
    if not works and tried.other_user and not tried.own_view:
        for directory in (home.root, home.work, home.cache, home.tls):
            directory.chmod(0o700)
    return works


def _runs(tried: Confinement, scratch: Path, account: Account | None, file: Path) -> bool:
    command = [sys.executable, "-S", "-E", "-c", _PROBE, __file__, str(file)]
    environment = {"PATH": os.defpath}
    with tried.launch(
        command, environment=environment, cwd=scratch, scratch=scratch, account=account, kept=[file]
    ) as launch:
        try:
            done = subprocess.run(
                launch.command,
                pass_fds=launch.descriptors,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.info("Not confined as %s: %s", tried, error)
            return False
    if done.returncode:
        log.info("Not confined as %s: %s", tried, done.stderr.decode(errors="replace").strip())
    return done.returncode == 0


def _needed() -> set[Path]:
    """Return the paths that this environment's Python reads, and our own package."""
    paths = sysconfig.get_paths()
    names = {sys.prefix, sys.base_prefix, *(paths[each] for each in ("stdlib", "platstdlib", "purelib", "platlib"))}
    return {*(Path(name) for name in names), Path(sys.executable), Path(__file__).parents[1]}


def _home_directory() -> list[str]:
    """Return the user's home directory, unless it is a system directory.

    The lab's programs must not see what lies in it, such as the keys of a real account.
    """
    found = os.path.realpath(os.path.expanduser("~"))
    system = ("/usr", "/etc", "/bin", "/sbin", "/lib", "/proc", "/sys", "/dev", "/nonexistent")
    return [] if found == "/" or found.startswith(system) or not os.path.isdir(found) else [found]


def _closed_to_others(paths: Iterable[str]) -> set[str]:
    """Return the outermost directory above each of `paths` that other users may not enter."""
    closed = set()
    for path in paths:
        above = [str(parent) for parent in reversed(Path(path).parents)]
        closed |= set([each for each in above if not os.stat(each).st_mode & 0o001][:1])
    return closed

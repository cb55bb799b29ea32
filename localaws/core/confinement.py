"""How far somebody else's code is kept from the lab and from this machine: functions, jobs, and their JVM.

Two means, each where the system has it; `labkit doctor` says which it has:

- Another user. A server that is root starts such a program as a user who may neither read the lab's files nor look into
  its processes. That user must be able to run the interpreter.
- A view of its own (mounts.py, Linux). The program has its own /tmp, and does not see the lab's files and the home
  directory of the user, except for what it needs. A user who is not root gets it by a user namespace, from which the
  environment and the memory of the lab's other processes can't be read.
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
# What a machine's programs share, and each environment of Lambda has for itself.
_SHARED = {"/tmp": "tmp", "/var/tmp": "var-tmp", "/dev/shm": "shm"}
_PROBE_LIMIT = 30.0  # seconds
# As who, with which imports, on which files.
_PROBE = "import ctypes, json, os, ssl, sys\nfor path in sys.argv[1:]:\n open(path, 'rb').close()"
# Users without a name, as systemd gives them to services: https://systemd.io/UIDS-GIDS/
_FIRST_USER, _USERS = 61184, 4336
_NAMED_USER = "daemon"  # every system has it, and Hadoop refuses to run as a user without a name


@dataclass(frozen=True)
class Account:
    """A user and a group."""

    user: int
    group: int

    def own(self, *paths: Path) -> None:
        """Give them these files, where we are root; symbolic links are not followed."""
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
        """Who a program with this role runs as; None where it runs as we do."""
        if not self.other_user:
            return None
        number = _FIRST_USER + zlib.crc32(f"{self.home.root} {role}".encode()) % _USERS
        return Account(number, number)

    def named_account(self) -> Account | None:
        """Who a program runs as that takes no user without a name; None where it runs as we do."""
        if not self.other_user:
            return None
        found = pwd.getpwnam(_NAMED_USER)
        return Account(found.pw_uid, found.pw_gid)

    def scratch(self, directory: Path, account: Account | None) -> None:
        """Make what `launch` puts in the place of /tmp in `directory`, which must be ours alone to write to."""
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
        """The variables by which a program finds the /tmp that `scratch` made: none where it is at its usual place."""
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
        """The process to start meanwhile, instead of `argv`: it starts that, so confined.

        `kept` is what the program needs of the lab's files, and of what lies in the user's home directory.
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
            # The last word is for people who look at the machine's processes.
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
    """What keeps functions and jobs from the lab on this machine.

    `as_root`: they would run as root, were there no `other_user`. `own_view`: each has its own /tmp, and sees neither
    the lab's files nor the user's home directory.
    """

    as_root: bool
    other_user: bool
    own_view: bool


def protection(home: Path | str) -> Protection:
    """How functions and jobs of the lab in `home` are kept from it; tried, so it takes some tenths of a second."""
    found = confinement(Home.at(home))
    return Protection(os.geteuid() == 0, found.other_user, found.own_view)


@functools.cache
def confinement(home: Home) -> Confinement:
    """What is possible with the lab in `home`: tried once, with a program that does nothing."""
    none = Confinement(home, other_user=False, own_view=False)
    possible = [
        dataclasses.replace(none, other_user=other_user, own_view=own_view)
        for other_user, own_view in ((True, True), (False, True), (True, False))
        if (os.geteuid() == 0 or not other_user) and (sys.platform == "linux" or not own_view)
    ]
    if os.geteuid() == 0:  # another user protects more than a view of root's, which root can leave
        possible.sort(key=lambda each: each.other_user, reverse=True)
    found = next((each for each in possible if _works(each)), none)
    log.info("Functions and jobs: another user %s, a view of their own %s", found.other_user, found.own_view)
    return found


def _works(tried: Confinement) -> bool:
    home = tried.home
    if tried.other_user and not tried.own_view:
        # What programs need lies below these; what they must not see in them is closed by itself.
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
    """What a Python of this environment reads, and our own programs."""
    paths = sysconfig.get_paths()
    names = {sys.prefix, sys.base_prefix, *(paths[each] for each in ("stdlib", "platstdlib", "purelib", "platlib"))}
    return {*(Path(name) for name in names), Path(sys.executable), Path(__file__).parents[1]}


def _home_directory() -> list[str]:
    """The user's home directory: what lies in it, such as keys of a real account, is not for the lab's programs."""
    found = os.path.realpath(os.path.expanduser("~"))
    system = ("/usr", "/etc", "/bin", "/sbin", "/lib", "/proc", "/sys", "/dev", "/nonexistent")
    return [] if found == "/" or found.startswith(system) or not os.path.isdir(found) else [found]


def _closed_to_others(paths: Iterable[str]) -> set[str]:
    """The outermost directories above `paths` that only their owner may enter."""
    closed = set()
    for path in paths:
        above = [str(parent) for parent in reversed(Path(path).parents)]
        closed |= set([each for each in above if not os.stat(each).st_mode & 0o001][:1])
    return closed

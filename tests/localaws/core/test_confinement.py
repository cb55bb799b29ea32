"""Programs behind a launcher: they behave as usual, but have less access and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from localaws.core import family
from localaws.core.children import Child, Children
from localaws.core.confinement import Confinement, confinement
from localaws.core.home import Home
from tests.processes import FIRST_THREAD_ENDS, outliving, wait_for_zombie

TELLS = (
    "import json, os, sys; print(json.dumps([os.getcwd(), os.getpid(), dict(os.environ), sys.argv[1:]]), flush=True)"
)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")


@dataclass
class Launcher:
    """Programs started behind launchers, as an engine does."""

    limits: Confinement
    children: Children
    directory: Path
    started: list[Child] = field(default_factory=list)

    def start(self, *words: str, **environment: str) -> Child:
        """A Python that runs `words`."""
        scratch = self.directory / f"scratch-{len(self.started)}"
        account = self.limits.account("role")
        self.limits.scratch(scratch, account)
        with self.limits.launch(
            [sys.executable, "-S", "-E", "-c", *words],
            environment={**self.limits.temporary(scratch), **environment},
            cwd=self.directory,
            scratch=scratch,
            account=account,
            kept=[self.directory],
        ) as launch:
            child = self.children.spawn(
                "tried", launch.command, stdout=subprocess.PIPE, pass_fds=launch.descriptors, launched=True
            )
        self.started.append(child)
        return child


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    home = Home.at(tmp_path / "lab")
    directory = home.work / "tried"
    directory.mkdir(mode=0o711)
    made = Launcher(confinement(home), Children(), directory)
    yield made
    made.children.stop_all()
    for child in made.started:
        assert child.process.stdout is not None
        child.process.stdout.close()


def told(child: Child) -> Any:
    assert child.process.stdout is not None
    return json.loads(child.process.stdout.readline())


def test_a_program_gets_its_arguments_its_environment_and_its_directory(launcher: Launcher) -> None:
    child = launcher.start(TELLS, "a b", "", WORD="x y", LD_PRELOAD="")
    directory, pid, environment, arguments = told(child)
    assert directory == str(launcher.directory)
    assert arguments == ["a b", ""]
    assert {name: environment[name] for name in ("WORD", "LD_PRELOAD")} == {"WORD": "x y", "LD_PRELOAD": ""}
    assert not any(name.startswith("LOCALAWS") for name in environment)
    assert pid != child.pid


@pytest.mark.parametrize(
    ("program", "status"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9), ("import os; os.abort()", -6)],
)
def test_a_launcher_ends_with_its_program_s_exit_status(launcher: Launcher, program: str, status: int) -> None:
    assert launcher.start(program).process.wait(20) == status


def test_a_program_gets_SIGTERM_before_it_is_killed(launcher: Launcher) -> None:
    polite = (
        "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(5))\nprint(1, flush=True)\ntime.sleep(600)"
    )
    child = launcher.start(polite)
    assert told(child) == 1
    child.stop(grace=20)
    assert child.process.returncode == 5


def test_a_program_ends_if_its_launcher_is_killed(launcher: Launcher) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has ended")
    child = launcher.start(f"{TELLS}; import time; time.sleep(600)")
    pid = told(child)[1]
    os.kill(child.pid, signal.SIGKILL)
    assert outliving([pid]) == []


def test_the_launcher_reports_the_program_s_process_id_and_whether_it_is_alive(launcher: Launcher) -> None:
    child = launcher.start(f"{TELLS}; import time; time.sleep(600)")
    pid = told(child)[1]
    assert child.program == pid
    assert child.alive
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while family.runs(pid):
        assert time.monotonic() < deadline
    assert not child.alive


@LINUX
def test_a_process_that_a_program_detaches_ends_with_the_program_and_not_before(launcher: Launcher) -> None:
    sleeps = "[sys.executable, '-S', '-c', 'import time; time.sleep(600)']"
    detach = f"import subprocess, sys; print(subprocess.Popen({sleeps}, start_new_session=True).pid, flush=True)"
    child = launcher.start(f"{detach}; import time; time.sleep(600)")
    detached = told(child)
    launcher.start("pass").process.wait(20)
    assert family.runs(detached)
    child.stop(grace=0)
    assert outliving([detached]) == []


@pytest.mark.skipif(FIRST_THREAD_ENDS is None, reason="a call of Linux")
def test_a_detached_process_is_ended_even_if_its_first_thread_has_ended(launcher: Launcher) -> None:
    """The kernel then reports the process as a zombie, although its other threads still run."""
    detach = (
        "import subprocess, sys, time; kept = subprocess.Popen([sys.executable, '-S', '-c', sys.argv[1]],"
        " stdin=subprocess.PIPE, start_new_session=True); print(kept.pid, flush=True); time.sleep(600)"
    )
    assert FIRST_THREAD_ENDS is not None
    child = launcher.start(detach, FIRST_THREAD_ENDS)
    detached = psutil.Process(told(child))
    wait_for_zombie(detached)
    assert family.runs(detached.pid)
    family.end_descendants(child.pid, keep=[child.program])
    assert outliving([detached]) == []


@LINUX
def test_descendants_are_found_over_several_generations(launcher: Launcher) -> None:
    nested = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-S', '-c', sys.argv[1]]))"
    child = launcher.start(nested, f"{TELLS}; import time; time.sleep(600)")
    pid = told(child)[1]
    assert pid in family.descendants(child.pid)
    # Not one of them alone: the launcher ends what its program leaves.
    family.end_descendants(child.pid, keep=list(family.descendants(child.pid)))
    assert family.runs(pid)
    family.end_descendants(child.pid)
    assert outliving([pid]) == []


def test_a_program_can_neither_read_the_lab_s_files_nor_write_to_the_machine_s_tmp(launcher: Launcher) -> None:
    if not launcher.limits.own_view:
        pytest.skip("this system gives us no mount namespace")
    home = launcher.limits.home
    credentials = home.credentials()
    looks = (
        "import glob, json, os, sys; open('/tmp/mine', 'w').close();"
        "print(json.dumps([os.path.exists(sys.argv[1]), os.listdir(sys.argv[2]), os.path.exists('/tmp/mine')]))"
    )
    assert (home.root / "credentials.json").exists()
    found = told(launcher.start(looks, str(home.root / "credentials.json"), str(home.work)))
    assert found == [False, ["tried"], True]
    assert not os.path.exists("/tmp/mine")
    assert home.credentials() == credentials


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_read_the_memory_of_the_lab_s_processes(launcher: Launcher) -> None:
    if not launcher.limits.other_user:
        pytest.skip("no other user can run this Python here")
    reads = (
        "import json, os, sys\ntry:\n open(sys.argv[1]).read()\n"
        "except OSError as error:\n print(json.dumps([os.getuid(), error.errno]))"
    )
    user, error = told(launcher.start(reads, f"/proc/{os.getpid()}/environ"))
    assert user != 0
    assert error == 13

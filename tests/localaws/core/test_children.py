"""Child processes end when they should, and only then."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localaws.core.children import Child, Children
from tests.processes import outliving

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.stop_all()


def test_the_end_of_a_child_is_reported_with_its_status(children: Children) -> None:
    ended: queue.Queue[int] = queue.Queue()
    children.spawn("short", [sys.executable, "-c", "raise SystemExit(7)"], on_exit=lambda _, status: ended.put(status))
    assert ended.get(timeout=10) == 7


def test_stopping_a_child_is_not_reported(children: Children) -> None:
    ended: list[Child] = []
    child = children.spawn("long", FOREVER, on_exit=lambda child, _: ended.append(child))
    child.stop()
    assert not child.alive
    assert ended == []


def test_a_stop_ends_grandchildren_that_ignore_SIGTERM(children: Children) -> None:
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import signal;"
        " signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()']);"
        "print(grandchild.pid, flush=True); signal.pause()"
    )
    child = children.spawn("stubborn", [sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    assert child.process.stdout is not None
    grandchild = psutil.Process(int(child.process.stdout.readline()))
    child.process.stdout.close()
    child.stop(grace=0.2)
    grandchild.wait(timeout=10)


OWNER = """
import os, signal, sys
from localaws.core.children import Children

children = Children()
forever = [sys.executable, "-c", "import signal; signal.pause()"]
first = children.spawn("first", forever)
children._reaper.kill()
children._reaper.wait()
second = children.spawn("second", forever)
print(first.pid, second.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_reaper_is_replaced_and_the_new_one_knows_the_running_children() -> None:
    pids = _killed_owner(OWNER)
    assert len(pids) == 2
    assert _outliving(pids) == []


UNTOLD = """
import os, signal, sys
from localaws.core.children import Children

def die(children, line):
    print(line[1:], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

children = Children()
began = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).touch(); signal.pause()"
for words in ENDED:
    children.spawn("ended", words).process.wait()
Children._tell_reaper = die
children.spawn("untold", [sys.executable, "-c", began, BEGAN], stdin=STDIN)
"""


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, subprocess.PIPE], ids=["no input", "input"])
@pytest.mark.parametrize("ended", [[], [["true"]]], ids=["no reaper yet", "a reaper"])
def test_a_child_that_the_reaper_does_not_know_yet_never_starts_if_the_server_is_killed(
    tmp_path: Path, stdin: int, ended: list[list[str]]
) -> None:
    began = tmp_path / "began"
    known = f"STDIN, ENDED, BEGAN = {stdin!r}, {ended!r}, {str(began)!r}\n"
    pids = _killed_owner(known + UNTOLD)
    assert len(pids) == 1
    assert _outliving(pids) == []
    assert not began.exists()


def _killed_owner(script: str) -> list[int]:
    """Run `script`, which kills itself: the process ids that it printed."""
    owner = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False, timeout=30)
    assert owner.returncode == -signal.SIGKILL
    return [int(pid) for pid in owner.stdout.split()]


def _outliving(pids: list[int]) -> list[int]:
    """Those that did not end soon; they are killed."""
    alive = outliving(pids)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return alive


def test_a_child_never_starts_if_its_reaper_cannot_be_started(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(line: str) -> None:
        raise OSError("no reaper")

    with monkeypatch.context() as patched:
        patched.setattr(children, "_tell_reaper", fail)
        with pytest.raises(OSError, match="no reaper"):
            children.spawn("early", ["touch", tmp_path / "began"])
    assert children.running() == []
    assert not (tmp_path / "began").exists()


def test_a_child_gets_its_complete_input(children: Children) -> None:
    child = children.spawn("reader", ["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.process.communicate(b" one\\\ntwo", timeout=10) == (b" one\\\ntwo", None)


def test_a_child_without_input_reads_the_end_of_the_input_immediately(children: Children) -> None:
    child = children.spawn("reader", ["cat"], stdout=subprocess.PIPE)
    assert child.process.communicate(timeout=10) == (b"", None)


def test_a_child_has_only_the_environment_and_the_open_files_that_it_was_given(children: Children) -> None:
    given = {"LC_ALL": "C.UTF-8", "KEPT": "a 'quoted' $word\nand a line"}
    shown = (
        "import json, os;"
        "print(json.dumps([dict(os.environ), [fd for fd in range(256) if os.path.exists(f'/dev/fd/{fd}')]]))"
    )
    ready, passed = os.pipe()
    try:
        argv = [sys.executable, "-c", shown]
        child = children.spawn("shows", argv, env=given, stdout=subprocess.PIPE, pass_fds=[passed])
        output, _ = child.process.communicate(timeout=10)
    finally:
        os.close(ready)
        os.close(passed)
    environment, files = json.loads(output)
    # Where /bin/sh is bash it adds SHLVL and _; macOS adds one that begins so.
    assert {name: value for name, value in environment.items() if name != "SHLVL" and name[0] != "_"} == given
    assert files == [0, 1, 2, passed]


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./none"])
def test_starting_a_missing_program_raises_an_error(children: Children, tmp_path: Path, program: str) -> None:
    with pytest.raises(FileNotFoundError, match="No such file"):
        children.spawn("absent", [program], cwd=tmp_path)
    assert children.running() == []


def test_starting_a_file_that_is_not_executable_raises_an_error(children: Children, tmp_path: Path) -> None:
    (tmp_path / "text").touch(mode=0o644)
    with pytest.raises(PermissionError, match="Permission denied"):
        children.spawn("text", ["./text"], cwd=tmp_path)


def test_an_input_other_than_DEVNULL_or_PIPE_is_refused(children: Children, tmp_path: Path) -> None:
    (tmp_path / "input").touch()
    with (tmp_path / "input").open() as file, pytest.raises(ValueError, match="DEVNULL or PIPE"):
        children.spawn("reader", ["cat"], stdin=file.fileno())


def test_no_child_can_be_started_after_stop_all(children: Children) -> None:
    children.stop_all()
    with pytest.raises(RuntimeError, match="not starting late"):
        children.spawn("late", FOREVER)

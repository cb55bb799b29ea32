"""Child processes end when they should, and only then."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from localaws.children import Child, Children

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


def test_a_stop_ends_grandchildren_that_ignore_the_polite_signal(children: Children) -> None:
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
from localaws.children import Children

children = Children()
forever = [sys.executable, "-c", "import signal; signal.pause()"]
first = children.spawn("first", forever)
children._reaper.kill()
children._reaper.wait()
second = children.spawn("second", forever)
print(first.pid, second.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_reaper_is_replaced_and_the_new_one_knows_the_living() -> None:
    owner = subprocess.run([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, check=False, timeout=30)
    assert owner.returncode == -signal.SIGKILL
    orphans = [psutil.Process(int(pid)) for pid in owner.stdout.split() if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(orphans, timeout=10)
    assert [orphan for orphan in alive if orphan.status() != psutil.STATUS_ZOMBIE] == []


def test_nothing_is_started_while_stopping(children: Children) -> None:
    children.stop_all()
    with pytest.raises(RuntimeError, match="not starting late"):
        children.spawn("late", FOREVER)

"""Ending the processes that a process has started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from localaws.core import family


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_a_child_whose_parent_has_just_ended_is_ended_too(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = 1 << 30
    looks = iter([[(child.pid, gone, True)], [(child.pid, os.getpid(), True)]])
    monkeypatch.setattr(family, "_processes", lambda: next(looks, []))
    family.end_descendants(os.getpid())
    assert child.wait(10) == -9

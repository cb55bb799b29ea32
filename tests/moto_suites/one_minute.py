"""A pytest plugin that ends each test after a minute, so that a test that hangs does not stop the suite."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

SECONDS = 60


def _over(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"not done after {SECONDS} seconds")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Raise TimeoutError in a test that runs for a minute."""
    before = signal.signal(signal.SIGALRM, _over)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

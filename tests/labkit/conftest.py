"""A lab on the shared embedded AWS, deployed once; each test restores what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import localaws
from labkit import Lab


@pytest.fixture(scope="session")
def make_lab(stack: localaws.Status) -> Callable[..., Lab]:
    """`make_lab("alice")` is the lab of participant alice."""

    def make(prefix: str, **settings: Any) -> Lab:
        return Lab(home=stack.home, prefix=prefix, wait_minutes=1.5, progress="static", **settings)

    return make


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A complete lab."""
    made = make_lab("kit")
    made.deploy()
    yield made
    made.destroy()


@pytest.fixture
def checkout(root: Path) -> Path:
    """The repository."""
    return root

"""Fixtures: the notebooks as data, and a lab to execute them on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import localaws


@pytest.fixture(scope="session")
def notebook(root: Path) -> Callable[[str], Any]:
    """`notebook("04_crawlers")` is a fresh copy of this notebook."""
    return lambda name: nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def empty_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment, for kernels and commands, of a running lab in which nothing was deployed."""
    home = tmp_path_factory.mktemp("lab")
    localaws.start(home)
    yield {**os.environ, "LABKIT_HOME": str(home), "LABKIT_WAIT_MINUTES": "2"}
    localaws.stop(home)

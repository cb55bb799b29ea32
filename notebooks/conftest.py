"""Runs of the notebooks under pytest (`pytest --nbval notebooks/`) get a lab of their own, which ends with them.

Who sets LABKIT_HOME means that lab, and keeps it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

import localaws

OWN_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Name a fresh home to the kernels that nbval starts."""
    if "LABKIT_HOME" in os.environ or not config.getoption("nbval", default=False):
        return
    home = Path(tempfile.mkdtemp(prefix="labkit-"))
    config.stash[OWN_HOME] = home
    os.environ["LABKIT_HOME"] = str(home)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the notebooks started, and forget it."""
    home = config.stash.get(OWN_HOME, None)
    if home is None:
        return
    del os.environ["LABKIT_HOME"]
    localaws.stop(home)
    shutil.rmtree(home, ignore_errors=True)

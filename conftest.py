"""Gives runs of the notebooks under pytest (`pytest --nbval notebooks/`) their own lab, and deletes it at the end.

If LABKIT_HOME is set, its lab is used and kept.
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
    """Give a fresh home to the kernels that nbval starts."""
    if "LABKIT_HOME" in os.environ or not config.getoption("nbval", default=False):
        return
    home = Path(tempfile.mkdtemp(prefix="labkit-"))
    config.stash[OWN_HOME] = home
    os.environ["LABKIT_HOME"] = str(home)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the lab that the notebooks started, and delete it."""
    home = config.stash.get(OWN_HOME, None)
    if home is None:
        return
    del os.environ["LABKIT_HOME"]
    localaws.stop(home)
    shutil.rmtree(home, ignore_errors=True)

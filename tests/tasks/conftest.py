"""One lab for the tasks of all notebooks. It grows: the tasks of the first notebooks come first."""

from __future__ import annotations

import pytest

import localaws
from labkit import Lab


@pytest.fixture(scope="session")
def lab(stack: localaws.Status) -> Lab:
    """A lab with everything that notebooks 00 to 04 make."""
    made = Lab(home=stack.home, prefix="task", wait_minutes=1.5, progress="static")
    made.catch_up("05")
    return made

"""A fixture with a function's code."""

from __future__ import annotations

import io
import zipfile

import pytest


@pytest.fixture
def zipped() -> bytes:
    """The package of a function that does nothing."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("f.py", "def h(event, context):\n    return None\n")
    return target.getvalue()

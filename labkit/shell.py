"""The IPython shell that this program runs in, such as a notebook's kernel. IPython is never imported for it."""

from __future__ import annotations

import sys
from typing import Any


def running_shell() -> Any:
    """The shell; None in a program that does not run in IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None

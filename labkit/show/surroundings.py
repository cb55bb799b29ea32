"""Where displays are shown: in JupyterLab, in a kernel that nobody watches, or in a terminal."""

from __future__ import annotations

import sys
from typing import Any, Literal


def surroundings() -> Literal["live", "static", "line"]:
    """The kind of progress to show: "live" in JupyterLab, "static" in any other kernel, "line" outside of kernels."""
    if "ipykernel" not in sys.modules:
        return "line"
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return "line"
    # JupyterLab tells the kernel which cell it executes; papermill's and nbval's clients don't.
    parent: dict[str, Any] = kernel.get_parent() or {}
    return "live" if "cellId" in parent.get("metadata", {}) else "static"


def shows_times() -> bool:
    """Whether a display may contain times. Outputs that are stored and compared must not."""
    return surroundings() != "static"

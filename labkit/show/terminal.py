"""What a terminal can do."""

from __future__ import annotations

import os
import shutil
from typing import TextIO


def has_colour(stream: TextIO) -> bool:
    """Whether to write colours: only to a terminal, and not if NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def can_redraw(stream: TextIO) -> bool:
    """Whether a line can be written over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """The width of a line that does not wrap."""
    return shutil.get_terminal_size().columns - 1

"""The second process that ahead.py starts. It imports little: it must be ready before the crawl has done it all."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import IO

from localaws.glue.crawlers.formats import FIRST_BYTES, UNKNOWN, Look, look_at


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each list of (file, size) with a list of looks, or None for what takes more than a file's beginning."""
    while True:
        try:
            batch = pickle.load(asked)
        except EOFError:
            return
        pickle.dump([_look(*one) for one in batch], answers)
        answers.flush()


def _look(file: Path, size: int) -> Look | None:
    try:
        with file.open("rb") as stream:
            beginning = stream.read(FIRST_BYTES)
    except OSError:  # deleted or overwritten since
        return None
    look = look_at(beginning, size)
    return look if look.classification != UNKNOWN else None


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)

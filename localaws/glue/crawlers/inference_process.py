"""The second process, which inference_worker.py starts. It imports little, to be ready before the crawl is done."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import IO

from localaws.glue.crawlers.formats import FIRST_BYTES, UNKNOWN, Look, look_at


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each list of (file, size) with a list of looks; None if the file's beginning doesn't tell its format."""
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
    except OSError:  # deleted or overwritten in the meantime
        return None
    look = look_at(beginning, size)
    return look if look.classification != UNKNOWN else None


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)

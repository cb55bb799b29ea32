"""Links of a notebook that is copied to another folder: pictures come along, other files are linked where they are."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

PICTURES = {".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp"}
FOLDER = "images"
"""The folder beside the copied notebooks that gets the pictures."""
LINK = re.compile(r"""(?P<before>\]\(|\b(?:src|href)=["'])(?P<target>[^)\s"'#:]+)(?P<after>[)#\s"'])""")
"""A link's target in Markdown or HTML. Addresses with a scheme contain a colon, so they don't match."""


def for_a_run(notebook: Any, source: Path, target: Path) -> Any:
    """Change the links in the notebook's texts, so that they work when it is written to another folder.

    Args:
        notebook: the notebook; it is changed.
        source: the folder that its relative links start from.
        target: the folder that it will be written to. The pictures are copied to `images/` in it.
    """

    def moved(link: str) -> str:
        file = source / link
        if not file.exists() or (file.resolve().parent == source.resolve() and file.suffix == ".ipynb"):
            return link  # of two notebooks that are copied both, one still finds the other
        if file.suffix.lower() not in PICTURES:
            return Path(os.path.relpath(file.resolve(), target.resolve())).as_posix()
        (target / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(file, target / FOLDER / file.name)
        return f"{FOLDER}/{file.name}"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, moved)
    return notebook


def with_links(text: str, change: Callable[[str], str]) -> str:
    """The text with each relative link's target changed."""
    return LINK.sub(lambda found: found["before"] + change(found["target"]) + found["after"], text)

"""Write the tasks' cells into the notebooks, fresh from labkit/tasks (`python notebooks/fill_tasks.py [NAME …]`).

A notebook's author writes one Markdown cell for each task, with the tag `tasks:05.2`. `labkit/tasks/cells.py` says what
becomes of it. Outputs of cells that have not changed stay; `make notebooks` stores new ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat

from labkit.tasks import cells

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    """Fill all notebooks, or those whose names begin with one of `names`."""
    for file in sorted(HERE.glob("[0-9][0-9]_*.ipynb")):
        if names and not any(file.stem.startswith(name) for name in names):
            continue
        notebook = nbformat.read(file, as_version=4)
        filled = cells.fill(notebook)
        if filled != notebook:
            file.write_text(json.dumps(filled, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
            print(f"{file.stem:<16} tasks: {', '.join(cells.task_ids(filled))}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Execute the notebooks and store their outputs, after a notebook was changed (`python notebooks/store.py [NAME …]`).

They run in order, as `pytest --nbval notebooks/` runs them afterwards. They use a fresh lab, or the lab in LABKIT_HOME
if it is set. A notebook that fails is stored up to the cell that failed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

import localaws

HERE = Path(__file__).parent
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main(names: list[str]) -> int:
    """Store all notebooks, or those whose names begin with one of `names`. Return 1 if one fails, else 0."""
    files = sorted(HERE.glob("[0-9][0-9]_*.ipynb"))
    chosen = [file for file in files if not names or any(file.stem.startswith(name) for name in names)]
    with tempfile.TemporaryDirectory(prefix="labkit-", ignore_cleanup_errors=True) as fresh:
        own = "LABKIT_HOME" not in os.environ
        if own:
            os.environ["LABKIT_HOME"] = fresh
        try:
            return max((store(file) for file in chosen), default=0)
        finally:
            if own:
                localaws.stop(Path(fresh))


def store(file: Path) -> int:
    """Execute one notebook in place. Return 1 if a cell raises, else 0."""
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(notebook, kernel_name="python3", timeout=600, record_timing=False, config=ENCRYPTED)
    failed = ""
    try:
        client.execute(cwd=str(HERE))
    except CellExecutionError as error:
        failed = f"{error.ename}: {error.evalue}"
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell.outputs = cell.get("outputs", []) if cell.cell_type == "code" else []
        if cell.cell_type != "code":
            del cell["outputs"]
    file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print(f"{file.stem:<16} {'failed: ' + failed if failed else 'stored'}, {file.stat().st_size / 1000:.0f} kB")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

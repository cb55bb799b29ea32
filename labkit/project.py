"""Where the lab's own files are, and where it keeps what it makes.

In a checkout the Lambda functions, Glue scripts, SQL, samples and notebooks lie beside this package, where participants
open them. An installed wheel has them inside the package (setup.py puts them there).
"""

from __future__ import annotations

from pathlib import Path

from labkit.errors import LabError

PACKAGE = Path(__file__).resolve().parent
INSTALL_AGAIN = "Take a complete checkout and run make setup, or install the wheel again."


def is_checkout() -> bool:
    """Does the lab run from a checkout, not from an installed wheel?"""
    return not (PACKAGE / "lambdas").is_dir()


def folder(name: str) -> Path:
    """The folder `data`, `docs/images`, `glue`, `lambdas`, `notebooks` or `sql`."""
    return (PACKAGE.parent if is_checkout() else PACKAGE) / name


def file(directory: str, name: str) -> Path:
    """A file in one of these folders.

    Raises:
        LabError: it is not there.
    """
    path = folder(directory) / name
    if not path.is_file():
        raise LabError(f"There is no {path}.", fix=INSTALL_AGAIN)
    return path


def working_directory() -> Path:
    """Where `.labkit/` and `runs/` go unless a setting says otherwise: the checkout, else the current directory."""
    return PACKAGE.parent if is_checkout() else Path.cwd()

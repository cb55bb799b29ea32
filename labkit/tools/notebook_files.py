"""The notebooks that `labkit run` executes: which ones, and the parameters that they take."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit import project
from labkit.errors import LabError, UsageError

NOTEBOOKS = project.folder("notebooks")
SOLVE = "solve"
"""A parameter of the run itself: every notebook's tasks are solved before it is executed."""


def notebooks(chosen: Sequence[str] = (), *, start: str = "") -> list[Path]:
    """The notebooks in order.

    Args:
        chosen: only those whose names begin with one of these ("04", "04_crawlers").
        start: only this notebook and the ones after it.

    Raises:
        UsageError: no notebook's name begins with one of them, or both arguments are given.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise LabError(f"There are no notebooks in {NOTEBOOKS}.", fix=project.INSTALL_AGAIN)
    if start and chosen:
        raise UsageError(
            f"--from {start} names a first notebook, and {', '.join(chosen)} names single ones.",
            fix="Use one of them: --from runs this notebook and all later ones.",
        )
    for name in (*chosen, *([start] if start else [])):
        if not any(file.stem.startswith(name) for file in found):
            names = ", ".join(file.stem for file in found)
            raise UsageError(f"There is no notebook {name!r}.", fix=f"Notebooks: {names}.")
    if start:
        first = next(number for number, file in enumerate(found) if file.stem.startswith(start))
        return found[first:]
    return [file for file in found if not chosen or any(file.stem.startswith(name) for name in chosen)]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a notebook, as its cell with the tag `parameters` declares it."""

    name: str
    default: str
    """The default value, as source text."""
    kind: type | None
    """The type that a value must have; None if any will do."""

    def parse(self, text: str) -> Any:
        """The value that `text` from the command line stands for.

        Raises:
            UsageError: the text is not a value of the parameter's type.
        """
        if self.kind is None:
            return parse_value(text)
        if self.kind is str:
            return text
        try:
            value = parse_value(text)
            if self.kind is float and type(value) is int:
                return float(value)
            if type(value) is self.kind:
                return value
        except ValueError:
            pass
        raise UsageError(
            f"-p {self.name}={text}: {self.name} takes {KINDS.get(self.kind, self.kind.__name__)}, not {text!r}.",
            fix=f"Its default is {self.default}, so write for example: -p {self.name}={self._example}",
        )

    @property
    def _example(self) -> str:
        value = ast.literal_eval(self.default)
        return str(value).lower() if isinstance(value, bool) else str(value)


KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false", list: "a list"}


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """The parameters in a notebook's cell with the tag `parameters`, by name."""
    cells = json.loads(notebook.read_text())["cells"]
    source = "\n".join(
        "".join(cell["source"]) for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])
    )
    found: dict[str, Parameter] = {}
    targets: Sequence[ast.expr]
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and statement.value:
            value, targets = statement.value, [statement.target]
        elif isinstance(statement, ast.Assign):
            value, targets = statement.value, [*statement.targets]
        else:
            continue
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        found |= {name: Parameter(name, ast.unparse(value), _kind(value)) for name in names}
    return found


def _kind(default: ast.expr) -> type | None:
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return None
    return None if value is None else type(value)


def pairs(given: Sequence[str], others: Sequence[str] = ()) -> dict[str, str]:
    """Split the command line's `NAME=VALUE` into names and texts.

    Args:
        given: what followed each -p.
        others: the command's other arguments. Who writes `-p NAME VALUE` has the value among them.

    Raises:
        UsageError: one of them is not NAME=VALUE.
    """
    split: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not (name and equals):
            names = [file.stem for file in notebooks()]
            values = [other for other in others if not any(known.startswith(other) for known in names)]
            raise UsageError(
                f"-p {one}: a parameter is one word, NAME=VALUE.",
                fix=f"Write: -p {name or 'NAME'}={(values or ['VALUE'])[0]}",
            )
        split[name] = text
    return split


def check_parameters(files: Iterable[Path], given: Mapping[str, str]) -> dict[str, Any]:
    """Parse the values, and check names and types against what the notebooks declare.

    papermill would only warn about an unknown name, and hand a value of any type to the cells.

    Raises:
        UsageError: no notebook has this parameter, or the value is not of its type.
    """
    known: dict[str, list[Parameter]] = {SOLVE: [Parameter(SOLVE, "False", bool)]}
    for file in files:
        for name, parameter in parameters_of(file).items():
            known.setdefault(name, []).append(parameter)
    for name in given:
        if name not in known:
            raise UsageError(f"No notebook has a parameter {name!r}.", fix=f"Parameters: {', '.join(sorted(known))}.")
    return {name: [parameter.parse(text) for parameter in known[name]][-1] for name, text in given.items()}


def parameters_for(notebook: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that this notebook takes."""
    mine = parameters_of(notebook)
    return {name: value for name, value in values.items() if name in mine}


def parse_value(text: str) -> Any:
    """Parse a parameter's value from the command line: a Python literal, true or false, or else text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)

"""Which modules may import which. These tests run the contracts of pyproject.toml, and check what those can't see."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import localaws

# What labkit may ask of the embedded AWS (DESIGN.md, section 3), beside its types.
ALLOWED_CALLS = {"protection", "start", "stop", "status", "wipe"}


def imported_modules(file: Path) -> set[str]:
    """The top-level packages that `file` imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def attributes_of(file: Path, module: str) -> Iterator[str]:
    """The names that `file` takes from `module`: as `module.name`, or from the module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == module:
            yield from (alias.name for alias in node.names)


def lint(directory: Path, config: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--config", config, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_the_import_contracts_of_the_project_are_kept(root: Path) -> None:
    result = lint(root, root / "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("localaws/core/home.py", "import labkit.names", "The embedded AWS knows nothing of the lab BROKEN"),
        ("labkit/names.py", "import localaws", "Only the session knows the embedded AWS BROKEN"),
        (
            "labkit/session.py",
            "import localaws.core.home",
            "The session knows only the face of the embedded AWS BROKEN",
        ),
        ("localaws/sns/delivery.py", "import localaws.sqs.queues", "and no service imports another BROKEN"),
        ("localaws/iam/gate.py", "import localaws.s3.locks", "and no service imports another BROKEN"),
        ("localaws/s3/locks.py", "import localaws.server.reading", "and no service imports another BROKEN"),
        ("localaws/core/home.py", "import localaws.iam.policy", "and no service imports another BROKEN"),
        ("localaws/redshift/copy/load.py", "import localaws.redshift.front.wire", "nothing of Redshift's front BROKEN"),
        ("localaws/redshift/front/runner.py", "import localaws.redshift.copy", "its __main__ hands it over BROKEN"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    root: Path, tmp_path: Path, file: str, line: str, contract: str
) -> None:
    for source in [*root.glob("labkit/**/*.py"), *root.glob("localaws/**/*.py")]:
        copy = tmp_path / source.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    with (tmp_path / file).open("a") as stream:
        stream.write(f"\n{line}\n")
    result = lint(tmp_path, root / "pyproject.toml")
    assert result.returncode == 1
    assert contract in result.stdout


def test_labkit_uses_only_the_allowed_functions_of_the_embedded_aws(root: Path) -> None:
    used = {name for file in root.glob("labkit/**/*.py") for name in attributes_of(file, "localaws")}
    calls = {name for name in used if not isinstance(getattr(localaws, name), type)}
    assert calls == ALLOWED_CALLS


@pytest.mark.parametrize("folder", ["lambdas", "glue", "localaws/glue/jobs/runtime"])
def test_deployed_code_imports_nothing_from_the_lab(root: Path, folder: str) -> None:
    files = list(root.glob(f"{folder}/**/*.py"))
    assert files
    for file in files:
        assert not imported_modules(file) & {"labkit", "localaws"}, file


def test_notebooks_import_only_labkit_from_the_project(root: Path) -> None:
    for notebook in root.glob("notebooks/*.ipynb"):
        cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
        code = "\n".join("".join(cell["source"]) for cell in cells)
        assert not re.search(r"^\s*(import|from) (localaws|moto)\b", code, re.MULTILINE), notebook


@pytest.mark.parametrize(
    ("module", "late"),
    [
        ("localaws.redshift.front.__main__", ["boto3", "duckdb", "psycopg", "pyarrow"]),
        ("localaws.redshift.copy", ["duckdb", "pyarrow"]),
    ],
)
def test_slow_or_large_modules_are_imported_only_when_needed(module: str, late: list[str]) -> None:
    code = f"import sys, {module}; print([name for name in {late} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

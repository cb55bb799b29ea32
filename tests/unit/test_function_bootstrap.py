"""A worker's start: it runs the bytecode that was installed with the runtime, and never an outdated one."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import localaws.lambda_.invocations.bootstrap as bootstrap

SERVE = 'import json\n\n\ndef main(argv):\n    print("{answer}", json.__loader__.__class__.__name__)\n'


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    package = tmp_path / "runtime" / "awslambdaric"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SERVE.format(answer="as installed"))
    compileall.compile_dir(package, quiet=2)
    return package.parent


def started(runtime: Path) -> str:
    """Start a worker that writes its bytecode beside `runtime`. Return its output."""
    command = [sys.executable, "-S", "-E", "-P", "-X", f"pycache_prefix={runtime.parent / 'own'}"]
    environment = {**os.environ, "LAMBDA_TASK_ROOT": str(runtime.parent), "_HANDLER": "a.b"}
    result = subprocess.run(
        [*command, bootstrap.__file__, str(runtime)], env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout


def compiled(runtime: Path) -> set[str]:
    """Return the names of the runtime's modules that a worker compiled itself."""
    return {path.name.split(".")[0] for path in (runtime.parent / "own").rglob("runtime/**/*.pyc")}


def test_the_runtimes_own_bytecode_is_not_made_again(runtime: Path) -> None:
    assert started(runtime).startswith("as installed")
    assert compiled(runtime) == set()


def test_the_standard_librarys_bytecode_is_used_too(runtime: Path) -> None:
    assert started(runtime).split()[-1] == "_InstalledLoader"


def test_a_runtime_installed_without_bytecode_is_compiled_into_the_workers_directory(runtime: Path) -> None:
    shutil.rmtree(runtime / "awslambdaric" / "__pycache__")
    assert started(runtime).startswith("as installed")
    assert compiled(runtime) == {"__init__", "__main__"}
    assert not (runtime / "awslambdaric" / "__pycache__").exists()


def test_bytecode_of_an_earlier_version_is_not_run(runtime: Path) -> None:
    (runtime / "awslambdaric" / "__main__.py").write_text(SERVE.format(answer="after an upgrade"))
    assert started(runtime).startswith("after an upgrade")

"""Installs and runs the peers. They have their own virtual environment, to keep the lab's environment small."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from bench.floor import Plain

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parent / "requirements.txt"
ENVIRONMENT = HERE.parents[1] / ".venv-bench"
PYTHON = ENVIRONMENT / "bin" / "python"
PEERS = {"dlt (jsonl → postgres, defaults)": "with_dlt", "pandas.to_sql(method='multi')": "with_pandas"}


class NoPeer(Exception):
    """A peer can't be installed or doesn't run here; the message says why."""


def install() -> None:
    """Create .venv-bench/, unless it already has the packages in bench/requirements.txt.

    Raises:
        NoPeer: the installation failed; the message has the last line of its output.
    """
    stamp = ENVIRONMENT / f".installed-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    if stamp.exists():
        return
    print("Installing the peers into .venv-bench/ (pinned, with hashes: bench/requirements.txt)", flush=True)
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        [str(PYTHON), *pip, "--requirement", str(REQUIREMENTS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise NoPeer(f"They can't be installed: {said[-1] if said else command}")
    stamp.touch()


def seconds(script: str, files: Path, plain: Plain, work: Path) -> float:
    """Return the seconds that one peer takes to load the directory `files`, as measured by the peer itself.

    Raises:
        NoPeer: the peer failed; the message has the last line of its error output.
    """
    command = [str(word) for word in (PYTHON, HERE / f"{script}.py", files, plain.url, work)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoPeer(f"{script} failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.splitlines()[-1])

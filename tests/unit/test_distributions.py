"""The source distribution and the wheel, built from a clean copy of the repository, are complete, and work."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import venv
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from fnmatch import fnmatch
from pathlib import Path

import pytest

TRAVELS = {
    "data": "*.json", "docs/images": "*.svg", "glue": "*.py", "lambdas": "*.py", "notebooks": "*.ipynb", "sql": "*.sql",
}  # fmt: skip
"""Top-level folders whose files a wheel carries inside labkit/."""


@pytest.fixture(scope="module")
def source(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, without what is made."""
    copy = tmp_path_factory.mktemp("source") / "labkit"
    made = [line.rstrip("/") for line in (root / ".gitignore").read_text().splitlines()]
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".git", *made))
    return copy


@pytest.fixture(scope="module")
def files(source: Path) -> set[str]:
    """What is in the repository."""
    return {str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def built(source: Path, files: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the source distribution and the wheel; the wheel is built from the former."""
    made = tmp_path_factory.mktemp("dist")
    assert files, "listed before anything is built"
    build(source, f"build_sdist({str(made)!r})")
    (sdist,) = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(made, filter="data")
    (unpacked,) = (path for path in made.iterdir() if path.is_dir())
    build(unpacked, f"build_wheel({str(made)!r})")
    return made


def build(project: Path, what: str) -> None:
    program = f"from setuptools import build_meta; build_meta.{what}"
    done = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (file,) = built.glob("*.whl")
    return zipfile.ZipFile(file)


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_source_distribution_contains_the_whole_repository(built: Path, files: set[str]) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}
    made = {"PKG-INFO", "setup.cfg"}
    assert {name for name in held if ".egg-info/" not in name} - made == files


def test_the_wheel_contains_both_packages_and_the_folders_that_the_lab_uses(
    wheel: zipfile.ZipFile, files: set[str]
) -> None:
    wanted = {name for name in files if name.startswith(("labkit/", "localaws/"))}
    for folder, pattern in TRAVELS.items():
        wanted |= {f"labkit/{name}" for name in files if fnmatch(name, f"{folder}/{pattern}")}
    assert {"labkit/glue/rows.py", "labkit/sql/create_table.sql", "labkit/notebooks/00_start.ipynb"} <= wanted
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == wanted


def test_the_wheel_has_complete_metadata(wheel: zipfile.ZipFile) -> None:
    said = metadata(wheel)
    assert said["Name"] == "labkit"
    assert said["License-Expression"] == "Apache-2.0"
    assert "Operating System :: POSIX :: Linux" in said.get_all("Classifier", [])
    assert "Programming Language :: Python :: 3.11" in said.get_all("Classifier", [])
    assert str(said.get_payload()).startswith("# Event-driven serverless ETL on AWS")


@pytest.fixture
def labkit(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`labkit("send")` runs the installed wheel's command in an empty directory.

    The wheel has an environment of its own, which finds its dependencies in this one. All paths have a space.
    """
    monkeypatch.delenv("LABKIT_RUNS")
    environment, empty = tmp_path / "an environment", tmp_path / "an empty directory"
    venv.create(environment)
    python = environment / "bin" / "python"
    (file,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(file)]
    subprocess.run(install, check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (environment / "share").mkdir()
    (environment / "share" / "jupyter").symlink_to(Path(sys.prefix, "share", "jupyter"))  # nbconvert's templates
    empty.mkdir()

    def run(*arguments: str) -> str:
        command = [str(environment / "bin" / "labkit"), *arguments]
        done = subprocess.run(command, cwd=empty, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.nightly
def test_an_installed_wheel_runs_the_pipeline_from_an_empty_directory(
    labkit: Callable[..., str], tmp_path: Path
) -> None:
    try:
        labkit("up")
        assert (tmp_path / "an empty directory" / ".labkit").is_dir(), "the home is in the current directory"
        assert f"{tmp_path}/an environment/" in labkit("doctor"), "its own files, not the repository's"
        labkit("deploy")
        labkit("send", "--rows", "5")
        until = time.monotonic() + 120
        while labkit("query", "select count(*) from toll_table").split() != ["count", "5"]:
            assert time.monotonic() < until, labkit("status")
        labkit("run", "10")
        assert list((tmp_path / "an empty directory" / "runs").glob("*/report.html"))
    finally:
        labkit("down", "--wipe")
    assert not (tmp_path / "an empty directory" / ".labkit").exists()

"""environment.yml, for conda users, has the requirements of pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return settings


@pytest.fixture(scope="module")
def dependencies(root: Path) -> list[Any]:
    listed: list[Any] = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    return listed


def test_environment_yml_lists_the_project_s_requirements(project: dict[str, Any], dependencies: list[Any]) -> None:
    (from_pip,) = [one["pip"] for one in dependencies if isinstance(one, dict)]
    listed = [line for line in from_pip if not line.startswith("-")]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert sorted(map(str, map(Requirement, listed))) == sorted(map(str, map(Requirement, wanted)))
    # The lab itself comes last, so that pip has all it needs by then.
    assert from_pip[-1] == "--editable ."


def test_environment_yml_has_a_python_version_that_the_project_supports(
    project: dict[str, Any], dependencies: list[Any]
) -> None:
    (python,) = [one for one in dependencies if isinstance(one, str) and one.startswith("python=")]
    assert Version(python.partition("=")[2]) in SpecifierSet(project["requires-python"])


def test_environment_yml_has_the_name_of_the_project(root: Path, project: dict[str, Any]) -> None:
    assert yaml.safe_load((root / "environment.yml").read_text())["name"] == project["name"]


def test_every_requirement_is_pinned_in_the_lock_file(root: Path, project: dict[str, Any]) -> None:
    pinned = {}
    for line in (root / "requirements.lock").read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            requirement = Requirement(line.rstrip("\\ "))
            pinned.setdefault(requirement.name, []).append(requirement)
    for wanted in map(Requirement, project["dependencies"] + project["optional-dependencies"]["dev"]):
        versions = [next(iter(one.specifier)).version for one in pinned.get(wanted.name, [])]
        assert versions, f"{wanted.name} is not in requirements.lock: run make lock"
        assert any(wanted.specifier.contains(version) for version in versions), f"{wanted}: the lock has {versions}"

""".devcontainer/ is valid, installs what the lock says, and needs no Docker inside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from labkit.tools import jupyter


@pytest.fixture
def text(root: Path) -> str:
    return (root / ".devcontainer" / "devcontainer.json").read_text()


@pytest.fixture
def container(text: str) -> dict[str, Any]:
    """The file's content. Its comments are whole lines, as its format (JSON with comments) allows."""
    return dict(json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)))


def test_it_says_that_it_was_not_tried(text: str) -> None:
    assert text.startswith("// Not tried")


def test_it_installs_with_a_make_target_that_exists_and_uses_the_lock(container: dict[str, Any], root: Path) -> None:
    program, target = container["postCreateCommand"].split()
    assert program == "make"
    makefile = (root / "Makefile").read_text()
    assert re.search(rf"^{target}: \$\(INSTALLED\)", makefile, re.MULTILINE)
    assert re.search(r"^\$\(INSTALLED\): requirements\.lock", makefile, re.MULTILINE)


def test_it_has_the_python_of_the_lock_and_forwards_jupyterlab_s_port(container: dict[str, Any], root: Path) -> None:
    (wanted,) = re.findall(r"--python-version (3\.\d+)", (root / "Makefile").read_text().partition("lock:")[2])[:1]
    assert container["image"].endswith(f":{wanted}")
    assert container["forwardPorts"] == [jupyter.PORT]
    assert str(jupyter.PORT) in container["portsAttributes"]


def test_it_needs_no_docker_inside(container: dict[str, Any]) -> None:
    assert not {"features", "runArgs", "mounts", "dockerFile", "dockerComposeFile", "privileged"} & set(container)

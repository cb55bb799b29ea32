"""`labkit lab` (`make lab`): JupyterLab, started as a participant starts it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import localaws
from labkit import project
from labkit.errors import UsageError
from labkit.tools import jupyter

COMMAND = (sys.executable, "-m", "labkit", "lab")


def environment(stack: localaws.Status, directory: Path) -> dict[str, str]:
    """A shell without a display, with Jupyter's own files in `directory`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    jupyters = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }  # fmt: skip
    return {
        **kept,
        "LABKIT_HOME": str(stack.home),
        **{name: str(directory / place) for name, place in jupyters.items()},
    }


@pytest.fixture(scope="module")
def said(stack: localaws.Status, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `labkit lab` prints; JupyterLab goes on until the end of the module."""
    shell = environment(stack, tmp_path_factory.mktemp("jupyter"))
    running = subprocess.Popen(COMMAND, env=shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield read_until(running, "Ctrl-C")
    finally:
        running.terminate()
        assert running.wait(30) == 0
        assert running.stdout
        running.stdout.close()


def read_until(running: subprocess.Popen[str], last: str) -> str:
    assert running.stdout
    lines = []
    for line in running.stdout:  # ends when the program ends
        lines.append(line)
        if last in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


@pytest.fixture(scope="module")
def get(said: str) -> Callable[[str], Any]:
    """`get("/api/contents")` is JupyterLab's answer: JSON if it is that, else text."""
    address = urlsplit(address_in(said))

    def ask(path: str) -> Any:
        with urllib.request.urlopen(address._replace(path=path).geturl(), timeout=30) as answer:
            body = answer.read().decode()
            return json.loads(body) if "json" in answer.headers["Content-Type"] else body

    return ask


def address_in(said: str) -> str:
    (address,) = re.findall(r"http://\S+", said)
    return str(address)


def names(folder: dict[str, Any]) -> set[str]:
    return {entry["name"] for entry in folder["content"]}


def test_without_a_display_it_prints_the_one_address_to_open(said: str) -> None:
    address = urlsplit(address_in(said))
    assert said.startswith("Open this address in a browser:")
    assert address.hostname == "127.0.0.1"
    assert address.path == "/lab/tree/notebooks/00_start.ipynb"
    assert f"forward port {address.port}" in said


def test_the_root_of_jupyterlab_is_the_repository(get: Callable[[str], Any], root: Path) -> None:
    top = names(get("/api/contents"))
    assert {"README.md", "docs", "glue", "labkit", "lambdas", "notebooks"} <= top
    assert get("/api/contents/labkit/steps/network.py")["content"] == (root / "labkit/steps/network.py").read_text()


def test_the_notebooks_folder_shows_notebooks_only(get: Callable[[str], Any], root: Path) -> None:
    assert names(get("/api/contents/notebooks")) == {file.name for file in root.glob("notebooks/[01][0-9]_*.ipynb")}


def test_the_first_page_is_the_first_notebook(said: str, get: Callable[[str], Any]) -> None:
    address = urlsplit(address_in(said))
    start = address._replace(path="/").geturl()
    with urllib.request.urlopen(start, timeout=30) as answer:
        assert urlsplit(answer.url).path == "/lab/tree/notebooks/00_start.ipynb"


def test_jupyterlab_asks_no_server_for_news_or_updates_and_shows_documents_rendered(get: Callable[[str], Any]) -> None:
    asked = get("/lab/api/settings/@jupyterlab/apputils-extension:notification")["schema"]["properties"]
    assert asked["fetchNews"]["default"] == "false"
    assert asked["checkForUpdates"]["default"] is False
    viewers = get("/lab/api/settings/@jupyterlab/docmanager-extension:plugin")["schema"]["properties"]["defaultViewers"]
    assert viewers["default"]["markdown"] == "Markdown Preview"
    assert get("/lab/api/news")["news"] == []
    assert get("/lab/api/update")["notification"] is None


def test_a_port_that_is_in_use_is_an_error_that_says_what_to_do(stack: localaws.Status, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, f"--port={port}"], env=environment(stack, tmp_path), capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use.\nName another one, or leave --port out: labkit lab\n"


def test_an_installed_wheel_says_that_it_needs_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "is_checkout", lambda: False)
    with pytest.raises(UsageError, match="Take a checkout"):
        jupyter.lab.main([], standalone_mode=False)

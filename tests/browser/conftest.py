"""Fixtures: a lab, a JupyterLab on a copy of the repository, and a headless Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Page, until
from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

import localaws

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1440,1600",
)  # fmt: skip
FOLDERS = ("notebooks", "docs", "labkit", "lambdas", "glue", "sql", "data")


@pytest.fixture(scope="session")
def screenshots(root: Path) -> Path:
    """Where the screenshots go, so that a person can look at them: LABKIT_SCREENSHOTS, or runs/screenshots/."""
    directory = Path(os.environ.get("LABKIT_SCREENSHOTS") or root / "runs" / "screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a lab that the notebooks start themselves."""
    home = tmp_path_factory.mktemp("lab")
    yield home
    localaws.stop(home)


@pytest.fixture(scope="session")
def tree(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JupyterLab's root: a copy of the repository, because JupyterLab saves what it shows."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in FOLDERS:
        shutil.copytree(root / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return tree


@pytest.fixture(scope="session")
def jupyter(home: Path, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab."""
    directory = tmp_path_factory.mktemp("jupyter")
    # All cells are in the page, also those that would have to be scrolled to.
    tracker = directory / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (directory / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={tree}",
         "--LabApp.expose_app_in_browser=True",
         "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
        env={**os.environ, "LABKIT_HOME": str(home), "JUPYTER_CONFIG_DIR": str(directory / "config"),
             "JUPYTER_DATA_DIR": str(directory / "data"), "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
             "JUPYTER_CONFIG_PATH": str(tree / "labkit/tools/jupyter_config"),  # as `labkit lab` has it
             "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
             "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces")},
        stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(f"{address}/api/status"), 60, "JupyterLab", (directory / "log").read_text)
        yield address
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """A headless Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium, "chromium is not installed"
    assert driver, "chromium-driver is not installed"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def page(browser: WebDriver, jupyter: str, screenshots: Path) -> Page:
    """JupyterLab in the browser."""
    return Page(browser, jupyter, screenshots)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False

"""The lab as a participant sees it: JupyterLab in a browser, a notebook run cell by cell, a wait with progress."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

import localaws
from labkit import Lab

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1600",
)  # fmt: skip
NOTEBOOK_DONE = """
const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
return prompts.length > 0 && prompts.every(prompt => /^\\[\\d+\\]:?$/.test(prompt.textContent.trim()));
"""
KERNEL_READY = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
ERRORS = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'
# Notes every text that an output ever shows: a local wait may be over before anybody looks.
WATCH_OUTPUTS = """
window.seenInOutputs = new Set();
new MutationObserver(() => {
  for (const output of document.querySelectorAll('.jp-OutputArea-output')) window.seenInOutputs.add(output.innerText);
}).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab of which the steps before the crawlers are there."""
    home = tmp_path_factory.mktemp("lab")
    lab = Lab(home=home, progress="static")
    lab.up()
    lab.deploy("buckets", "roles", "functions", "network", "redshift", "secrets")
    lab.send(rows=20)
    yield home
    localaws.stop(home)


@pytest.fixture(scope="module")
def jupyter(home: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab on a copy of the notebooks; its address."""
    directory = tmp_path_factory.mktemp("jupyter")
    notebooks = directory / "notebooks"
    shutil.copytree(root / "notebooks", notebooks, ignore=shutil.ignore_patterns("__pycache__", ".*"))
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
         "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={notebooks}",
         "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
        env={**os.environ, "LABKIT_HOME": str(home), "JUPYTER_CONFIG_DIR": str(directory / "config"),
             "JUPYTER_DATA_DIR": str(directory / "data"), "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
             "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
             "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces")},
        stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/api/status"), 60, "JupyterLab", (directory / "log").read_text)
        yield address
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.fixture(scope="module")
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


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kernel_is_ready(jupyter: str, path: str) -> bool:
    """Has the notebook's kernel started, and is the page connected to it?"""
    with urllib.request.urlopen(f"{jupyter}/api/sessions", timeout=5) as answer:
        kernels = [session["kernel"] for session in json.load(answer) if session["path"] == path]
    return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)


def until(condition: Callable[[], bool], seconds: float, what: str, explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {seconds} s: {explain()}"
        time.sleep(0.1)


def run_all(browser: WebDriver, jupyter: str, name: str) -> Any:
    """Open a notebook, forget its stored outputs, run all its cells, and wait until they are done."""
    browser.get(f"{jupyter}/lab/workspaces/auto-{name}/tree/{name}.ipynb")
    wait = WebDriverWait(browser, 120, poll_frequency=0.2)
    wait.until(lambda page: kernel_is_ready(jupyter, f"{name}.ipynb"))
    wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, KERNEL_READY))
    wait.until(lambda page: page.execute_script(NOTEBOOK_DONE))  # as it is stored
    browser.execute_script(WATCH_OUTPUTS)
    choose(browser, "Edit", "Clear Outputs of All Cells")
    wait.until(lambda page: not page.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-OutputArea-output"))
    assert not browser.execute_script(NOTEBOOK_DONE)
    choose(browser, "Run", "Run All Cells")
    wait.until(lambda page: page.execute_script(NOTEBOOK_DONE))
    return browser.find_element(By.CSS_SELECTOR, ".jp-Notebook")


def choose(browser: WebDriver, menu: str, item: str) -> None:
    """Click an item of JupyterLab's menu bar."""
    wait = WebDriverWait(browser, 20, poll_frequency=0.2)
    bar = f"//div[contains(@class,'lm-MenuBar-itemLabel') and text()='{menu}']"
    entry = f"//div[contains(@class,'lm-Menu-itemLabel') and text()='{item}']"
    wait.until(lambda page: page.find_elements(By.XPATH, bar))
    browser.find_element(By.XPATH, bar).click()
    wait.until(lambda page: page.find_elements(By.XPATH, entry))
    browser.find_element(By.XPATH, entry).click()


def test_a_participant_runs_the_first_notebook_in_jupyterlab(browser: WebDriver, jupyter: str, tmp_path: Path) -> None:
    shown = run_all(browser, jupyter, "00_start")
    browser.save_screenshot(str(tmp_path / "00_start.png"))
    text = shown.text
    assert "local AWS: up" in text
    assert "toll_plaza_application" in text
    assert "functions: all checks passed" in text
    assert "No answer yet" in text
    assert not shown.find_elements(By.CSS_SELECTOR, ERRORS)
    assert shown.find_elements(By.CSS_SELECTOR, ".jp-RenderedSVG img, .jp-RenderedSVG svg")


def test_a_wait_shows_its_progress_while_it_lasts_and_leaves_nothing_behind(
    browser: WebDriver, jupyter: str, tmp_path: Path
) -> None:
    shown = run_all(browser, jupyter, "04_crawlers")
    browser.save_screenshot(str(tmp_path / "04_crawlers.png"))
    seen = browser.execute_script("return [...window.seenInOutputs]")
    assert any("s3_workflow: " in text for text in seen), seen
    assert any("crawler Redshift-Crawler: " in text for text in seen), seen
    assert "Waiting for" not in shown.text
    assert "crawlers: all checks passed" in shown.text
    assert not shown.find_elements(By.CSS_SELECTOR, ERRORS)

"""JupyterLab as a page: open a notebook, run it, look at it."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

NOTEBOOK = ".jp-Notebook"
OUTPUT = f"{NOTEBOOK} .jp-OutputArea-output"
# JupyterLab shows an error's traceback as it shows what a program writes to stderr. The notebooks write nothing there.
ERROR = f'{NOTEBOOK} .jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
KERNEL_READY = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
ALL_CELLS_DONE = """
const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
return prompts.length > 0 && prompts.every(prompt => /^\\[\\d+\\]:?$/.test(prompt.textContent.trim()));
"""
# Notes every text that an output ever shows: a local wait may be over before anybody looks.
WATCH_OUTPUTS = """
window.seenInOutputs = new Set();
const note = () => {
  for (const output of document.querySelectorAll('.jp-OutputArea-output')) window.seenInOutputs.add(output.innerText);
};
new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
"""
PICTURES = """
return [...document.querySelectorAll('.jp-Notebook .jp-RenderedMarkdown img')].map(image => ({
  alt: image.alt, width: image.clientWidth, natural: image.naturalWidth,
  fits: image.getBoundingClientRect().right <= document.querySelector('.jp-Notebook').getBoundingClientRect().right + 1,
}));
"""
# Every text of outputs and prose with less contrast than asked for: the text's colour on the colours behind it.
LOW_CONTRAST = """
const parse = colour => {
  const numbers = colour.match(/[\\d.]+/g).map(Number);
  return numbers.length > 3 ? numbers : [...numbers, 1];
};
const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
const behind = element => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
};
const light = colour => {
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = colour.slice(0, 3).map(value => linear(value / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const found = [];
for (const area of document.querySelectorAll('.jp-Notebook .jp-OutputArea-output, .jp-Notebook .jp-RenderedMarkdown')) {
  const texts = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !element.getClientRects().length) continue;
    if (element.closest('a, pre.jp-RenderedText, .cm-editor, code')) continue;  // JupyterLab's own colours
    const back = behind(element);
    let front = parse(getComputedStyle(element).color);
    for (let one = element; one; one = one.parentElement) front[3] *= Number(getComputedStyle(one).opacity);
    const [a, b] = [light(over(front, back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < arguments[0]) found.push(`${ratio.toFixed(2)} ${text.data.trim().slice(0, 60)}`);
  }
}
return found;
"""
SCROLLS_SIDEWAYS = """
return [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-output')]
  .filter(output => output.scrollWidth > output.clientWidth + 1)
  .map(output => output.innerText.slice(0, 80));
"""


@dataclass(frozen=True)
class Page:
    """A JupyterLab in a browser."""

    browser: WebDriver
    jupyter: str
    screenshots: Path

    def open(self, path: str) -> None:
        """Open a notebook, and wait until its kernel is ready and its cells are shown."""
        name = path.rsplit("/", 1)[-1].removesuffix(".ipynb")
        self.browser.get(f"{self.jupyter}/lab/workspaces/auto-{name}/tree/{urllib.parse.quote(path)}")
        self.wait(lambda _: self._kernel_is_ready(path))
        self.wait(lambda browser: browser.find_elements(By.CSS_SELECTOR, KERNEL_READY))
        self.wait(lambda browser: browser.find_elements(By.CSS_SELECTOR, f"{NOTEBOOK} .jp-CodeCell"))
        self.browser.execute_script(WATCH_OUTPUTS)

    def look(self, path: str) -> None:
        """Open a notebook without waiting for its kernel, as it is stored."""
        name = path.rsplit("/", 1)[-1].removesuffix(".ipynb")
        self.browser.get(f"{self.jupyter}/lab/workspaces/auto-look-{name}/tree/{urllib.parse.quote(path)}")
        self.wait(lambda browser: browser.find_elements(By.CSS_SELECTOR, f"{NOTEBOOK} .jp-RenderedMarkdown h1"))
        self.wait(lambda browser: browser.execute_script(PICTURES))
        self.wait(lambda browser: all(picture["natural"] for picture in browser.execute_script(PICTURES)))

    def run_all(self, path: str) -> WebElement:
        """Open a notebook, forget its stored outputs, run all its cells, and wait until they are done."""
        self.open(path)
        self.choose("Edit", "Clear Outputs of All Cells")
        self.wait(lambda browser: not browser.find_elements(By.CSS_SELECTOR, OUTPUT))
        assert not self.browser.execute_script(ALL_CELLS_DONE)
        self.choose("Run", "Run All Cells")
        self.wait(lambda browser: browser.execute_script(ALL_CELLS_DONE) or self.errors())
        return self.notebook

    @property
    def notebook(self) -> WebElement:
        """The notebook that is open."""
        return self.browser.find_element(By.CSS_SELECTOR, NOTEBOOK)

    def errors(self) -> list[str]:
        """The errors that are shown."""
        return [error.text for error in self.browser.find_elements(By.CSS_SELECTOR, ERROR)]

    def seen(self) -> list[str]:
        """Every text that any output has shown since the notebook was opened."""
        return list(self.browser.execute_script("return [...window.seenInOutputs]"))

    def pictures(self) -> list[dict[str, Any]]:
        """The images in the prose: their alternative text, and whether they are shown and fit."""
        return list(self.browser.execute_script(PICTURES))

    def low_contrast(self, least: float = 4.5) -> list[str]:
        """The texts in prose and outputs whose contrast is below `least`."""
        return list(self.browser.execute_script(LOW_CONTRAST, least))

    def wider_than_the_page(self) -> list[str]:
        """The outputs that have to be scrolled sideways."""
        return list(self.browser.execute_script(SCROLLS_SIDEWAYS))

    def theme_if_open(self, name: str) -> None:
        """Switch the theme if JupyterLab is open; the theme of the last session is kept."""
        if self.browser.execute_script("return Boolean(window.jupyterapp)"):
            self.theme(name)

    def theme(self, name: str) -> None:
        """Switch to the theme `JupyterLab Light` or `JupyterLab Dark`."""
        self.browser.execute_async_script(
            "window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]}).then(arguments[1]);",
            name,
        )
        dark = "false" if "Dark" in name else "true"
        self.wait(lambda browser: browser.find_elements(By.CSS_SELECTOR, f'body[data-jp-theme-light="{dark}"]'))
        self.wait(lambda browser: not browser.find_elements(By.ID, "jupyterlab-splash"))  # it fades out

    def width(self, pixels: int) -> None:
        """Make the window this wide."""
        self.browser.set_window_size(pixels, 1600)

    def photograph(self, name: str) -> None:
        """Save a picture of the whole notebook."""
        height = self.browser.execute_script(
            "const notebook = document.querySelector('.jp-WindowedPanel-outer') || arguments[0];"
            "notebook.scrollTop = 0; return notebook.scrollHeight;", self.notebook
        )  # fmt: skip
        width = self.browser.get_window_size()["width"]
        self.browser.set_window_size(width, min(int(height) + 400, 16000))
        self.browser.execute_script(
            "for (const one of document.querySelectorAll('.jp-WindowedPanel-outer')) one.scrollTop = 0;"
        )
        self.browser.save_screenshot(str(self.screenshots / f"{name}.png"))
        self.browser.set_window_size(width, 1600)

    def choose(self, menu: str, item: str) -> None:
        """Click an item of JupyterLab's menu bar."""
        bar = f"//div[contains(@class,'lm-MenuBar-itemLabel') and text()='{menu}']"
        entry = f"//div[contains(@class,'lm-Menu-itemLabel') and text()='{item}']"
        self.wait(lambda browser: browser.find_elements(By.XPATH, bar), 20)
        self.browser.find_element(By.XPATH, bar).click()
        self.wait(lambda browser: browser.find_elements(By.XPATH, entry), 20)
        self.browser.find_element(By.XPATH, entry).click()

    def wait(self, condition: Callable[[WebDriver], Any], seconds: float = 180) -> Any:
        """Wait until the condition holds."""
        return WebDriverWait(self.browser, seconds, poll_frequency=0.2).until(condition)

    def _kernel_is_ready(self, path: str) -> bool:
        """Has the notebook's kernel started, and is the page connected to it?"""
        with urllib.request.urlopen(f"{self.jupyter}/api/sessions", timeout=5) as answer:
            kernels = [session["kernel"] for session in json.load(answer) if session["path"] == path]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)


def until(condition: Callable[[], bool], seconds: float, what: str, explain: Callable[[], str]) -> None:
    """Wait until the condition holds, or fail with an explanation."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {seconds} s: {explain()}"
        time.sleep(0.1)

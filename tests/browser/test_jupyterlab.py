"""The lab as a participant sees it: a fresh clone's notebook before any run, the live view, a task, a failed run."""

from __future__ import annotations

import pytest
from pages import Page

pytestmark = pytest.mark.browser

WIDTHS = (1024, 1440)
THEMES = ("JupyterLab Light", "JupyterLab Dark")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_is_there_before_anything_runs(page: Page, theme: str, width: int) -> None:
    page.width(width)
    page.look("notebooks/00_start.ipynb")
    page.theme(theme)
    (picture,) = page.pictures()
    assert picture["natural"] > 0
    assert picture["fits"]
    assert "toll_plaza_application" in picture["alt"]
    assert page.low_contrast() == []
    page.photograph(f"00_start-before-{theme.split()[-1].lower()}-{width}")


def test_a_file_that_the_prose_names_opens_with_a_click(page: Page) -> None:
    page.look("notebooks/01_network.ipynb")
    page.notebook.find_element("link text", "labkit/steps/network.py").click()
    page.wait(lambda browser: "class Network" in browser.find_element("css selector", ".jp-FileEditor").text, 30)

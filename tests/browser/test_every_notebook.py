"""Each notebook, run with Run All in JupyterLab, and looked at in both themes and two widths."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pages import Page

sys.path.append(str(Path(__file__).parents[1] / "notebooks"))
from story import NAMES

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", NAMES)
def test_run_all_works_and_what_it_shows_can_be_read(page: Page, name: str) -> None:
    page.width(1440)
    page.theme_if_open("JupyterLab Light")
    page.run_all(f"notebooks/{name}.ipynb")
    assert page.errors() == []
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.theme(theme)
        assert page.low_contrast() == [], theme
        for width in (1440, 1024):
            page.width(width)
            assert all(picture["fits"] for picture in page.pictures())
            page.photograph(f"{name}-{theme.split()[-1].lower()}-{width}")

"""Each notebook, run with Run All in JupyterLab, and looked at in both themes and two widths."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from pages import Page

from labkit import Lab

sys.path.append(str(Path(__file__).parents[1] / "notebooks"))
from story import NAMES

pytestmark = pytest.mark.browser

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
STATES = ("waiting", "running", "done")
FOLLOWS_A_RUN = ("06_workflow", "07_notification", "08_query")
BEFORE_IT_IS_MADE_SAFE, AFTERWARDS = NAMES[:9], NAMES[9:]


def look_in_both_themes(page: Page, name: str, widths: tuple[int, ...] = (1024, 1440)) -> None:
    """Check the contrast and the widths, and take photographs."""
    for theme, width in ((LIGHT, widths[-1]), (DARK, widths[0])):
        page.width(width)
        page.theme(theme)
        assert page.low_contrast() == [], theme
        assert all(picture["fits"] for picture in page.pictures())
        page.photograph(f"{name}-{theme.split()[-1].lower()}-{width}")


def run(page: Page, name: str) -> None:
    page.width(1440)
    page.run_all(f"notebooks/{name}.ipynb")
    assert page.errors() == []
    if name in FOLLOWS_A_RUN:
        seen = page.seen()
        assert [state for state in STATES if not any(state in text for text in seen)] == []
    look_in_both_themes(page, name)


@pytest.mark.parametrize("name", BEFORE_IT_IS_MADE_SAFE)
def test_run_all_works_and_what_it_shows_can_be_read(page: Page, name: str) -> None:
    run(page, name)


def test_a_run_that_fails_shows_why_and_what_to_do(page: Page, tree: Path, home: Path) -> None:
    key = "without-a-booth.json"
    row = {"transaction_id": 1, "transaction_date": "2023/08/13", "vehicle_make": "Ford", "vehicle_category": "Sedan"}
    write(
        tree / "failed-run.ipynb",
        "from labkit import Lab\n\nlab = Lab()\nprint(lab.up())",
        f"s3 = lab.session.client('s3')\n"
        f"_ = s3.put_object(Bucket=lab.names.landing_bucket, Key={key!r}, Body={json.dumps(row)!r}.encode())\n"
        f"lab.follow([{key!r}])",
    )
    lab = Lab(home=home, progress="static")
    lab.up()
    lab.catch_up("09")  # does nothing after the notebooks above
    try:
        page.run_all("failed-run.ipynb")
        (error,) = page.errors()
        assert "RunFailed" in error
        assert "lab.query.load_errors()" in error
        assert any("failed" in text for text in page.seen())
        look_in_both_themes(page, "failed-run")
    finally:
        lab.session.client("s3").delete_object(Bucket=lab.names.landing_bucket, Key=key)
        lab.workflow.wait_until_idle()


def test_a_task_tells_a_wrong_type_from_a_wrong_value_and_a_right_answer(page: Page, tree: Path, home: Path) -> None:
    lab = Lab(home=home, progress="static")
    lab.up()
    lab.catch_up("03")
    answers = ("None", "'three'", "3.5", "3")
    write(
        tree / "answers.ipynb",
        "from labkit import Lab, check\n\nlab = Lab()",
        *(f"check('02.1', {answer})" for answer in answers),
    )
    page.run_all("answers.ipynb")
    verdicts = [output.text for output in page.notebook.find_elements("css selector", ".jp-OutputArea-output")]
    said = [next(word for word in WORDS if word in text) for text in verdicts]
    assert said == list(WORDS)
    look_in_both_themes(page, "answers")


WORDS = ("not attempted", "wrong type", "not right yet", "✓")


@pytest.mark.parametrize("name", AFTERWARDS)
def test_run_all_works_in_the_last_notebooks(page: Page, name: str) -> None:
    run(page, name)


def write(file: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    # Without the name of a kernel, JupyterLab would ask for one.
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, file)

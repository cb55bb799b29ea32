"""Each notebook run alone in an empty lab says what is missing, all of it, and how to get it."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit import Lab
from labkit.errors import MissingStep
from labkit.tools.catch_up import _notebooks

NEED_NOTHING = ("00_start", "01_network", "10_cleanup")
IN_CI = ("05_job", "07_notification")
NOTEBOOKS = [name for name in _notebooks() if name not in NEED_NOTHING]


@pytest.fixture(scope="module")
def empty(empty_lab: dict[str, str]) -> Iterator[Lab]:
    """A lab in which nothing was deployed; notebooks in this process use it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LABKIT_HOME", "LABKIT_WAIT_MINUTES"):
            patch.setenv(name, empty_lab[name])
        patch.setenv("LABKIT_PREFIX", "alone")
        patch.setenv("LABKIT_PROGRESS", "static")
        yield Lab()


def first_error(notebook: Path) -> Exception | None:
    """Run the code cells one after the other, without a kernel, until one raises."""
    names: dict[str, object] = {"__name__": "notebook"}
    for cell in json.loads(notebook.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.lstrip().startswith("%"):
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, notebook.name, "exec"), names)
        except Exception as error:
            return error
    return None


def needed_by(name: str) -> list[str]:
    """The notebooks that this one needs: all earlier ones (08 creates nothing that 09 needs)."""
    return [other for other in _notebooks() if other < name and other != "08_query"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_CI else pytest.mark.nightly) for name in NOTEBOOKS]
)
def test_a_notebook_alone_in_an_empty_lab_names_every_notebook_that_it_needs(empty: Lab, root: Path, name: str) -> None:
    error = first_error(root / "notebooks" / f"{name}.ipynb")
    empty.destroy()
    assert isinstance(error, MissingStep), repr(error)
    named = set(re.findall(r"\b\d\d_[a-z]+", str(error)))
    assert named >= set(needed_by(name)), str(error)
    if name != "02_redshift":
        assert re.search(rf'lab\.catch_up\("({name[:2]}|NN)"\)', str(error)), str(error)


def test_the_number_in_the_advice_is_the_one_of_the_step_s_own_notebook(empty: Lab) -> None:
    with pytest.raises(MissingStep, match=r"labkit deploy network\nNot there yet either: 00_start\.") as caught:
        empty.redshift.create()
    assert str(caught.value).endswith('To create all that is needed: lab.catch_up("02")')
    assert (caught.value.step, caught.value.notebook) == ("network", "01_network")


def test_if_only_one_notebook_is_missing_the_message_names_only_that_one(empty: Lab) -> None:
    empty.catch_up("01")
    with pytest.raises(MissingStep) as caught:
        empty.redshift.create()
    assert str(caught.value).splitlines()[1:] == ["Run notebook 01_network first, or: labkit deploy network"]
    empty.destroy()

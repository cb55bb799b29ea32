"""`lab.catch_up("05")` for people who join late creates what the notebooks before 05 create, so that 05 runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit import Lab
from labkit.errors import UsageError, WrongDelivery
from labkit.tools.catch_up import LANDS, ROWS, UNTIL
from labkit.tools.notebook_files import parameters_of

NUMBERS = ("01", "02", "03", "04", "05", "06", "07", "08", "09")


def in_ci(chosen: str) -> list[Any]:
    """All notebooks' numbers. CI runs the chosen one, nightly runs all."""
    return [pytest.param(one, marks=() if one == chosen else pytest.mark.nightly) for one in NUMBERS]


def lab_of(environment: dict[str, str], prefix: str) -> Lab:
    return Lab(home=environment["LABKIT_HOME"], prefix=prefix, wait_minutes=2, progress="static")


@pytest.mark.parametrize("number", in_ci("02"))
def test_a_notebook_runs_in_a_fresh_lab_right_after_catching_up(empty_lab: dict[str, str], number: str) -> None:
    lab = lab_of(empty_lab, f"late{number}")
    caught = lab.catch_up(number)
    assert [notebook[:2] for notebook, _ in caught.made] == ["00", *NUMBERS][: int(number)]
    assert caught.next[:2] == number
    assert dict(caught.shown())["00_start"] == "buckets, roles, functions, a landed file"
    done = subprocess.run(
        [sys.executable, "-m", "labkit", "run", caught.next],
        env={**empty_lab, "LABKIT_PREFIX": f"late{number}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    if number > "04":
        assert lab.counts().agree
        assert lab.counts().queried >= ROWS
    lab.destroy()


@pytest.fixture(scope="module")
def slow_starter(empty_lab: dict[str, str]) -> Lab:
    """A lab that catches up with one notebook after the other."""
    return lab_of(empty_lab, "slow")


@pytest.mark.parametrize("number", in_ci("09"))
def test_catching_up_creates_what_earlier_notebooks_create_and_a_second_call_changes_nothing(
    slow_starter: Lab, number: str
) -> None:
    lab = slow_starter
    lab.catch_up(number)
    earlier = [step.name for step in lab.steps if step.notebook[:2] < number]
    checks = lab.check(*earlier)
    assert checks, str(checks)
    if number > "02":
        before = lab.counts()
        files = [seed for notebook, seed in LANDS.items() if notebook < number]
        assert before.landed == ROWS * len(files)
        assert before.queried == (before.landed if number > "05" else 0)
        runs = len(lab.job.runs()) if lab.job.exists() else 0
        again = lab.catch_up(number)
        assert not [text for _, made in again.made for text in made if text.startswith("a ")]
        assert lab.counts() == before
        assert (len(lab.job.runs()) if lab.job.exists() else 0) == runs


@pytest.mark.nightly
def test_after_the_last_step_the_exactly_once_delivery_is_active(slow_starter: Lab) -> None:
    slow_starter.catch_up("09")
    before = slow_starter.counts().landed
    slow_starter.catch_up("10")
    assert slow_starter.check(), str(slow_starter.check())
    counts = slow_starter.counts()
    assert counts.agree
    assert counts.landed == before
    with pytest.raises(
        WrongDelivery, match=r"Notebook 05_job works with the described delivery(.|\n)*lab\.restart\(\)"
    ):
        slow_starter.catch_up("05")
    assert slow_starter.catch_up(10).next == "10_cleanup"
    slow_starter.destroy()


@pytest.mark.parametrize("notebook", ["05", "5", 5, "05_job", "05_job.ipynb"])
def test_a_notebook_can_be_given_by_number_name_or_file_name(empty_lab: dict[str, str], notebook: str | int) -> None:
    lab = lab_of(empty_lab, "named")
    lab.catch_up("00")
    assert not lab.buckets.check()
    from labkit.tools.catch_up import _chosen, _notebooks

    assert _chosen(notebook, _notebooks()) == "05_job"


@pytest.mark.parametrize("notebook", ["99", "", "job", -1, 11, True, None, 5.0, "_"])
def test_an_unknown_notebook_is_refused_with_a_list_of_the_known_ones(
    empty_lab: dict[str, str], notebook: object
) -> None:
    lab = lab_of(empty_lab, "named")
    with pytest.raises(UsageError, match=r"There is no notebook(.|\n)*00_start, 01_network"):
        lab.catch_up(notebook)  # type: ignore[arg-type]
    assert not lab.buckets.check()


@pytest.mark.parametrize(("number", "seed"), LANDS.items())
def test_catching_up_lands_the_same_files_as_the_notebook(root: Path, number: str, seed: int) -> None:
    (notebook,) = root.glob(f"notebooks/{number}_*.ipynb")
    parameters = {name: one.default for name, one in parameters_of(notebook).items()}
    assert (parameters["rows"], parameters["seed"], parameters["until"]) == (str(ROWS), str(seed), repr(UNTIL))

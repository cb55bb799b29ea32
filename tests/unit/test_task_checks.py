"""`check` tells apart: not attempted, wrong type, wrong value, right, and a check that failed itself."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from labkit import Lab, LabError, check
from labkit.errors import AwsRefused, UsageError
from labkit.tasks import drills, record, registry
from labkit.tasks.answers import LIST, NUMBER
from labkit.tasks.task import Finding, Outcome, Task, not_attempted, reading, right, trying, wrong
from labkit.tools.cli import cli

Judge = Callable[[Any, Any], Finding]

COUNT = Task(
    id="05.9",
    title="Count",
    text="Count them.",
    start="answer = None",
    hints=("Look at `range`.", "It is <4>."),
    solution="answer = 3",
    judge=lambda lab, answer: right("Right: 3.") if answer == 3 else wrong("Count again."),
    wants=NUMBER,
)
MAKE = dataclasses.replace(COUNT, id="05.10", wants=None, judge=lambda lab, answer: not_attempted("there is no table."))


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notebook 05 has only these two tasks."""
    others = {task.id: task for task in registry.TASKS.values() if task.notebook != "05"}
    monkeypatch.setattr(registry, "TASKS", {**others, "05.9": COUNT, "05.10": MAKE})


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab that is not running: these judges don't look at the target."""
    return Lab(home=tmp_path, target="local")


def judged_by(monkeypatch: pytest.MonkeyPatch, judge: Judge, **changes: Any) -> None:
    monkeypatch.setitem(registry.TASKS, "05.9", dataclasses.replace(COUNT, judge=judge, **changes))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "○ 05.9 not attempted: put your answer into the cell above, and run both cells."),
        ("three", "✗ 05.9 wrong type: you gave a str, 'three'. Wanted: a number."),
        (4, "✗ 05.9 not right yet: you gave 4. Count again."),
        (3.0, "✓ 05.9 Right: 3."),
    ],
)
def test_a_verdict_says_what_was_given_and_what_is_wanted(lab: Lab, answer: Any, says: str) -> None:
    verdict = check("05.9", answer, lab=lab)
    assert str(verdict) == repr(verdict) == says
    assert bool(verdict) is says.startswith("✓")


def test_a_task_that_makes_something_takes_no_answer(lab: Lab) -> None:
    assert str(check("05.10", lab=lab)) == "○ 05.10 not attempted: there is no table."
    with pytest.raises(UsageError, match=r'takes no answer.*\nWrite: check\("05\.10"\)'):
        check("05.10", 3, lab=lab)
    with pytest.raises(UsageError, match=r'needs an answer.*\nWrite: check\("05\.9", answer\)'):
        check("05.9", lab=lab)


@pytest.mark.parametrize("unknown", ["99.1", 5.2, "five"])
def test_an_unknown_task_is_an_error_that_lists_the_known_ones(unknown: Any) -> None:
    with pytest.raises(UsageError, match=f"There is no task {unknown!r}.\nTasks: 00.1, "):
        check(unknown, 1)


def test_hints_and_solution_are_folded_until_the_task_is_done(lab: Lab) -> None:
    wrong_one, right_one = check("05.9", 4, lab=lab)._repr_html_(), check("05.9", 3, lab=lab)._repr_html_()
    assert re.findall("<summary>(.*?)</summary>", wrong_one) == ["Hint 1", "Hint 2", "Solution"]
    assert "<code>range</code>" in wrong_one
    assert "It is &lt;4&gt;." in wrong_one
    assert "<pre><code>answer = 3</code></pre>" in wrong_one
    assert "<details" not in right_one
    assert "answer = 3" not in str(check("05.9", 4, lab=lab))


def test_a_verdict_takes_the_page_s_text_colour_and_survives_a_sanitizer(lab: Lab) -> None:
    page = check("05.9", 4, lab=lab)._repr_html_()
    assert not re.search(r"(?<![\w-])color\s*:|background|<style|<script|class=|var\(", page)


def test_what_the_answer_makes_a_judge_raise_is_the_answer_s_fault(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def takes_apart(_lab: Any, answer: Any) -> Finding:
        with reading("a list of texts"):
            return right() if answer[0].upper() == "A" else wrong("No.")

    judged_by(monkeypatch, takes_apart, wants=LIST)
    assert str(check("05.9", [1], lab=lab)) == "✗ 05.9 wrong type: you gave a list, [1]. Wanted: a list of texts."
    judged_by(monkeypatch, lambda lab, answer: right(str(trying(lambda value: 1 / value, answer - 4))))
    assert "your function raised ZeroDivisionError for 0: division by zero" in str(check("05.9", 4, lab=lab))


def test_an_error_of_the_target_is_raised_as_it_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = AwsRefused({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "GetTable")

    def fails(_lab: Any, _answer: Any) -> Finding:
        raise refused

    judged_by(monkeypatch, fails)
    with pytest.raises(AwsRefused) as raised:
        check("05.9", 3, lab=lab)
    assert raised.value is refused


def test_a_fault_of_a_judge_is_not_told_as_a_wrong_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    judged_by(monkeypatch, lambda lab, answer: {}["missing"])
    with pytest.raises(
        LabError, match=r"The check of task 05\.9 failed: KeyError.*\nThis says nothing about your answer"
    ):
        check("05.9", 3, lab=lab)


def test_a_task_is_done_only_between_the_cell_that_breaks_something_and_the_cell_that_mends_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    mends = 'drills.over(lab, "05.9")'
    judged_by(monkeypatch, lambda lab, answer: right(), wants=None, breaks="…", mends=mends)
    nothing = "○ 05.9 not attempted: nothing is broken now. First run the task's first cell."
    assert str(check("05.9", lab=lab)) == nothing
    drills.begin(lab, "05.9")
    assert check("05.9", lab=Lab(home=lab.config.home, prefix="bob")).outcome is Outcome.NOT_ATTEMPTED
    assert check("05.9", lab=lab)
    drills.over(lab, "05.9")
    assert str(check("05.9", lab=lab)) == nothing


# The record


def test_a_task_that_is_done_is_recorded_once_and_for_its_prefix(lab: Lab) -> None:
    check("05.9", 4, lab=lab)
    assert not (lab.config.home / "progress.json").exists()
    check("05.9", 3, lab=lab)
    first = (lab.config.home / "progress.json").read_text()
    check("05.9", 3, lab=lab)
    check("05.9", 4, lab=lab)
    assert (lab.config.home / "progress.json").read_text() == first
    assert [one.titles for one in lab.progress().notebooks if one.notebook == "05"] == ["05.10 Count"]
    assert Lab(home=lab.config.home, prefix="bob").progress().done == 0
    assert sorted(os.listdir(lab.config.home)) == ["progress.json", "progress.lock"]


def test_tasks_that_are_done_at_the_same_time_are_all_recorded(lab: Lab) -> None:
    ids = [f"05.{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda task_id: record.note_done(lab, task_id), ids)) == {""}
    assert sorted(record.done(lab.config)) == sorted(ids)


def test_progress_is_shown_as_lines_html_and_json(lab: Lab) -> None:
    check("05.9", 3, lab=lab)
    found = lab.progress()
    assert "○ 05  1/2  open: 05.10 Count" in str(found)
    assert f"1 of {len(registry.TASKS)} tasks are done" in str(found)
    assert "05.10 Count</td>" in found._repr_html_()
    tasks = {task["id"]: task for task in json.loads(json.dumps(found.as_json()))["notebooks"]["05"]["tasks"]}
    assert tasks["05.9"]["done_at"].endswith("Z")
    assert tasks["05.10"] == {"id": "05.10", "title": "Count", "done": False, "done_at": None}


@pytest.mark.parametrize("content", ["", "[]", '{"labs": {"": [1]}}', '{"labs": {"": {"05.9": 1}}}'])
def test_a_damaged_record_is_named_and_does_not_change_the_verdict(lab: Lab, content: str) -> None:
    file = lab.config.home / "progress.json"
    file.write_text(content)
    verdict = check("05.9", 3, lab=lab)
    assert verdict
    assert f"It could not be recorded. The record of the tasks, {file}, is damaged." in str(verdict)
    with pytest.raises(LabError, match=r"is damaged\.\nTo start a new one, delete it"):
        lab.progress()
    assert file.read_text() == content


def test_a_record_that_can_not_be_written_does_not_change_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the home should be")
    verdict = check("05.9", 3, lab=Lab(home=tmp_path / "home", target="local"))
    assert verdict
    assert "It could not be recorded" in str(verdict)


def test_the_command_shows_the_record_of_the_home_and_the_prefix(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    check("05.9", 3, lab=lab)
    monkeypatch.setenv("LABKIT_HOME", str(lab.config.home))
    shown = CliRunner().invoke(cli, ["progress"])
    assert shown.output == f"{lab.progress()}\n"
    as_json = CliRunner().invoke(cli, ["progress", "--json"])
    assert json.loads(as_json.output) == lab.progress().as_json()
    monkeypatch.setenv("LABKIT_PREFIX", "bob")
    assert json.loads(CliRunner().invoke(cli, ["progress", "--json"]).output)["done"] == 0


def test_a_wipe_deletes_the_record_and_a_stop_keeps_it(lab: Lab) -> None:
    check("05.9", 3, lab=lab)
    lab.down()
    assert lab.progress().done == 1
    lab.down(wipe=True)
    assert lab.progress().done == 0
    assert not lab.config.home.exists()

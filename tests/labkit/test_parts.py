"""The small parts: packages of functions, displays, errors, waits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from labkit.config import load
from labkit.data.landing import count_records
from labkit.errors import LabError, WaitTimeout
from labkit.show.display import Check, Described, Fact, hidden
from labkit.show.waiting import wait_for
from labkit.tools.packaging import package


def test_the_same_code_gives_the_same_package() -> None:
    assert package("toll_plaza_application") == package("toll_plaza_application")


def test_a_package_contains_what_the_runtime_lacks_and_little_more() -> None:
    names = zipfile.ZipFile(io.BytesIO(package("toll_plaza_application"))).namelist()
    assert {"toll_plaza_application.py", "faker/__init__.py", "faker/providers/date_time/en_US/__init__.py"} <= set(
        names
    )
    assert not any("ja_JP" in name or name.startswith("boto") for name in names)
    assert len(package("toll_plaza_application")) < 500_000
    assert zipfile.ZipFile(io.BytesIO(package("start_workflow_function"))).namelist() == ["start_workflow_function.py"]


def test_the_trimmed_faker_generates_the_same_rows_as_the_full_faker(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(package("toll_plaza_application"))).extractall(tmp_path)
    (tmp_path / "boto3.py").write_text("def client(name): pass\n")  # no AWS is called here
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from datetime import date; import faker; from toll_plaza_application import transactions\n"
        "assert faker.__file__.startswith(sys.argv[1])\n"
        "print(*transactions(100, 2023, date(2023, 8, 31)), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    sample = Path(__file__).parents[2] / "data" / "sample_data_single_quoted.json"
    assert done.stdout == sample.read_text()


def test_a_missing_function_is_named_in_the_error() -> None:
    with pytest.raises(LabError, match=r"There is no .*lambdas/nothing\.py"):
        package("nothing")


@dataclass(frozen=True)
class Shown(Described):
    name: str
    parts: tuple[str, ...]
    private: bool
    resource_id: str = hidden()


def test_hidden_fields_are_never_displayed() -> None:
    shown = Shown("a <b>", ("x", "y"), True, "vpc-123")
    assert str(shown) == "name     a <b>\nparts    x, y\nprivate  yes"
    assert "a &lt;b&gt;" in shown._repr_html_()
    for text in (str(shown), repr(shown), shown._repr_html_()):
        assert "vpc-123" not in text


def test_a_check_shows_the_fix_only_for_what_is_wrong() -> None:
    check = Check("step", (Fact(True, "this holds", "not shown"), Fact(False, "that doesn't", "do this")))
    assert not check
    assert str(check) == "step: not all checks passed\n  ✓ this holds\n  ✗ that doesn't → do this"
    assert "not shown" not in check._repr_html_()
    assert Check("step", ()).ok


def test_in_a_notebook_a_LabError_is_shown_as_its_message_only() -> None:
    error = LabError("It broke.", where="Look there.", fix="Do this.")
    assert error._render_traceback_() == ["LabError: It broke.\nLook there.\nDo this."]


def test_a_wait_returns_the_value_and_prints_one_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([("not yet", None), ("not yet", None), ("there", 42)])
    config = load(progress="static", poll_seconds=0.001)
    assert wait_for("the answer", lambda: next(answers), config=config, go_on="") == 42
    assert capsys.readouterr().out == "Waiting for the answer …\n"


def test_what_is_soon_there_is_not_waited_for_as_long_as_a_cluster() -> None:
    answers = iter([("not yet", None)] * 3 + [("there", 42)])
    config = load(poll_seconds=60)  # longer than a test may take
    assert wait_for("the answer", lambda: next(answers), config=config, go_on="", quiet=True) == 42


def test_what_takes_longer_is_looked_at_every_poll_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("labkit.show.waiting.time.sleep", pauses.append)
    answers = iter([("not yet", None)] * 12 + [("there", 42)])
    assert wait_for("the answer", lambda: next(answers), config=load(poll_seconds=5), go_on="", quiet=True) == 42
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.01, 5)


def test_a_wait_that_times_out_says_what_it_last_saw() -> None:
    config = load(poll_seconds=0.001, wait_minutes=0.0001)
    with pytest.raises(WaitTimeout, match=r"Last seen: half way\.\nIt may still finish\. Ask again\."):
        wait_for("the answer", lambda: ("half way", None), config=config, go_on="Ask again.", quiet=True)


ROW = {"transaction_id": 1, "toll_booth": "york_rd", "transaction_amount": 1.5}


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (json.dumps(ROW), 1),
        (str(ROW), 1),
        (f"{json.dumps(ROW)}\n{json.dumps(ROW)}\r\n{json.dumps(ROW)}\r{json.dumps(ROW)}", 4),
        (json.dumps([ROW, ROW]), 2),
        ("  [1, 2, 3]  ", 3),
        ("[]", 0),
        ("no row at all", 1),
        ("", 0),
        (" \t \n\n\x0b\n", 0),
        ("[[[[", 1),
        (f"[{ROW}, {ROW}]", 1),
        ("[NaN, 1]", 1),
        ("[1, 2] and more", 1),
        (f"{json.dumps(ROW)} {json.dumps(ROW)}", 1),
        ("a\u2028b\x85c", 1),
    ],
)
def test_records_are_the_nonblank_lines_and_the_elements_of_arrays(body: str, records: int) -> None:
    assert count_records(body.encode()) == records

"""glue/rows.py on a Spark of its own: which lines are records, which rows are good, and why the others are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localaws.glue.jobs.java import NO_PERF_FILE, find_java

GOOD = {
    "transaction_id": 1,
    "transaction_date": "2023/08/13",
    "toll_booth": "golf_rd",
    "vehicle_make": "Mercedes-Benz",
    "vehicle_category": "Coupe, Sedan, Convertible",
    "transaction_amount": 2.5,
}
TEXTS = ["1", "2023/08/13", "golf_rd", "Mercedes-Benz", "Coupe, Sedan, Convertible", "2.5"]
"""A good row's fields, as they are written to Redshift."""


def row(**changes: Any) -> str:
    """A row as it lands, with changes; None removes a field."""
    return json.dumps({name: value for name, value in {**GOOD, **changes}.items() if value is not ...})


# Line: for each of its records, None if it is good, else the reason why not.
NO_OBJECT = "not a JSON object"
LINES: dict[str, list[str | None]] = {
    # Blank: characters up to the space, and nothing else.
    "": [], "  ": [], "\t": [], "\x00\x1f\r \n": [], "!": [NO_OBJECT], " !": [NO_OBJECT], "\u00a0": [NO_OBJECT],
    # One object.
    row(): [None], "  " + row(): [None], str(GOOD): [None], row(more=[1, {"a": None}]): [None],
    row() + " x": [NO_OBJECT],
    "hello": [NO_OBJECT], "{": [NO_OBJECT], row()[:-1]: [NO_OBJECT], "null": [NO_OBJECT], "7": [NO_OBJECT],
    '"text"': [NO_OBJECT], row() + row(): [NO_OBJECT], row() + "," + row(): [NO_OBJECT],
    # An array, which must be strict JSON.
    f"[{row()}]": [None], f" [{row()}, {row()}]": [None, None], "[]": [], "[1, null]": [NO_OBJECT, NO_OBJECT],
    f"[{row()}, [2]]": [None, NO_OBJECT], f"[{GOOD}]": [NO_OBJECT], "[[[": [NO_OBJECT], "[NaN]": [NO_OBJECT],
    f"[{row()}] x": [NO_OBJECT], f"[{row()}],[{row()}]": [NO_OBJECT],
    # Fields that are missing: null is as good as nothing.
    row(toll_booth=...): ["toll_booth is missing"], row(toll_booth=None): ["toll_booth is missing"],
    row(transaction_id=..., transaction_amount=None): ["transaction_id is missing; transaction_amount is missing"],
    "{}": ["; ".join(f"{name} is missing" for name in GOOD)],
    # A bigint: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    row(transaction_id="17"): [None], row(transaction_id=-(2**63)): [None], row(transaction_id="+5"): [None],
    row(transaction_id=2**63 - 1): [None],
    **{
        row(transaction_id=value): [f"transaction_id is not a whole number: {said}"]
        for value, said in [
            (2**63, "9223372036854775808"), (-(2**63) - 1, "-9223372036854775809"), (1.5, "1.5"), (1.0, "1.0"),
            ("", ""), ("1e3", "1e3"), (" 1", " 1"), ("0x1", "0x1"), (True, "true"), ("1L", "1L"),
            ("1\n", "1\n"), ("1\r\n", "1\r\n"), ("1\u2028", "1\u2028"),
        ]
    },
    # A real.
    row(transaction_amount="2.5"): [None], row(transaction_amount=0): [None], row(transaction_amount=-3.4e38): [None],
    row(transaction_amount=3.4e38): [None],
    **{
        row(transaction_amount=value): [f"transaction_amount is not a number that its column can hold: {said}"]
        for value, said in [(3.5e38, "3.5E38"), (-3.5e38, "-3.5E38"), ("much", "much"), ("", ""), ("NaN", "NaN"),
                            ("Infinity", "Infinity")]
    },
    # A varchar without a length has 256 bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    row(vehicle_make="k" * 256): [None], row(vehicle_make="ü" * 128): [None], row(vehicle_make=""): [None],
    row(vehicle_make="k" * 257): ["vehicle_make is longer than 256 bytes"],
    row(vehicle_make="ü" * 128 + "k"): ["vehicle_make is longer than 256 bytes"],
    row(toll_booth="a\0b"): ["toll_booth has a NUL character, which Redshift can't hold"],
    # All that is wrong with a row is said, in the order of the columns.
    row(transaction_amount="much", vehicle_category="k" * 300, transaction_id="x"): [
        "transaction_id is not a whole number: x; vehicle_category is longer than 256 bytes;"
        " transaction_amount is not a number that its column can hold: much"
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def judged(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is found of LINES, all at once; each line is a file of its own."""
    scratch = str(tmp_path_factory.mktemp("spark"))
    environment = {
        "JAVA_HOME": str(find_java().program.parent.parent),
        "JAVA_TOOL_OPTIONS": f"{NO_PERF_FILE} -Djava.io.tmpdir={scratch}",
        "PYTHONPATH": str(root),
        "SPARK_LOCAL_DIRS": scratch,
        "TMPDIR": scratch,
    }
    found = subprocess.run(
        [sys.executable, "-B", str(Path(__file__).with_name("judge_lines.py"))],
        input=json.dumps({uri(number): line for number, line in enumerate(LINES)}),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2000:]
    judged: dict[str, Any] = json.loads(found.stdout)
    judged["by_file"] = {uri(number): [] for number in range(len(LINES))}
    for row in judged["rows"]:
        judged["by_file"][row["source_file"]].append(row)
    return judged


def uri(number: int) -> str:
    return f"s3://landing-bucket/{number}.json"


@pytest.mark.parametrize(("number", "line"), list(enumerate(LINES)), ids=lambda value: ascii(value)[:40])
def test_each_record_of_a_line_is_a_good_row_or_has_a_reason(judged: Any, number: int, line: str) -> None:
    found = judged["by_file"][uri(number)]
    assert [one["reason"] for one in found] == LINES[line]
    assert [one["row"] for one in found] == [None if reason is None else line for reason in LINES[line]]


def test_a_good_row_has_its_fields_as_text_in_the_order_of_the_table_s_columns(judged: Any) -> None:
    assert judged["columns"] == [*GOOD, "reason", "source_file", "row"]
    (good,) = judged["by_file"][uri(list(LINES).index(row()))]
    assert [good[name] for name in GOOD] == TEXTS


def test_good_and_rejected_rows_are_counted_per_file_and_files_without_rows_are_left_out(judged: Any) -> None:
    assert judged["counts"] == {
        uri(number): [reasons.count(None), len(reasons) - reasons.count(None)]
        for number, reasons in enumerate(LINES.values())
        if reasons
    }


def test_files_without_lines_give_an_empty_frame_with_the_same_columns(judged: Any) -> None:
    assert (judged["columns without lines"], judged["counts without lines"]) == (["col0", "source_file"], {})

"""Answers are taken in any sensible form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from labkit.tasks.answers import (
    BOOLEAN,
    FUNCTION,
    LIST,
    MAPPING,
    NUMBER,
    TEXT,
    Kind,
    describe,
    is_blank,
    normalize,
    take,
)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (3, 3),
        (pd.DataFrame({"average": [3]}), 3),
        (pd.Series([" york_rd "]), "york_rd"),
        (pd.DataFrame([2.5]).to_numpy(), 2.5),
        (pd.Series([7])[0], 7),
        (pd.Series(["text"]).to_numpy().astype(str)[0], "text"),
        (pd.Series([True])[0], True),
        (" text\n", "text"),
        (b"text", "text"),
        (pd.Series([1, 2]).to_numpy(), [1, 2]),
        ([3], [3]),
    ],
)
def test_one_value_in_a_wrapping_is_that_value(given: Any, value: Any) -> None:
    assert normalize(given) == value
    assert type(normalize(given)) is type(value)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (NUMBER, "3.0", 3),
        (NUMBER, Decimal("2.50"), 2.5),
        (NUMBER, pd.DataFrame({"n": [Decimal(4)]}), 4),
        (BOOLEAN, "True", True),
        (BOOLEAN, "no", False),
        (BOOLEAN, pd.Series([False])[0], False),
        (MAPPING, '{"a": 1}', {"a": 1}),
        (MAPPING, pd.Series({"a": "x", "b": " y "}), {"a": "x", "b": "y"}),
        (LIST, ("a", "b"), ["a", "b"]),
        (LIST, pd.DataFrame({"key": ["a", "b"]}), ["a", "b"]),
        (LIST, pd.Series([1, 2]), [1, 2]),
        (LIST, "[1, 2]", [1, 2]),
        (TEXT, pd.Series(["x"]).to_numpy(), "x"),
    ],
)
def test_a_kind_takes_other_forms_of_the_same_answer(kind: Kind, given: Any, value: Any) -> None:
    assert take(kind, given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (NUMBER, True),
        (NUMBER, "three"),
        (NUMBER, 1j),
        (NUMBER, pd.DataFrame({"n": [1, 2]})),
        (BOOLEAN, 1),
        (BOOLEAN, "perhaps"),
        (TEXT, 3),
        (MAPPING, "[1]"),
        (MAPPING, ["a"]),
        (LIST, "abc"),
        (LIST, pd.DataFrame({"a": [1], "b": [2]})),
        (FUNCTION, 3),
        (FUNCTION, int),
    ],
)
def test_an_answer_of_another_kind_is_a_type_error(kind: Kind, given: Any) -> None:
    with pytest.raises(TypeError, match=kind.words.split("(")[0]):
        take(kind, given)


@pytest.mark.parametrize(("given", "blank"), [(None, True), (..., True), ("  ", True), (0, False), (False, False)])
def test_none_dots_and_empty_text_are_no_answer(given: Any, blank: bool) -> None:
    assert is_blank(given) is blank


def test_an_answer_is_described_with_its_type_on_one_short_line() -> None:
    assert describe([1, 2]) == "a list, [1, 2]"
    assert describe(3) == "an int, 3"
    assert describe(describe) == "a function, describe"
    assert len(describe("a b\n" * 100)) < 100
    assert "\n" not in describe(pd.DataFrame({"a": [1, 2]}))

"""lambdas/toll_plaza_application.py, without AWS: what it makes and what it refuses."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DAY = date(2023, 8, 31)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        spec = importlib.util.spec_from_file_location("generator", PROJECT / "lambdas" / "toll_plaza_application.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def test_the_same_seed_and_day_give_the_same_rows(generator: ModuleType) -> None:
    assert list(generator.transactions(50, 7, DAY)) == list(generator.transactions(50, 7, DAY))
    assert list(generator.transactions(50, 7, DAY)) != list(generator.transactions(50, 8, DAY))


def test_without_a_seed_every_call_gives_different_rows(generator: ModuleType) -> None:
    assert list(generator.transactions(50)) != list(generator.transactions(50))


def test_rows_have_the_columns_of_the_table_in_the_same_order(generator: ModuleType) -> None:
    (row,) = generator.transactions(1, 1, DAY)
    assert list(row) == [
        "transaction_id",
        "transaction_date",
        "toll_booth",
        "vehicle_make",
        "vehicle_category",
        "transaction_amount",
    ]


def test_values_match_the_description(generator: ModuleType) -> None:
    rows = list(generator.transactions(5000, 1, DAY))
    first = DAY - timedelta(days=29)
    assert {row["transaction_date"] for row in rows} == {
        (first + timedelta(days=number)).strftime("%Y/%m/%d") for number in range(30)
    }
    assert {row["toll_booth"] for row in rows} == {
        "buckley_rd", "82nd_st", "royal_ave", "savanna_west", "golf_rd", "york_rd",
    }  # fmt: skip
    assert all(0.01 <= row["transaction_amount"] <= 10 for row in rows)
    assert all(0 <= row["transaction_id"] <= 99_999 for row in rows)
    assert max(Counter(row["transaction_id"] for row in rows).values()) > 1, "ids are not unique"
    assert "Mercedes-Benz" in {row["vehicle_make"] for row in rows}
    assert "Coupe, Sedan, Convertible" in {row["vehicle_category"] for row in rows}


@pytest.mark.parametrize("event", [{}, {"key1": "value1", "key2": "value2", "key3": "value3"}, None, []])
def test_the_console_s_test_event_gives_the_defaults(generator: ModuleType, event: object) -> None:
    assert generator.read_event(event) == (100, None, None)


def test_a_day_is_accepted_in_both_notations(generator: ModuleType) -> None:
    assert generator.read_event({"rows": 5, "seed": 3, "until": "2023-08-31"}) == (5, 3, DAY)
    assert generator.read_event({"until": "2023/08/31"})[2] == DAY


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({"rows": 0}, "rows is 0: it must be a whole number from 1 to 1000000"),
        ({"rows": "ten"}, "rows is 'ten'"),
        ({"rows": True}, "rows is True"),
        ({"seed": 1.5}, "seed is 1.5: it must be a whole number"),
        ({"until": "yesterday"}, "until is 'yesterday': it must be a day such as 2026-11-30"),
    ],
)
def test_an_invalid_event_is_refused_with_the_allowed_values(
    generator: ModuleType, event: dict[str, object], complaint: str
) -> None:
    with pytest.raises(generator.BadEvent, match=complaint.replace("(", r"\(")):
        generator.read_event(event)


def test_keys_never_collide(generator: ModuleType) -> None:
    keys = {generator.new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(key.endswith(".json") for key in keys)


def test_the_sample_files_equal_the_generator_s_output(generator: ModuleType) -> None:
    rows = list(generator.transactions(100, 2023, DAY))
    strict = (PROJECT / "data" / "sample_data_toll_application.json").read_text()
    assert [json.loads(line) for line in strict.splitlines()] == rows
    single_quoted = (PROJECT / "data" / "sample_data_single_quoted.json").read_text()
    assert single_quoted.splitlines() == [str(row) for row in rows]

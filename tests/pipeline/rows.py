"""Toll rows as text, in the notations in which they can land."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BOOTHS = ("buckley_rd", "82nd_st", "royal_ave", "savanna_west", "golf_rd", "york_rd")
MAKES = ("Saab", "Mercedes-Benz", "Land Rover", "Citroën", 'The "Best"', "back\\slash", "a|b,c;d", " spaced ")
CATEGORIES = ("Sedan", "Coupe, Sedan, Convertible", "Van/Minivan", "")

Row = tuple[int, str, str, str, str, float]
"""A row of toll_table, in the order of its columns."""


@dataclass(frozen=True)
class Content:
    """A file as it lands: its bytes, the rows to load, and the lines that can't be, each (number from 1, text)."""

    body: bytes
    good: tuple[Row, ...]
    bad: tuple[tuple[int, str], ...]


def toll(number: int, **changes: Any) -> dict[str, Any]:
    """One valid row; `changes` replace or add fields, and a None removes one."""
    row = {
        "transaction_id": number,
        "transaction_date": "2023/08/13",
        "toll_booth": "golf_rd",
        "vehicle_make": "Saab",
        "vehicle_category": "Sedan",
        "transaction_amount": 2.5,
    }
    row.update(changes)
    return {name: value for name, value in row.items() if value is not None}


def strict(first: int, count: int) -> str:
    """JSON, one object a line."""
    return "\n".join(json.dumps(toll(number)) for number in range(first, first + count)) + "\n"


def single_quoted(first: int, count: int) -> str:
    """Python's own notation, as in the sample file of the original description."""
    return "\n".join(str(toll(number)) for number in range(first, first + count)) + "\n"


def content(dice: random.Random, numbers: Iterator[int], rows: int, bad: int = 0) -> Content:
    """A file of `rows` rows that differ from those of every other file, and of `bad` lines that can't be loaded.

    `numbers` gives the transaction ids. About one row in ten is there twice: ids are not unique, and a copy in the
    same file is a row like any other.
    """
    lines: list[tuple[str, Row | None]] = []
    for _ in range(rows):
        if lines and dice.random() < 0.1:
            lines.append(dice.choice(lines))
        else:
            lines.append(_good(dice, next(numbers)))
    for _ in range(bad):
        lines.insert(dice.randint(0, len(lines)), (_bad(dice, next(numbers)), None))
    body = "".join(f"{text}\n" for text, _ in lines).encode()
    good = tuple(row for _, row in lines if row is not None)
    return Content(body, good, tuple((at, text) for at, (text, row) in enumerate(lines, 1) if row is None))


def _good(dice: random.Random, number: int) -> tuple[str, Row]:
    """A line, and the row that must come of it."""
    row = toll(
        number,
        transaction_date=f"2023/08/{dice.randint(1, 28):02}",
        toll_booth=dice.choice(BOOTHS),
        vehicle_make=dice.choice(MAKES),
        vehicle_category=dice.choice(CATEGORIES),
        transaction_amount=dice.randint(1, 1000) / 100,
    )
    return json.dumps(row), tuple(row.values())


def _bad(dice: random.Random, number: int) -> str:
    return dice.choice(
        (
            f"{number} is not JSON {{",
            json.dumps(toll(number))[:-20],
            json.dumps(toll(number, toll_booth=None)),
            json.dumps(toll(number) | {"transaction_id": f"x{number}"}),
            json.dumps(toll(number, vehicle_make="m" * 300)),
            json.dumps(toll(number) | {"transaction_amount": "free"}),
        )
    )

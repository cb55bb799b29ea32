"""Toll rows, as text in the forms in which they may land."""

from __future__ import annotations

import json
from typing import Any


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

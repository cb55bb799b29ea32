"""The ledger that the job keeps in Redshift: which object versions are loaded (glue/exactly_once.py)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from labkit import dataapi
from labkit.errors import QueryFailed

if TYPE_CHECKING:
    from labkit.lab import Lab

KEYS_A_QUERY = 500


def are_loaded(lab: Lab, keys: Iterable[str]) -> bool:
    """Has some version of each of these objects been loaded?"""
    wanted = sorted({quote(key, safe="/") for key in keys})
    try:
        for start in range(0, len(wanted), KEYS_A_QUERY):
            some = wanted[start : start + KEYS_A_QUERY]
            # Percent-encoded names hold no quote.
            names = ", ".join(f"'{name}'" for name in some)
            found = dataapi.execute(
                lab, f"select count(distinct object) from {lab.names.ledger} where object in ({names})"
            )
            if int(found.rows[0][0]) < len(some):
                return False
    except QueryFailed:  # the first run makes the table
        return False
    return True

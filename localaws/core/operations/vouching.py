"""Which operations the embedded AWS vouches for: the tables in this folder, one for each service.

An operation *works* (a test proves it), or is *state only*: it stores and returns values such as names, tags and VPCs,
and has no other effect. Any other operation is refused by name, since moto would answer it with success, but without an
effect. With `allow_unproven` moto does answer it, and each such answer has a header.

The tables say, too, what each of these operations does to the state: whether it only reads is not guessed from its name
(TestConnection keeps its result, ReceiveMessage hides what it returns).

The tables name parameters, too, that have no effect here though AWS acts on them: see unsupported.py.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

TABLES = Path(__file__).parent
UNPROVEN = "x-localaws-unproven"
"""The header of an answer to an operation that the tables don't vouch for; its value is the operation."""


class Standing(StrEnum):
    """How far an operation is supported."""

    WORKS = "works"
    STATE_ONLY = "state only"
    REFUSED = "refused"


class Effect(StrEnum):
    """What an operation does to the state."""

    READS = "reads"
    """Nothing: it need not be saved."""
    CHANGES = "changes"
    MAKES_ROOM = "makes_room"
    """It removes or ends something: a change that is taken on a full disk, too."""


@dataclass(frozen=True)
class Table:
    """The operations of one service that are answered; all others are refused."""

    works: dict[str, str] = field(default_factory=dict)
    """By operation: the test that proves it, as FILE::TEST below tests/."""
    state_only: frozenset[str] = frozenset()
    effects: dict[str, Effect] = field(default_factory=dict)
    """By operation, of all that are answered."""
    refused_parameters: dict[str, list[str]] = field(default_factory=dict)
    """By operation, as they are named in a request; "A.B" is the member B of A, or of each item of the list A."""
    passing_values: dict[str, list[str]] = field(default_factory=dict)
    """By refused parameter: the values that pass, since they ask for no effect."""
    filters: dict[str, list[str]] = field(default_factory=dict)
    """For EC2, by operation: the filters that have an effect; "tag:" stands for all filters that name a tag."""
    refused_filters: dict[str, list[str]] = field(default_factory=dict)
    """For EC2, by operation: the filters that AWS has, but that have no effect here."""

    def standing(self, operation: str) -> Standing:
        """Return how far `operation` is supported."""
        if operation in self.works:
            return Standing.WORKS
        return Standing.STATE_ONLY if operation in self.state_only else Standing.REFUSED

    def effect(self, operation: str) -> Effect:
        """That of `operation`; what no table knows is taken for a change."""
        return self.effects.get(operation, Effect.CHANGES)


@cache
def table(service: str) -> Table:
    """Return the table of a service, which is named as in a signature's scope ("redshift-data"); else an empty one."""
    file = TABLES / f"{service}.toml"
    if not file.is_file():
        return Table()
    written = tomllib.loads(file.read_text())
    return Table(
        written.get("works", {}),
        frozenset(written.get("state_only", ())),
        {operation: effect for effect in Effect for operation in written[effect]},
        written.get("refused_parameters", {}),
        written.get("passing_values", {}),
        written.get("filters", {}),
        written.get("refused_filters", {}),
    )


def services() -> list[str]:
    """Return the services that have a table."""
    return sorted(file.stem for file in TABLES.glob("*.toml"))

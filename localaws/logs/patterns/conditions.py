"""Conditions joined by && and ||, where && binds more strongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from localaws.logs.patterns.tokens import Tokens

Subject = TypeVar("Subject", contravariant=True)


class Condition(Protocol[Subject]):
    """A condition on an event."""

    def holds(self, subject: Subject) -> bool:
        """Whether it holds."""


@dataclass(frozen=True)
class All(Generic[Subject]):
    """Holds if all of its parts do."""

    parts: tuple[Condition[Subject], ...]

    def holds(self, subject: Subject) -> bool:
        """Whether all parts hold."""
        return all(part.holds(subject) for part in self.parts)


@dataclass(frozen=True)
class Either(Generic[Subject]):
    """Holds if one of its parts does."""

    parts: tuple[Condition[Subject], ...]

    def holds(self, subject: Subject) -> bool:
        """Whether some part holds."""
        return any(part.holds(subject) for part in self.parts)


def parse_conditions(tokens: Tokens, single: Callable[[], Condition[Subject]]) -> Condition[Subject]:
    """Read conditions, each of them with `single`."""
    either = [_all(tokens, single)]
    while tokens.take(r"\|\|"):
        either.append(_all(tokens, single))
    return either[0] if len(either) == 1 else Either(tuple(either))


def _all(tokens: Tokens, single: Callable[[], Condition[Subject]]) -> Condition[Subject]:
    parts = [single()]
    while tokens.take("&&"):
        parts.append(single())
    return parts[0] if len(parts) == 1 else All(tuple(parts))

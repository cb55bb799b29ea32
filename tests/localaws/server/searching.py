"""The search for a request that reaches more than its signer may access. It needs a process of its own."""

from __future__ import annotations

import logging
import re
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import FlakyFailure

from tests.localaws.server.asking_everything import Answers, ask_everything
from tests.localaws.server.enclosure import Enclosure
from tests.localaws.server.fuzzing import Shot, shots
from tests.localaws.server.holes import HOLES
from tests.localaws.server.reading_everything import Reads, read_everything
from tests.localaws.server.world import MARKER, World

_SECRET = re.compile(
    rf"{MARKER}|{MARKER.replace('-', '')}|[<\"'](SecretAccessKey|SessionToken)[>\"']|(?<![A-Z0-9])ASIA[A-Z0-9]{{16}}"
)


@dataclass(frozen=True)
class Outcome:
    """What a search came to."""

    found: str
    """The violation in words; empty where there was none."""
    sent: int
    passed: int
    """How many requests came through to moto."""
    seconds: float
    statuses: dict[int, int]


def search(examples: int, number: int | None = None, hole: str = "") -> Outcome:
    """Search with so many requests.

    Args:
        examples: how many at most.
        number: the seed; None takes those of the test itself, the same each time.
        hole: one of HOLES to put back.
    """
    world, statuses, found = _world(), {}, [""]  # type: ignore[var-annotated]
    before, began = world.enclosure.asked, time.monotonic()
    opened, rights = HOLES[hole] if hole else (nullcontext, ())

    def keeps_what_is_not_theirs(shot: Shot) -> None:
        status, problems = _problems(world, shot)
        statuses[status] = statuses.get(status, 0) + 1
        if hole:  # not what another parser of moto's fails at
            problems = [each for each in problems if each.startswith(("shown", "changed"))]
        if problems:
            found[0] = f"{problems}: {shot}"
            raise AssertionError(found[0])

    test: Any = given(shots(rights))(keeps_what_is_not_theirs)
    test = settings(
        max_examples=examples,
        derandomize=number is None,
        database=None,
        deadline=None,
        phases=[Phase.generate] if hole else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )(test)
    if number is not None:
        test = seed(number)(test)
    with opened():
        try:
            test()
        except (AssertionError, FlakyFailure):  # what has been changed once may not be changed again
            assert found[0]
    seconds = time.monotonic() - began
    return Outcome(found[0], sum(statuses.values()), world.enclosure.asked - before, seconds, statuses)


def _problems(world: World, shot: Shot) -> tuple[int, list[str]]:
    """The answer's status, and what it, and the state after it, must not be."""
    before = world.enclosure.asked
    answer = world.enclosure.send(shot.request)
    text = f"{answer.headers} {answer.text}"
    problems = [f"shown: {match[0]}" for match in _SECRET.finditer(text)]
    if answer.status >= 500 and answer.status != 501:
        problems.append(f"{answer.status}: {answer.text}")
    if world.enclosure.asked != before:
        problems += world.check(shot.right)
    return answer.status, problems


def work_in(directory: Path) -> None:
    """Have this process's embedded AWS, and hypothesis, keep their files there; called before `search`."""
    global _directory
    _directory = directory


_directory = Path()


@cache
def _world() -> World:
    logging.disable()  # of refusals there are many
    set_hypothesis_home_dir(_directory / "hypothesis")
    return World(Enclosure.at(_directory / "home"))


def ask(services: list[str]) -> Answers:
    """Ask this process's embedded AWS for all that no table has, of these services."""
    return ask_everything(_world().enclosure, services)


def read() -> Reads:
    """Ask this process's embedded AWS for all that only reads."""
    return read_everything(_world())

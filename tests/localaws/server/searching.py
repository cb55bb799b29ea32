"""The search for a request that does more than its signer's right allows. It needs its own process."""

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
    """The result of a search."""

    found: str
    """The violation in words; empty if there was none."""
    sent: int
    passed: int
    """How many requests reached moto."""
    seconds: float
    statuses: dict[int, int]


def search(examples: int, number: int | None = None, hole: str = "") -> Outcome:
    """Search with at most `examples` requests.

    Args:
        examples: the largest number of requests.
        number: the seed; None means the test's own requests, the same each time.
        hole: the one of HOLES to reopen.
    """
    world, statuses, found = _world(), {}, [""]  # type: ignore[var-annotated]
    before, began = world.enclosure.asked, time.monotonic()
    opened, rights = HOLES[hole] if hole else (nullcontext, ())

    def keeps_what_is_not_theirs(shot: Shot) -> None:
        status, problems = _problems(world, shot)
        statuses[status] = statuses.get(status, 0) + 1
        if hole:  # ignore errors of moto's other parsers
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
        except (AssertionError, FlakyFailure):  # the second time, the same request may not change the state
            assert found[0]
    seconds = time.monotonic() - began
    return Outcome(found[0], sum(statuses.values()), world.enclosure.asked - before, seconds, statuses)


def _problems(world: World, shot: Shot) -> tuple[int, list[str]]:
    """Send a request; return the answer's status, and what is wrong with the answer and the state after it."""
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
    """Set the directory for the files of this process's embedded AWS and of hypothesis; call it before `search`."""
    global _directory
    _directory = directory


_directory = Path()


@cache
def _world() -> World:
    logging.disable()  # there are many refusals
    set_hypothesis_home_dir(_directory / "hypothesis")
    return World(Enclosure.at(_directory / "home"))


def ask(services: list[str]) -> Answers:
    """Call all operations of these services that are in no table, on this process's embedded AWS."""
    return ask_everything(_world().enclosure, services)


def read() -> Reads:
    """Call all operations that only read, on this process's embedded AWS."""
    return read_everything(_world())

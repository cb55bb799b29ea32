"""Files land and processes are killed at random moments: in the end every row is loaded exactly once.

The dice are seeded: `PIPELINE_SEED=7 PIPELINE_ROUNDS=50 pytest -m nightly tests/pipeline/test_random_faults.py` rolls
the same rounds again. What a process is doing at that moment is not in the dice, so try more than once.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.pipeline.conftest import DEAD, ShellLab
from tests.pipeline.killing import SPARED, Victim, find, server
from tests.pipeline.landing import Landing
from tests.processes import family, kill, listening, outliving

NAMES = ("plain", "a b+c", "ä/ö (1)", "50%25", "day=2023-08-13/x", "quo'te\"", "deep/er/still", "[0]*?", "a&b#c;d")
LATEST = 3.0
"""Seconds after the first file at which the kill comes, at most; a run takes half of that on a quiet machine."""

# What runs most of the time of a run is killed most often.
WEIGHTS = {
    Victim.FUNCTION: 2,
    Victim.JVM: 2,
    Victim.PYTHON: 1,
    Victim.RUN: 4,
    Victim.POSTGRES: 2,
    Victim.SESSION: 2,
    Victim.FRONT: 1,
    Victim.SERVER: 2,
    Victim.ALL: 3,
}


@dataclass(frozen=True)
class File:
    """One file of a round: landed so many seconds after the round began."""

    at: float
    name: str
    rows: int
    bad: int


@dataclass
class Round:
    """What is going to happen, as the dice have it."""

    number: int
    victim: Victim
    kill_at: float
    files: list[File]
    run_by_hand_at: float | None
    bookmark_reset: bool
    killed: int = field(default=0, init=False)
    up: float = field(default=0.0, init=False)
    """Seconds that the start took which followed."""

    @classmethod
    def rolled(cls, number: int, dice: random.Random, victim: Victim | None = None) -> Round:
        """A round of one to eight files, some with names that have been there before."""
        victim = victim or dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        files = [
            File(
                at=0 if number_of_file == 0 else dice.choice((0.0, dice.uniform(0, LATEST))),
                name=f"{dice.choice(NAMES)}{dice.randint(1, 4)}.json",
                rows=dice.choice((1, 10, 100, 1000)),
                bad=dice.choice((0, 0, 0, 1, 3)),
            )
            for number_of_file in range(dice.randint(1, 8))
        ]
        by_hand = dice.uniform(0, LATEST) if dice.random() < 0.25 else None
        return cls(number, victim, dice.uniform(0, LATEST), files, by_hand, dice.random() < 0.1)


def play(lab: ShellLab, landing: Landing, one: Round) -> None:
    """Land the files and kill the victim, each at its moment, and start again what must be."""
    parent, began, never = server(lab), time.monotonic(), threading.Event()

    def until(moment: float) -> None:
        never.wait(max(0.0, began + moment - time.monotonic()))

    def land() -> None:
        for file in sorted(one.files, key=lambda file: file.at):
            until(file.at)
            landing.put_in_the_end(file.name, landing.content(file.rows, file.bad))

    def run_by_hand(moment: float) -> None:
        until(moment)
        if one.bookmark_reset:
            with suppress(*DEAD):
                lab.client("glue").reset_job_bookmark(JobName=lab.config["job"])
        with suppress(*DEAD):
            lab.client("glue").start_workflow_run(Name=lab.config["workflow"])

    others = [threading.Thread(target=land)]
    if one.run_by_hand_at is not None:
        others.append(threading.Thread(target=run_by_hand, args=(one.run_by_hand_at,)))
    for other in others:
        other.start()
    until(one.kill_at)
    victims = find(parent, one.victim)
    while not victims and time.monotonic() < began + LATEST:
        victims = find(parent, one.victim)
    one.killed = kill(victims)
    if one.victim.restarted_by_hand:
        again = time.monotonic()
        lab.labkit("up")
        one.up = time.monotonic() - again
    for other in others:
        other.join()


@pytest.mark.nightly
def test_random_kills_at_any_moment_lose_and_duplicate_no_rows(lab: ShellLab) -> None:
    rounds = int(os.environ.get("PIPELINE_ROUNDS", 50))
    seed = int(os.environ.get("PIPELINE_SEED", random.SystemRandom().randint(0, 10**6)))
    dice, landing = random.Random(seed), Landing(lab, f"seed-{seed}", seed)
    lab.wait_until_quiet()
    for number in range(rounds):
        one = Round.rolled(number, dice)
        began = time.monotonic()
        try:
            play(lab, landing, one)
            landing.settle(180)
        except BaseException:
            print(f"PIPELINE_SEED={seed} PIPELINE_ROUNDS={rounds}: {one}")
            raise
        seconds = time.monotonic() - began
        print(
            f"seed {seed}, round {number}: {one.victim} at {one.kill_at:.2f} s ({one.killed} killed): {seconds:.1f} s"
        )


LONGEST_UP = 60.0
"""Seconds in which a start after a kill must be over. It takes two or three on a quiet machine, and never eight."""


@pytest.mark.nightly
@pytest.mark.parametrize("victim", list(SPARED))
def test_processes_that_survive_a_kill_prevent_neither_loading_nor_a_restart(lab: ShellLab, victim: Victim) -> None:
    rounds = int(os.environ.get("PIPELINE_ROUNDS", 10))
    seed = int(os.environ.get("PIPELINE_SEED", random.SystemRandom().randint(0, 10**6)))
    dice, landing = random.Random(seed), Landing(lab, f"spared-{victim}-{seed}", seed)
    lab.wait_until_quiet()
    everyone = family(server(lab))
    for number in range(rounds):
        one = Round.rolled(number, dice, victim)
        try:
            play(lab, landing, one)
            assert one.up < LONGEST_UP
            everyone += family(server(lab))
            landing.settle(180)
        except BaseException:
            print(f"PIPELINE_SEED={seed} PIPELINE_ROUNDS={rounds}: {one}")
            raise
        print(f"seed {seed}, round {number}: {victim} killed at {one.kill_at:.2f} s, up again in {one.up:.1f} s")
    everyone += family(server(lab))
    listened = listening(everyone)
    lab.labkit("down")
    assert outliving(everyone) == []
    for address in listened:
        with socket.socket() as probe:
            assert probe.connect_ex(address) != 0, f"{address} still answers"
    lab.labkit("up")

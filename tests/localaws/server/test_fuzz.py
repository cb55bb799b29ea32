"""Whatever is sent, nothing is read or changed that its signer may not access, and no answer is a 500.

The requests are built from botocore's models and changed (fuzzing.py, disturbances.py). To show that the fuzzer works,
former security holes are put back (holes.py), and it finds each of them.
"""

from __future__ import annotations

import multiprocessing
import secrets
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.localaws.server.holes import HOLES
from tests.localaws.server.searching import search, work_in

SEED = 0


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """A process with an embedded AWS of its own: moto's backends are there once a process."""
    directory = tmp_path_factory.mktemp("fuzz")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), work_in, (directory,)) as pool:
        yield pool


def test_random_requests_read_and_change_only_what_their_signer_may_access(elsewhere: ProcessPoolExecutor) -> None:
    outcome = elsewhere.submit(search, 300).result()
    assert not outcome.found
    # Not all of it was refused: rights are used, too.
    assert outcome.sent >= 250
    assert outcome.passed >= 10
    assert {200, 400, 403} <= set(outcome.statuses)


@pytest.mark.nightly
@pytest.mark.parametrize("hole", HOLES)
def test_the_fuzzer_finds_a_security_hole_that_is_put_back(elsewhere: ProcessPoolExecutor, hole: str) -> None:
    outcome = elsewhere.submit(search, 2000, SEED, hole).result()
    assert "shown: " in outcome.found or "changed: " in outcome.found, outcome


@pytest.mark.nightly
def test_many_random_requests_read_and_change_only_what_their_signer_may_access(elsewhere: ProcessPoolExecutor) -> None:
    number = secrets.randbelow(1 << 32)
    outcome = elsewhere.submit(search, 20_000, number).result()
    print(f"seed {number}: {outcome}")
    assert not outcome.found, f"seed {number}: {outcome.found}"

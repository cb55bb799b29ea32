"""What the tables say that operations do to the state, on which it depends whether a call is saved."""

from __future__ import annotations

import multiprocessing
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from tests.localaws.server.searching import read, work_in


@pytest.mark.parametrize("service", vouching.services())
def test_every_operation_that_is_answered_says_once_what_it_does_to_the_state(service: str) -> None:
    table = vouching.table(service)
    written = tomllib.loads((vouching.TABLES / f"{service}.toml").read_text())
    said = [operation for effect in Effect for operation in written[effect]]
    assert sorted(said) == sorted({*table.works, *table.state_only})


def test_what_no_table_knows_counts_as_a_change() -> None:
    assert vouching.table("dynamodb").effect("GetItem") is Effect.CHANGES


def test_an_operation_that_reads_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), work_in, (tmp_path,)) as pool:
        found = pool.submit(read).result()
    assert not found.changed
    assert found.statuses[200] > 100, found.statuses

"""The effect of operations on the state, from the tables; it decides whether a call is saved."""

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
def test_every_supported_operation_declares_its_effect_on_the_state_once(service: str) -> None:
    table = vouching.table(service)
    written = tomllib.loads((vouching.TABLES / f"{service}.toml").read_text())
    said = [operation for effect in Effect for operation in written[effect]]
    assert sorted(said) == sorted({*table.works, *table.state_only})


def test_an_operation_without_a_table_counts_as_a_change() -> None:
    assert vouching.table("dynamodb").effect("GetItem") is Effect.CHANGES


@pytest.mark.nightly
def test_an_operation_that_only_reads_does_not_change_the_state(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), work_in, (tmp_path,)) as pool:
        found = pool.submit(read).result()
    assert not found.changed
    assert found.statuses[200] > 100, found.statuses

"""Kills and restarts: no processes are left, no acknowledged change is lost, and killed processes restart."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.pipeline.breaking import ledger_held
from tests.pipeline.conftest import ShellLab
from tests.pipeline.killing import Victim, find, server
from tests.pipeline.landing import Landing
from tests.pipeline.rows import strict
from tests.processes import family, kill, listening, outliving


def assert_gone(family: list[psutil.Process], listened: set[tuple[str, int]]) -> None:
    assert outliving(family) == []
    for address in listened:
        with socket.socket() as probe:
            assert probe.connect_ex(address) != 0, f"{address} still answers"


@pytest.mark.nightly
def test_a_stop_ends_all_processes_and_a_start_restores_everything(lab: ShellLab) -> None:
    lab.put(("before-stop.json", strict(1, 5)))
    rows, environment = lab.count(), lab.labkit("env").stdout
    everyone = family(server(lab))
    listened = listening(everyone)
    assert len(everyone) > 4
    assert len(listened) >= 2
    lab.labkit("down")
    assert_gone(everyone, listened)
    lab.labkit("up")
    assert lab.labkit("env").stdout == environment, "open terminals keep working"
    assert lab.count() == rows
    lab.put(("after-start.json", strict(10, 5)))
    assert lab.count() == rows + 5


@pytest.mark.nightly  # the whole local AWS is killed below, too
def test_a_killed_server_leaves_no_processes_and_loses_no_data(lab: ShellLab) -> None:
    lab.put(("before-kill.json", strict(20, 5)))
    rows = lab.count()
    everyone = family(server(lab))
    listened = listening(everyone)
    everyone[0].kill()
    assert_gone(everyone, listened)
    lab.labkit("up")
    assert lab.count() == rows
    lab.put(("after-kill.json", strict(30, 5)))
    assert lab.count() == rows + 5


SLOW = [pytest.param(victim, marks=pytest.mark.nightly) for victim in (Victim.JVM, Victim.PYTHON)]


@pytest.mark.parametrize("victim", [Victim.POSTGRES, Victim.FRONT, Victim.FUNCTION, *SLOW])
def test_a_killed_child_process_is_restarted(lab: ShellLab, victim: Victim) -> None:
    lab.put((f"warm {victim}.json", strict(40, 1)))
    rows = lab.count()
    assert kill(find(server(lab), victim)) >= 1

    def answers() -> bool:
        try:
            return lab.count() == rows
        except psycopg.OperationalError:
            return False

    lab.wait(answers)
    lab.put((f"after {victim}.json", strict(50, 3)))
    assert lab.count() == rows + 3


NEVER = (Victim.POSTGRES_HELPER,)
OFTEN = (Victim.RUN, Victim.ALL)
MOST = [victim for victim in Victim if victim not in OFTEN + NEVER]


@pytest.mark.nightly
@pytest.mark.parametrize("victim", [*OFTEN, *(pytest.param(victim, marks=pytest.mark.nightly) for victim in MOST)])
def test_a_process_that_is_killed_just_before_a_load_loses_nothing(lab: ShellLab, victim: Victim) -> None:
    lab.wait_until_quiet()
    landing, parent = Landing(lab, f"about to load, {victim}"), server(lab)
    with ledger_held(lab) as one_waits:
        for number in range(3):
            landing.put(f"{number}.json", landing.content(bad=number))
        lab.wait(one_waits)
        assert kill(find(parent, victim))
    if victim.restarted_by_hand:
        lab.labkit("up")
    landing.settle()


@pytest.mark.nightly
@pytest.mark.parametrize("moment", [at / 10 for at in range(20)])
def test_files_that_landed_before_everything_was_killed_are_loaded_without_a_new_file(
    lab: ShellLab, moment: float
) -> None:
    lab.wait_until_quiet()
    landing, everyone = Landing(lab, f"killed after {moment}"), find(server(lab), Victim.ALL)
    for number in range(3):
        landing.put(f"{number}.json")
    psutil.wait_procs(everyone[:1], timeout=moment)
    kill(everyone + find(everyone[0], Victim.ALL))
    lab.labkit("up")
    landing.settle()


def test_a_job_that_dies_between_the_commit_in_redshift_and_job_commit_loads_nothing_twice(lab: ShellLab) -> None:
    landing, parent = Landing(lab, "dies after commit"), server(lab)
    for number in range(10):
        lab.wait_until_quiet()
        failed = lab.job_runs("FAILED")
        with lab.connect() as watcher:
            with ledger_held(lab) as one_waits:
                version = landing.put(f"{number}.json")
                lab.wait(one_waits)
                victims = find(parent, Victim.RUN)
            entered = f"select 1 from {lab.config['ledger']} where version = '{version}'"
            deadline = time.monotonic() + 60
            while not watcher.execute(entered).fetchone() and time.monotonic() < deadline:
                pass
            kill(victims)
        landing.settle()
        if lab.job_runs("FAILED") > failed:
            return
    raise AssertionError("the job was always faster than its killer")


@pytest.mark.nightly
def test_two_labs_run_side_by_side(lab: ShellLab, tmp_path: Path) -> None:
    other = ShellLab(tmp_path / "other")
    try:
        other.labkit("up")
        other.labkit("deploy", "buckets")
        mine, theirs = (set(one.labkit("env").stdout.splitlines()) for one in (lab, other))
        assert not {line for line in mine & theirs if "ENDPOINT" in line or "KEY" in line}
        lab.put(("mine.json", strict(60, 1)))
    finally:
        other.labkit("down")

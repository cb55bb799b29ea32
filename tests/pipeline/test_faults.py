"""Kills and restarts: nothing is left behind, nothing that was answered is lost, and what dies comes back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.pipeline.conftest import ShellLab, deployed
from tests.pipeline.rows import strict


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellLab]:
    """A deployed lab of this module's own: it is killed again and again."""
    with deployed(tmp_path_factory.mktemp("faults") / "home") as made:
        yield made


def processes(lab: ShellLab) -> list[psutil.Process]:
    """The server and all below it."""
    status = json.loads(lab.labkit("status", "--json").stdout)
    server = psutil.Process(next(one["pid"] for one in status["processes"] if one["name"] == "server"))
    return [server, *server.children(recursive=True)]


def ports(family: list[psutil.Process]) -> set[int]:
    return {
        connection.laddr.port
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def assert_gone(family: list[psutil.Process], listened: set[int]) -> None:
    _, alive = psutil.wait_procs(family, timeout=15)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    for port in listened:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} still answers"


def test_a_stop_leaves_nothing_and_a_start_brings_everything_back(lab: ShellLab) -> None:
    lab.put("before-stop.json", strict(1, 5))
    rows, environment = lab.count(), lab.labkit("env").stdout
    family = processes(lab)
    listened = ports(family)
    assert len(family) > 4
    assert len(listened) >= 2
    lab.labkit("down")
    assert_gone(family, listened)
    lab.labkit("up")
    assert lab.labkit("env").stdout == environment, "open terminals keep working"
    assert lab.count() == rows
    lab.put("after-start.json", strict(10, 5))
    assert lab.count() == rows + 5


def test_a_killed_server_leaves_nothing_and_loses_nothing(lab: ShellLab) -> None:
    lab.put("before-kill.json", strict(20, 5))
    rows = lab.count()
    family = processes(lab)
    listened = ports(family)
    family[0].kill()
    assert_gone(family, listened)
    lab.labkit("up")
    assert lab.count() == rows
    lab.put("after-kill.json", strict(30, 5))
    assert lab.count() == rows + 5


def child(lab: ShellLab, name: str) -> psutil.Process:
    """The process of the server that `labkit status` calls `name`, or whose name begins or ends so."""
    running = json.loads(lab.labkit("status", "--json").stdout)["processes"]
    found = [one["pid"] for one in running if one["name"].startswith(name) or one["name"].endswith(name)]
    assert found, f"no {name} among {running}"
    return psutil.Process(found[0])


@pytest.mark.parametrize("name", ["postgres", "-front", "-jvm", "-python", "function-start"])
def test_a_killed_child_is_healed(lab: ShellLab, name: str) -> None:
    lab.put(f"warm{name}.json", strict(40, 1))
    rows = lab.count()
    child(lab, name).kill()

    def answers() -> bool:
        try:
            return lab.count() == rows
        except psycopg.OperationalError:
            return False

    lab.wait(answers)
    lab.put(f"after{name}.json", strict(50, 3))
    assert lab.count() == rows + 3


def test_two_labs_run_side_by_side(lab: ShellLab, tmp_path: Path) -> None:
    other = ShellLab(tmp_path / "other")
    try:
        other.labkit("up")
        other.labkit("deploy", "buckets")
        mine, theirs = (set(one.labkit("env").stdout.splitlines()) for one in (lab, other))
        assert not {line for line in mine & theirs if "ENDPOINT" in line or "KEY" in line}
        lab.put("mine.json", strict(60, 1))
    finally:
        other.labkit("down")

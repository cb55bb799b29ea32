"""`labkit doctor` finds what prevents a lab from starting, above all taken ports."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit import Lab
from labkit.config import LabConfig, load
from labkit.errors import StartError
from labkit.session import Session
from labkit.show.display import Fact
from labkit.tools.doctor import examine

LISTEN = (
    "import socket, sys; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); print('up', flush=True); s.accept()"
)


@contextlib.contextmanager
def listening(port: int, address: str = "127.0.0.1") -> Iterator[int]:
    """A program of somebody else's that listens on `port`: its process id."""
    command = [sys.executable, "-c", LISTEN, address, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process.pid
        process.kill()


@pytest.fixture
def config(tmp_path: Path) -> LabConfig:
    """A lab that is down and keeps two ports, as one that has a cluster does."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        kept = {"http": one.getsockname()[1], "redshift:tollcluster": other.getsockname()[1]}
    (tmp_path / "ports.json").write_text(json.dumps(kept))
    return load(home=tmp_path)


def about_ports(config: LabConfig) -> list[Fact]:
    return [fact for fact in examine(config).facts if "port " in fact.what]


def test_doctor_checks_only_the_ports_that_the_lab_reserves(config: LabConfig) -> None:
    facts = about_ports(config)
    ports = Session(config).status().ports
    assert [fact.holds for fact in facts] == [True, True]
    assert all(str(port) in fact.what for fact, (_, port) in zip(facts, ports, strict=True))
    assert "Redshift cluster tollcluster" in facts[1].what


@pytest.mark.parametrize("kept_for", ["http", "redshift:tollcluster"])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_reserved_port_that_is_taken_is_reported_with_the_program_that_uses_it(
    config: LabConfig, kept_for: str, address: str
) -> None:
    port = dict(Session(config).status().ports)[kept_for]
    with listening(port, address) as pid:
        (fact,) = [fact for fact in about_ports(config) if not fact.holds]
    assert f"port {port} " in fact.what
    for said in (f"process {pid}", "import socket", f"kill {pid}", "labkit down --wipe"):
        assert said in fact.fix


def test_labkit_up_fails_on_a_taken_port_and_names_the_doctor_that_finds_it(config: LabConfig) -> None:
    lab = Lab(home=config.home)
    with listening(dict(lab.session.status().ports)["http"]):
        with pytest.raises(StartError, match=r"is in use by another program(.|\n)*labkit doctor"):
            lab.up()
        assert not examine(config)


def test_doctor_accepts_the_ports_of_a_running_lab(lab: Lab) -> None:
    facts = about_ports(lab.config)
    assert {fact.holds for fact in facts} == {True}
    assert any("Redshift cluster kit-tollcluster" in fact.what for fact in facts)

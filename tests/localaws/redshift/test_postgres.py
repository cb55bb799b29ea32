"""The PostgreSQL of a cluster: where it can run, and what it survives."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from redshift_lab import PASSWORD, Lab, end_lab, make_lab

from localaws.core.children import Children
from localaws.core.errors import PortTaken
from localaws.redshift.postgres import programs as postgresql
from localaws.redshift.postgres.programs import installation, reachable_installation
from localaws.redshift.postgres.server import Postgres
from tests.processes import family, listening


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """An engine of this test's own, with a cluster that may be killed."""
    made = make_lab(tmp_path / "home")
    made.engine.create_cluster("fragile", database="dev", user="admin", password=PASSWORD, region="eu-west-1")
    yield made
    end_lab(made)


def connect(lab: Lab) -> psycopg.Connection[Any]:
    return psycopg.connect(**lab.engine.internal_connection_parameters("fragile"), autocommit=True)


def answers(lab: Lab) -> bool:
    try:
        with connect(lab) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def count(lab: Lab) -> int:
    with connect(lab) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
        assert row is not None
        return int(row[0])


def fill(lab: Lab) -> None:
    with connect(lab) as connection:
        connection.execute("create table kept (a int); insert into kept values (1), (2)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must run PostgreSQL as somebody else")
def test_programs_and_data_in_private_directories_can_still_be_used(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    package = installation().parent
    programs = private / package.name / "pginstall18"
    shutil.copytree(installation(), programs, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), private / f"{package.name}.libs")
    children = Children()
    data, log = private / "deep" / "data", private / "log"
    data.parent.mkdir(mode=0o700)
    postgres = Postgres("private", data, log, children, programs=programs)
    try:
        assert not postgres.programs.is_relative_to(private)
        postgres.initialise()
        postgres.start()
        with postgres.connect() as connection:
            assert connection.execute("show data_checksums").fetchone() is not None
        assert postgres.pid is not None
        assert psutil.Process(postgres.pid).username() == "nobody"
        # Copied once, used by all that come after.
        other = tmp_path / "other" / "data"
        other.mkdir(parents=True)
        assert reachable_installation(programs, postgres.account, other) == postgres.programs
    finally:
        postgres.stop()
        children.stop_all()
    # The copy goes with the last that uses it.
    postgresql.release(private)
    assert postgres.programs.is_dir()
    postgresql.release(other.parent)
    assert not postgres.programs.parents[1].exists()


def test_postgresql_listens_only_on_its_unix_socket(own_lab: Lab) -> None:
    pid = own_lab.engine._clusters["fragile"].postgres.pid
    assert pid is not None
    assert listening(family(pid)) == set()
    socket_directory = own_lab.engine._clusters["fragile"].postgres.socket_directory
    assert socket_directory.stat().st_mode & 0o777 == 0o700


def test_rows_and_the_address_survive_a_restart_of_everything(own_lab: Lab, tmp_path: Path) -> None:
    fill(own_lab)
    before = own_lab.engine.address("fragile")
    end_lab(own_lab)
    again = make_lab(own_lab.home.root)
    try:
        again.engine.start()
        again.engine.wait_until_available("fragile")
        assert again.engine.address("fragile") == before
        assert count(again) == 2
    finally:
        end_lab(again)


def test_a_stale_lock_file_with_the_process_id_of_another_program_does_not_prevent_a_start(
    own_lab: Lab, tmp_path: Path
) -> None:
    fill(own_lab)
    end_lab(own_lab)
    (data,) = [found.parent for found in (tmp_path / "home").rglob("postgresql.conf")]
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    again = make_lab(tmp_path / "home")
    try:
        again.engine.start()
        until(lambda: answers(again))
        assert count(again) == 2
    finally:
        end_lab(again)


def test_a_killed_postgresql_is_restarted_and_loses_nothing(own_lab: Lab) -> None:
    fill(own_lab)
    victim = own_lab.engine._clusters["fragile"].postgres.pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    until(lambda: own_lab.engine._clusters["fragile"].postgres.pid not in (None, victim) and answers(own_lab))
    assert count(own_lab) == 2


def test_a_killed_backend_is_restarted_and_loses_nothing(own_lab: Lab) -> None:
    fill(own_lab)
    with connect(own_lab) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    until(lambda: answers(own_lab))
    assert count(own_lab) == 2


def test_a_killed_front_is_restarted_and_its_sessions_end(own_lab: Lab) -> None:
    fill(own_lab)
    cluster = own_lab.engine._clusters["fragile"]
    assert cluster._front is not None
    victim = cluster._front.pid
    open_session = connect(own_lab)
    open_session.execute("begin; insert into kept values (3)")
    os.kill(victim, signal.SIGKILL)
    until(lambda: cluster._front is not None and cluster._front.pid != victim and answers(own_lab))
    open_session.close()
    with cluster.postgres.connect("dev") as inside:
        query = "select count(*) from pg_stat_activity where backend_type = 'client backend' and usename = 'admin'"
        until(lambda: inside.execute(query).fetchone() == (0,))
    assert count(own_lab) == 2


def test_a_cluster_whose_creation_was_not_finished_is_created_again(own_lab: Lab) -> None:
    half_made = own_lab.home.clusters / "half"
    (half_made / "data").mkdir(parents=True)
    (half_made / "data" / "PG_VERSION").write_text("18\n")
    own_lab.engine.create_cluster("half", database="dev", user="admin", password=PASSWORD, region="us-east-1")
    own_lab.engine.delete_cluster("half")
    assert not half_made.exists()
    with pytest.raises(KeyError):
        own_lab.engine.address("half")


def test_a_cluster_can_be_created_only_once(own_lab: Lab) -> None:
    with pytest.raises(FileExistsError):
        own_lab.engine.create_cluster("fragile", database="x", user="y", password=PASSWORD, region="us-east-1")
    assert answers(own_lab)


def test_stopping_leaves_no_process_and_no_file_outside_the_home(own_lab: Lab) -> None:
    socket_directory = own_lab.engine._clusters["fragile"].postgres.socket_directory
    pids = [child.pid for child in own_lab.context.children.running()]
    own_lab.engine.stop()
    assert not socket_directory.exists()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_paused_cluster_stays_paused_and_keeps_its_rows(own_lab: Lab) -> None:
    fill(own_lab)
    own_lab.engine.pause_cluster("fragile")
    assert not answers(own_lab)
    end_lab(own_lab)
    again = make_lab(own_lab.home.root)
    try:
        again.engine.start()
        assert not answers(again)
        again.engine.resume_cluster("fragile")
        assert count(again) == 2
    finally:
        end_lab(again)


def test_new_functions_are_added_to_existing_databases(own_lab: Lab) -> None:
    cluster = own_lab.engine._clusters["fragile"]
    with connect(own_lab) as connection:
        connection.execute("create table used (a int); create view v as select avg(a), sum(a) from used")
    with cluster.postgres.connect("dev") as inside:
        inside.execute("set allow_system_table_mods = on; drop function pg_catalog.getdate()")
    file = own_lab.home.clusters / "fragile" / "cluster.json"
    file.write_text(file.read_text().replace(cluster.definition.compatibility, "of an older release"))
    end_lab(own_lab)
    again = make_lab(own_lab.home.root)
    try:
        again.engine.start()
        again.engine.wait_until_available("fragile")
        with connect(again) as connection:
            assert connection.execute("select getdate() is not null from v").fetchone() == (True,)
    finally:
        end_lab(again)


def test_a_port_that_another_program_has_taken_is_an_error(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "home")
    with socket.socket() as other:
        other.bind(("127.0.0.1", lab.home.port("redshift:late")))
        other.listen()
        try:
            with pytest.raises(PortTaken, match="in use by another program"):
                lab.engine.create_cluster("late", database="dev", user="admin", password=PASSWORD, region="us-east-1")
            assert not (lab.home.clusters / "late").exists()
        finally:
            end_lab(lab)

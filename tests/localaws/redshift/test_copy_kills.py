"""`kill -9` of everything while COPY loads: committed loads are complete, and others have left nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import psycopg
import pytest
from warehouse import DATABASE, PASSWORD, TRUST, Warehouse, wait_for_status

import localaws
from tests.processes import kill_all

ROWS = 20_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def open_warehouse(home: Path) -> Warehouse:
    """The cluster of `home`, made where it is missing, when it answers."""
    status = localaws.start(home)

    def aws(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=status.endpoint_url,
            aws_access_key_id=status.access_key_id,
            aws_secret_access_key=status.secret_access_key,
            region_name=status.region,
        )

    roles = {role["RoleName"]: role["Arn"] for role in aws("iam").list_roles()["Roles"]}
    if "copy" not in roles:
        roles["copy"] = aws("iam").create_role(RoleName="copy", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        aws("iam").attach_role_policy(RoleName="copy", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
        aws("s3").create_bucket(Bucket="files")
        aws("redshift").create_cluster(
            ClusterIdentifier="killed",
            NodeType="dc2.large",
            ClusterType="single-node",
            DBName=DATABASE,
            MasterUsername="admin",
            MasterUserPassword=PASSWORD,
            IamRoles=[roles["copy"]],
        )
    wait_for_status(aws, "killed", "available")
    return Warehouse(aws, home, "killed", "files", roles["copy"])


@pytest.mark.nightly
@pytest.mark.as_on_aws("Redshift")
def test_after_a_kill_a_committed_COPY_is_complete_and_an_interrupted_COPY_left_nothing(home: Path) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html"""
    random = Random(1)
    warehouse = open_warehouse(home)
    source = warehouse.put("rows.csv", "".join(f"{number},{'x' * 50}\n" for number in range(ROWS)))
    with warehouse.connect() as connection:
        connection.execute("create table loaded (number bigint, text varchar(50))")
        connection.execute("create table loads (number bigint)")
    committed: set[int] = set()
    under_way = 0
    ended = threading.Event()

    def load(connection: psycopg.Connection[Any]) -> None:
        nonlocal under_way
        with contextlib.suppress(psycopg.OperationalError), connection:
            while not ended.is_set():
                under_way += 1
                with connection.transaction():
                    connection.execute(f"copy loaded from '{source}' iam_role '{warehouse.role}' csv".encode())
                    connection.execute(f"insert into loads values ({under_way})".encode())
                committed.add(under_way)

    for _ in range(5):
        ended.clear()
        thread = threading.Thread(target=load, args=[warehouse.connect()])
        thread.start()
        loads = len(committed)
        deadline = time.monotonic() + 30
        while len(committed) == loads and time.monotonic() < deadline:
            time.sleep(0.01)
        ended.wait(random.uniform(0, 0.5))
        kill_all(localaws.status(home).pid)
        ended.set()
        thread.join()
        warehouse = open_warehouse(home)
        with warehouse.connect() as connection:
            found = {number for (number,) in connection.execute("select number from loads").fetchall()}
            assert committed <= found <= committed | {under_way}
            counts = connection.execute("select count(*), count(distinct number) from loaded").fetchone()
            assert counts == (ROWS * len(found), ROWS)
        committed = found

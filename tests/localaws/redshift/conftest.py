"""Fixtures: a real engine with a real cluster, without the rest of the embedded AWS; and a cluster of a whole one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redshift_connector
from redshift_lab import EVE, OWNER, PASSWORD, Connect, Connection, Lab, end_lab, make_lab
from warehouse import DATABASE, TRUST, Session, Warehouse, wait_for_status
from warehouse import PASSWORD as WAREHOUSE_PASSWORD

import localaws
from localaws.redshift.engine import Address


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The engine that most tests share, with the cluster `warehouse`."""
    made = make_lab(tmp_path_factory.mktemp("redshift"))
    try:
        made.engine.create_cluster("warehouse", database="dev", user="admin", password=PASSWORD, region="us-east-1")
        yield made
    finally:
        end_lab(made)


@pytest.fixture(scope="session")
def address(lab: Lab) -> Address:
    return lab.engine.address("warehouse")


@pytest.fixture
def driver(lab: Lab, address: Address, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """redshift_connector.connect for the cluster, with its default settings."""
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.home.ca_bundle))
    return functools.partial(
        redshift_connector.connect,
        host=address.host,
        port=address.port,
        database="dev",
        user="admin",
        password=PASSWORD,
    )


@pytest.fixture
def cursor(driver: Callable[..., Any]) -> Iterator[Any]:
    """A cursor of redshift_connector, in autocommit."""
    connection = driver()
    connection.autocommit = True
    with connection.cursor() as made:
        yield made
    connection.close()


@pytest.fixture
def psycopg_parameters(lab: Lab, address: Address) -> dict[str, Any]:
    """The arguments with which psycopg.connect logs in as the master user."""
    return {
        "host": address.host,
        "port": address.port,
        "dbname": "dev",
        "user": "admin",
        "password": PASSWORD,
        "sslmode": "verify-full",
        "sslrootcert": str(lab.home.ca_file),
    }


@pytest.fixture
def session(psycopg_parameters: dict[str, Any]) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A psycopg connection in autocommit."""
    with psycopg.connect(**psycopg_parameters, autocommit=True) as connection:
        yield connection


@pytest.fixture
def connect(psycopg_parameters: dict[str, Any]) -> Iterator[Connect]:
    """Opens sessions in autocommit, for the master user by default."""
    opened = []

    def connect(user: str = "admin", password: str = PASSWORD, database: str = "dev") -> Connection:
        named = {"user": user, "password": password, "dbname": database}
        opened.append(psycopg.connect(**{**psycopg_parameters, **named}, autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def eve(connect: Connect) -> Iterator[Connection]:
    """A session of an ordinary user."""
    admin = connect()
    admin.execute(f"create user eve password '{EVE}'")
    yield connect("eve", EVE)
    admin.execute("drop owned by eve; drop user eve")


@pytest.fixture
def owner(connect: Connect) -> Iterator[Connection]:
    """A session of a user who may create databases, in its own database `owned`."""
    admin = connect()
    admin.execute(f"create user owner password '{OWNER}' createdb")
    connect("owner", OWNER).execute("create database owned")
    session = connect("owner", OWNER, "owned")
    yield session
    session.close()
    connect("owner", OWNER).execute("drop database owned with (force)")
    admin.execute("drop owned by owner; drop user owner")


@pytest.fixture(scope="session")
def warehouse(stack: localaws.Status, aws: Callable[..., Any]) -> Warehouse:
    """A cluster, created through the API of the whole embedded AWS, with a bucket and a role that it may use."""
    role = aws("iam").create_role(RoleName="warehouse-copy", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    aws("iam").attach_role_policy(RoleName="warehouse-copy", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    aws("s3").create_bucket(Bucket="warehouse-files")
    aws("redshift").create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="dc2.large",
        ClusterType="single-node",
        DBName=DATABASE,
        MasterUsername="admin",
        MasterUserPassword=WAREHOUSE_PASSWORD,
        IamRoles=[role],
        DefaultIamRoleArn=role,
    )
    wait_for_status(aws, "warehouse", "available")
    return Warehouse(aws, stack.home, "warehouse", "warehouse-files", role)


@pytest.fixture
def db(warehouse: Warehouse) -> Iterator[Session]:
    """A session of the warehouse's master user, in autocommit."""
    with warehouse.connect() as connection:
        yield Session(warehouse, connection)

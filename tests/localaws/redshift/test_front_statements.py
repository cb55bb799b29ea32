"""COPY through the front: in either protocol, in the client's own transaction, with Redshift's answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redshift_connector
from redshift_lab import PASSWORD

import localaws

AWS = Callable[..., Any]
CLUSTER = "front-statements"


@pytest.fixture(scope="session")
def source(aws: AWS) -> Iterator[dict[str, Any]]:
    """A cluster of the whole embedded AWS, and a bucket with two files that it may load."""
    aws("s3").create_bucket(Bucket="front-statements")
    good = "".join(json.dumps({"id": i, "name": f"n{i}"}) + "\n" for i in range(3))
    aws("s3").put_object(Bucket="front-statements", Key="good.json", Body=good.encode())
    aws("s3").put_object(Bucket="front-statements", Key="bad.json", Body=b'{"id": "x", "name": "y"}\n')
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    trust["Statement"][0]["Principal"] = {"Service": "redshift.amazonaws.com"}  # type: ignore[index,call-overload]
    role = aws("iam").create_role(RoleName="FrontCopyRole", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws("iam").attach_role_policy(RoleName="FrontCopyRole", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    redshift = aws("redshift")
    redshift.create_cluster(
        ClusterIdentifier=CLUSTER,
        NodeType="ra3.large",
        ClusterType="single-node",
        DBName="dev",
        MasterUsername="admin",
        MasterUserPassword=PASSWORD,
        IamRoles=[role],
    )
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=CLUSTER, WaiterConfig={"Delay": 1})
    endpoint = redshift.describe_clusters(ClusterIdentifier=CLUSTER)["Clusters"][0]["Endpoint"]
    copy = f"copy {{table}} from 's3://front-statements/{{key}}' iam_role '{role}' json 'auto'"
    yield {"host": endpoint["Address"], "port": endpoint["Port"], "copy": copy}
    redshift.delete_cluster(ClusterIdentifier=CLUSTER, SkipFinalClusterSnapshot=True)


@pytest.fixture
def copy(source: dict[str, Any]) -> Callable[..., str]:
    return lambda table, key="good.json": source["copy"].format(table=table, key=key)


@pytest.fixture
def pg(source: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    parameters = {name: source[name] for name in ("host", "port")}
    with psycopg.connect(**parameters, dbname="dev", user="admin", password=PASSWORD, autocommit=True) as connection:
        yield connection


@pytest.fixture
def red(source: dict[str, Any], stack: localaws.Status, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SSL_CERT_FILE", str(stack.ca_bundle))
    connection = redshift_connector.connect(
        host=source["host"], port=source["port"], database="dev", user="admin", password=PASSWORD
    )
    yield connection
    connection.close()


@pytest.fixture
def table(pg: psycopg.Connection[Any], unique: Callable[[str], str]) -> str:
    name = unique("loaded")
    pg.execute(f"create table {name} (id bigint, name varchar(10))")
    return name


def rows(pg: psycopg.Connection[Any], table: str) -> int:
    row = pg.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def test_COPY_through_the_extended_protocol_is_part_of_the_driver_s_transaction(
    red: Any, pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    cursor = red.cursor()
    cursor.execute(copy(table))
    cursor.execute(f"select count(*) from {table}")
    assert cursor.fetchone() == [3]
    assert rows(pg, table) == 0
    red.rollback()
    assert rows(pg, table) == 0
    cursor.execute(copy(table))
    red.commit()
    assert rows(pg, table) == 3
    cursor.execute(copy(table))  # the driver uses its prepared statement again
    red.commit()
    assert rows(pg, table) == 6


def test_COPY_through_the_simple_protocol_reports_the_number_of_rows(
    pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    said: list[str | None] = []
    pg.add_notice_handler(lambda diagnostic: said.append(diagnostic.message_primary))
    cursor = pg.execute(copy(table))
    assert cursor.statusmessage == "COPY"
    assert said == [f"Load into table '{table}' completed, 3 record(s) loaded successfully."]


def test_COPY_can_be_one_of_several_statements_in_a_query_string(
    pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    pg.execute(f"begin; {copy(table)}; rollback")
    assert rows(pg, table) == 0
    pg.execute(f"{copy(table)}; insert into {table} values (9, ';'); {copy(table)};")
    assert rows(pg, table) == 7
    with pytest.raises(psycopg.errors.DivisionByZero):
        pg.execute(f"{copy(table)}; select 1 / 0")
    assert rows(pg, table) == 7
    with pytest.raises(psycopg.Error, match="stl_load_errors"):
        pg.execute(f"insert into {table} values (10, 'x'); {copy(table, 'bad.json')}; select 1")
    assert rows(pg, table) == 7


def test_a_failed_COPY_aborts_its_transaction(
    pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    for key in ("bad.json", "missing.json"):  # one fails in PostgreSQL, the other before
        pg.execute(f"begin; insert into {table} values (1, 'a')")
        with pytest.raises(psycopg.Error):
            pg.execute(copy(table, key))
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            pg.execute("select 1")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            pg.execute(copy(table))
        pg.execute("rollback")
    assert rows(pg, table) == 0


def test_a_failed_COPY_through_the_extended_protocol_leaves_the_driver_usable(
    red: Any, pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    cursor = red.cursor()
    with pytest.raises(redshift_connector.ProgrammingError, match="stl_load_errors"):
        cursor.execute(copy(table, "bad.json"))
    red.rollback()
    red.autocommit = True
    with pytest.raises(redshift_connector.ProgrammingError):
        cursor.execute(copy(table, "missing.json"))
    cursor.execute(copy(table))
    assert rows(pg, table) == 3


def test_COPY_in_a_pipeline_is_answered_in_order(
    pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    with pg.pipeline():
        before = pg.execute("select 1")
        copied = pg.execute(copy(table))
        after = pg.execute(f"select count(*) from {table}")
        counted = after.fetchone()  # the last answer is here: so all are
        assert (before.fetchone(), copied.statusmessage, counted) == ((1,), "COPY", (3,))


def test_COPY_does_not_run_after_an_error_in_the_same_pipeline(
    pg: psycopg.Connection[Any], table: str, copy: Callable[..., str]
) -> None:
    def fail_then_copy() -> None:
        with pg.pipeline():
            pg.execute("select 1 / 0")
            pg.execute(copy(table))

    with pytest.raises(psycopg.errors.DivisionByZero):
        fail_then_copy()
    assert rows(pg, table) == 0


def test_a_COPY_that_waits_for_a_lock_can_be_cancelled(
    pg: psycopg.Connection[Any], red: Any, table: str, copy: Callable[..., str]
) -> None:
    cursor = red.cursor()
    cursor.execute(f"lock table {table}")
    threading.Timer(0.5, pg.cancel).start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        pg.execute(copy(table))
    red.rollback()
    pg.execute(copy(table))
    assert rows(pg, table) == 3


def test_COPY_FROM_STDIN_is_refused(pg: psycopg.Connection[Any], table: str) -> None:
    with pytest.raises(psycopg.Error), pg.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as copying:
        copying.write("1\ta\n")
    assert rows(pg, table) == 0

"""The Data API: statements that really run, with their rows and their errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from warehouse import DATABASE, DEADLINE, PASSWORD, Warehouse, wait_for_status

import localaws

Unique = Callable[[str], str]
ENDED = ("FINISHED", "FAILED", "ABORTED")


class DataApi:
    """A client of the Data API, logged in as the master user."""

    def __init__(self, client: Any, identifier: str) -> None:
        self.client = client
        self.access = {"ClusterIdentifier": identifier, "Database": DATABASE, "DbUser": "admin"}

    def submit(self, sql: str, **more: Any) -> str:
        given = {name: value for name, value in {**self.access, **more}.items() if value is not None}
        return str(self.client.execute_statement(Sql=sql, **given)["Id"])

    def wait(self, statement_id: str, *wanted: str) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.client.describe_statement(Id=statement_id)
            if described["Status"] in (wanted or ENDED):
                return described
            time.sleep(0.02)
        raise AssertionError(described)

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        return self.wait(self.submit(sql, **more))

    def rows(self, sql: str, **more: Any) -> list[list[Any]]:
        """The rows, each field by its value."""
        described = self.run(sql, **more)
        assert described["Status"] == "FINISHED", described
        records = self.client.get_statement_result(Id=described["Id"])["Records"]
        return [[None if "isNull" in field else next(iter(field.values())) for field in row] for row in records]


@pytest.fixture
def api(warehouse: Warehouse) -> DataApi:
    return DataApi(warehouse.aws("redshift-data"), warehouse.identifier)


def test_fields_have_the_types_of_their_columns(api: DataApi, unique: Unique) -> None:
    table = unique("t")
    api.run(
        f"create table {table} (id bigint not null, name varchar(20), amount real, price numeric(10, 2) default 1.5,"
        " day date, at timestamp, ok boolean)"
    )
    described = api.run(
        f"insert into {table} values (1, 'x', 1.5, 2.25, '2020-01-01', '2020-01-01 01:02:03', true),"
        " (2, null, null, null, null, null, null)"
    )
    assert described["ResultRows"] == 2
    assert not described["HasResultSet"]
    described = api.run(f"select * from {table} order by id")
    assert (described["ResultRows"], described["HasResultSet"]) == (2, True)
    assert described["ResultSize"] > 0
    assert described["Duration"] > 0
    result = api.client.get_statement_result(Id=described["Id"])
    assert result["TotalNumRows"] == 2
    assert result["Records"][0] == [
        {"longValue": 1},
        {"stringValue": "x"},
        {"doubleValue": 1.5},
        {"stringValue": "2.25"},
        {"stringValue": "2020-01-01"},
        {"stringValue": "2020-01-01 01:02:03"},
        {"booleanValue": True},
    ]
    assert result["Records"][1][1] == {"isNull": True}
    columns = {column["name"]: column for column in result["ColumnMetadata"]}
    assert [column["typeName"] for column in result["ColumnMetadata"]] == [
        *("int8", "varchar", "float4", "numeric", "date", "timestamp", "bool"),
    ]
    assert (columns["id"]["nullable"], columns["name"]["nullable"]) == (0, 1)
    assert (columns["name"]["length"], columns["price"]["precision"], columns["price"]["scale"]) == (20, 10, 2)
    assert (columns["id"]["schemaName"], columns["id"]["tableName"]) == ("public", table)
    assert columns["price"]["columnDefault"] == "1.5"


def test_parameters_are_bound_and_not_inserted_as_text(api: DataApi) -> None:
    parameters = [{"name": "number", "value": "41"}, {"name": "text", "value": "o'clock; drop table t"}]
    rows = api.rows("select :number::int + 1, ':number', :text || '%'", Parameters=parameters)
    assert rows == [[42, ":number", "o'clock; drop table t%"]]


def test_a_semicolon_in_a_string_does_not_end_the_statement(api: DataApi) -> None:
    assert api.rows("select ';' || :text;", Parameters=[{"name": "text", "value": "x"}]) == [[";x"]]


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("select 'x", [{"name": "a", "value": "1"}], "unterminated quoted string"),
        ("select 1", [{"name": "a", "value": "1"}], "unused parameters"),
        ("select :b", [{"name": "a", "value": "1"}], "Parameter b is used"),
        ("select 1; select 2", [], "Only one SQL statement"),
    ],
)
def test_an_invalid_request_is_a_validation_error(
    api: DataApi, sql: str, parameters: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        api.submit(sql, Parameters=parameters or None)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.as_on_aws("Redshift")
def test_a_statement_is_described_with_its_text_and_its_rows(api: DataApi) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html"""
    submitted = api.run("select 1 as one union all select 2", StatementName="two rows")
    described = api.client.describe_statement(Id=submitted["Id"])
    assert (described["Status"], described["HasResultSet"], described["ResultRows"]) == ("FINISHED", True, 2)
    assert described["QueryString"] == "select 1 as one union all select 2"
    assert (described["ClusterIdentifier"], described["DbUser"]) == (api.access["ClusterIdentifier"], "admin")


@pytest.mark.as_on_aws("Redshift")
def test_a_database_error_fails_the_statement(api: DataApi) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html"""
    described = api.run("select nope")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: column "nope" does not exist'
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.client.get_statement_result(Id=described["Id"])


def test_only_a_syntax_error_says_at_which_position_of_the_statement_it_is(api: DataApi) -> None:
    """https://repost.aws/knowledge-center/redshift-identify-data-api-errors shows the error of a missing table.

    That of a wrong syntax is in https://github.com/aws/aws-sdk-pandas/issues/3024.
    """
    assert api.run("select 1 frm t")["Error"] == 'ERROR: syntax error at or near "t"\n  Position: 14'
    assert api.run("select * from nowhere")["Error"] == 'ERROR: relation "nowhere" does not exist'


def test_an_unknown_database_or_user_fails_the_statement(api: DataApi) -> None:
    assert api.run("select 1", Database="nowhere")["Error"] == 'FATAL: database "nowhere" does not exist'
    assert "nobody" in api.run("select 1", DbUser="nobody")["Error"]


def test_an_unknown_cluster_is_a_validation_error(api: DataApi) -> None:
    with pytest.raises(ClientError, match="Redshift endpoint doesn't exist in this region"):
        api.submit("select 1", ClusterIdentifier="nowhere")


def test_the_user_and_the_password_of_the_secret_are_used(api: DataApi, warehouse: Warehouse, unique: Unique) -> None:
    secrets = warehouse.aws("secretsmanager")

    def secret(password: str) -> str:
        content = {"username": "admin", "password": password, "dbClusterIdentifier": warehouse.identifier}
        return str(secrets.create_secret(Name=unique("secret"), SecretString=json.dumps(content))["ARN"])

    assert api.rows("select current_user", DbUser=None, SecretArn=secret(PASSWORD)) == [["admin"]]
    described = api.run("select 1", DbUser=None, SecretArn=secret("Wrong-Passw0rd"))
    assert described["Status"] == "FAILED"
    assert "password authentication failed" in described["Error"]
    with pytest.raises(ClientError, match="can't find the specified secret"):
        api.submit("select 1", DbUser=None, SecretArn="arn:aws:secretsmanager:us-east-1:123456789012:secret:none")


@pytest.mark.as_on_aws("Redshift")
def test_BatchExecuteStatement_runs_its_statements_in_one_transaction(api: DataApi, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html"""
    table = unique("t")
    good = [f"create table {table} (id int)", f"insert into {table} values (1), (2)", f"select sum(id) from {table}"]
    described = api.wait(api.client.batch_execute_statement(Sqls=good, **api.access)["Id"])
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED"] * 3
    assert described["SubStatements"][1]["ResultRows"] == 2
    result = api.client.get_statement_result(Id=described["SubStatements"][2]["Id"])
    assert result["Records"] == [[{"longValue": 3}]]
    bad = [f"insert into {table} values (3)", "select nope", f"insert into {table} values (4)"]
    described = api.wait(api.client.batch_execute_statement(Sqls=bad, **api.access)["Id"])
    assert described["Status"] == "FAILED"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert api.rows(f"select count(*) from {table}") == [[2]]


@pytest.mark.as_on_aws("Redshift")
def test_a_large_result_comes_in_pages(api: DataApi) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html"""
    described = api.run("select i, repeat('x', 100) from generate_series(1, 20000) i")
    pages = list(api.client.get_paginator("get_statement_result").paginate(Id=described["Id"]))
    assert len(pages) > 1
    numbers = [row[0]["longValue"] for page in pages for row in page["Records"]]
    assert numbers == list(range(1, 20001))


@pytest.mark.as_on_aws("Redshift")
def test_a_running_statement_can_be_cancelled(api: DataApi) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_CancelStatement.html"""
    statement = api.submit("select pg_sleep(60)")
    api.wait(statement, "STARTED")
    assert api.client.cancel_statement(Id=statement)["Status"]
    api.wait(statement)
    assert api.client.describe_statement(Id=statement)["Status"] == "ABORTED"
    with pytest.raises(ClientError, match="already in ABORTED state"):
        api.client.cancel_statement(Id=statement)


def test_COPY_reports_the_number_of_its_rows(api: DataApi, warehouse: Warehouse, unique: Unique) -> None:
    table = unique("t")
    source = warehouse.put(f"{table}/a.csv", "1\n2\n3\n")
    api.run(f"create table {table} (id int)")
    described = api.run(f"copy {table} from '{source}' iam_role default csv")
    assert (described["Status"], described["ResultRows"]) == ("FINISHED", 3)


@pytest.mark.as_on_aws("Redshift")
def test_a_repeated_client_token_submits_once_and_WaitTimeSeconds_waits_for_the_status(
    api: DataApi, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html"""
    token = unique("token")
    assert api.submit("select 1", ClientToken=token) == api.submit("select 1", ClientToken=token)
    answered = api.client.execute_statement(Sql="select 1", WaitTimeSeconds=20, **api.access)
    assert (answered["Status"], answered["HasResultSet"]) == ("FINISHED", True)


def test_statements_are_listed_with_the_newest_first(api: DataApi, unique: Unique) -> None:
    name = unique("named")
    failed, finished = api.run("select nope", StatementName=name), api.run("select 1", StatementName=name)
    every = api.client.list_statements(Status="ALL", StatementName=name)["Statements"]
    assert [found["Id"] for found in every] == [finished["Id"], failed["Id"]]
    default = api.client.list_statements(StatementName=name)["Statements"]
    assert [(found["Id"], found["QueryString"]) for found in default] == [(finished["Id"], "select 1")]
    first = api.client.list_statements(Status="ALL", StatementName=name, MaxResults=1)
    second = api.client.list_statements(Status="ALL", StatementName=name, MaxResults=1, NextToken=first["NextToken"])
    assert second["Statements"][0]["Id"] == failed["Id"]


def test_databases_schemas_tables_and_columns_are_listed_from_the_database(api: DataApi, unique: Unique) -> None:
    table = unique("listed")
    api.run(f"create table {table} (id bigint, name varchar(7))")
    assert DATABASE in api.client.list_databases(**api.access)["Databases"]
    assert "public" in api.client.list_schemas(**api.access)["Schemas"]
    tables = api.client.list_tables(SchemaPattern="public", TablePattern=f"{table}%", **api.access)["Tables"]
    assert tables == [{"name": table, "schema": "public", "type": "TABLE"}]
    described = api.client.describe_table(Schema="public", Table=table, **api.access)
    assert described["TableName"] == table
    assert [(column["name"], column["typeName"], column["length"]) for column in described["ColumnList"]] == [
        ("id", "int8", 0),
        ("name", "varchar", 7),
    ]


@pytest.mark.refused("Redshift")
def test_sessions_and_other_unsupported_parts_of_the_data_api_are_refused(api: DataApi) -> None:
    for name, value in (("WithEvent", True), ("SessionKeepAliveSeconds", 60), ("ResultFormat", "CSV")):
        with pytest.raises(ClientError, match=f"{name}.* is not supported"):
            api.submit("select 1", **{name: value})
    with pytest.raises(ClientError, match="Query does not exist"):
        api.client.describe_statement(Id="d9b6c0c9-0747-4bf4-b142-e8883122f766")


def test_clusters_rows_and_results_survive_a_restart(tmp_path: Path) -> None:
    status = localaws.start(tmp_path)
    try:
        session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)

        def aws(service: str) -> Any:
            return session.client(service, endpoint_url=status.endpoint_url)

        aws("redshift").create_cluster(
            ClusterIdentifier="kept", NodeType="ra3.large", DBName=DATABASE, MasterUsername="admin",
            MasterUserPassword=PASSWORD, ClusterType="single-node",
        )  # fmt: skip
        wait_for_status(aws, "kept", "available")
        api = DataApi(aws("redshift-data"), "kept")
        api.run("create table t as select 42 as answer")
        before = api.run("select answer from t")
        interrupted = api.submit("select pg_sleep(60)")
        api.wait(interrupted, "STARTED")
        localaws.stop(tmp_path)
        localaws.start(tmp_path)
        assert wait_for_status(aws, "kept", "available", "rebooting")
        wait_for_status(aws, "kept", "available")
        assert api.client.get_statement_result(Id=before["Id"])["Records"] == [[{"longValue": 42}]]
        assert api.wait(interrupted)["Status"] == "FAILED"
        assert api.rows("select answer from t") == [[42]]
    finally:
        localaws.stop(tmp_path)

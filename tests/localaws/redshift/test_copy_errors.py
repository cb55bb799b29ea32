"""COPY's errors, and what they leave in the load history."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import psycopg
import pytest
from warehouse import TRUST, Session

Unique = Callable[[str], str]

BAD = (
    "id,name,amount,day,ok\n"
    "1,one,1.5,2023-01-02,true\n"
    "x2,two,,,\n"
    "3,too long,3,,\n"
    ",n,,,\n"
    "5,a,b,,\n"
    "6,a,1,2023-99-01,\n"
    "7,a,1,,maybe\n"
    "8,a\n"
    "9,a,1,,t,extra\n"
    "99999999999999999999,a,,,\n"
    "11,ééé,,,\n"
    "12,ok,1,2020-01-01,t\n"
    '13,"a"b,1,,\n'
    "14,ok,,,\n"
)
EXPECTED = [
    (3, "id", 1207, "Invalid digit, Value 'x', Pos 0, Type: Long"),
    (4, "name", 1204, "String length exceeds DDL length"),
    (5, "id", 1213, "Missing data for not-null field"),
    (6, "amount", 1208, "Invalid digit, Value 'b', Pos 0, Type: Float"),
    (7, "day", 1205, "Invalid Date Format - length must be 10 or more"),
    (8, "ok", 1210, "Unknown boolean format"),
    (9, "amount", 1203, "Delimiter not found"),
    (10, "", 1202, "Extra column(s) found"),
    (11, "id", 1222, "Overflow, Value 99999999999999999999, Type: Long"),
    (12, "name", 1204, "String length exceeds DDL length"),
    (14, "", 1214, "Invalid quote formatting for CSV"),
]


@pytest.fixture
def table(db: Session, unique: Unique) -> str:
    name = unique("t")
    db.run(f"create table {name} (id bigint not null, name varchar(5), amount real, day date, ok boolean)")
    return name


@pytest.mark.as_on_aws("Redshift")
def test_MAXERROR_loads_the_good_rows_and_reports_each_bad_row(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"""
    source = db.warehouse.put(f"{table}/bad.csv", BAD)
    db.copy(table, source, "csv ignoreheader 1 maxerror 50")
    assert db.notices == [
        f"INFO: Load into table '{table}' completed, 11 record(s) could not be loaded.  "
        "Check 'stl_load_errors' system table for details.",
        f"INFO: Load into table '{table}' completed, 3 record(s) loaded successfully.",
    ]
    assert db.rows(f"select id from {table} order by id") == [(1,), (12,), (14,)]
    assert db.errors() == EXPECTED
    history = db.rows(
        "select status, loaded_rows, error_count, file_format, data_source from sys_load_history"
        f" where table_name = '{table}'"
    )
    assert history == [("completed", 3, 11, "csv", source)]
    details = db.rows(
        "select trim(file_name), trim(raw_line), trim(raw_field_value) from sys_load_error_detail d"
        " join stl_load_errors e on e.query = d.query_id and e.line_number = d.line_number"
        f" where file_name = '{source}' and d.line_number = 3"
    )
    assert details == [(source, "x2,two,,,", "x2")]


@pytest.mark.as_on_aws("Redshift")
def test_a_load_that_reaches_MAXERROR_fails_and_loads_nothing(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"""
    source = db.warehouse.put(f"{table}/bad.csv", BAD)
    with pytest.raises(psycopg.Error) as failed:
        db.copy(table, source, "csv ignoreheader 1 maxerror 5")
    assert failed.value.diag.message_primary == (
        f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."
    )
    assert failed.value.sqlstate == "XX000"
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    assert db.errors() == EXPECTED[:5]


def test_without_MAXERROR_the_first_bad_row_fails_the_load_inside_the_client_s_transaction(
    db: Session, table: str
) -> None:
    good = db.warehouse.put(f"{table}/good.csv", "1,a,1,,\n")
    bad = db.warehouse.put(f"{table}/bad.csv", "2,b,1,,\n3,b,oops,,\n4,b,oops,,\n")
    db.run("begin")
    db.copy(table, good)
    with pytest.raises(psycopg.Error, match="failed"):
        db.copy(table, bad)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        db.rows("select 1")
    db.run("rollback")
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    # What happened is known all the same.
    assert db.errors() == [(2, "amount", 1208, "Invalid digit, Value 'o', Pos 0, Type: Float")]
    statuses = db.rows(f"select status from sys_load_history where table_name = '{table}' order by query_id")
    assert statuses == [("completed",), ("aborted",)]


@pytest.mark.as_on_aws("Redshift")
def test_a_rolled_back_load_leaves_no_rows(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html"""
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n")
    db.run("begin")
    db.copy(table, source)
    assert db.rows(f"select count(*) from {table}") == [(1,)]
    db.run("rollback")
    assert db.rows(f"select count(*) from {table}") == [(0,)]


def test_COPY_and_COMMIT_can_be_in_one_query_string(db: Session, table: str) -> None:
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n")
    db.run(f"begin; copy {table} from '{source}' iam_role '{db.warehouse.role}' csv; commit;")
    assert db.rows(f"select count(*) from {table}") == [(1,)]


@pytest.mark.as_on_aws("Redshift")
def test_invalid_UTF8_is_load_error_1220(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html"""
    source = db.warehouse.put(f"{table}/a.csv", b"1,a\xa4,1,,\n2,b,,,\n")
    db.copy(table, source, "csv maxerror 2")
    reason = "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: a4 (error 3)"
    assert db.errors() == [(1, "name", 1220, reason)]


def test_a_table_that_does_not_exist_is_an_error(db: Session) -> None:
    with pytest.raises(psycopg.Error, match=r"^Cannot COPY into nonexistent table nowhere$"):
        db.copy("nowhere", f"s3://{db.warehouse.bucket}/x")


def test_a_prefix_or_a_bucket_that_does_not_exist_is_an_error(db: Session, table: str) -> None:
    with pytest.raises(psycopg.Error, match=r"^The specified S3 prefix 'nothing/here' does not exist"):
        db.copy(table, f"s3://{db.warehouse.bucket}/nothing/here")
    with pytest.raises(psycopg.Error, match=r"The specified bucket does not exist,Status 404,Error NoSuchBucket"):
        db.copy(table, "s3://no-such-bucket-anywhere/x")


@pytest.mark.as_on_aws("Redshift")
def test_an_iam_role_has_to_exist_trust_redshift_and_be_associated_with_the_cluster(
    db: Session, table: str, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/copy-unload-iam-role.html"""
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n")
    missing = "arn:aws:iam::123456789012:role/never-made"
    with pytest.raises(psycopg.Error, match=f"dbuser:warehouse/admin is not authorized to assume IAM Role {missing}"):
        db.run(f"copy {table} from '{source}' iam_role '{missing}' csv")
    name = unique("role")
    other = db.warehouse.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    with pytest.raises(psycopg.Error, match=f"The requested role {other} is not associated to cluster"):
        db.run(f"copy {table} from '{source}' iam_role '{other}' csv")
    untrusting = json.loads(TRUST.replace("redshift", "ec2"))
    db.warehouse.aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(untrusting))
    with pytest.raises(psycopg.Error, match=f"is not authorized to assume IAM Role {other}"):
        db.run(f"copy {table} from '{source}' iam_role '{other}' csv")
    db.run(f"copy {table} from '{source}' iam_role default csv")
    assert db.rows(f"select count(*) from {table}") == [(1,)]


def test_a_user_without_the_right_to_insert_loads_nothing(db: Session, table: str, unique: Unique) -> None:
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n")
    user = unique("reader")
    db.run(f"create user {user} password 'Passw0rd1'")
    with db.warehouse.connect(user, "Passw0rd1") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        Session(db.warehouse, connection).copy(table, source)


def test_a_cancelled_load_leaves_no_rows_and_is_in_the_history(db: Session, table: str) -> None:
    # A file that takes the exact way, row by row, for some seconds.
    rows = "".join(f"{number},é,1,,\n" for number in range(400_000))
    source = db.warehouse.put(f"{table}/a.csv", rows)
    timer = threading.Timer(0.5, db.connection.cancel_safe)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.copy(table, source)
    timer.join()
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    assert db.rows(f"select status from sys_load_history where table_name = '{table}'") == [("aborted",)]


def test_loads_of_several_sessions_run_at_once(db: Session, table: str) -> None:
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n" * 1000)
    failures: list[BaseException] = []

    def load() -> None:
        try:
            with db.warehouse.connect() as connection:
                Session(db.warehouse, connection).copy(table, source)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert db.rows(f"select count(*) from {table}") == [(8000,)]


@pytest.mark.as_on_aws("Redshift")
def test_MAXERROR_counts_the_errors_of_all_files_together(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"""
    for name in ("a", "b"):
        db.warehouse.put(f"{table}/{name}.csv", "1,good,1,,\nx,bad,1,,\ny,bad,1,,\n")
    source = db.warehouse.put(f"{table}/c.csv", "2,good,1,,\n").removesuffix("c.csv")
    with pytest.raises(psycopg.Error, match="failed"):
        db.copy(table, source, "csv maxerror 4")
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    db.copy(table, source, "csv maxerror 5")
    assert db.rows(f"select id from {table} order by id") == [(1,), (1,), (2,)]


@pytest.mark.as_on_aws("Redshift")
def test_NOLOAD_checks_the_files_and_loads_nothing(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"""
    good = db.warehouse.put(f"{table}/good.csv", "1,a,1,,\n2,b,1,,\n")
    db.copy(table, good, "csv noload")
    bad = db.warehouse.put(f"{table}/bad.csv", "1,a,1,,\nx,b,1,,\n")
    with pytest.raises(psycopg.Error, match="failed"):
        db.copy(table, bad, "csv noload")
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    assert db.errors() == [(2, "id", 1207, "Invalid digit, Value 'x', Pos 0, Type: Long")]
    db.copy(table, good)
    assert db.rows(f"select count(*) from {table}") == [(2,)]


def test_a_delimiter_at_the_end_of_a_csv_line_starts_an_extra_column(db: Session, table: str) -> None:
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,t\n2,b,1,,t,\n")
    db.copy(table, source, "csv maxerror 2")
    assert db.rows(f"select id from {table}") == [(1,)]
    assert db.errors() == [(2, "", 1202, "Extra column(s) found")]

"""SQL with another or no meaning on PostgreSQL, run through the front with Redshift's results."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

Connection = psycopg.Connection[Any]


def value(session: Connection, expression: str) -> Any:
    row = session.execute(f"select {expression}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html: boundaries, not elapsed time
        ("datediff(year, '2008-12-31'::date, '2009-01-01'::date)", 1),
        ("datediff(qtr, '1998-07-01', '2008-06-30')", 39),
        ("datediff(week, '2009-01-01', '2009-12-31')", 52),
        ("datediff(hour, '2023-01-01 10:59:59'::timestamp, '2023-01-01 11:00:00'::timestamp)", 1),
        ("datediff(day, '2023-01-02'::date, '2023-01-01 23:00'::timestamp)", -1),
        ("datediff(second, '10:00'::time, '10:01'::time)", 60),
        ("datediff('month', '2023-01-31', '2023-02-01')", 1),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html
        ("dateadd(month, 1, '2023-01-31'::date)", datetime.datetime(2023, 2, 28)),
        ("dateadd(day, -30, '2023-01-31')", datetime.datetime(2023, 1, 1)),
        ("dateadd(m, 30, '2023-01-31 00:00'::timestamp)", datetime.datetime(2023, 1, 31, 0, 30)),
        ("date_trunc('month', '2023-05-17'::date)", datetime.datetime(2023, 5, 1)),
        ("date_part(month, '2023-05-17'::date)", 5),
        ("extract(second from '2023-05-17 10:11:12.9'::timestamp)", 12),
        ("add_months('2008-04-30', 1)", datetime.datetime(2008, 5, 31)),
        ("last_day('2008-02-10')", datetime.date(2008, 2, 29)),
        ("next_day('2014-08-20', 'Tuesday')", datetime.date(2014, 8, 26)),
        ("trunc('2011-07-21 10:32:38'::timestamp)", datetime.date(2011, 7, 21)),
        ("convert_timezone('America/New_York', '2013-02-01 03:00:00')", datetime.datetime(2013, 1, 31, 22)),
        ("convert_timezone('EST', 'UTC', '2013-02-01 03:00:00')", datetime.datetime(2013, 2, 1, 8)),
        ("to_char('2009-12-31 23:15:59'::timestamp, 'MONTH-DY-DD-YYYY HH12:MI PM')", "DECEMBER -THU-31-2009 11:15 PM"),
        # Conditions
        ("nvl(null, null, 'c')", "c"),
        ("nvl2('a', 'some', 'none')", "some"),
        ("decode(null, 1, 'one', null, 'nothing', 'else')", "nothing"),
        # Text: https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_REPLACE.html
        ("len('häuser')", 6),
        ("charindex('fish', 'dogfish')", 4),
        ("'a' || null", None),
        ("concat('a', null::varchar)", None),
        ("regexp_replace('a.b.c', '[.]', '-')", "a-b-c"),
        (r"regexp_substr('x12y', '\\d+')", "12"),
        (r"'a\tb'", "a\tb"),
        ("strtol('0x1A', 16)", 26),
        ("strtol('-110101', 2)", -53),
        ("round(2.345::float8, 2)", 2.35),
        ("json_extract_path_text('{\"a\": {\"b\": 5}}', 'a', 'b')", "5"),
        ("json_extract_array_element_text('[1, 2, 3]', 1)", "2"),
        ("is_valid_json('{\"a\": }')", False),
        ("json_parse('[1, 2]')", [1, 2]),
    ],
)
def test_expressions_give_redshift_s_results(session: Connection, expression: str, expected: Any) -> None:
    assert value(session, expression) == expected


def test_GETDATE_has_whole_seconds_and_SYSDATE_is_the_start_of_the_transaction(session: Connection) -> None:
    assert value(session, "getdate()").microsecond == 0
    with session.transaction():
        assert value(session, "sysdate") == value(session, "sysdate")


def test_an_unknown_date_part_is_refused(session: Connection) -> None:
    with pytest.raises(psycopg.Error, match="fortnight"):
        session.execute("select dateadd('fortnight', 1, getdate())")


@pytest.mark.as_on_aws("Redshift")
def test_SUM_of_real_values_is_computed_in_double_precision(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html"""
    session.execute("create table tolls (amount real, booth smallint, id bigint, price numeric(10, 2))")
    session.execute("insert into tolls select 7.49, i % 7, 4000000000 + i, 1.10 from generate_series(1, 100000) i")
    total = value(session, "sum(amount) from tolls")
    assert total == pytest.approx(749_000, abs=0.1)
    assert value(session, "sum(amount) from tolls") == total
    assert value(session, "sum(amount) from tolls where amount < 0") is None


@pytest.mark.as_on_aws("Redshift")
def test_SUM_and_AVG_of_integers_are_bigint(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html"""
    session.execute("create table ints (a smallint, b integer, c bigint, n numeric(6, 2))")
    session.execute("insert into ints values (1, 2, 3, 1.50), (2, 5, 6, 2.50), (null, null, null, null)")
    cursor = session.execute("select sum(a), sum(b), sum(c), avg(a), avg(b), avg(c), sum(n) from ints")
    assert [column.type_code for column in cursor.description or []] == [20, 20, 20, 20, 20, 20, 1700]
    assert cursor.fetchone() == (3, 7, 9, 1, 3, 4, Decimal("4.00"))
    assert session.execute("select avg(c), sum(c) from ints where c > 10").fetchone() == (None, None)
    rows = session.execute("select sum(c) over (order by c rows 1 preceding) from ints where c is not null order by c")
    assert rows.fetchall() == [(3,), (9,)]


def test_postgresql_s_own_views_still_work(session: Connection) -> None:
    # They were made with the aggregates that Redshift's take the names of.
    assert session.execute("select sum(idx_scan) from pg_stat_user_tables").fetchone() is not None
    session.execute("select * from pg_stat_all_tables, pg_statio_all_tables limit 5")


@pytest.mark.as_on_aws("Redshift")
def test_LISTAGG_sorts_and_joins_values(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html"""
    rows = "from (values (1, 'b'), (2, 'a'), (2, 'a'), (3, null)) t (id, name)"
    assert value(session, f"listagg(name, ', ') within group (order by id) {rows}") == "b, a, a"
    assert value(session, f"listagg(distinct name, '|') within group (order by name) {rows}") == "a|b"
    assert value(session, f"listagg(id) within group (order by id desc) {rows}") == "3221"


@pytest.mark.as_on_aws("Redshift")
def test_keys_are_accepted_and_not_enforced(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html"""
    session.execute("create table parents (id int primary key, name varchar(10) unique)")
    session.execute("create table children (id int, parent int references parents (id), primary key (id))")
    session.execute("insert into parents values (1, 'a'), (1, 'a')")
    session.execute("insert into children values (1, 99), (1, 99)")
    with pytest.raises(psycopg.errors.NotNullViolation):
        session.execute("insert into children values (null, 1)")


def test_an_identity_column_counts_up(session: Connection) -> None:
    session.execute("create table numbered (id int identity(10, 5), a varchar)")
    session.execute("insert into numbered (a) values ('x'), ('y')")
    assert session.execute("select id from numbered order by id").fetchall() == [(10,), (15,)]


@pytest.mark.as_on_aws("Redshift")
def test_a_temporary_table_with_a_hash_is_visible_only_in_its_session(
    session: Connection, psycopg_parameters: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"""
    session.execute("create table #mine (a int)")
    session.execute("insert into #mine values (1)")
    session.execute("select a into #copied from #mine")
    assert session.execute("select count(*) from #copied").fetchone() == (1,)
    with psycopg.connect(**psycopg_parameters) as other, pytest.raises(psycopg.errors.UndefinedTable):
        other.execute("select * from #mine")


def test_a_SUPER_column_stores_json_documents(session: Connection) -> None:
    session.execute("create table documents (d super)")
    session.execute("""insert into documents values (json_parse('{"a": [1, 2]}'))""")
    assert session.execute("select d['a'][1] from documents").fetchone() == (2,)


@pytest.mark.as_on_aws("Redshift")
def test_text_columns_without_a_length_have_a_length_of_256(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html"""
    session.execute("create table texts (a varchar, b text, c varchar(max))")
    query = "select character_maximum_length from svv_columns where table_name = 'texts' order by ordinal_position"
    assert session.execute(query).fetchall() == [(256,), (256,), (65535,)]


def test_a_user_s_search_path_does_not_change_results(session: Connection) -> None:
    session.execute("create schema elsewhere")
    session.execute("set search_path to elsewhere")
    assert session.execute("select avg(x), len('abc') from (values (1), (2)) t (x)").fetchone() == (1, 3)
    assert session.execute("show search_path").fetchone() == ("elsewhere",)


def test_the_driver_s_catalog_calls_return_tables_and_columns(cursor: Any) -> None:
    cursor.execute("create table cataloged (id bigint not null, name varchar(40), doc super)")
    tables = cursor.get_tables(table_name_pattern="cataloged")
    assert [(row[1], row[2], row[3]) for row in tables] == [("public", "cataloged", "TABLE")]
    columns = cursor.get_columns(tablename_pattern="cataloged")
    assert [(row[3], row[5]) for row in columns] == [("id", "int8"), ("name", "varchar"), ("doc", "super")]
    assert "public" in [row[0] for row in cursor.get_schemas()]


@pytest.mark.as_on_aws("Redshift")
def test_a_column_alias_can_be_used_in_the_same_query(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html"""
    session.execute("create table clicks (clicked int, shown int)")
    session.execute("insert into clicks values (1, 4), (3, 4)")
    sql = "select clicked / shown::float8 as rate, rate * 100 as percent from clicks where rate > 0.5"
    assert session.execute(sql).fetchall() == [(0.75, 75.0)]
    assert session.execute(sql + " and shown = %s", [4]).fetchall() == [(0.75, 75.0)]
    with session.transaction():
        assert session.execute(sql).fetchall() == [(0.75, 75.0)]


def test_a_column_takes_precedence_over_an_alias_with_the_same_name(session: Connection) -> None:
    session.execute("create table shadows (a int)")
    session.execute("insert into shadows values (1)")
    assert session.execute("select a + 10 as a, a as b from shadows where a = 1").fetchall() == [(11, 1)]


def test_an_unknown_column_is_still_an_error_in_a_query_with_aliases(session: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn, match='column "c" does not exist') as refused:
        session.execute("select 1 as b, b + c as d")
    assert refused.value.diag.statement_position == "20"


def test_SHOW_lists_databases_schemas_tables_and_columns(session: Connection) -> None:
    session.execute("create schema shown")
    session.execute("create table shown.first (a int, b varchar(5)); create table shown.second (c int)")
    assert ("dev",) in [row[:1] for row in session.execute("show databases")]
    assert [row[:2] for row in session.execute("show schemas from database dev like 'show%'")] == [("dev", "shown")]
    tables = session.execute("show tables from schema dev.shown").fetchall()
    assert [row[1:4] for row in tables] == [("shown", "first", "TABLE"), ("shown", "second", "TABLE")]
    assert len(session.execute("show tables from schema shown limit 1").fetchall()) == 1
    columns = session.execute("show columns from table dev.shown.first").fetchall()
    assert [row[3] for row in columns] == ["a", "b"]


@pytest.mark.refused("Redshift")
@pytest.mark.parametrize(
    "statement",
    [
        "create external schema s from data catalog database 'd' iam_role 'r'",
        "alter table a append from b",
        "analyze compression t",
        "show table t",
    ],
)
def test_unsupported_statements_are_refused(session: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="is not supported by this embedded Redshift"):
        session.execute(statement)
    with pytest.raises(psycopg.errors.FeatureNotSupported), session.cursor() as cursor:
        cursor.execute(statement, binary=True)  # the extended protocol
    session.execute("begin")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        session.execute(statement)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        session.execute("select 1")
    session.execute("rollback")


def test_the_driver_s_catalog_calls_accept_patterns(cursor: Any) -> None:
    cursor.execute("create table patterned (id bigint not null, name varchar(40))")
    columns = cursor.get_columns(schema_pattern="public", tablename_pattern="patterned")
    assert [(row[3], row[5], row[17]) for row in columns] == [("id", "int8", "NO"), ("name", "varchar", "YES")]
    tables = cursor.get_tables(schema_pattern="publ%", table_name_pattern="patterned", types=["TABLE"])
    assert [row[2] for row in tables] == ["patterned"]
    assert cursor.get_procedures(procedure_name_pattern="no_such_procedure") == ()


def test_the_system_views_show_how_a_table_was_declared(session: Connection, cursor: Any) -> None:
    session.execute(
        "create table lying (a int encode az64 sortkey, b varchar(9) distkey) ; create table plain as select '*/' as x"
    )
    cursor.execute("create table other distkey (b) compound sortkey (b, a) as select 1 as a, 2 as b")
    query = 'select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def where tablename = %s'
    assert session.execute(query, ["lying"]).fetchall() == [
        ("a", "integer", "az64", False, 1, False),
        ("b", "character varying(9)", "none", True, 0, False),
    ]
    assert [row[3:5] for row in session.execute(query, ["other"])] == [(False, 2), (True, 1)]
    session.execute("alter table lying alter diststyle all")
    session.execute("alter table lying alter sortkey (b, a)")
    session.execute("alter table lying alter column b encode zstd")
    assert [row[2:5] for row in session.execute(query, ["lying"])] == [("az64", False, 2), ("zstd", False, 1)]
    session.execute("analyze other")
    info = "select diststyle, sortkey1, sortkey_num, tbl_rows from svv_table_info where \"table\" = 'other'"
    assert session.execute(info).fetchone() == ("KEY(b)", "b", 2, 1)
    session.execute("drop table lying")


def test_a_user_s_own_comment_is_not_read_as_a_table_declaration(session: Connection) -> None:
    session.execute("""create table commented (a int) /*redshift:{"table": "commented", "distkey": broken}*/""")
    assert session.execute("select distkey from pg_table_def where tablename = 'commented'").fetchone() == (False,)


@pytest.mark.as_on_aws("Redshift")
def test_QUALIFY_filters_by_window_functions(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html"""
    session.execute("create table sales (region varchar, day int, amount int)")
    session.execute("insert into sales values ('n', 1, 5), ('n', 2, 9), ('s', 1, 7), ('s', 2, 3)")
    window = "row_number() over (partition by region order by amount desc)"
    cursor = session.execute(
        f"select region, s.day, amount * 2 as twice, upper(region) from sales s qualify {window} = 1"
    )
    assert [column.name for column in cursor.description or []] == ["region", "day", "twice", "upper"]
    assert sorted(cursor.fetchall()) == [("n", 2, 18, "N"), ("s", 1, 14, "S")]
    # By the alias of a window function, with everything around it, in a query of a query.
    sql = f"select top 1 region, {window} as place from sales where day < 3 qualify place = 1 order by region desc"
    assert session.execute(sql).fetchall() == [("s", 1)]
    assert len(session.execute(f"select top 1 region from sales qualify {window} = 1").fetchall()) == 1
    assert session.execute(f"select count(*) from (select region from sales qualify {window} = 2) x").fetchone() == (2,)
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="QUALIFY with"):
        session.execute(f"select * from sales qualify {window} = 1")


def test_a_database_created_with_sql_has_redshift_s_functions_too(
    session: Connection, psycopg_parameters: dict[str, Any]
) -> None:
    session.execute("create database second with owner admin connection limit unlimited collate case_sensitive")
    with psycopg.connect(**{**psycopg_parameters, "dbname": "second"}) as connection:
        connection.execute("create table t (a int distkey)")
        query = "select nvl(null, len('abc')), distkey from pg_table_def where tablename = 't'"
        assert connection.execute(query).fetchone() == (3, True)
    session.execute("drop database second")


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize("kind", ["decimal", "numeric", "dec"])
def test_DECIMAL_without_a_precision_has_18_digits_and_no_decimals(session: Connection, kind: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html"""
    session.execute(f"create table plain_{kind} (id int, price {kind})")
    session.execute(f"alter table plain_{kind} add column more {kind}")
    session.execute(f"insert into plain_{kind} values (1, 7.9, 1.2)")
    assert session.execute(f"select price, more from plain_{kind}").fetchone() == (Decimal(8), Decimal(1))
    for cast in (f"7.9::{kind}", f"cast(7.9 as {kind})", f"convert({kind}, 7.9)", f"cast((7.9 + 0) as {kind})"):
        assert value(session, cast) == Decimal(8), cast
    assert value(session, f"7.94::{kind}(3, 1)") == Decimal("7.9")
    with pytest.raises(psycopg.Error, match="overflow"):
        session.execute(f"select 1234567890123456789::{kind}")


def test_a_column_may_be_named_as_the_type_decimal(session: Connection) -> None:
    assert session.execute("select * from (select 7.9 as numeric) t").fetchone() == (Decimal("7.9"),)


@pytest.mark.as_on_aws("Redshift")
def test_DECIMAL_has_at_most_38_digits(session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html"""
    with pytest.raises(psycopg.Error, match="NUMERIC precision 39 must be between 1 and 38"):
        session.execute("create table too_precise (price decimal(39, 2))")
    session.execute("create table precise (price decimal(38, 2))")

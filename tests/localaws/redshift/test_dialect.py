"""The rewriter of tokens, on its own: what it changes, and what it must never touch."""

from __future__ import annotations

import contextlib
import random
import re
import time

import pytest

from localaws.redshift import dialect
from localaws.redshift.errors import SqlError

_WORDS = """
select from where qualify order top 5 nvl nvl2 decode ( ) ( ) , , . :: 'x' "q" a #t as listagg within group
create table temp primary key constraint references identity encode distkey sortkey diststyle compound alter add
column set show tables schema like vacuum full to percent user session timeout convert dateadd median varchar max
character varying sysdate minus view with no schema binding copy ; -- /* */ $$ $1 [ ] * generated default
"""
WORDS = [*_WORDS.split(), "\n"]


def squeezed(sql: str) -> str:
    text = " ".join(re.sub(r"/\*redshift:.*?\*/", "", dialect.rewrite(sql)).split())
    return re.sub(r" (?=[,)])|(?<=\() ", "", text)


def test_redshift_words_in_strings_do_not_cause_full_tokenization() -> None:
    (statement,) = dialect.parse("insert into t values ('top 5', '0a', 'it''s nvl(a)')")
    assert len(statement.tokens) == 1


@pytest.mark.parametrize("before", ["-- it's\n 1", r"'it\'s'", '"it\'s"', "$$it's$$", "/* ' */ 1"])
def test_quotes_in_comments_and_identifiers_do_not_hide_the_code_after_them(before: str) -> None:
    assert dialect.rewrite(f"select {before}, nvl(1, 2), 'x'") == f"select {before}, coalesce(1, 2), 'x'"


@pytest.mark.parametrize(
    "untouched",
    [
        "select 'nvl(a, b) top 5 getdate() #x sysdate'",
        'select "nvl"(1, 2), "sysdate", "top" from "#t"',
        "select $$nvl(a, b) sysdate$$, $tag$dateadd(day, 1, x) $$ $tag$",
        "select 1 -- nvl(a, b); copy x",
        "select 1 /* sysdate; /* nested nvl(a,b); */ copy t */ + 2",
        r"select 'it\'s; nvl(a, b)', 'x'",
        "select E'\\'nvl(a,b)', b'101', n'nvl(a,b)'",
        "select t.sysdate, t.nvl(1), s.decode(1, 2, 3) from t",
        "select a # b, 5#3 from t",
        "select decode('YQ==', 'base64')",
        "select top from t",
        "update t set sortkey = 1 where encode = 'lzo'",
    ],
)
def test_strings_names_comments_and_plain_sql_stay_as_they_are(untouched: str) -> None:
    assert dialect.rewrite(untouched) == untouched


@pytest.mark.parametrize(
    ("redshift", "postgresql"),
    [
        ("select nvl(a, nvl(b, 'nvl('))", "select coalesce(a, coalesce(b, 'nvl('))"),
        ("select nvl2(a, b, c)", "select CASE WHEN (a) IS NOT NULL THEN b ELSE c END"),
        (
            "select decode(a, 1, 'x', null, 'y', 'z')",
            "select CASE WHEN (a) IS NOT DISTINCT FROM (1) THEN 'x' WHEN (a) IS NOT DISTINCT FROM (null) THEN 'y'"
            " ELSE 'z' END",
        ),
        ("select dateadd(mon, -1, getdate())", "select date_add('mon', -1, getdate())"),
        ("select datediff('day', a, sysdate)", "select date_diff('day', a, sysdate())"),
        ("select date_part(month, d)", "select date_part('month', d)"),
        ("select top 5 a from t order by a", "select a from t order by a LIMIT 5"),
        ("select * from (select distinct top 3 a from t) x", "select * from (select distinct a from t LIMIT 3) x"),
        ("select top 2 a from t union all select 1", "select a from t LIMIT 2 union all select 1"),
        ("select a from t minus select b from u", "select a from t EXCEPT select b from u"),
        ("select listagg(a, ',') within group (order by b) from t", "select listagg(a, ',' order by b) from t"),
        ("select convert(int, a)", "select CAST(a AS int)"),
        ("select a::nvarchar(5), cast(b as varchar(max))", "select a::varchar(5), cast(b as varchar(65535))"),
        ("select approximate count(distinct a) from t", "select count(distinct a) from t"),
        ("select * from #t where #t.a = 1", 'select * from "#t" where "#t".a = 1'),
        ("select a into #x from t", 'select a INTO TEMP TABLE "#x" from t'),
        ("create table #x (a int)", 'create TEMP table "#x" (a int)'),
        ("create temp table #x as select 1 a", 'create temp table "#x" as select 1 a'),
        ("delete t where a = 1", "delete FROM t where a = 1"),
        ("set query_group to 'x'", "set redshift.query_group to 'x'"),
        ("vacuum full t to 99 percent", "vacuum t"),
        ("vacuum sort only t", "vacuum t"),
        ("create user ann password 'Abc12345' createuser", "create user ann password 'Abc12345' CREATEROLE"),
        ("create view v as select 1 with no schema binding", "create view v as select 1"),
    ],
)
def test_redshift_syntax_is_translated_to_postgresql_syntax(redshift: str, postgresql: str) -> None:
    assert squeezed(redshift) == postgresql


@pytest.mark.parametrize(
    ("redshift", "postgresql"),
    [
        (
            "create table t (a int encode az64 distkey sortkey, b varchar(max), c text, primary key (a), unique (b))"
            " diststyle key compound sortkey (a, b)",
            "create table t (a int, b varchar(65535), c varchar(256), NOT NULL a)",
        ),
        (
            "create table if not exists s.t (id bigint identity(0, 1) primary key, c int not null references u (c))",
            "create table if not exists s.t"
            " (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 0 INCREMENT BY 1 MINVALUE 0) NOT NULL,"
            " c int not null)",
        ),
        (
            "create table t (unique (a), foreign key (a) references u, a int, check (a > 0))",
            "create table t (a int, check (a > 0))",
        ),
        ("create table t distkey (a) sortkey (b) as select 1 a", "create table t as select 1 a"),
        ("create table t (a, b) backup no as select 1, 2", "create table t (a, b) as select 1, 2"),
        ("create table t (like u including defaults)", "create table t (like u including defaults)"),
        ("alter table t add column a varchar encode zstd", "alter table t add column a varchar(256)"),
        ("alter table t add primary key (a, b)", "alter table t add NOT NULL a, ADD NOT NULL b"),
        ("alter table t add constraint k unique (a)", "alter table t SET (fillfactor = 100)"),
        ("alter table t alter diststyle all", "alter table t SET (fillfactor = 100)"),
        ("alter table t alter column a type varchar(40)", "alter table t alter column a type varchar(40)"),
    ],
)
def test_table_attributes_without_an_effect_are_removed(redshift: str, postgresql: str) -> None:
    assert squeezed(redshift) == postgresql


def test_statements_are_split_only_at_their_end() -> None:
    statements = dialect.parse("begin; copy t from 's3://b;c/' json 'auto'; select ';' /* ; */ ;; commit; -- ; end")
    assert [statement.verb for statement in statements] == ["BEGIN", "COPY", "SELECT", "COMMIT"]
    assert [statement.special for statement in statements] == [False, True, False, False]
    assert "".join(token.text for token in statements[1].tokens) == " copy t from 's3://b;c/' json 'auto'"


def test_an_escaped_quote_ends_a_string_only_if_backslash_escapes_are_off() -> None:
    sql = r"select 'a\'; select nvl(1, 2) --'"
    assert len(dialect.parse(sql, backslash_escapes=True)) == 1
    assert len(dialect.parse(sql, backslash_escapes=False)) == 2


def test_positions_in_the_rewritten_text_map_back_to_the_client_s_text() -> None:
    sql = "select top 5 nvl(a, b), wrong from t"
    rewritten = dialect.join(dialect.parse(sql))
    position = rewritten.text.index("wrong") + 1
    assert sql[rewritten.original_position(position) - 1 :].startswith("wrong")


@pytest.mark.parametrize("sql", ["", " ; ;", "-- nothing", "select 'open", 'select "open', "select $$open", "/* open"])
def test_text_that_is_not_sql_is_passed_on_for_postgresql_to_refuse(sql: str) -> None:
    assert dialect.rewrite(sql).strip() in (sql.strip(), "")


def test_words_in_any_order_are_read_without_an_exception() -> None:
    chance = random.Random(20230829)
    beginnings = [
        "",
        "create table t (",
        "alter table t ",
        "select a as b, b as c from t where ",
        "create user u ",
        "show ",
    ]
    for _ in range(5000):
        sql = chance.choice(beginnings) + " ".join(chance.choices(WORDS, k=chance.randint(1, 14)))
        with contextlib.suppress(SqlError):
            for statement in dialect.parse(sql):
                dialect.join([statement.expanded(statement.aliases) if statement.aliases else statement])


def test_long_lists_of_values_are_passed_on_quickly() -> None:
    sql = "insert into t values " + ", ".join(f"({number}, 'row {number}', null)" for number in range(100_000))
    started = time.perf_counter()
    assert dialect.rewrite(sql) == sql
    assert time.perf_counter() - started < 5

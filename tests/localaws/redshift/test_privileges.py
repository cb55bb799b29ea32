"""Users of Redshift can't become superusers of PostgreSQL, or reach the host, with any statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from redshift_lab import EVE, FAILING_COPY, OWNER, Connect, Connection, Lab, one, superusers
from wire_client import WireClient

from localaws.redshift.engine import Address
from localaws.redshift.postgres import roles


def trap(connection: Connection, schema: str) -> None:
    """A function that makes its caller's superuser the user's, if it ever runs as one; it records who ran it."""
    connection.execute(
        f"create function {schema}.trap() returns boolean language plpgsql as $$begin"
        " if current_setting('is_superuser') = 'on' then"
        "  execute format('alter role %I superuser', session_user);"
        " end if;"
        " raise exception 'the trap was called by %', current_user; end$$".encode()
    )


# --- the ways that led there ----------------------------------------------------------------------------------------


def test_a_temporary_table_cannot_replace_an_internal_table(eve: Connection, lab: Lab) -> None:
    """The trigger on CREATE TABLE wrote to the first table of the name in its search_path: the user's temporary one."""
    trap(eve, "public")
    eve.execute("create temp table redshift_declared (relation oid, declared jsonb, check (public.trap()))")
    eve.execute("create unique index on redshift_declared (relation)")
    eve.execute("create table placed (a int) sortkey (a)")
    assert one(eve, "select sortkey from pg_catalog.pg_table_def where tablename = 'placed'") == 1
    assert superusers(eve) == {"rdsdb", "rdsdb_grants"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        eve.execute("do $$begin copy (select 1) to program 'true'; end$$")


def test_a_database_s_search_path_does_not_affect_internal_sessions(
    owner: Connection, lab: Lab, connect: Connect
) -> None:
    """COPY's history looked users up in the first pg_user of the database's search_path: the owner's own."""
    owner.execute("create schema evil")
    trap(owner, "evil")
    owner.execute("create view evil.pg_user as select 1 as usesysid, 'owner' as usename where evil.trap()")
    owner.execute("create view evil.pg_stat_activity as select 1 as pid, 1 as backend_xid where evil.trap()")
    # As it may be in a database of an earlier release, or by dynamic SQL: Redshift has no such statement.
    owner.execute("do $$begin execute 'alter database owned set search_path = evil, pg_catalog'; end$$")
    owner.execute("do $$begin execute 'alter database owned set default_transaction_read_only = on'; end$$")
    other = connect("owner", OWNER, "owned")
    with pytest.raises(psycopg.errors.UndefinedTable, match="Cannot COPY into nonexistent table"):
        other.execute(FAILING_COPY)
    assert one(other, "select status from pg_catalog.sys_load_history") == "aborted"
    assert superusers(other) == {"rdsdb", "rdsdb_grants"}


def test_a_user_s_own_tables_cannot_replace_the_load_history(owner: Connection) -> None:
    owner.execute("create schema load_history")
    trap(owner, "public")
    for table in ("loads", "files", "errors"):
        owner.execute(f"create table load_history.{table} (a int, check (public.trap()))".encode())
    with pytest.raises(psycopg.errors.UndefinedTable):
        owner.execute(FAILING_COPY)
    assert one(owner, "select status from sys_load_history") == "aborted"
    assert superusers(owner) == {"rdsdb", "rdsdb_grants"}


def test_no_database_can_be_created_without_the_internal_objects(owner: Connection, connect: Connect) -> None:
    with pytest.raises(psycopg.Error, match='syntax error at or near "template"'):
        connect("owner", OWNER).execute("create database raw template template0")
    # PostgreSQL refuses it, too: only its superuser may copy what is no template.
    assert one(owner, "select datistemplate from pg_database where datname = 'template0'") is False


@pytest.mark.parametrize("database", ["postgres", "template1", "template0"])
def test_users_cannot_connect_to_internal_databases(connect: Connect, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"permission denied for database|not currently accepting"):
        connect(database=database)


# --- everything that is made for users ------------------------------------------------------------------------------


@pytest.fixture
def inside(lab: Lab) -> Iterator[Connection]:
    """The superuser, in a user's database."""
    with lab.engine._clusters["warehouse"].postgres.connect("dev") as connection:
        yield connection


def test_no_security_definer_function_is_owned_by_a_superuser(inside: Connection) -> None:
    found = inside.execute(
        "select p.oid::regprocedure::text, r.rolname, p.proconfig from pg_proc p join pg_roles r on r.oid = p.proowner"
        " where p.prosecdef and (r.rolsuper or r.rolcanlogin)"
    )
    assert found.fetchall() == []
    functions = inside.execute("select proname, proconfig from pg_proc where prosecdef order by 1").fetchall()
    path = ["search_path=pg_catalog, pg_temp"]
    assert functions == [("table_dropped", path), ("table_made", path)]


def test_no_internal_view_reads_as_a_superuser(inside: Connection) -> None:
    found = inside.execute(
        "select c.oid::regclass::text from pg_class c join pg_roles r on r.oid = c.relowner"
        " where c.relkind in ('v', 'm') and c.oid >= 16384 and (r.rolsuper or r.rolcanlogin)"
    )
    assert found.fetchall() == []


def test_all_names_in_security_definer_functions_are_qualified(inside: Connection) -> None:
    for (source,) in inside.execute("select prosrc from pg_proc where prosecdef").fetchall():
        relations = re.findall(r"\b(?:from|join|into)\s+(?!\()([\w.]+)", source)
        assert relations
        assert all(name.startswith(("pg_catalog.", "pg_internal.")) for name in relations), relations


def test_event_triggers_are_only_the_internal_ones(inside: Connection) -> None:
    found = inside.execute("select evtname, evtowner::regrole::text, evtfoid::regproc::text from pg_event_trigger")
    assert sorted(found.fetchall()) == [
        ("redshift_refuses", "rdsdb", "pg_internal.refuse"),
        ("redshift_table_dropped", "rdsdb", "pg_internal.table_dropped"),
        ("redshift_table_made", "rdsdb", "pg_internal.table_made"),
    ]


def test_internal_roles_have_no_members_and_only_the_privileges_that_they_need(inside: Connection) -> None:
    internal = list(roles.INTERNAL)
    members = inside.execute(
        "select roleid::regrole::text, member::regrole::text from pg_auth_members m"
        " where roleid in (select oid from pg_roles where rolname = any(%s))",
        [internal],
    )
    assert members.fetchall() == []
    attributes = inside.execute(
        "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb or rolreplication or rolbypassrls"
        " from pg_roles where rolname = any(%s) and rolname <> 'rdsdb' order by 1",
        [internal],
    )
    assert attributes.fetchall() == [
        ("rdsdb_auth", True, False, False, False),
        ("rdsdb_grants", False, True, False, False),
        ("rdsdb_history", True, False, False, False),
        ("rdsdb_owner", False, False, False, False),
        ("rdsdb_users", True, False, True, False),
    ]


@pytest.mark.parametrize("role", sorted(roles.INTERNAL))
def test_users_cannot_log_in_as_an_internal_role(lab: Lab, psycopg_parameters: dict[str, Any], role: str) -> None:
    for auto_create in (False, True):
        given = lab.engine.temporary_credentials("warehouse", role, auto_create=auto_create)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**{**psycopg_parameters, "user": given.user, "password": given.password})
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**psycopg_parameters, "user": role, "password": "x"})


def test_a_superuser_cannot_open_a_session(inside: Connection, psycopg_parameters: dict[str, Any], lab: Lab) -> None:
    """Users can't become superusers; if one could, the front would still refuse the session."""
    inside.execute("create role accident login superuser")
    try:
        given = lab.engine.temporary_credentials("warehouse", "accident")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**{**psycopg_parameters, "user": given.user, "password": given.password})
    finally:
        inside.execute("drop role accident")


def test_a_session_that_takes_a_superuser_s_role_is_refused_and_ended(inside: Connection, connect: Connect) -> None:
    inside.execute("create role accident superuser")
    session = connect()
    try:
        inside.execute("grant accident to admin")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            session.execute("set role accident")
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    finally:
        inside.execute("drop role accident")


# --- the ways that PostgreSQL closes by itself, and what Redshift does not have ------------------------------------

FORBIDDEN = [
    "set session authorization rdsdb",
    "set role rdsdb",
    "set role rdsdb_owner",
    "set role rdsdb_grants",
    "alter role eve superuser",
    "create role another superuser",
    "alter role rdsdb password 'Rds-Passw0rd'",
    "alter role rdsdb_auth password 'Rds-Passw0rd'",
    "alter role rdsdb_history set search_path = public",
    "grant rdsdb to eve",
    "grant rdsdb_owner to eve",
    "grant pg_execute_server_program to eve",
    "grant pg_read_server_files to eve",
    "grant pg_write_server_files to eve",
    "grant pg_read_all_data to eve",
    "grant pg_create_subscription to eve",
    "grant pg_use_reserved_connections to eve",
    "reassign owned by rdsdb to eve",
    "alter default privileges for role rdsdb grant all on tables to eve",
    "do $$begin copy (select 1) to program 'true'; end$$",
    "do $$begin copy (select 1) to '/tmp/out'; end$$",
    "do $$begin create temp table passwd (a text); copy passwd from '/etc/passwd'; end$$",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('/etc/passwd')",
    "select pg_stat_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/out')",
    "select pg_reload_conf()",
    "select pg_rotate_logfile()",
    "alter system set log_statement = 'all'",
    "set allow_system_table_mods = on",
    "set session_replication_role = replica",
    "set session_preload_libraries = 'x'",
    "set event_triggers = off",
    "load 'plpgsql'",
    "create function f() returns int language c as 'x', 'y'",
    "create function f() returns int language internal as 'now'",
    "create table pg_catalog.planted (a int)",
    "create function pg_catalog.planted() returns int language sql as 'select 1'",
    "create or replace function pg_catalog.len(text) returns int language sql as 'select 1'",
    "create table pg_internal.planted (a int)",
    "update pg_catalog.pg_authid set rolsuper = true",
    "update pg_catalog.pg_proc set prosecdef = false",
    "select * from pg_catalog.pg_authid",
    "select * from pg_catalog.pg_shadow",
    "create tablespace planted location '/tmp'",
    "create event trigger planted on ddl_command_start execute function pg_internal.refuse()",
    "drop event trigger redshift_refuses",
    "alter event trigger redshift_table_made disable",
    "drop schema pg_internal cascade",
    "alter schema pg_internal rename to mine",
    "alter function len(text) owner to current_user",
    "drop function pg_catalog.len(text)",
    "security label for x on database dev is 'y'",
    "alter database postgres is_template true",
    "drop database template1",
    "grant connect on database postgres to eve",
    "begin; lock table pg_catalog.stl_load_errors in access exclusive mode",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_neither_a_user_nor_the_master_user_may_run_privileged_statements(
    eve: Connection, session: Connection, statement: str
) -> None:
    for user in (eve, session):
        with pytest.raises(psycopg.Error) as refused:
            user.execute(statement.encode())
        user.rollback()
        # 42501 is PostgreSQL's refusal, 0A000 and 42601 ours; the others say that the object is not there for a user.
        assert refused.value.sqlstate in ("42501", "0A000", "42601", "22023", "3F000", "42939"), refused.value


def test_the_master_user_cannot_end_a_superuser_s_session(session: Connection, inside: Connection) -> None:
    for function in ("pg_terminate_backend", "pg_cancel_backend"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"select {function}(%s)".encode(), [inside.info.backend_pid])


# What would run code in other sessions, or reach beyond the database. Redshift has none of it.
@pytest.mark.refused("Redshift")
@pytest.mark.parametrize(
    "statement",
    [
        "create extension vector",
        "create extension plpgsql",
        "create trigger t before insert on kept for each row execute function f()",
        "create rule r as on select to kept do instead select 1",
        "create operator public.=== (leftarg = int, rightarg = int, function = int4eq)",
        "create cast (text as int) with inout",
        "create foreign data wrapper w",
        "create server s foreign data wrapper w",
        "create user mapping for eve server s",
        "create subscription s connection 'host=/tmp user=rdsdb' publication p",
        "create publication p",
        "create policy p on kept",
        "create language planted handler h",
    ],
)
def test_statements_that_would_run_code_in_other_sessions_are_refused_by_name(
    owner: Connection, statement: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html"""
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="is not supported by this embedded Redshift"):
        owner.execute(statement.encode())


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("create database another template owned", "template"),
        ("create database another with owner owner template = owned", "template"),
        ("create database another encoding 'UTF8'", "encoding"),
        ("alter database owned set search_path = evil", "set"),
        ("alter database owned reset all", "reset"),
        ("alter database owned allow_connections false", "allow_connections"),
        ("alter database owned with is_template true", "is_template"),
    ],
)
def test_databases_have_only_the_options_that_redshift_documents(owner: Connection, statement: str, word: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html and r_ALTER_DATABASE.html"""
    with pytest.raises(psycopg.errors.SyntaxError, match=f'syntax error at or near "{word}"'):
        owner.execute(statement.encode())


def test_startup_options_cannot_raise_privileges(lab: Lab, address: Address, eve: Connection) -> None:
    for options in ("-c role=rdsdb", "-c session_authorization=rdsdb", "-c allow_system_table_mods=on"):
        with WireClient(address.port, lab.home.ca_file) as client, pytest.raises(EOFError):
            client.log_in("eve", EVE, options=options)

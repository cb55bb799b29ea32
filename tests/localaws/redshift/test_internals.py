"""What users see of the engine's internal tables, and how tables of an earlier release are upgraded."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from redshift_lab import FAILING_COPY, PASSWORD, Connection, end_lab, make_lab, one, superusers

from localaws.redshift.postgres import roles


def test_users_can_neither_list_nor_read_the_internal_schema(eve: Connection, session: Connection) -> None:
    for user in (eve, session):
        for internal in ("loads", "files", "errors", "redshift_declared", "visible_loads"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema pg_internal"):
                user.execute(f"select * from pg_internal.{internal}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            user.execute("select pg_internal.table_made()")
        shown = {
            "svv_all_schemas": "schema_name",
            "svv_redshift_schemas": "schema_name",
            "svv_tables": "table_schema",
            "svv_columns": "table_schema",
            "svv_all_tables": "schema_name",
            "information_schema.tables": "table_schema",
            "information_schema.columns": "table_schema",
            "information_schema.schemata": "schema_name",
        }
        for view, column in shown.items():
            schemas = user.execute(f"select distinct {column}::text from {view}".encode()).fetchall()
            assert not {"pg_internal", "load_history"} & {name for (name,) in schemas}, view
        users = {name for (name,) in user.execute("select usename::text from pg_user").fetchall()}
        assert users & roles.INTERNAL == {"rdsdb"}  # which Redshift shows, too
        assert user.execute("select user_name from stv_sessions where user_name like 'rdsdb%'").fetchall() == []


@pytest.mark.as_on_aws("Redshift")
def test_regular_users_see_their_own_loads_and_superusers_see_all_loads(eve: Connection, session: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html"""
    for user in (eve, session):
        with pytest.raises(psycopg.errors.UndefinedTable):
            user.execute(FAILING_COPY)
    who = "select distinct u.usename::text from sys_load_history h join pg_user u on u.usesysid = h.user_id"
    assert eve.execute(who.encode()).fetchall() == [("eve",)]
    assert {("eve",), ("admin",)} <= set(session.execute(who.encode()).fetchall())


def test_a_user_s_function_is_not_called_with_rows_of_other_users(eve: Connection, session: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.execute(FAILING_COPY)
    eve.execute(
        "create function public.leak(integer) returns boolean language plpgsql cost 0.0001 as"
        " $$begin raise notice 'seen %', $1; return true; end$$"
    )
    seen: list[str] = []
    eve.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
    eve.execute("select * from sys_load_history where public.leak(user_id)")
    assert seen == []


def test_a_user_s_comment_cannot_break_a_system_view_for_other_users(eve: Connection, session: Connection) -> None:
    for said in (
        '{"table":"odd","sortkey":"a"}',
        '{"table":"odd","encodings":[1]}',
        '{"table":"odd","sortkey":{"a":1}}',
    ):
        eve.execute(f"create table odd (a int) /*redshift:{said}*/; insert into odd values (1)".encode())
        session.execute("select * from pg_table_def")
        session.execute("select * from svv_table_info")
        eve.execute("drop table odd")


def test_load_history_is_also_kept_for_a_database_that_other_users_may_not_connect_to(owner: Connection) -> None:
    owner.execute("revoke all on database owned from public")
    with pytest.raises(psycopg.errors.UndefinedTable):
        owner.execute(FAILING_COPY)
    assert one(owner, "select status from sys_load_history") == "aborted"


def test_an_upgrade_fixes_the_privileges_of_an_earlier_release_in_every_database(tmp_path: Any) -> None:
    made = make_lab(tmp_path / "home")
    try:
        made.engine.create_cluster("old", database="dev", user="admin", password=PASSWORD, region="us-east-1")
        cluster = made.engine._clusters["old"]
        with cluster.postgres.connect() as inside:
            inside.execute("create database closed")
            inside.execute("create role grabbed superuser")
            inside.execute("grant rdsdb_history to admin")
        with cluster.postgres.connect("closed") as inside:
            inside.execute("drop event trigger redshift_table_made; drop function pg_internal.table_made()")
            inside.execute("set allow_system_table_mods = on")
            inside.execute(
                "create function pg_catalog.redshift_table_made() returns event_trigger language plpgsql"
                " security definer as 'begin end'; alter table pg_internal.redshift_declared set schema pg_catalog;"
                " create event trigger redshift_table_made on ddl_command_end execute function redshift_table_made();"
                " create schema load_history; alter table pg_internal.loads set schema load_history;"
                " alter table pg_internal.files set schema load_history;"
                " alter table pg_internal.errors set schema load_history;"
                " alter sequence pg_internal.query_id set schema load_history;"
                " insert into load_history.loads (query_id, user_id, transaction_id, session_id, database_name,"
                " table_name, status, start_time, data_source, file_format)"
                " values (1, 0, 0, 0, 'closed', 'kept', 'completed', now(), 's3://a/b', 'csv')"
            )
        with cluster.postgres.connect() as inside:
            inside.execute("alter database closed allow_connections false")
        file = made.home.clusters / "old" / "cluster.json"
        file.write_text(file.read_text().replace(cluster.definition.compatibility, "of an older release"))
        end_lab(made)
        again = make_lab(made.home.root)
        try:
            again.engine.start()
            again.engine.wait_until_available("old")
            postgres = again.engine._clusters["old"].postgres
            with postgres.connect() as inside:
                assert superusers(inside) == {"rdsdb", "rdsdb_grants"}
                assert one(inside, "select count(*) from pg_auth_members where roleid = 'rdsdb_history'::regrole") == 0
                assert one(inside, "select datallowconn from pg_database where datname = 'closed'") is False
                inside.execute("alter database closed allow_connections true")
            with postgres.connect("closed") as inside:
                kept = one(inside, "select table_name from sys_load_history")
                assert kept == "kept"
                secdef = inside.execute(
                    "select proname, proowner::regrole::text from pg_proc where prosecdef order by 1"
                )
                assert secdef.fetchall() == [("table_dropped", "rdsdb_owner"), ("table_made", "rdsdb_owner")]
        finally:
            end_lab(again)
    finally:
        end_lab(made)

-- The load history: tables that COPY writes over its own connection, and Redshift's views of them.
-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html and its neighbours.

create sequence if not exists pg_internal.query_id start 1000;

create table if not exists pg_internal.loads (
    query_id bigint primary key,
    user_id integer not null,
    transaction_id bigint not null,
    session_id integer not null,
    database_name text not null,
    table_id integer,
    table_name text not null,
    status text not null,
    start_time timestamp not null,
    end_time timestamp,
    data_source text not null,
    file_format text not null,
    loaded_rows bigint not null default 0,
    loaded_bytes bigint not null default 0,
    source_file_count integer not null default 0,
    source_file_bytes bigint not null default 0,
    file_count_scanned integer not null default 0,
    file_bytes_scanned bigint not null default 0,
    error_count bigint not null default 0,
    error_message text
);

create table if not exists pg_internal.files (
    query_id bigint not null,
    file_name text not null,
    bytes_scanned bigint not null,
    lines_scanned bigint not null,
    start_time timestamp not null,
    end_time timestamp not null
);

create table if not exists pg_internal.errors (
    query_id bigint not null,
    file_name text not null,
    line_number bigint not null,
    column_name text not null,
    column_type text not null,
    column_length text not null,
    position integer not null,
    raw_line text not null,
    raw_field_value text not null,
    error_code integer not null,
    error_message text not null
);

-- Regular users see only their own loads, Redshift's superusers (who may create users) see all. security_barrier, so that
-- PostgreSQL calls no function of a query with rows that the user must not see.
create or replace view pg_internal.visible_loads with (security_barrier) as
select l.* from pg_internal.loads l
where exists (select from pg_catalog.pg_roles r
              where r.rolname = current_user and (r.rolcreaterole or r.oid::bigint = l.user_id));

create or replace view pg_catalog.sys_load_history with (security_barrier) as
select user_id, query_id, transaction_id, session_id, database_name, status, table_name, start_time, end_time,
       (date_part('epoch', end_time - start_time) * 1000000)::bigint as duration,
       data_source, file_format, loaded_rows, loaded_bytes, source_file_count, source_file_bytes,
       file_count_scanned, file_bytes_scanned, error_count, 0::bigint as copy_job_id
from pg_internal.visible_loads;

create or replace view pg_catalog.sys_load_detail with (security_barrier) as
select l.user_id, f.query_id, f.file_name, f.bytes_scanned, f.lines_scanned, f.end_time as record_time,
       1 as splits_scanned, f.start_time, f.end_time
from pg_internal.files f join pg_internal.visible_loads l on l.query_id = f.query_id;

create or replace view pg_catalog.sys_load_error_detail with (security_barrier) as
select l.user_id, e.query_id, l.transaction_id, l.session_id, l.database_name, l.table_id, l.start_time,
       e.file_name, e.line_number, e.column_name, e.column_type, e.column_length, e.position,
       e.error_code, e.error_message
from pg_internal.errors e join pg_internal.visible_loads l on l.query_id = e.query_id;

create or replace view pg_catalog.stl_load_errors with (security_barrier) as
select l.user_id as userid, 0 as slice, l.table_id as tbl, l.start_time as starttime, l.session_id as session,
       e.query_id as query, e.file_name as filename, e.line_number, e.column_name as colname, e.column_type as type,
       e.column_length as col_length, e.position, e.raw_line, e.raw_field_value, e.error_code as err_code,
       e.error_message as err_reason, 0 as is_partial, 0::bigint as start_offset, 0::bigint as copy_job_id
from pg_internal.errors e join pg_internal.visible_loads l on l.query_id = e.query_id;

create or replace view pg_catalog.stl_loaderror_detail with (security_barrier) as
select l.user_id as userid, 0 as slice, l.session_id as session, e.query_id as query, e.file_name as filename,
       e.line_number, 0 as field, e.column_name as colname, e.raw_field_value as value, 1 as is_null,
       e.column_type as type, e.column_length as col_length
from pg_internal.errors e join pg_internal.visible_loads l on l.query_id = e.query_id;

create or replace view pg_catalog.stl_load_commits with (security_barrier) as
select l.user_id as userid, f.query_id as query, 0 as slice, f.file_name as name, f.file_name as filename,
       f.bytes_scanned as byte_offset, f.lines_scanned, 0 as errors, f.end_time as curtime, 1 as status,
       'COPY'::text as file_format, f.bytes_scanned
from pg_internal.files f join pg_internal.visible_loads l on l.query_id = f.query_id
where l.status = 'completed';

-- COPY sets these settings in the session.
create or replace function pg_catalog.pg_last_copy_count() returns bigint language sql stable as
$$ select coalesce(nullif(pg_catalog.current_setting('localaws.last_copy_count', true), ''), '0')::bigint $$;

create or replace function pg_catalog.pg_last_copy_id() returns bigint language sql stable as
$$ select coalesce(nullif(pg_catalog.current_setting('localaws.last_copy_id', true), ''), '-1')::bigint $$;

grant select on pg_catalog.sys_load_history, pg_catalog.sys_load_detail, pg_catalog.sys_load_error_detail,
    pg_catalog.stl_load_errors, pg_catalog.stl_loaderror_detail, pg_catalog.stl_load_commits to public;

-- COPY's connection, as rdsdb_history, can write to these and to nothing else.
grant usage on schema pg_internal to rdsdb_history;
grant insert on pg_internal.loads, pg_internal.files, pg_internal.errors to rdsdb_history;
grant usage on sequence pg_internal.query_id to rdsdb_history;

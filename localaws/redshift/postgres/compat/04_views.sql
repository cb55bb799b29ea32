-- The system views that drivers and tools read.
-- https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html
create or replace view pg_catalog.svv_tables as
select current_database()::varchar(128) as table_catalog, n.nspname::varchar(128) as table_schema,
       c.relname::varchar(128) as table_name,
       (case when c.relkind in ('v', 'm') then 'VIEW' else 'BASE TABLE' end)::varchar(128) as table_type,
       obj_description(c.oid, 'pg_class')::varchar(256) as remarks
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not like 'pg_toast%'
  and (pg_has_role(c.relowner, 'USAGE') or has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, REFERENCES'));

create or replace view pg_catalog.svv_columns as
select current_database()::varchar(128) as table_catalog, n.nspname::varchar(128) as table_schema,
       c.relname::varchar(128) as table_name, a.attname::varchar(128) as column_name, a.attnum::integer as ordinal_position,
       pg_get_expr(d.adbin, d.adrelid)::varchar(4000) as column_default,
       (case when a.attnotnull then 'NO' else 'YES' end)::varchar(3) as is_nullable,
       (case when t.typname = 'super' then 'super' else format_type(a.atttypid, null) end)::varchar(128) as data_type,
       information_schema._pg_char_max_length(a.atttypid, a.atttypmod)::integer as character_maximum_length,
       information_schema._pg_numeric_precision(a.atttypid, a.atttypmod)::integer as numeric_precision,
       information_schema._pg_numeric_precision_radix(a.atttypid, a.atttypmod)::integer as numeric_precision_radix,
       information_schema._pg_numeric_scale(a.atttypid, a.atttypmod)::integer as numeric_scale,
       information_schema._pg_datetime_precision(a.atttypid, a.atttypmod)::integer as datetime_precision,
       null::varchar(128) as interval_type, null::varchar(128) as interval_precision,
       null::varchar(128) as character_set_catalog, null::varchar(128) as character_set_schema,
       null::varchar(128) as character_set_name, null::varchar(128) as collation_catalog,
       null::varchar(128) as collation_schema, null::varchar(128) as collation_name, null::varchar(128) as domain_name,
       col_description(c.oid, a.attnum)::varchar(256) as remarks
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm') and n.nspname not like 'pg_toast%'
  and (pg_has_role(c.relowner, 'USAGE') or has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

create or replace view pg_catalog.svv_all_tables as
select table_catalog as database_name, table_schema as schema_name, table_name,
       (case table_type when 'BASE TABLE' then 'TABLE' else table_type end)::varchar(128) as table_type,
       null::varchar(128) as table_acl, remarks
from pg_catalog.svv_tables;
create or replace view pg_catalog.svv_redshift_tables as
select database_name, schema_name, table_name, table_type, table_acl, remarks from pg_catalog.svv_all_tables;

create or replace view pg_catalog.svv_all_columns as
select table_catalog as database_name, table_schema as schema_name, table_name, column_name, ordinal_position,
       column_default, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, remarks
from pg_catalog.svv_columns;
create or replace view pg_catalog.svv_redshift_columns as
select database_name, schema_name, table_name, column_name, ordinal_position, data_type, column_default, is_nullable,
       'none'::varchar(128) as encoding, remarks
from pg_catalog.svv_all_columns;

create or replace view pg_catalog.svv_all_schemas as
select current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name,
       n.nspowner::integer as schema_owner, 'local'::varchar(128) as schema_type,
       array_to_string(n.nspacl, ',')::varchar(128) as schema_acl, null::varchar(128) as source_database,
       null::varchar(256) as schema_option
from pg_catalog.pg_namespace n
where n.nspname not like 'pg_toast%' and n.nspname not like 'pg_temp%' and n.nspname <> 'pg_internal';
create or replace view pg_catalog.svv_redshift_schemas as
select database_name, schema_name, schema_owner, schema_type, schema_acl, schema_option from pg_catalog.svv_all_schemas;

create or replace view pg_catalog.svv_redshift_databases as
select d.datname::varchar(128) as database_name, d.datdba::integer as database_owner, 'local'::varchar(32) as database_type,
       array_to_string(d.datacl, ',')::varchar(128) as database_acl, null::varchar(128) as database_options,
       'Snapshot Isolation'::varchar(128) as database_isolation_level
from pg_catalog.pg_database d where not d.datistemplate and d.datname <> 'postgres';

-- There are no external schemas in the embedded Redshift.
create or replace view pg_catalog.svv_external_schemas as
select 0 as esoid, 0::smallint as eskind, null::varchar(128) as schemaname, 0 as esowner, null::varchar(128) as databasename,
       null::varchar(1024) as esoptions where false;
create or replace view pg_catalog.svv_external_databases as
select null::varchar(128) as databasename, null::varchar(128) as location, null::varchar(128) as parameters where false;
create or replace view pg_catalog.svv_external_tables as
select null::varchar(128) as redshift_database_name, null::varchar(128) as schemaname, null::varchar(128) as tablename,
       null::varchar(128) as tabletype, null::varchar(128) as location, null::varchar(128) as input_format,
       null::varchar(128) as output_format, null::varchar(128) as serialization_lib, null::varchar(128) as serde_parameters,
       0 as compressed, null::varchar(128) as parameters where false;
create or replace view pg_catalog.svv_external_columns as
select null::varchar(128) as redshift_database_name, null::varchar(128) as schemaname, null::varchar(128) as tablename,
       null::varchar(128) as columnname, null::varchar(128) as external_type, 0 as columnnum, 0 as part_key,
       null::varchar(128) as is_nullable where false;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html
create or replace view pg_catalog.stv_sessions as
select backend_start::timestamp as starttime, pid as process, usename::char(50) as user_name, datname::char(50) as db_name,
       0 as timeout_sec
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
  and usename not in ('rdsdb', 'rdsdb_auth', 'rdsdb_users', 'rdsdb_history', 'rdsdb_owner', 'rdsdb_grants');

-- Does not show the engine's own roles, except rdsdb, which Redshift has, too.
create or replace view pg_catalog.pg_user as
select usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text as passwd, valuntil, useconfig
from pg_catalog.pg_shadow
where usename not in ('rdsdb_auth', 'rdsdb_users', 'rdsdb_history', 'rdsdb_owner', 'rdsdb_grants');

-- Functions and procedures; the column oid has another name.
create or replace view pg_catalog.pg_proc_info as
select oid as prooid, proname, pronamespace, proowner, prolang, prokind, prosecdef, proisstrict, proretset, provolatile,
       pronargs, prorettype, proargtypes, proallargtypes, proargmodes, proargnames, prosrc, proacl
from pg_catalog.pg_proc;

do $$
declare name text;
begin
    for name in select relname from pg_catalog.pg_class
                where relnamespace = 'pg_catalog'::regnamespace and relkind = 'v' and oid >= 16384 loop
        execute format('grant select on pg_catalog.%I to public', name);
    end loop;
end$$;

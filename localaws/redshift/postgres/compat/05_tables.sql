-- The distribution, sort keys and encodings that tables were declared with: without effect here, but shown in pg_table_def
-- and svv_table_info.
create table if not exists pg_internal.redshift_declared (relation oid primary key, declared jsonb not null);

-- Runs as its owner, which owns nothing but pg_internal and what is in it. Don't trust the comment in the statement: any user
-- can write one.
create or replace function pg_internal.table_made() returns event_trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
declare
    made record;
    comment text;
    said jsonb;
begin
    for made in
        select c.oid, c.relname from pg_catalog.pg_event_trigger_ddl_commands() d
        join pg_catalog.pg_class c on c.oid = d.objid
        where d.classid = 'pg_catalog.pg_class'::regclass and c.relkind = 'r'
    loop
        for comment in select (pg_catalog.regexp_matches(current_query(), '/[*]redshift:({.*?})[*]/', 'g'))[1] loop
            continue when not (comment is json object);
            said := comment::jsonb;
            if said ->> 'table' = made.relname
               and jsonb_typeof(coalesce(said -> 'encodings', '{}')) = 'object'
               and jsonb_typeof(coalesce(said -> 'sortkey', '[]')) = 'array'
            then
                insert into pg_internal.redshift_declared as old values (made.oid, said)
                on conflict (relation) do update set declared = old.declared
                    - case when excluded.declared ->> 'diststyle' in ('ALL', 'EVEN', 'AUTO') then 'distkey' else '' end
                    || excluded.declared
                    || jsonb_build_object('encodings', coalesce(old.declared -> 'encodings', '{}')
                                                       || coalesce(excluded.declared -> 'encodings', '{}'));
            end if;
        end loop;
    end loop;
end$$;
create or replace function pg_internal.table_dropped() returns event_trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    delete from pg_internal.redshift_declared
    where relation in (select objid from pg_catalog.pg_event_trigger_dropped_objects()
                       where classid = 'pg_catalog.pg_class'::regclass);
end$$;
drop event trigger if exists redshift_table_made;
drop event trigger if exists redshift_table_dropped;
create event trigger redshift_table_made on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    execute function pg_internal.table_made();
create event trigger redshift_table_dropped on sql_drop execute function pg_internal.table_dropped();

-- https://docs.aws.amazon.com/redshift/latest/dg/r_PG_TABLE_DEF.html
create or replace view pg_catalog.pg_table_def as
select n.nspname as schemaname, c.relname as tablename, a.attname as "column",
       (case when t.typname = 'super' then 'super' else format_type(a.atttypid, a.atttypmod) end)::varchar(128) as type,
       coalesce(r.declared -> 'encodings' ->> a.attname, 'none')::varchar(32) as encoding,
       coalesce(r.declared ->> 'distkey' = a.attname, false) as distkey,
       coalesce((select k.position::integer from jsonb_array_elements_text(r.declared -> 'sortkey')
                 with ordinality as k (name, position) where k.name = a.attname limit 1), 0) as sortkey,
       a.attnotnull as "notnull"
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_internal.redshift_declared r on r.relation = c.oid
where a.attnum > 0 and not a.attisdropped and c.relkind = 'r' and pg_table_is_visible(c.oid);

-- Sizes are PostgreSQL's, in blocks of 1 MB; columns without a counterpart in PostgreSQL are NULL.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html
create or replace view pg_catalog.svv_table_info as
select current_database()::text as database, n.nspname::text as schema, c.oid::integer as table_id, c.relname::text as "table",
       (case when coalesce(r.declared -> 'encodings', '{}') = '{}' then 'N' else 'Y' end)::text as encoded,
       (case when r.declared ->> 'distkey' is not null then 'KEY(' || (r.declared ->> 'distkey') || ')'
             else coalesce(r.declared ->> 'diststyle', 'AUTO(ALL)') end)::text as diststyle,
       coalesce(r.declared -> 'sortkey' ->> 0, 'AUTO(SORTKEY)')::text as sortkey1,
       (select max(information_schema._pg_char_max_length(a.atttypid, a.atttypmod)) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0)::integer as max_varchar,
       null::char(32) as sortkey1_enc, coalesce(jsonb_array_length(r.declared -> 'sortkey'), 0) as sortkey_num,
       ceil(pg_total_relation_size(c.oid) / 1048576.0)::bigint as size, null::numeric(10, 4) as pct_used, 0::bigint as empty,
       null::numeric(5, 2) as unsorted, null::numeric(5, 2) as stats_off,
       rows.seen::numeric(38, 0) as tbl_rows, null::numeric(19, 2) as skew_sortkey1,
       null::numeric(19, 2) as skew_rows, rows.seen::numeric(38, 0) as estimated_visible_rows,
       null::text as risk_event, null::numeric(12, 2) as vacuum_sort_benefit
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_internal.redshift_declared r on r.relation = c.oid
cross join lateral (  -- the rows counted since the start, or by the last ANALYZE
    select coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)) as seen
) as rows
where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and pg_relation_size(c.oid) > 0;
grant select on pg_catalog.pg_table_def, pg_catalog.svv_table_info to public;

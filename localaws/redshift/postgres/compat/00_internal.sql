-- A schema that users can neither read nor change. PostgreSQL reserves the prefix pg_ for itself, so a user's database can't
-- have another schema of this name.
create schema if not exists pg_internal authorization rdsdb_owner;
revoke all on schema pg_internal from public;

-- An earlier release had these objects elsewhere. A schema load_history that the superuser does not own is a user's own.
do $$
begin
    if exists (select from pg_catalog.pg_namespace where nspname = 'load_history' and nspowner = 'rdsdb'::regrole) then
        alter table load_history.loads set schema pg_internal;
        alter table load_history.files set schema pg_internal;
        alter table load_history.errors set schema pg_internal;
        alter sequence load_history.query_id set schema pg_internal;
        drop schema load_history;
    end if;
    if exists (select from pg_catalog.pg_class
               where relname = 'redshift_declared' and relnamespace = 'pg_catalog'::regnamespace) then
        alter table pg_catalog.redshift_declared set schema pg_internal;
        drop event trigger if exists redshift_table_made;
        drop event trigger if exists redshift_table_dropped;
        drop function if exists pg_catalog.redshift_table_made();
        drop function if exists pg_catalog.redshift_table_dropped();
    end if;
end$$;

-- The roles of roles.py and their privileges. The superuser runs this once per server, in the database `postgres`; the script
-- is idempotent.
do $$
declare
    wanted text;
    granted record;
begin
    foreach wanted in array array['rdsdb_auth', 'rdsdb_users', 'rdsdb_history', 'rdsdb_owner', 'rdsdb_grants'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            execute pg_catalog.format('create role %I', wanted);
        end if;
        -- These roles have no members, even if a user of an earlier release created a role with this name.
        for granted in
            select m.member::regrole as member, m.grantor::regrole as grantor from pg_catalog.pg_auth_members m
            where m.roleid = wanted::regrole
        loop
            execute pg_catalog.format('revoke %I from %s granted by %s cascade', wanted, granted.member, granted.grantor);
        end loop;
    end loop;
    -- No user is a PostgreSQL superuser, even if a security hole of an earlier release made one.
    for wanted in select rolname from pg_catalog.pg_roles
                  where rolsuper and rolname not in ('rdsdb', 'rdsdb_grants') loop
        execute pg_catalog.format('alter role %I nosuperuser noreplication nobypassrls', wanted);
    end loop;
end$$;

alter role rdsdb_auth login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password null;
alter role rdsdb_users login nosuperuser nocreatedb createrole noreplication nobypassrls password null;
alter role rdsdb_history login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password null;
alter role rdsdb_owner nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls password null;
alter role rdsdb_grants nologin superuser password null;

grant select (rolname, rolcanlogin, rolsuper, rolpassword, rolvaliduntil) on pg_catalog.pg_authid to rdsdb_auth;
grant pg_read_all_stats to rdsdb_history;  -- to read the user's transaction id
grant pg_use_reserved_connections to rdsdb_auth, rdsdb_users, rdsdb_history;

-- Users can't connect to `postgres`, and can't create anything in the template of their databases. template0 is not a template,
-- so that every new database has the engine's tables, functions and event triggers.
revoke connect, temporary on database postgres, template1 from public;
grant connect on database postgres to rdsdb_auth, rdsdb_users, rdsdb_history;
alter database template0 is_template false;

-- Redshift has no CONNECT privilege, so a user who revokes ALL on a database from PUBLIC does not expect that COPY fails. This
-- function lets rdsdb_history connect again.
create schema if not exists pg_internal authorization rdsdb_grants;
revoke all on schema pg_internal from public;
grant usage on schema pg_internal to rdsdb_history;
create or replace function pg_internal.let_history_in(database text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$begin execute pg_catalog.format('grant connect on database %I to rdsdb_history', database); end$$;
alter function pg_internal.let_history_in(text) owner to rdsdb_grants;
revoke all on function pg_internal.let_history_in(text) from public;
grant execute on function pg_internal.let_history_in(text) to rdsdb_history;

-- Nothing that users can use may run or read as a superuser. Views read their tables as their owner, and SECURITY DEFINER
-- functions run as their owner, so rdsdb_owner owns them.
do $$
declare
    ours record;
begin
    for ours in
        select c.relkind, c.oid::regclass as name from pg_catalog.pg_class c
        where c.oid >= 16384 and c.relowner <> 'rdsdb_owner'::regrole and c.relkind in ('r', 'v', 'S')
          and c.relnamespace in ('pg_catalog'::regnamespace, 'pg_internal'::regnamespace)
    loop
        execute pg_catalog.format('alter %s %s owner to rdsdb_owner',
                                  case ours.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, ours.name);
    end loop;
    for ours in
        select p.oid::regprocedure as name from pg_catalog.pg_proc p where p.pronamespace = 'pg_internal'::regnamespace
    loop
        execute pg_catalog.format('alter function %s owner to rdsdb_owner', ours.name);
        execute pg_catalog.format('revoke all on function %s from public', ours.name);
    end loop;
end$$;

-- Refuses commands that Redshift does not have, and that could run code in another user's session or outside the database.
-- https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
create or replace function pg_internal.refuse() returns event_trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$begin
    raise exception '% is not supported by this embedded Redshift', tg_tag using errcode = '0A000';
end$$;
drop event trigger if exists redshift_refuses;
create event trigger redshift_refuses on ddl_command_start
    when tag in ('CREATE ACCESS METHOD', 'CREATE CAST', 'CREATE CONVERSION', 'CREATE EXTENSION',
                 'CREATE FOREIGN DATA WRAPPER', 'CREATE FOREIGN TABLE', 'CREATE LANGUAGE', 'CREATE OPERATOR',
                 'CREATE OPERATOR CLASS', 'CREATE OPERATOR FAMILY', 'CREATE POLICY', 'CREATE PUBLICATION', 'CREATE RULE',
                 'CREATE SERVER', 'CREATE SUBSCRIPTION', 'CREATE TRANSFORM', 'CREATE TRIGGER', 'CREATE USER MAPPING',
                 'IMPORT FOREIGN SCHEMA', 'SECURITY LABEL')
    execute function pg_internal.refuse();

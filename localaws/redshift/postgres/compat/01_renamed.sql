-- Renames PostgreSQL's own functions whose results differ on Redshift. System views refer to functions by their oid, so
-- they keep working; new statements find the functions that 02 and 03 create under the old names.
update pg_catalog.pg_proc set proname = 'pg_sum' where oid in (2107, 2110) and proname = 'sum';
update pg_catalog.pg_proc set proname = 'pg_avg' where oid in (2100, 2101, 2102) and proname = 'avg';
update pg_catalog.pg_proc set proname = 'pg_version' where oid = 89 and proname = 'version';
update pg_catalog.pg_proc set proname = 'pg_extract' where proname = 'extract' and prorettype = 'numeric'::regtype;
update pg_catalog.pg_proc set proname = 'pg_regexp_replace'
 where prosrc = 'textregexreplace_noopt' and proname = 'regexp_replace';

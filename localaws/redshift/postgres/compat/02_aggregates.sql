-- Aggregates with Redshift's types: SUM of REAL is computed and returned as DOUBLE PRECISION, SUM of BIGINT is BIGINT, and
-- AVG of an integer type is a BIGINT, truncated.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html
-- https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
create or replace function pg_catalog.redshift_sum_final(double precision[]) returns double precision
    language sql immutable parallel safe
    as $$select case when $1[1] > 0 then $1[2] end$$;
create or replace aggregate pg_catalog.sum(real) (
    sfunc = float4_accum, stype = double precision[], initcond = '{0,0,0}',
    finalfunc = redshift_sum_final, combinefunc = float8_combine, parallel = safe
);
create or replace aggregate pg_catalog.sum(bigint) (
    sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe,
    msfunc = int8pl, minvfunc = int8mi, mstype = bigint
);

create or replace function pg_catalog.redshift_avg_final(bigint[]) returns bigint
    language sql immutable parallel safe
    as $$select case when $1[1] > 0 then $1[2] / $1[1] end$$;
create or replace aggregate pg_catalog.avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}',
    finalfunc = redshift_avg_final, combinefunc = int4_avg_combine, parallel = safe
);
create or replace aggregate pg_catalog.avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}',
    finalfunc = redshift_avg_final, combinefunc = int4_avg_combine, parallel = safe
);
create or replace function pg_catalog.redshift_avg_step(bigint[], bigint) returns bigint[]
    language plpgsql immutable strict parallel safe
    as $$begin $1[1] := $1[1] + 1; $1[2] := $1[2] + $2; return $1; end$$;
create or replace aggregate pg_catalog.avg(bigint) (
    sfunc = redshift_avg_step, stype = bigint[], initcond = '{0,0}',
    finalfunc = redshift_avg_final, combinefunc = int4_avg_combine, parallel = safe
);

-- LISTAGG(expression [, delimiter]); the rewriter moves the ORDER BY of WITHIN GROUP into the call.
create or replace aggregate pg_catalog.listagg(text, text) (
    sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn
);
create or replace function pg_catalog.redshift_listagg_step(text, anyelement, text) returns text
    language sql immutable parallel safe
    as $$select case when $2 is null then $1 when $1 is null then $2::text else $1 || coalesce($3, '') || $2::text end$$;
create or replace aggregate pg_catalog.listagg(anyelement, text) (sfunc = redshift_listagg_step, stype = text);
create or replace function pg_catalog.redshift_listagg_step(text, anyelement) returns text
    language sql immutable parallel safe
    as $$select case when $2 is null then $1 else coalesce($1, '') || $2::text end$$;
create or replace aggregate pg_catalog.listagg(anyelement) (sfunc = redshift_listagg_step, stype = text);

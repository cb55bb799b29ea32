-- Redshift's functions that PostgreSQL does not have, or has with other results. Their bodies contain no backslashes, whose
-- meaning depends on the session's settings.

create or replace function pg_catalog.version() returns text language sql stable parallel safe
    as $$select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.0 (localaws, PostgreSQL '
         || current_setting('server_version') || ')'$$;

-- Dates. Parts: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
create or replace function pg_catalog.redshift_date_part(part text) returns text
    language plpgsql immutable strict parallel safe
    as $$
begin
    return case
        when lower(part) in ('millennium', 'millennia', 'mil', 'mils') then 'millennium'
        when lower(part) in ('century', 'centuries', 'c', 'cent', 'cents') then 'century'
        when lower(part) in ('decade', 'decades', 'dec', 'decs') then 'decade'
        when lower(part) in ('year', 'years', 'y', 'yr', 'yrs') then 'year'
        when lower(part) in ('quarter', 'quarters', 'qtr', 'qtrs') then 'quarter'
        when lower(part) in ('month', 'months', 'mon', 'mons') then 'month'
        when lower(part) in ('week', 'weeks', 'w') then 'week'
        when lower(part) in ('day', 'days', 'd') then 'day'
        when lower(part) in ('dayofweek', 'dow', 'dw', 'weekday') then 'dow'
        when lower(part) in ('dayofyear', 'doy', 'dy', 'yearday') then 'doy'
        when lower(part) in ('hour', 'hours', 'h', 'hr', 'hrs') then 'hour'
        when lower(part) in ('minute', 'minutes', 'm', 'min', 'mins') then 'minute'
        when lower(part) in ('second', 'seconds', 's', 'sec', 'secs') then 'second'
        when lower(part) in ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec',
                             'millisecs', 'millisecon') then 'millisecond'
        when lower(part) in ('microsecond', 'microseconds', 'microsec', 'microsecs', 'usecond', 'useconds', 'us', 'usec',
                             'usecs') then 'microsecond'
        when lower(part) in ('epoch', 'timezone', 'timezone_hour', 'timezone_minute') then lower(part)
    end;
end$$;

create or replace function pg_catalog.redshift_interval(part text) returns interval
    language plpgsql immutable strict parallel safe
    as $$
declare name text := pg_catalog.redshift_date_part(part);
begin
    if name = 'quarter' then
        return interval '3 months';
    elsif name in ('millennium', 'century', 'decade', 'year', 'month', 'week', 'day', 'hour', 'minute', 'second',
                   'millisecond', 'microsecond') then
        return ('1 ' || name)::interval;
    end if;
    raise exception 'date part "%" is not valid here', part using errcode = '22023';
end$$;

-- DATEADD: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html
create or replace function pg_catalog.date_add(part text, n bigint, at timestamp) returns timestamp
    language sql immutable strict parallel safe as $$select $3 + $2 * pg_catalog.redshift_interval($1)$$;
create or replace function pg_catalog.date_add(part text, n bigint, at date) returns timestamp
    language sql immutable strict parallel safe as $$select $3::timestamp + $2 * pg_catalog.redshift_interval($1)$$;
create or replace function pg_catalog.date_add(part text, n bigint, at text) returns timestamp
    language sql stable strict parallel safe as $$select $3::timestamp + $2 * pg_catalog.redshift_interval($1)$$;
create or replace function pg_catalog.date_add(part text, n bigint, at timestamptz) returns timestamptz
    language sql stable strict parallel safe as $$select $3 + $2 * pg_catalog.redshift_interval($1)$$;
create or replace function pg_catalog.date_add(part text, n bigint, at time) returns time
    language sql immutable strict parallel safe as $$select $3 + $2 * pg_catalog.redshift_interval($1)$$;

-- DATEDIFF counts the boundaries of date parts between two times, not the elapsed time.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html
create or replace function pg_catalog.redshift_no_date_part(part text) returns bigint
    language plpgsql immutable parallel safe
    as $$begin raise exception 'date part "%" is not valid here', part using errcode = '22023'; end$$;
-- Not strict, so that PostgreSQL can inline the call and keep only the branch for this date part.
create or replace function pg_catalog.redshift_units(part text, at timestamp) returns bigint
    language sql immutable parallel safe
    as $$select case pg_catalog.redshift_date_part($1)
        when 'microsecond' then (pg_catalog.pg_extract('epoch', $2) * 1000000)::bigint
        when 'millisecond' then floor(pg_catalog.pg_extract('epoch', $2) * 1000)::bigint
        when 'second' then floor(pg_catalog.date_part('epoch', $2))::bigint
        when 'minute' then floor(pg_catalog.date_part('epoch', $2) / 60)::bigint
        when 'hour' then floor(pg_catalog.date_part('epoch', $2) / 3600)::bigint
        when 'day' then ($2::date - date '2000-01-03')::bigint
        when 'week' then floor(($2::date - date '2000-01-03') / 7.0)::bigint  -- a Monday, as in DATE_TRUNC
        when 'month' then (pg_catalog.date_part('year', $2) * 12 + pg_catalog.date_part('month', $2))::bigint
        when 'quarter' then (pg_catalog.date_part('year', $2) * 4 + pg_catalog.date_part('quarter', $2))::bigint
        when 'year' then pg_catalog.date_part('year', $2)::bigint
        when 'decade' then pg_catalog.date_part('decade', $2)::bigint
        when 'century' then pg_catalog.date_part('century', $2)::bigint
        when 'millennium' then pg_catalog.date_part('millennium', $2)::bigint
        else pg_catalog.redshift_no_date_part($1)
    end$$;
create or replace function pg_catalog.date_diff(part text, a timestamp, b timestamp) returns bigint
    language sql immutable parallel safe
    as $$select pg_catalog.redshift_units($1, $3) - pg_catalog.redshift_units($1, $2)$$;
create or replace function pg_catalog.date_diff(part text, a date, b date) returns bigint
    language sql immutable parallel safe as $$select pg_catalog.date_diff($1, $2::timestamp, $3::timestamp)$$;
create or replace function pg_catalog.date_diff(part text, a timestamptz, b timestamptz) returns bigint
    language sql stable parallel safe as $$select pg_catalog.date_diff($1, $2::timestamp, $3::timestamp)$$;
create or replace function pg_catalog.date_diff(part text, a time, b time) returns bigint
    language sql immutable parallel safe
    as $$select pg_catalog.date_diff($1, date '2000-01-01' + $2, date '2000-01-01' + $3)$$;
create or replace function pg_catalog.date_diff(part text, a text, b text) returns bigint
    language sql stable parallel safe as $$select pg_catalog.date_diff($1, $2::timestamp, $3::timestamp)$$;

create or replace function pg_catalog.date_trunc(part text, at date) returns timestamp
    language sql immutable strict parallel safe as $$select pg_catalog.date_trunc($1, $2::timestamp)$$;
create or replace function pg_catalog.extract(part text, at timestamp) returns integer
    language sql immutable strict parallel safe as $$select trunc(pg_catalog.pg_extract($1, $2))::integer$$;
create or replace function pg_catalog.extract(part text, at date) returns integer
    language sql immutable strict parallel safe as $$select trunc(pg_catalog.pg_extract($1, $2))::integer$$;
create or replace function pg_catalog.extract(part text, at time) returns integer
    language sql immutable strict parallel safe as $$select trunc(pg_catalog.pg_extract($1, $2))::integer$$;
create or replace function pg_catalog.extract(part text, at interval) returns integer
    language sql immutable strict parallel safe as $$select trunc(pg_catalog.pg_extract($1, $2))::integer$$;
create or replace function pg_catalog.extract(part text, at timestamptz) returns double precision
    language sql stable strict parallel safe as $$select pg_catalog.pg_extract($1, $2)::double precision$$;

create or replace function pg_catalog.getdate() returns timestamp language sql stable parallel safe
    as $$select date_trunc('second', statement_timestamp()::timestamp)$$;
create or replace function pg_catalog.sysdate() returns timestamp language sql stable parallel safe
    as $$select transaction_timestamp()::timestamp$$;
create or replace function pg_catalog.trunc(timestamp) returns date language sql immutable strict parallel safe
    as $$select $1::date$$;
create or replace function pg_catalog.last_day(timestamp) returns date language sql immutable strict parallel safe
    as $$select (date_trunc('month', $1) + interval '1 month - 1 day')::date$$;
create or replace function pg_catalog.add_months(at timestamp, n bigint) returns timestamp
    language sql immutable strict parallel safe
    as $$select case when $1::date = pg_catalog.last_day($1)
                     then pg_catalog.last_day($1 + $2 * interval '1 month') + $1::time
                     else $1 + $2 * interval '1 month' end$$;
create or replace function pg_catalog.next_day(at timestamp, day text) returns date
    language plpgsql immutable strict parallel safe
    as $$
declare wanted integer := array_position(array['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa'], lower(left(day, 2)));
begin
    if wanted is null then
        raise exception 'invalid day of the week: "%"', day using errcode = '22023';
    end if;
    return at::date + ((wanted - 1 - pg_catalog.date_part('dow', at)::integer + 6) % 7) + 1;
end$$;
create or replace function pg_catalog.months_between(a timestamp, b timestamp) returns double precision
    language sql immutable strict parallel safe
    as $$select pg_catalog.date_diff('month', $2, $1)
        + case when $1::date = pg_catalog.last_day($1) and $2::date = pg_catalog.last_day($2) then 0
               when pg_catalog.date_part('day', $1) = pg_catalog.date_part('day', $2) then 0
               else (pg_catalog.pg_extract('epoch', $1 - date_trunc('month', $1))
                     - pg_catalog.pg_extract('epoch', $2 - date_trunc('month', $2))) / 86400.0 / 31 end$$;
create or replace function pg_catalog.convert_timezone(target text, at timestamp) returns timestamp
    language sql immutable strict parallel safe as $$select ($2 at time zone 'UTC') at time zone $1$$;
create or replace function pg_catalog.convert_timezone(source text, target text, at timestamp) returns timestamp
    language sql immutable strict parallel safe as $$select ($3 at time zone $1) at time zone $2$$;

-- Text
create or replace function pg_catalog.len(text) returns integer
    language sql immutable strict parallel safe as $$select length($1)$$;
create or replace function pg_catalog.len(bytea) returns integer
    language sql immutable strict parallel safe as $$select octet_length($1)$$;
create or replace function pg_catalog.charindex(part text, whole text) returns integer
    language sql immutable strict parallel safe as $$select strpos($2, $1)$$;
create or replace function pg_catalog.concat(text, text) returns text
    language sql immutable strict parallel safe as $$select $1 || $2$$;
-- REGEXP_REPLACE replaces every occurrence. https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_REPLACE.html
create or replace function pg_catalog.regexp_replace(text, text, text) returns text
    language sql immutable strict parallel safe as $$select pg_catalog.regexp_replace($1, $2, $3, 'g')$$;
create or replace function pg_catalog.regexp_replace(text, text) returns text
    language sql immutable strict parallel safe as $$select pg_catalog.regexp_replace($1, $2, '', 'g')$$;
create or replace function pg_catalog.sha2(value text, bits integer) returns text
    language sql immutable strict parallel safe
    as $$select encode(case $2 when 0 then sha256(convert_to($1, 'UTF8')) when 224 then sha224(convert_to($1, 'UTF8'))
        when 256 then sha256(convert_to($1, 'UTF8')) when 384 then sha384(convert_to($1, 'UTF8'))
        when 512 then sha512(convert_to($1, 'UTF8')) end, 'hex')$$;
create or replace function pg_catalog.strtol(number text, base integer) returns bigint
    language plpgsql immutable strict parallel safe
    as $$
declare
    digits text := lower(case when base = 16 then regexp_replace(number, '^(-?)0[xX]', '-') else number end);
    result bigint := 0;
    digit integer;
begin
    if base = 16 and number !~ '^-' then
        digits := ltrim(digits, '-');
    end if;
    for i in 1 .. length(digits) loop
        continue when i = 1 and substr(digits, 1, 1) = '-';
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, i, 1)) - 1;
        if digit < 0 or digit >= base then
            raise exception 'The input % is not valid to be converted to base %', number, base using errcode = '22023';
        end if;
        result := result * base + digit;
    end loop;
    return case when left(digits, 1) = '-' then -result else result end;
end$$;

-- Numbers
create or replace function pg_catalog.round(double precision, integer) returns double precision
    language sql immutable strict parallel safe as $$select round($1::numeric, $2)::double precision$$;
create or replace function pg_catalog.trunc(double precision, integer) returns double precision
    language sql immutable strict parallel safe as $$select trunc($1::numeric, $2)::double precision$$;

-- JSON and SUPER
do $$begin
    if to_regtype('pg_catalog.super') is null then
        create domain pg_catalog.super as jsonb;
    end if;
end$$;
create or replace function pg_catalog.json_parse(text) returns super
    language sql immutable strict parallel safe as $$select $1::jsonb$$;
create or replace function pg_catalog.can_json_parse(text) returns boolean
    language sql immutable strict parallel safe as $$select $1 is json$$;
create or replace function pg_catalog.json_serialize(jsonb) returns text
    language sql immutable strict parallel safe as $$select $1::text$$;
create or replace function pg_catalog.json_typeof(jsonb) returns text
    language sql immutable strict parallel safe as $$select jsonb_typeof($1)$$;
create or replace function pg_catalog.get_array_length(jsonb) returns integer
    language sql immutable strict parallel safe as $$select jsonb_array_length($1)$$;
create or replace function pg_catalog.is_valid_json(text) returns boolean
    language sql immutable strict parallel safe as $$select $1 is json object or $1 is json array$$;
create or replace function pg_catalog.json_array_length(text) returns integer
    language sql immutable strict parallel safe as $$select json_array_length($1::json)$$;
create or replace function pg_catalog.json_extract_array_element_text(text, integer) returns text
    language sql immutable strict parallel safe as $$select $1::json ->> $2$$;
create or replace function pg_catalog.json_extract_path_text(document text, variadic path text[]) returns text
    language sql immutable strict parallel safe as $$select $1::json #>> $2$$;

-- Views are bound when they are created, so there are no late-binding views.
create or replace function pg_catalog.pg_get_late_binding_view_cols() returns setof record
    language sql stable as $$select ''::name, ''::name, ''::name, ''::text, 0 where false$$;

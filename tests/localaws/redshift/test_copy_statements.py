"""COPY and UNLOAD statements, understood or refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from localaws.redshift import dialect
from localaws.redshift.copy import parse, unload
from localaws.redshift.copy.parse import Authorization, Compression, CopyOptions, CopyStatement, Format
from localaws.redshift.copy.unload import UnloadStatement
from localaws.redshift.errors import SqlError

ROLE = "iam_role 'arn:aws:iam::123456789012:role/r'"


def parse_copy(sql: str) -> CopyStatement:
    (statement,) = dialect.parse(sql)
    return parse.parse_copy(statement.tokens)


def parse_unload(sql: str) -> UnloadStatement:
    (statement,) = dialect.parse(sql)
    return unload.parse_unload(statement.tokens)


def test_the_COPY_statement_of_a_glue_job_is_parsed() -> None:
    statement = parse_copy(
        'COPY "public"."Toll_Table" ("a", b) FROM \'s3://bucket/x/manifest.json\' '
        "CREDENTIALS 'aws_access_key_id=AK;aws_secret_access_key=SK;token=T' FORMAT AS CSV NULL AS '@NULL@' manifest"
    )
    assert (statement.schema, statement.table, statement.columns) == ("public", "Toll_Table", ("a", "b"))
    assert statement.authorization.access_key_id == "AK"
    assert statement.authorization.session_token == "T"
    assert statement.options.format is Format.CSV
    assert statement.options.null_as == "@NULL@"
    assert statement.options.manifest


def test_a_temporary_table_s_name_begins_with_a_number_sign() -> None:
    statement = parse_copy(f"COPY #Staged (a) FROM 's3://b/k' {ROLE} csv")
    assert (statement.schema, statement.table, statement.columns) == (None, "#staged", ("a",))


def test_parameters_come_in_any_order_with_comments_between() -> None:
    statement = parse_copy(
        f"copy t from 's3://b/k' -- where it lies\n gzip /* so */ delimiter '\\t' ignoreheader as 2 {ROLE} maxerror 5 "
        "region 'eu-west-1' compupdate off statupdate on emptyasnull"
    )
    options = statement.options
    assert (options.compression, options.delimiter, options.ignore_header) == (Compression.GZIP, "\t", 2)
    assert (options.max_error, options.region, options.empty_as_null) == (5, "eu-west-1", True)
    assert statement.authorization.roles == ("arn:aws:iam::123456789012:role/r",)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("iam_role default", ("default",)),
        ("credentials 'aws_iam_role=arn:aws:iam::1:role/a,arn:aws:iam::2:role/b'", ("arn:aws:iam::1:role/a", "arn:aws:iam::2:role/b")),  # noqa: E501
    ],
)  # fmt: skip
def test_roles_can_be_given_in_several_ways(text: str, roles: tuple[str, ...]) -> None:
    assert parse_copy(f"copy t from 's3://b/k' {text}").authorization.roles == roles


@pytest.mark.refused("Redshift")
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("format avro", "FORMAT AVRO"),
        ("lzop", "LZOP"),
        ("fixedwidth '1:2'", "FIXEDWIDTH"),
        ("encrypted", "ENCRYPTED"),
        ("json 'noshred'", "noshred"),
    ],
)
def test_unsupported_parameters_of_COPY_and_UNLOAD_are_refused(parameters: str, named: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(f"copy t from 's3://b/k' {ROLE} {parameters}")
    assert refused.value.sqlstate == "0A000"
    assert named in refused.value.message


def copied(parameters: str) -> CopyStatement:
    return parse_copy(f"copy t from 's3://b/k' {parameters}")


def test_without_parameters_COPY_has_the_defaults_that_aws_documents() -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COPY-parameters.html: text with bars, MAXERROR 0, and so on."""
    options = copied(ROLE).options
    assert options == CopyOptions(
        format=Format.DELIMITED, json_mapping="auto", compression=Compression.NONE, delimiter=None, quote='"',
        null_as=None, manifest=False, ignore_header=0, max_error=0, region=None, empty_as_null=False,
        blanks_as_null=False, truncate_columns=False, trim_blanks=False, remove_quotes=False, escape=False,
        fill_record=False, ignore_blank_lines=False, explicit_ids=False, accept_invalid_characters=None,
        date_format=None, time_format=None, round_decimals=False, no_load=False,
    )  # fmt: skip
    assert options.field_delimiter == "|"
    assert copied(f"{ROLE} csv").options.field_delimiter == ","
    assert copied(f"{ROLE} csv delimiter '|'").options.field_delimiter == "|"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("csv", {"format": Format.CSV}),
        ("format csv", {"format": Format.CSV}),
        ("format as parquet", {"format": Format.PARQUET}),
        ("parquet", {"format": Format.PARQUET}),
        ("json", {"format": Format.JSON}),
        ("json as 'auto'", {"format": Format.JSON}),
        ("format json 'AUTO'", {"format": Format.JSON}),
        ("json 'Auto IgnoreCase'", {"format": Format.JSON, "json_mapping": "auto ignorecase"}),
        ("json 's3://b/Paths.json'", {"format": Format.JSON, "json_mapping": "s3://b/Paths.json"}),
        ("gzip", {"compression": Compression.GZIP}),
        ("bzip2", {"compression": Compression.BZIP2}),
        ("zstd", {"compression": Compression.ZSTD}),
        ("delimiter as ';'", {"delimiter": ";"}),
        ("csv quote as '%'", {"format": Format.CSV, "quote": "%"}),
        ("null as ''", {"null_as": ""}),
        ("null '@'", {"null_as": "@"}),
        ("manifest", {"manifest": True}),
        ("ignoreheader 1", {"ignore_header": 1}),
        ("maxerror as 100000", {"max_error": 100_000}),
        ("region as 'eu-west-1'", {"region": "eu-west-1"}),
        ("emptyasnull", {"empty_as_null": True}),
        ("blanksasnull", {"blanks_as_null": True}),
        ("truncatecolumns", {"truncate_columns": True}),
        ("trimblanks", {"trim_blanks": True}),
        ("removequotes", {"remove_quotes": True}),
        ("escape", {"escape": True}),
        ("fillrecord", {"fill_record": True}),
        ("ignoreblanklines", {"ignore_blank_lines": True}),
        ("explicit_ids", {"explicit_ids": True}),
        ("acceptinvchars", {"accept_invalid_characters": "?"}),
        ("acceptinvchars as '^'", {"accept_invalid_characters": "^"}),
        ("dateformat 'auto'", {"date_format": "auto"}),
        ("timeformat as 'epochsecs'", {"time_format": "epochsecs"}),
        ("roundec", {"round_decimals": True}),
        ("noload", {"no_load": True}),
        ("compupdate preset, statupdate on, comprows 1000", {}),
        ("compupdate statupdate", {}),
    ],
)
def test_each_parameter_is_parsed(written: str, meant: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html"""
    expected = replace(CopyOptions(), **meant)
    assert copied(f"{ROLE} {written}").options == expected
    assert copied(f"{written} with {ROLE}").options == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("t", (None, "t")),
        ("public.t", ("public", "t")),
        ("dev.public.t", ("public", "t")),
        ('"My Schema"."My ""Table"""', ("My Schema", 'My "Table"')),
    ],
)
def test_a_table_can_be_named_with_or_without_its_schema(written: str, expected: tuple[str | None, str]) -> None:
    statement = parse_copy(f"copy {written} from 's3://b/k' {ROLE}")
    assert (statement.schema, statement.table) == expected
    assert statement.shown_table == ".".join(filter(None, expected))
    assert (statement.columns, statement.source) == (None, "s3://b/k")


KEYS = Authorization(access_key_id="AK", secret_access_key="SK")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("iam_role as 'arn:1, arn:2'", Authorization(roles=("arn:1", "arn:2"))),
        ("iam_role 'arn:1'", Authorization(roles=("arn:1",))),
        ("credentials as 'aws_iam_role=arn:1'", Authorization(roles=("arn:1",))),
        ("access_key_id 'AK' secret_access_key 'SK'", KEYS),
        ("access_key_id as 'AK' secret_access_key as 'SK' session_token as 'T'", replace(KEYS, session_token="T")),
        ("credentials 'aws_access_key_id=AK; AWS_SECRET_ACCESS_KEY = SK ;'", KEYS),
    ],
)
def test_a_role_or_a_key_can_be_given_in_several_ways(written: str, meant: Authorization) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html"""
    assert copied(written).authorization == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("access_key_id 'AK'", "CREDENTIALS argument is required but not specified for COPY"),
        ("secret_access_key 'SK'", "CREDENTIALS argument is required but not specified for COPY"),
        ("session_token 'T'", "CREDENTIALS argument is required but not specified for COPY"),
        ("iam_role 'arn:1' access_key_id 'AK' secret_access_key 'SK'", "conflicting or redundant options: IAM_ROLE and ACCESS_KEY_ID"),  # noqa: E501
        ("credentials 'aws_iam_role='", "Invalid credentials. Must be of the format: credentials 'aws_iam_role=...'"),
        ("credentials 'role=arn:1'", "Invalid credentials. Must be of the format"),
        ("credentials 'aws_iam_role=arn:1;master_symmetric_key=K'", "master_symmetric_key is not supported"),
    ],
)  # fmt: skip
def test_missing_and_conflicting_credentials_are_refused(written: str, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        copied(written)
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("parameters", "sqlstate", "message"),
    [
        ("maxerror 100001", "XX000", "MAXERROR value must be between 0 and 100000"),
        ("parquet delimiter ','", "0A000", "DELIMITER argument is not supported for PARQUET based COPY"),
        ("parquet zstd", "0A000", "GZIP, BZIP2 or ZSTD argument is not supported for PARQUET based COPY"),
        ("parquet ignoreheader 1", "0A000", "IGNOREHEADER argument is not supported for PARQUET based COPY"),
        ("parquet maxerror 1", "0A000", "MAXERROR argument is not supported for PARQUET based COPY"),
        ("parquet null as ''", "0A000", "NULL AS argument is not supported for PARQUET based COPY"),
        ("parquet escape", "0A000", "ESCAPE argument is not supported for PARQUET based COPY"),
        ("csv removequotes", "42601", "CSV is not compatible with REMOVEQUOTES"),
        ("json delimiter ','", "42601", "JSON is not compatible with DELIMITER"),
        ("json ignoreheader 1", "42601", "JSON is not compatible with IGNOREHEADER"),
        ("json escape", "42601", "JSON is not compatible with ESCAPE"),
        ("json removequotes", "42601", "JSON is not compatible with REMOVEQUOTES"),
        ("json fillrecord", "42601", "JSON is not compatible with FILLRECORD"),
        (
            "delimiter '||'",
            "0A000",
            "COPY: a delimiter or quote of 2 characters is not supported by the local Redshift",
        ),
        ("acceptinvchars '??'", "42601", "ACCEPTINVCHARS: the replacement must be one character"),
        ("format xml", "42601", 'syntax error at or near "xml"'),
        ("maxerror 1.5", "42601", 'syntax error at or near "1.5"'),
        ("csv 'x'", "42601", "syntax error at or near \"'x'\""),
    ],
)
def test_conflicting_parameters_and_invalid_values_are_refused(parameters: str, sqlstate: str, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        copied(f"{ROLE} {parameters}")
    assert (refused.value.sqlstate, refused.value.message) == (sqlstate, message)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("emr://cluster/x", "COPY: FROM 'emr://…' is not supported by the local Redshift"),
        ("my-dynamodb-table", "COPY: the data source is not supported by the local Redshift"),
    ],
)
def test_sources_other_than_s3_are_refused(source: str, named: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(f"copy t from '{source}' {ROLE}")
    assert (refused.value.sqlstate, refused.value.message) == ("0A000", named)


def test_a_table_name_has_at_most_three_parts_and_its_columns_are_in_parentheses() -> None:
    for wrong in ("a.b.c.d", "t (a, b", "t ()", "t (a,)", "t.", "(a)"):
        with pytest.raises(SqlError, match="syntax error"):
            parse_copy(f"copy {wrong} from 's3://b/k' {ROLE}")
    assert parse_copy(f"copy a.b.c (d, \"E\") from 's3://b/k' {ROLE}").columns == ("d", "E")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (f"copy t from 's3://b/k' {ROLE} nonsense", 'syntax error at or near "nonsense"'),
        (f"copy t from {ROLE}", 'syntax error at or near "iam_role"'),
        ("copy t from 's3://b/k' csv", "CREDENTIALS argument is required but not specified for COPY"),
        (f"copy t from 's3://b/k' {ROLE} csv escape", "CSV is not compatible with ESCAPE"),
        (f"copy t from 's3://b/k' {ROLE} parquet gzip", "argument is not supported for PARQUET based COPY"),
        (f"copy t from 's3://b/k {ROLE}", "unterminated quoted"),
        (f"copy t from 's3://b/k' {ROLE} ignoreheader", "syntax error at end of input"),
    ],
)
def test_a_syntax_error_has_its_position_in_the_statement(statement: str, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(statement)
    assert message in refused.value.message


def test_UNLOAD_may_quote_its_query_with_quotes_or_dollar_signs() -> None:
    doubled = parse_unload(f"unload ('select ''a'' as x') to 's3://b/k' {ROLE} csv header parallel off")
    dollars = parse_unload(f"unload ($$select 'a' as x$$) to 's3://b/k' {ROLE} format as csv header parallel false")
    assert doubled == dollars
    assert doubled.query == "select 'a' as x"
    assert not doubled.parallel


def test_an_error_position_counts_from_the_beginning_of_its_statement() -> None:
    _, statement = dialect.parse(f"begin;\n copy t from 's3://b/k' {ROLE} nonsense")
    with pytest.raises(SqlError) as refused:
        parse.parse_copy(statement.tokens)
    assert refused.value.position == f"copy t from 's3://b/k' {ROLE} nonsense".index("nonsense") + 1


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("'x", 'unterminated quoted string at or near "\'x"'),
        ('"x', 'unterminated quoted identifier at or near ""x"'),
        ("$$x", 'unterminated dollar-quoted string at or near "$$x"'),
        ("/* x", 'unterminated /* comment at or near "/* x"'),
        ('""', 'syntax error at or near """"'),
        ("N'x'", "syntax error at or near \"N'x'\""),
        ("ignoreheader 1e3", 'syntax error at or near "1e3"'),
    ],
)
def test_unterminated_strings_and_other_invalid_tokens_in_COPY_are_refused(end: str, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(f"copy t from 's3://b/k' {ROLE} {end}")
    assert (refused.value.sqlstate, refused.value.message) == ("42601", message)


def test_backslashes_in_the_strings_of_COPY_are_escapes() -> None:
    assert parse_copy(rf"copy t from 's3://b/k' {ROLE} delimiter '\x2C' null as '\N'").options.null_as == r"\N"
    assert parse_copy(rf"copy t from 's3://b/k' {ROLE} delimiter '\054'").options.delimiter == ","
    assert parse_copy(rf"copy t from 's3://b/k' {ROLE} csv quote E'\''").options.quote == "'"

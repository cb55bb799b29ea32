"""COPY and UNLOAD statements, understood or refused by name."""

from __future__ import annotations

import pytest

from localaws.redshift.copy.parse import Compression, Format, parse_copy
from localaws.redshift.copy.unload import parse_unload
from localaws.redshift.errors import SqlError

ROLE = "iam_role 'arn:aws:iam::123456789012:role/r'"


def test_the_statement_of_a_glue_job_is_understood() -> None:
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


def test_a_temporary_tables_name_begins_with_a_number_sign() -> None:
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
def test_roles_are_given_in_several_ways(text: str, roles: tuple[str, ...]) -> None:
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
def test_parameters_of_copy_and_unload_that_are_not_supported(parameters: str, named: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(f"copy t from 's3://b/k' {ROLE} {parameters}")
    assert refused.value.sqlstate == "0A000"
    assert named in refused.value.message


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
def test_a_wrong_statement_says_where_it_is_wrong(statement: str, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_copy(statement)
    assert message in refused.value.message


def test_an_unload_may_quote_its_query_either_way() -> None:
    doubled = parse_unload(f"unload ('select ''a'' as x') to 's3://b/k' {ROLE} csv header parallel off")
    dollars = parse_unload(f"unload ($$select 'a' as x$$) to 's3://b/k' {ROLE} format as csv header parallel false")
    assert doubled == dollars
    assert doubled.query == "select 'a' as x"
    assert not doubled.parallel

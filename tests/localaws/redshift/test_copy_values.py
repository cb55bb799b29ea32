"""Why a value was not loaded, with the codes and texts of stl_load_errors, without a server.

https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html lists the codes.
"""

from __future__ import annotations

import pytest

from localaws.redshift.copy.load_errors import Code, Problem, invalid_utf8, missing, too_long, value_problem
from localaws.redshift.copy.parse import CopyOptions
from localaws.redshift.copy.row_by_row import Conversion
from localaws.redshift.copy.target import Column, Target


def column(kind: str, modifier: int = -1) -> Column:
    return Column("c", kind, modifier, not_null=False, identity=False)


def numeric(precision: int, scale: int) -> Column:
    return column("numeric", (precision << 16 | scale) + 4)


def test_the_load_error_codes_are_those_that_aws_documents() -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html, and 1222 and 1224 as seen there."""
    assert {code.name: code.value for code in Code} == {
        "UNKNOWN": 1200, "NO_DELIMITER": 1201, "EXTRA_COLUMN": 1202, "TOO_FEW_COLUMNS": 1203, "LENGTH": 1204,
        "DATE": 1205, "TIMESTAMP": 1206, "DIGIT": 1207, "FLOAT": 1208, "DECIMAL": 1209, "BOOLEAN": 1210,
        "BLANK_LINE": 1211, "NOT_NULL": 1213, "QUOTING": 1214, "CHAR": 1215, "INVALID_LINE": 1216, "UTF8": 1220,
        "OVERFLOW": 1222, "SUPER": 1224,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "reason", "position"),
    [
        ("int2", "x", "Invalid digit, Value 'x', Pos 0, Type: Short", 0),
        ("int4", "12a4", "Invalid digit, Value 'a', Pos 2, Type: Integer", 2),
        ("int4", "1.5", "Invalid digit, Value '.', Pos 1, Type: Integer", 1),
        ("int8", " -7 8", "Invalid digit, Value ' ', Pos 3, Type: Long", 3),
        ("int8", "--7", "Invalid digit, Value '-', Pos 1, Type: Long", 1),
        ("int8", "+", "Invalid digit, Value '+', Pos 0, Type: Long", 0),
    ],
)
def test_an_invalid_integer_is_an_error_with_the_first_bad_character_and_the_type(
    kind: str, value: str, reason: str, position: int
) -> None:
    problem = value_problem(column(kind), value)
    assert (problem.code, problem.reason, problem.position) == (Code.DIGIT, reason, position)
    assert (problem.column, problem.value) == (column(kind), value)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("int2", "32768", "Overflow, Value 32768, Type: Short"),
        ("int4", " -2147483649 ", "Overflow, Value -2147483649, Type: Integer"),
        ("int8", "99999999999999999999", "Overflow, Value 99999999999999999999, Type: Long"),
    ],
)
def test_an_integer_that_is_too_large_for_its_type_is_an_overflow(kind: str, value: str, reason: str) -> None:
    problem = value_problem(column(kind), value)
    assert (problem.code, problem.reason, problem.position) == (Code.OVERFLOW, reason, 0)


@pytest.mark.parametrize(
    ("value", "bad", "position"),
    [("b", "b", 0), ("1.5x", "x", 3), ("1.2.3", ".", 3), ("1e", "e", 1), ("-1e5-", "-", 4), ("1.5e+3 ?", " ", 6)],
)
def test_an_invalid_float_or_decimal_is_an_error_with_the_first_bad_character(
    value: str, bad: str, position: int
) -> None:
    for kind, code, name in (
        ("float4", Code.FLOAT, "Float"),
        ("float8", Code.FLOAT, "Float"),
        ("numeric", Code.DECIMAL, "Decimal"),
    ):
        problem = value_problem(column(kind), value)
        assert (problem.code, problem.position) == (code, position)
        assert problem.reason == f"Invalid digit, Value '{bad}', Pos {position}, Type: {name}"


@pytest.mark.parametrize("value", ["1e999", "-1.5E+400", " .5e999 ", "1.e999"])
def test_a_number_that_is_too_large_is_an_overflow_of_its_type(value: str) -> None:
    assert value_problem(column("float4"), value).reason == "Overflow for REAL"
    assert value_problem(column("float8"), value).reason == "Overflow for DOUBLE PRECISION"
    problem = value_problem(numeric(5, 2), value)
    assert (problem.code, problem.reason) == (Code.OVERFLOW, "Overflow for NUMERIC(5,2)")


def test_postgresql_s_out_of_range_error_for_a_float_is_an_overflow() -> None:
    problem = value_problem(column("float8"), "1e5x", sqlstate="22003")
    assert (problem.code, problem.reason) == (Code.OVERFLOW, "Overflow for DOUBLE PRECISION")


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        ("bool", Code.BOOLEAN, "Unknown boolean format"),
        ("date", Code.DATE, "Invalid Date Format - length must be 10 or more"),
        ("timestamp", Code.TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        ("timestamptz", Code.TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        ("jsonb", Code.SUPER, "Invalid JSON format in SUPER column"),
    ],
)
def test_each_other_type_has_a_code_and_a_reason(kind: str, code: Code, reason: str) -> None:
    problem = value_problem(column(kind), "bad")
    assert (problem.code, problem.reason, problem.column, problem.value) == (code, reason, column(kind), "bad")


def test_a_string_that_is_too_long_is_a_length_error() -> None:
    short = column("varchar", 4 + 3)
    assert value_problem(short, "four") == too_long(short, "four")
    assert value_problem(column("text"), "four", sqlstate="22001") == too_long(column("text"), "four")
    assert (too_long(short, "four").code, too_long(short, "four").reason) == (
        Code.LENGTH,
        "String length exceeds DDL length",
    )


def test_a_type_without_a_code_of_its_own_has_the_message_of_the_database() -> None:
    told = value_problem(column("time"), "25:00", "invalid input syntax for type time")
    assert (told.code, told.reason) == (Code.UNKNOWN, "invalid input syntax for type time")
    assert value_problem(column("time"), "25:00").reason == "Unknown parse error"


def test_null_in_a_not_null_column_is_missing_data() -> None:
    problem = missing(column("int4"))
    assert (problem.code, problem.reason) == (Code.NOT_NULL, "Missing data for not-null field")
    assert (problem.column, problem.value) == (column("int4"), "")


@pytest.mark.parametrize(
    ("value", "shown", "position"),
    [
        (b"ab\xf8\x88\x80\x80\x80", "f8 (error 1)", 2),
        (b"\xfd", "fd (error 1)", 0),
        (b"abc\xe2\x82", "e2 82 (error 2)", 3),
        (b"\xc3", "c3 (error 2)", 0),
        (b"\xf7\xbf\xbf", "f7 bf bf (error 2)", 0),
        (b"a\xa4", "a4 (error 3)", 1),
        (b"\x80", "80 (error 3)", 0),
        (b"\xbf", "bf (error 3)", 0),
        (b"\xfe", "fe (error 3)", 0),
        (b"\xff", "ff (error 3)", 0),
        (b"ab\xc3(", "c3 28 (error 4)", 2),
        (b"\xdf\xc0", "df c0 (error 4)", 0),
        (b"\xe0\x80\x7f", "e0 80 7f (error 4)", 0),
        (b"\xdf!xyz", "df 21 (error 4)", 0),
        (b"\xef\xbf!xyz", "ef bf 21 (error 4)", 0),
        (b"\xf0\x90\x80!xyz", "f0 90 80 21 (error 4)", 0),
        (b"\xed\xa0\x80", "ed a0 80 (error 5)", 0),
        (b"\xed\xbf\xbfx", "ed bf bf (error 5)", 0),
        (b"\xf4\x90\x80\x80", "f4 90 80 80 (error 8)", 0),
        (b"\xf7\xbf\xbf\xbf", "f7 bf bf bf (error 8)", 0),
        (b"\xc0\x80", "c0 80 (error 9)", 0),
        (b"\xe0\x80\x80", "e0 80 80 (error 9)", 0),
        (b"\xf0\x80\x80\x80", "f0 80 80 80 (error 9)", 0),
    ],
)
def test_an_error_for_invalid_UTF_8_has_the_bytes_and_the_kind_of_error(
    value: bytes, shown: str, position: int
) -> None:
    """The numbers are those of https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html.
    The bytes have blanks between them, as in "ef b7 af (error 6)":
    https://github.com/databricks/spark-redshift/issues/217
    """
    problem = invalid_utf8(column("varchar", 14), value.decode("utf-8", "surrogateescape"))
    assert problem.code is Code.UTF8
    assert problem.reason == (
        f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {shown}"
    )
    assert problem.position == position


@pytest.mark.parametrize(("value", "position"), [("ab\0c", 2), ("\0", 0)])
def test_an_error_for_a_NUL_byte_has_its_position_in_the_field(value: str, position: int) -> None:
    problem = invalid_utf8(column("varchar", 14), value)
    assert (problem.code, problem.position) == (Code.UTF8, position)
    assert "Bad UTF-8 hex sequence: 00" in problem.reason


def read_as(kind: str, value: str, form: str) -> str | Problem:
    """What is given to PostgreSQL for a value, where `form` is DATEFORMAT and TIMEFORMAT."""
    target = Target(1, "public", "t", "t", (column(kind),))
    return Conversion(target, CopyOptions(date_format=form, time_format=form)).convert([value])


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("kind", "keyword", "value", "loaded"),
    [
        ("date", "auto", "Feb 3 2024", "Feb 3 2024\n"),
        ("timestamp", "auto", "2024-02-03 04:05:06", "2024-02-03 04:05:06\n"),
        ("timestamp", "epochsecs", "1600000000", "2020-09-13 12:26:40+00:00\n"),
        ("timestamptz", "epochmillisecs", "1600000000500", "2020-09-13 12:26:40.500000+00:00\n"),
    ],
)
def test_the_keywords_of_DATEFORMAT_and_TIMEFORMAT_are_case_sensitive(
    kind: str, keyword: str, value: str, loaded: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html: in another case they are
    format strings, which no value matches.
    """
    assert read_as(kind, value, keyword) == loaded
    for other in (keyword.upper(), keyword.title()):
        problem = read_as(kind, value, other)
        assert isinstance(problem, Problem)
        assert problem.code is (Code.DATE if kind == "date" else Code.TIMESTAMP)
        assert problem.reason.endswith(f"[{other}]")

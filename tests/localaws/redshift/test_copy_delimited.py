"""Delimited text and CSV as COPY reads them, row by row and in one piece: without a server.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html and
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html say what each parameter does.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from localaws.redshift.copy.delimited import DelimitedReader
from localaws.redshift.copy.load_errors import Code
from localaws.redshift.copy.parse import CopyOptions, Format
from localaws.redshift.copy.records import CHUNK, FastCopy, Record
from localaws.redshift.copy.target import Column, Target

TEXT = Column("name", "varchar", -1, not_null=False, identity=False)
SHORT = Column("short", "varchar", 4 + 8, not_null=False, identity=False)
CHAR = Column("fixed", "bpchar", 4 + 8, not_null=False, identity=False)
NUMBER = Column("id", "int4", -1, not_null=False, identity=False)
CSV: dict[str, Any] = {"format": Format.CSV}


def reader(columns: tuple[Column, ...], **options: Any) -> DelimitedReader:
    return DelimitedReader(Target(1, "public", "t", "t", columns), CopyOptions(**options))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data"


def read(file: Path, body: str | bytes, columns: tuple[Column, ...] = (TEXT, TEXT), **options: Any) -> list[Record]:
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    return list(reader(columns, **options).records(file))


def rows(file: Path, body: str | bytes, columns: tuple[Column, ...] = (TEXT, TEXT), **options: Any) -> list[list[Any]]:
    """The fields of each row, none of which may have a problem."""
    found = read(file, body, columns, **options)
    assert [record.problem for record in found] == [None] * len(found)
    return [record.values for record in found]


def problem(record: Record) -> tuple[int, Code, str, str]:
    """The line, the code, the reason and the column's name."""
    assert record.problem is not None
    column = record.problem.column
    return record.line, record.problem.code, record.problem.reason, column.name if column else ""


def fast(
    file: Path, body: str | bytes, columns: tuple[Column, ...] = (NUMBER, TEXT), **options: Any
) -> FastCopy | None:
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    return reader(columns, **options).fast(file)


# Row by row.


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        ("1|a\n2|b\n", {}, [["1", "a"], ["2", "b"]]),
        ("1|a\r\n2|b", {}, [["1", "a"], ["2", "b"]]),
        ("1,a\n", {"delimiter": ","}, [["1", "a"]]),
        ('"1"|a"b\\\n', {}, [['"1"', 'a"b\\']]),
        ("1,a\n", CSV, [["1", "a"]]),
        ("1|a,b\n", {**CSV, "delimiter": "|"}, [["1", "a,b"]]),
        ('1,"a ""b"", c"\n', CSV, [["1", 'a "b", c']]),
        ('1,"two\nlines"\n2,b\n', CSV, [["1", "two\nlines"], ["2", "b"]]),
        ("1,%a,b%\n", {**CSV, "quote": "%"}, [["1", "a,b"]]),
        ("", {}, []),
    ],
)
def test_a_row_is_split_at_its_delimiters(
    file: Path, body: str, options: dict[str, Any], expected: list[list[str]]
) -> None:
    assert rows(file, body, **options) == expected


@pytest.mark.parametrize(
    ("given", "loaded"),
    [
        ('"The delimiter is a pipe (|) character"', "The delimiter is a pipe (|) character"),
        ("'Black'", "Black"),
        ('"White"', "White"),
        ("Blue'", "Blue'"),
        ("' ' 'Black' ' '", " ' 'Black' ' "),
        ("' '", " "),
        ("''", ""),
        ("it's", "it's"),
    ],
)
def test_REMOVEQUOTES_removes_the_quotation_marks_around_a_field(file: Path, given: str, loaded: str) -> None:
    """The table at REMOVEQUOTES, which does not show the blanks at the ends of values."""
    assert rows(file, f"{given}|x\n", remove_quotes=True) == [[loaded, "x"]]
    assert rows(file, f"x|{given}\n", remove_quotes=True) == [["x", loaded]]


@pytest.mark.parametrize("given", ["'Blue", '"Blue', "'", "\"Blue'"])
def test_a_row_with_an_unclosed_quotation_mark_is_not_loaded(file: Path, given: str) -> None:
    """The table at REMOVEQUOTES: "Value not loaded: error condition"."""
    (found, after) = read(file, f"x|{given}\ny|b\n", remove_quotes=True)
    assert problem(found) == (1, Code.QUOTING, "Delimited value missing end quote", "")
    assert after.values == ["y", "b"]


def test_without_REMOVEQUOTES_a_quotation_mark_is_data(file: Path) -> None:
    assert rows(file, '\'Blue|"x"\n') == [["'Blue", '"x"']]
    assert rows(file, '\'Blue|"x"\n', escape=True) == [["'Blue", '"x"']]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a\\|b|c\n", [["a|b", "c"]]),
        ("a\\\\|c\n", [["a\\", "c"]]),
        ("a\\\nb|c\nd|e\n", [["a\nb", "c"], ["d", "e"]]),
        ("a|b\\\\\nc|d\n", [["a", "b\\"], ["c", "d"]]),
        ("a|\\\n\nc|d\n", [["a", "\n"], ["c", "d"]]),
        ("\\N|a\\N\n", [["\\N", "a\\N"]]),
        ("a|b\\", [["a", "b\\"]]),
        ("a\\x|b\n", [["ax", "b"]]),
    ],
)
def test_with_ESCAPE_a_backslash_makes_the_next_character_data(
    file: Path, body: str, expected: list[list[str]]
) -> None:
    assert rows(file, body, escape=True) == expected


def test_a_row_with_an_escaped_newline_has_the_number_of_its_last_line(file: Path) -> None:
    found = read(file, "a\\\nb|c\nd|e\n", escape=True)
    assert [(record.line, record.raw) for record in found] == [(2, "a\\\nb|c"), (3, "d|e")]


def test_ESCAPE_and_REMOVEQUOTES_can_be_combined(file: Path) -> None:
    assert rows(file, "'a\\'|b'|c\n", escape=True, remove_quotes=True) == [["a'|b", "c"]]


def test_a_trailing_delimiter_starts_a_field_in_csv_but_not_in_text(file: Path) -> None:
    assert rows(file, "1|a|\n") == [["1", "a"]]
    assert problem(*read(file, "1|a||\n")) == (1, Code.EXTRA_COLUMN, "Extra column(s) found", "")
    assert problem(*read(file, "1|a|x\n")) == (1, Code.EXTRA_COLUMN, "Extra column(s) found", "")
    assert problem(*read(file, "1,a,\n", **CSV)) == (1, Code.EXTRA_COLUMN, "Extra column(s) found", "")
    assert rows(file, "1|\n") == [["1", ""]]  # here it ends a field, since a second one is expected
    assert rows(file, "1,\n", **CSV) == [["1", ""]]


def test_a_row_with_too_few_fields_is_an_error_that_names_the_first_missing_column(file: Path) -> None:
    columns = (NUMBER, TEXT, SHORT)
    assert problem(*read(file, "1|a\n", columns)) == (1, Code.NO_DELIMITER, "Delimiter not found", "short")
    assert problem(*read(file, "1,a\n", columns, **CSV)) == (1, Code.TOO_FEW_COLUMNS, "Delimiter not found", "short")
    assert problem(*read(file, "1,a\n", columns))[1:] == (Code.NO_DELIMITER, "Delimiter not found", "name")


def test_FILLRECORD_fills_varchar_with_empty_strings_and_other_types_with_null(file: Path) -> None:
    columns = (NUMBER, SHORT, CHAR, NUMBER, TEXT)
    assert rows(file, "1\n", columns, fill_record=True) == [["1", "", None, None, ""]]
    assert rows(file, "1,a,b\n", columns, fill_record=True, **CSV) == [["1", "a", "b", None, ""]]
    assert rows(file, "1|a|b|2|c\n", columns, fill_record=True) == [["1", "a", "b", "2", "c"]]
    assert problem(*read(file, "1|a|b|2|c|d\n", columns, fill_record=True))[1] is Code.EXTRA_COLUMN


@pytest.mark.parametrize("options", [{}, CSV])
def test_IGNOREBLANKLINES_skips_lines_that_contain_only_a_line_feed(file: Path, options: dict[str, Any]) -> None:
    body = "1\n\n\r\n \n2\n"
    assert rows(file, body, (TEXT,), ignore_blank_lines=True, **options) == [["1"], [" "], ["2"]]
    assert rows(file, body, (TEXT,), **options) == [["1"], [""], [""], [" "], ["2"]]


def test_a_blank_line_has_no_data_for_a_table_of_several_columns(file: Path) -> None:
    for body, options in (("1|a\n\n2|b\n", {}), ("1,a\n\n2,b\n", CSV)):
        first, blank, last = read(file, body, (NUMBER, TEXT), **options)
        assert problem(blank) == (2, Code.BLANK_LINE, "Line has no data", "id")
        assert (first.values, last.line, last.values) == (["1", "a"], 3, ["2", "b"])
        assert [record.line for record in read(file, body, ignore_blank_lines=True, **options)] == [1, 3]


def test_header_lines_are_skipped_but_count_in_line_numbers(file: Path) -> None:
    for body, options in (("id|n\nkind\n1|a\n", {}), ("id,n\nkind\n1,a\n", CSV)):
        (only,) = read(file, body, ignore_header=2, **options)
        assert (only.line, only.raw, only.values) == (3, body.splitlines()[2], ["1", "a"])
    assert read(file, "id|n\n", ignore_header=3) == []


def test_an_invalid_quote_fails_only_its_own_row(file: Path) -> None:
    good, bad, after = read(file, '1,"two\nlines"\n2,"a"b\n3,c\n', **CSV)
    assert (good.line, good.raw) == (2, '1,"two\nlines"')
    assert problem(bad) == (3, Code.QUOTING, "Invalid quote formatting for CSV", "")
    assert (bad.raw, after.line, after.values) == ('2,"a"b', 4, ["3", "c"])


def test_a_field_may_be_as_large_as_a_super_value() -> None:
    """16 MB: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html"""
    assert csv.field_size_limit() == 16 * 1024 * 1024


def test_bytes_that_are_not_UTF_8_are_kept_for_the_conversion(file: Path) -> None:
    assert rows(file, b"1|a\xa4\n") == [["1", "a\udca4"]]


# In one piece: PostgreSQL reads the file.


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ((NUMBER, TEXT), CSV, ",', QUOTE E'\"', NULL '', FORCE_NOT_NULL (\"name\"), FORCE_NULL (\"id\")"),
        ((NUMBER,), CSV, ",', QUOTE E'\"', NULL '', FORCE_NULL (\"id\")"),
        ((TEXT,), CSV, ",', QUOTE E'\"', NULL '', FORCE_NOT_NULL (\"name\")"),
        ((NUMBER, TEXT), {}, "|', QUOTE E'\x01', NULL '', FORCE_NOT_NULL (\"name\"), FORCE_NULL (\"id\")"),
        ((NUMBER, TEXT), {"delimiter": "\t"}, "\t', QUOTE E'\x01', NULL '', FORCE_NOT_NULL (\"name\"), FORCE_NULL (\"id\")"),  # noqa: E501
        ((NUMBER, TEXT), {**CSV, "quote": "'"}, ",', QUOTE E'''', NULL '', FORCE_NOT_NULL (\"name\"), FORCE_NULL (\"id\")"),  # noqa: E501
        ((NUMBER, TEXT), {**CSV, "null_as": "@"}, ",', QUOTE E'\"', NULL E'@', FORCE_NULL (\"name\", \"id\")"),
        ((NUMBER, TEXT), {**CSV, "null_as": ""}, ",', QUOTE E'\"', NULL '', FORCE_NULL (\"name\", \"id\")"),
        ((NUMBER, TEXT), {**CSV, "empty_as_null": True}, ",', QUOTE E'\"', NULL '', FORCE_NULL (\"name\", \"id\")"),
    ],
)  # fmt: skip
def test_an_ordinary_file_is_passed_to_postgresql_unchanged(
    file: Path, columns: tuple[Column, ...], options: dict[str, Any], expected: str
) -> None:
    """An empty field is an empty string in a VARCHAR column, and NULL in any other, unless EMPTYASNULL is given."""
    body = "1|a,b\n" * 5
    found = fast(file, body, columns, **options)
    assert found is not None
    assert found.options == f"FORMAT csv, DELIMITER E'{expected}"
    assert b"".join(found.chunks) == body.encode()


@pytest.mark.parametrize(
    "options",
    [
        {"blanks_as_null": True},
        {"truncate_columns": True},
        {"trim_blanks": True},
        {"remove_quotes": True},
        {"escape": True},
        {"fill_record": True},
        {"ignore_blank_lines": True},
        {"date_format": "DD/MM/YYYY"},
        {"time_format": "epochsecs"},
        {"null_as": "@", "empty_as_null": True},
    ],
)
def test_a_file_is_not_passed_to_postgresql_if_a_parameter_changes_its_fields(
    file: Path, options: dict[str, Any]
) -> None:
    assert fast(file, "1|a\n", **options) is None
    assert fast(file, "1|a\n") is not None


def test_the_date_and_time_format_auto_keeps_the_fast_path(file: Path) -> None:
    assert fast(file, "1|a\n", date_format="auto", time_format="auto") is not None


def test_a_table_without_columns_is_read_row_by_row(file: Path) -> None:
    assert fast(file, "1\n", ()) is None


@pytest.mark.parametrize(
    ("body", "options", "is_fast"),
    [
        ("1|\\N\n", {}, False),
        ("1,\\N\n", CSV, False),
        ("1,\\N\n", {**CSV, "empty_as_null": True}, False),
        ("1,\\N\n", {**CSV, "null_as": ""}, True),
        ("1,\\N\n", {**CSV, "null_as": "@"}, True),
        ("1|a\x01\n", {}, False),
        ("1,a\x01\n", CSV, True),
    ],
)
def test_a_file_that_postgresql_would_read_differently_is_read_row_by_row(
    file: Path, body: str, options: dict[str, Any], is_fast: bool
) -> None:
    """``\\N`` is NULL unless NULL AS says otherwise."""
    assert (fast(file, body, **options) is not None) is is_fast


def test_a_null_marker_that_crosses_two_reads_is_detected(file: Path) -> None:
    before = "1|" + "a" * (CHUNK * 4 - 3)
    assert fast(file, f"{before}\\N\n") is None
    assert fast(file, f"{before}a\n") is not None


def test_multibyte_characters_are_checked_if_a_column_has_a_length(file: Path) -> None:
    """VARCHAR(n) holds n bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html"""
    assert fast(file, "1|é\n", (NUMBER, SHORT)) is None
    assert fast(file, "1|e\n", (NUMBER, SHORT)) is not None
    assert fast(file, "1|é\n", (NUMBER, TEXT)) is not None


def test_a_large_file_is_passed_to_postgresql_without_its_header(file: Path) -> None:
    body = "id|name\nkind\n" + "1|abc\n" * 100_000
    found = fast(file, body, ignore_header=2)
    assert found is not None
    assert b"".join(found.chunks) == ("1|abc\n" * 100_000).encode()

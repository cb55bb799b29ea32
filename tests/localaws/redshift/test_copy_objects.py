"""JSON as COPY reads it: objects and their lines, fields by key or by jsonpath: without a server.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html and
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html say what 'auto' and jsonpaths mean.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from localaws.redshift.copy import json_format
from localaws.redshift.copy.json_format import JsonReader, parse_jsonpaths
from localaws.redshift.copy.load_errors import Code
from localaws.redshift.copy.parse import CopyOptions, Format
from localaws.redshift.copy.records import FastCopy, NotFast
from localaws.redshift.copy.target import Column, Target
from localaws.redshift.errors import SqlError


def column(name: str, kind: str = "varchar", modifier: int = -1) -> Column:
    return Column(name, kind, modifier, not_null=False, identity=False)


A, B = column("a"), column("b", "int4")


def reader(*columns: Column, paths: list[str] | None = None, **options: Any) -> JsonReader:
    parsed = None if paths is None else parse_jsonpaths(json.dumps({"jsonpaths": paths}).encode())
    target = Target(1, "public", "t", "t", columns)
    return JsonReader(target, CopyOptions(format=Format.JSON, **options), parsed)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.json"


def read(file: Path, body: str | bytes, *columns: Column, **options: Any) -> list[tuple[int, str, Any]]:
    """Of each row the line, the text, and the fields or the problem's reason."""
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    found = reader(*(columns or (A,)), **options).records(file)
    return [(one.line, one.raw, one.problem.reason if one.problem else one.values) for one in found]


def fields(file: Path, body: str, *columns: Column, **options: Any) -> list[Any]:
    return [found for _, _, found in read(file, body, *columns, **options)]


def test_fields_are_matched_to_columns_by_case_sensitive_keys(file: Path) -> None:
    body = '{"b": 1, "A": "x", "a": "y", "c": 2}\n{"B": 3}\n'
    assert fields(file, body, A, B) == [["y", "1"], [None, None]]
    assert fields(file, '{"A": "x", "B": 3}', A, B, json_mapping="auto ignorecase") == [["x", "3"]]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ('"text"', "text"),
        ('""', ""),
        ("null", None),
        ("true", "true"),
        ("false", "false"),
        ("1.50", "1.50"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("1e400", "1e400"),
        ("-0", "-0"),
        ('{"x": [1.0, "é", true, null], "y": {}}', '{"x":[1.0,"é",true,null],"y":{}}'),
        ("[]", "[]"),
        ('["a\\"b"]', '["a\\"b"]'),
    ],
)
def test_a_json_value_becomes_the_text_of_a_field(file: Path, value: str, field: str | None) -> None:
    """Numbers keep their digits; objects and arrays are JSON."""
    assert fields(file, f'{{"a": {value}}}') == [[field]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": 1}\n{"a": 2}', [(1, '{"a": 1}', ["1"]), (2, '{"a": 2}', ["2"])]),
        ('{"a": 1} \t{"a": 2}\r\n', [(1, '{"a": 1}', ["1"]), (1, '{"a": 2}', ["2"])]),
        ('\n \n{"a": 1}\n\n', [(3, '{"a": 1}', ["1"])]),
        ('{"a":\n1}\n{"a": 2}\n', [(2, '{"a":\n1}', ["1"]), (3, '{"a": 2}', ["2"])]),
        ('{"a": 1} {"a":\n2}\n', [(1, '{"a": 1}', ["1"]), (2, '{"a":\n2}', ["2"])]),
        ('{"c": {"x": 1}\n, "a": 2}\n', [(2, '{"c": {"x": 1}\n, "a": 2}', ["2"])]),
        ('{"c": [1,\n[2]\n],\n"a": 2}\n', [(4, '{"c": [1,\n[2]\n],\n"a": 2}', ["2"])]),
        ("", []),
        (" \n", []),
    ],
)
def test_objects_may_span_lines_or_share_a_line(file: Path, body: str, expected: list[tuple[int, str, Any]]) -> None:
    assert read(file, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('oops\n{"a": 1}\n', [(1, "oops", "Invalid value."), (2, '{"a": 1}', ["1"])]),
        ('{"a": 1\r\n{"a": 2}\n', [(1, '{"a": 1', "Invalid value."), (2, '{"a": 2}', ["2"])]),
        ('{"a": 1}\n{"a":', [(1, '{"a": 1}', ["1"]), (2, '{"a":', "Invalid value.")]),
        ('{"a": 1} oops {"a": 2}\n{"a": 3}\n', [(1, '{"a": 1}', ["1"]), (1, 'oops {"a": 2}', "Invalid value."), (2, '{"a": 3}', ["3"])]),  # noqa: E501
        ('{"a": -\n1}\n{"a": 2}\n', [(1, '{"a": -', "Invalid value."), (3, '{"a": 2}', ["2"])]),
        ('{"a":\n1,,}\n{"a": 2}\n', [(1, '{"a":', "Invalid value."), (3, '{"a": 2}', ["2"])]),
        ('{"a": 1} {"a":\n{"a": 2}\n', [(1, '{"a": 1}', ["1"]), (1, '{"a":', "Invalid value."), (2, '{"a": 2}', ["2"])]),  # noqa: E501
        ('{"c": 1} {"a":\n"x",\n"b"}', [(1, '{"c": 1}', [None]), (1, '{"a":', "Invalid value.")]),
    ],
)  # fmt: skip
def test_malformed_json_fails_alone_and_is_reported_with_its_first_line(
    file: Path, body: str, expected: list[tuple[int, str, Any]]
) -> None:
    assert read(file, body) == expected


def test_a_row_that_is_not_json_has_the_error_code_for_an_invalid_line(file: Path) -> None:
    file.write_text("oops\n")
    (found,) = reader(A).records(file)
    assert found.problem is not None
    assert (found.problem.code, found.problem.value, found.values) == (Code.INVALID_LINE, "oops", [])


def test_a_value_that_is_not_an_object_has_no_members(file: Path) -> None:
    reason = "Invalid JSONPath format: Member is not an object."
    assert read(file, '[1]\n"x"\n') == [(1, "[1]", reason), (2, '"x"', reason)]
    assert fields(file, "[1]\n", paths=["$[0]"]) == [["1"]]


def test_an_object_may_have_at_most_4_MB(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "The maximum size of a single row or JSON object is 4 MB":
    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
    """
    assert json_format.MAX_OBJECT == 4 * 1024 * 1024
    monkeypatch.setattr(json_format, "MAX_OBJECT", 1000)
    end = '2], "a": 3}\n'
    large, small = ('{"c": [\n' + "1,\n" * count + end for count in (400, 300))
    assert fields(file, small + '{"a": 4}\n') == [["3"], ["4"]]
    assert ["3"] not in fields(file, large)
    assert read(file, large + '{"a": 4}\n')[0] == (1, '{"c": [', "Invalid value.")
    assert fields(file, large + '{"a": 4}\n')[-1] == ["4"]


def test_bytes_that_are_not_UTF_8_are_kept_for_the_conversion(file: Path) -> None:
    assert read(file, b'{"a": "x\xa4"}\n') == [(1, '{"a": "x\udca4"}', ["x\udca4"])]


# jsonpaths


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("$.a", "x"),
        ("$['a']", "x"),
        ('$["key with. dots"]', "y"),
        ("$.nested.b", "1"),
        ("$['nested']['b']", "1"),
        ("$.list[0]", "p"),
        ("$.list[1].c", "q"),
        ("$['list'][1]['c']", "q"),
        ("$.list[2]", None),
        ("$.list[10]", None),
        ("$.list.c", None),
        ("$.nested[0]", None),
        ("$.a.b", None),
        ("$.none.b", None),
        ("$.null", None),
    ],
)
def test_a_JSONPath_gives_one_value_or_null(file: Path, path: str, field: str | None) -> None:
    row = {"a": "x", "key with. dots": "y", "nested": {"b": 1}, "list": ["p", {"c": "q"}], "null": None}
    assert fields(file, json.dumps(row), paths=[path]) == [[field]]


def test_JSONPaths_have_the_order_and_the_number_of_the_columns(file: Path) -> None:
    assert fields(file, '{"x": 1, "y": 2}', A, B, paths=["$.y", "$.x"]) == [["2", "1"]]
    with pytest.raises(SqlError) as refused:
        reader(A, B, paths=["$.x"])
    assert refused.value.message == (
        "Number of jsonpaths and the number of columns should match. JSONPath size: 1, "
        "Number of columns in table or column list: 2"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"oops",
        b"[]",
        b'{"paths": []}',
        b'{"jsonpaths": 5}',
        b'{"jsonpaths": [5]}',
        b'{"jsonpaths": ["a"]}',
        b'{"jsonpaths": ["$.a["]}',
        b'{"jsonpaths": ["$a"]}',
        b'{"jsonpaths": ["$..a"]}',
        b'{"jsonpaths": ["$.a[x]"]}',
        b'{"jsonpaths": ["$[\'a\\"]"]}',
    ],
)
def test_a_file_without_valid_JSONPaths_is_refused(content: bytes) -> None:
    with pytest.raises(SqlError, match="Invalid JSONPath format") as refused:
        parse_jsonpaths(content)
    assert refused.value.sqlstate == "XX000"


# In one piece: duckdb turns a large file into CSV.

ROW = '{"a": "é, \\"q\\"", "b": 12}\n'
LARGE = ROW * (64 * 1024 // len(ROW) + 1)


def fast(file: Path, body: str, *columns: Column, **options: Any) -> FastCopy | None:
    file.write_text(body)
    return reader(*(columns or (A, B)), **options).fast(file)


def loaded(found: FastCopy | None) -> list[list[str]]:
    assert found is not None
    return list(csv.reader(io.StringIO(b"".join(found.chunks).decode())))


def test_a_large_file_is_passed_to_postgresql_as_csv(file: Path) -> None:
    found = fast(file, LARGE)
    assert found is not None
    assert found.options == "FORMAT csv, NULL '', FORCE_NULL (\"b\")"
    assert loaded(found) == [['é, "q"', "12"]] * LARGE.count("\n")


def test_an_empty_string_stays_empty_in_a_text_column_unless_EMPTYASNULL_is_given(file: Path) -> None:
    found = fast(file, LARGE, A)
    assert found is not None
    assert found.options == "FORMAT csv, NULL ''"
    found = fast(file, LARGE, empty_as_null=True)
    assert found is not None
    assert found.options == 'FORMAT csv, NULL \'\', FORCE_NULL ("a", "b")'


def test_null_and_the_empty_string_are_distinguished_in_the_generated_csv(file: Path) -> None:
    found = fast(file, LARGE + '{"a": "", "b": null}\n{"b": 1}\n')
    assert found is not None
    assert b"".join(found.chunks).endswith(b'\n"",\n,"1"\n')


def test_a_column_name_may_contain_a_quotation_mark(file: Path) -> None:
    found = fast(file, '{"x\\"y": 7}\n' * 10_000, column('x"y', "int4"))
    assert found is not None
    assert found.options == 'FORMAT csv, NULL \'\', FORCE_NULL ("x""y")'
    assert loaded(found) == [["7"]] * 10_000


def test_a_small_file_is_read_one_object_at_a_time(file: Path) -> None:
    assert fast(file, " " * (64 * 1024)) is None
    assert fast(file, " " * (64 * 1024 + 1)) is not None


@pytest.mark.parametrize(
    "options",
    [
        {"paths": ["$.a", "$.b"]},
        {"json_mapping": "auto ignorecase"},
        {"null_as": "@"},
        {"blanks_as_null": True},
        {"truncate_columns": True},
        {"trim_blanks": True},
        {"date_format": "DD/MM/YYYY"},
        {"time_format": "epochsecs"},
    ],
)
def test_a_file_is_not_passed_to_postgresql_if_a_parameter_changes_its_fields(
    file: Path, options: dict[str, Any]
) -> None:
    assert fast(file, LARGE, **options) is None
    assert fast(file, LARGE, date_format="auto", time_format="auto") is not None


@pytest.mark.parametrize(
    ("kind", "modifier", "is_fast"),
    [
        ("numeric", (15 << 16 | 2) + 4, True),
        ("numeric", (16 << 16 | 2) + 4, False),
        ("numeric", -1, False),
        ("jsonb", -1, False),
        ("float8", -1, True),
        ("timestamp", -1, True),
    ],
)
def test_values_that_a_double_would_change_are_read_one_object_at_a_time(
    file: Path, kind: str, modifier: int, is_fast: bool
) -> None:
    assert (fast(file, LARGE, A, column("b", kind, modifier)) is not None) is is_fast


def test_values_that_postgresql_would_load_differently_are_detected_while_the_csv_is_made(file: Path) -> None:
    """VARCHAR(n) holds n bytes, so the length is checked here: the row has a text of seven bytes."""
    assert loaded(fast(file, LARGE, column("a", "varchar", 4 + 7), B))
    with pytest.raises(NotFast, match="a is too long"):
        loaded(fast(file, LARGE, column("a", "varchar", 4 + 6), B))
    with pytest.raises(NotFast):
        loaded(fast(file, LARGE + "oops\n"))

"""How rows are read and types inferred: the parts of a crawl that need no AWS."""

from __future__ import annotations

import bz2
import gzip
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localaws.core.ports import ObjectEntry
from localaws.glue.crawlers.formats import Look, look_at
from localaws.glue.crawlers.grammar import read_rows, read_value
from localaws.glue.crawlers.inference_cache import InferenceCache
from localaws.glue.crawlers.jdbc import IncludePath, JdbcUrl
from localaws.glue.crawlers.naming import Exclusions, table_name
from localaws.glue.crawlers.schema import hive_type, infer_schema


def types(*rows: dict[str, Any]) -> dict[str, str]:
    return {name: hive_type(kind) for name, kind in infer_schema(rows).items()}


def look(text: bytes, size: int | None = None) -> Look:
    return look_at(text, len(text) if size is None else size)


LETTERS = "ab'\"\\/{}[]:,# \téß漢😀\u2028\x7f\x01"


def random_value(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(8 if depth < 3 else 6)
    if kind < 2:
        return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(8)))
    if kind < 6:
        return [None, True, dice.randrange(-(2**62), 2**62), dice.uniform(-1e9, 1e9)][kind - 2]
    if kind == 6:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(3))]
    return {f"k{n}'\"": random_value(dice, depth + 1) for n in range(dice.randrange(3))}


def test_a_row_printed_by_python_is_read_like_the_same_row_in_strict_json() -> None:
    dice = random.Random(7)
    for _ in range(3000):
        row = {"id": random_value(dice), "it's": random_value(dice)}
        assert read_value(repr(row).encode()) == read_value(json.dumps(row).encode()) == row


def test_the_reader_accepts_any_bytes_without_failing() -> None:
    dice = random.Random(8)
    pieces = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"'",
        b'"',
        b"\\",
        b":",
        b",",
        b"a",
        b"1",
        b"\n",
        b"\xff",
        b"\x00",
        b"None",
        b"\\x",
    ]
    for _ in range(3000):
        text = b"".join(dice.choice(pieces) for _ in range(dice.randrange(30)))
        for size in (len(text), len(text) + 100):
            look(text, size)
        read_rows(text, complete=dice.random() < 0.5)


@pytest.mark.simplified(
    "Glue crawlers",
    "the elements of a top-level array are rows; AWS makes them one array column",
)
@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"a": 2}\n',
        '{"a": 1}\r\n\r\n{"a": 2}',
        '\ufeff{"a": 1}\n{"a": 2}',
        "{'a': 1}\n{'a': 2}\n",
        '[{"a": 1}, {"a": 2}]',
        '[\n  {"a": 1},\n  {"a": 2}\n]\n',
        "[{'a': 1},\n {'a': 2}]",
        '[{"a": 1}]\n[{"a": 2}]\n',
        '{\n  "a": 1\n}\n{\n  "a": 2\n}\n',
        '{"a": 1}{"a": 2}',
    ],
)
def test_json_rows_may_be_on_lines_in_an_array_or_over_several_lines(text: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html"""
    found = read_rows(text.encode(), complete=True)
    assert found.rows == [{"a": 1}, {"a": 2}]
    assert found.unreadable == 0


def test_a_cut_off_last_row_of_a_partial_read_counts_neither_as_a_row_nor_as_unreadable() -> None:
    found = read_rows(b'{"a": 1}\n{"a": 2}\n{"a": 3', complete=False)
    assert (len(found.rows), found.unreadable) == (2, 0)
    in_array = read_rows(b'[{"a": 1},\n{"a": 2},\n{"a": 3', complete=False)
    assert (len(in_array.rows), in_array.unreadable) == (2, 0)


def test_bad_rows_among_good_ones_are_counted() -> None:
    found = look(b'{"a": 1}\nnonsense\n{"a": 2}\n{"a": 3\n')
    assert (found.classification, found.records, found.unreadable) == ("json", 2, 2)


@pytest.mark.parametrize(
    "text",
    [b"hello\nworld\n", b"\x00\x01\x02", b"1\n2\n3\n", b'"just a string"', b"\x1f\x8bbroken", b"BZhbroken", b"<a/>"],
)
def test_text_without_rows_has_an_unknown_classification(text: bytes) -> None:
    assert look(text).classification == "UNKNOWN"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([1, 2**31 - 1], "int"),
        ([1, 2**31], "bigint"),
        ([1, 0.5], "double"),
        ([2**40, 0.5], "double"),
        ([1, "x"], "string"),
        ([True, False], "boolean"),
        ([True, 1], "string"),
        ([None, None], "string"),
        ([None, 1], "int"),
        ([[], [1]], "array<int>"),
        ([[]], "array<string>"),
        ([{"x": 1}, {"y": None}], "struct<x:int,y:string>"),
        ([{"x": 1}, [1]], "string"),
        ([[{"a": [1]}], [{"a": [0.5]}]], "array<struct<a:array<double>>>"),
    ],
)
def test_a_column_s_type_holds_all_of_its_values(rows: list[Any], expected: str) -> None:
    assert types(*({"c": value} for value in rows)) == {"c": expected}
    assert types(*({"c": value} for value in reversed(rows)))["c"].startswith(expected.split("<")[0])


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_row_count_is_estimated_from_the_part_that_was_read() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html"""
    row = b'{"id": 1, "name": "xyz"}\n'
    assert look((row * 1000)[:1010], len(row) * 1000).records == 1000
    packed = gzip.compress(b"".join(b'{"id": %d}\n' % n for n in range(100_000)))
    estimate = look(packed[: len(packed) // 4], len(packed)).records
    assert estimate == pytest.approx(100_000, rel=0.1)


def test_only_the_beginning_of_a_large_compressed_file_is_decompressed() -> None:
    text = (b'{"a": "' + b"x" * 1000 + b'"}\n') * 20_000  # 20 MB, of which 8 are unpacked
    assert look(gzip.compress(text)).records == pytest.approx(20_000, rel=0.6)
    found = look(bz2.compress(text))
    assert (found.classification, found.compression) == ("json", "bzip2")


def test_several_gzip_members_are_read_as_one_file() -> None:
    assert look(gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}\n')).records == 2


@pytest.mark.as_on_aws("Glue crawlers")
def test_csv_needs_two_columns_two_rows_and_rows_of_equal_width() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    assert look(b"a,b\n1,2\n").classification == "csv"
    assert look(b"a,b\n1,2\n").header
    assert not look(b"x,y\nz,w\n").header
    for text in (b"a,b\n", b"a\nb\n", b"a,b\n1,2,3\n"):
        assert look(text).classification == "UNKNOWN"


@pytest.mark.as_on_aws("Glue crawlers")
def test_table_names_keep_letters_digits_and_underscores_in_lower_case_and_at_most_128_of_them() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    assert table_name("", "landing-bucket-A.1") == "landing_bucket_a_1"
    assert table_name("x_", "toll_db", "public", "toll_table") == "x_toll_db_public_toll_table"
    assert len(table_name("", "x" * 300)) == 128


# Those of AWS's page, row by row, and what its text says of each character.
GLOBS = [
    ("*.csv", ["a.csv"], ["a.json", "b/a.csv"]),
    ("*.*", ["a.b"], ["ab", "b/a.b"]),
    ("*.{csv,avro}", ["a.csv", "a.avro"], ["a.json"]),
    ("foo.?", ["foo.a"], ["foo.ab", "foo.", "foo./"]),
    ("myfolder/*", ["myfolder/mysource"], ["myfolder/mysource/data"]),
    ("myfolder/*/*", ["myfolder/mysource/data"], ["myfolder/mysource"]),
    ("myfolder/**", ["myfolder/mysource/mydata", "myfolder/mysource"], ["other/x"]),
    ("myfolder**", ["myfolder", "myfolder/mydata.txt"], ["my"]),
    ("Market*", ["Market_us", "Market_fr"], ["market_us"]),
    ("departments/**", ["departments/finance.json"], ["employees/hr.json"]),
    ("departments/market*", ["departments/market-us.json"], ["departments/finance.json"]),
    ("**.csv", ["employees/john.csv", "a.csv"], ["employees/hr.json"]),
    ("employees/*.csv", ["employees/jane.csv"], ["employees/juan.txt"]),
    ("2015/01/{[!0],0[8-9]}**", ["2015/01/11/a", "2015/01/08/a"], ["2015/01/07/a"]),
    ("2015/0[2-9]/**", ["2015/02/01/a"], ["2015/01/01/a", "2015/10/01/a"]),
    ("[abce-g]", ["a", "e", "f", "g"], ["d", "/"]),
    ("[!a-c]", ["d"], ["a", "c"]),
    ("[*?\\\\]", ["*", "?", "\\"], ["a"]),
    ("[-a]", ["-", "a"], ["b"]),
    ("[!-a]", ["b"], ["-", "a"]),
    (r"\\", ["\\"], ["\\\\"]),
    (r"\{", ["{"], ["\\{"]),
    ("*", [".hidden"], [".hidden/a"]),
]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(("pattern", "matching", "others"), GLOBS)
def test_exclusion_patterns_are_globs_as_aws_documents_them(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    exclusions = Exclusions([pattern])
    assert [path for path in matching + others if exclusions.match(path)] == matching


@pytest.mark.as_on_aws("Glue crawlers")
def test_brace_groups_in_exclusion_patterns_cannot_be_nested() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    with pytest.raises(ValueError, match="nested"):
        Exclusions(["{a,{b,c}}"])


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_percent_sign_in_a_jdbc_include_path_stands_for_any_schema_or_table() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    tables = ["HR_us", "HR_fr", "Employees_Table", "Finance", "Market_US_Table", "Market_EMEA_Table"]

    def found(path: str, *exclusions: str) -> list[str]:
        include = IncludePath(path, exclusions)
        return [table for table in tables if include.match("MyDatabase", "MySchema", table)]

    assert found("MyDatabase/%") == found("MyDatabase/MySchema/%") == found("MyDatabase/%/%") == tables
    assert found("MyDatabase/OtherSchema/%") == found("mydatabase/MySchema/%") == []
    assert found("MyDatabase/MySchema/Market%") == ["Market_US_Table", "Market_EMEA_Table"]
    assert found("MyDatabase/MySchema/%", "HR*") == tables[2:]
    assert found("MyDatabase/MySchema/%", "Market_*") == tables[:4]
    assert found("MyDatabase/MySchema/%", "**_Table") == ["HR_us", "HR_fr", "Finance"]
    assert found("MyDatabase/%", "MySchema/HR*") == tables[2:]


def test_include_paths_match_level_by_level() -> None:
    assert IncludePath("db/public/%").match("db", "public", "t")
    assert IncludePath("/db/public/").match("db", "public", "t")
    assert IncludePath("db").match("db", "public", "t")
    assert IncludePath("db/%/toll%").match("db", "public", "toll_table")
    assert not IncludePath("db/public/%").match("db", "other", "t")
    assert not IncludePath("db/public/t").match("db", "public", "t2")
    assert not IncludePath("db/public/%", ["t"]).match("db", "public", "t")
    assert not IncludePath("db/a/b/c").match("db", "a", "b")


def test_jdbc_urls_are_parsed_and_unsupported_ones_are_refused_by_name() -> None:
    assert JdbcUrl.parse("jdbc:redshift://h.example:5555/toll_db?ssl=true") == JdbcUrl("h.example", 5555, "toll_db")
    assert JdbcUrl.parse("jdbc:redshift://h/d").port == 5439
    with pytest.raises(ValueError, match="connects to jdbc:redshift only, not to jdbc:mysql"):
        JdbcUrl.parse("jdbc:mysql://h:3306/d")
    with pytest.raises(ValueError, match="must be of the form"):
        JdbcUrl.parse("redshift://h/d")


def test_cached_results_survive_a_restart_and_a_damaged_cache_file_is_rebuilt(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "looks.sqlite"
    seen = look(b'{"a": 1, "b": {"c": [1]}}\n')
    items = [ObjectEntry("bucket", f"{number}.json", 27, f"etag{number}", datetime.now(UTC)) for number in range(3)]
    first = InferenceCache(file)
    for item in items:
        first.put(item, seen)
    first.save()
    first.forget("bucket", ["1.json"])
    first.save()
    assert [InferenceCache(file).get(item) for item in items] == [seen, None, seen]
    assert InferenceCache(file).get(replace(items[0], etag="other")) is None
    for damage in (b"garbage" * 1000, file.read_bytes()[:3000]):
        file.write_bytes(damage)
        again = InferenceCache(file)
        assert again.get(items[0]) is None
        again.put(items[0], seen)
        again.save()
        assert InferenceCache(file).get(items[0]) == seen

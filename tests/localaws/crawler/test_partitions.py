"""Which files become a table and which folders its partitions, if some differ and if the table exists.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html and
https://repost.aws/knowledge-center/glue-crawler-not-adding-new-partitions; nothing is served here.
"""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from localaws.glue.crawlers.files import File, FileTree, Statistics
from localaws.glue.crawlers.formats import look_at
from localaws.glue.crawlers.grouping import FoundTable, Grouping, KnownTable
from localaws.glue.crawlers.schema import Primitive

AB = b'{"A": 1, "B": 2}\n'
CD = b'{"C": 3, "D": 4}\n'
EF = b'{"E": 3, "F": 4}\n'
CSV = b"id,town\n1,Bern\n2,Rom\n"
UNREADABLE = b"<a/>"


def columns(names: str) -> bytes:
    """A row with one column for each letter."""
    return b"{" + ", ".join(f'"{name}": 1' for name in names).encode() + b"}\n"


def tree_of(files: dict[str, bytes]) -> FileTree:
    return FileTree(File(path, len(body), look_at(body, len(body))) for path, body in files.items())


def crawl(
    files: dict[str, bytes], known: KnownTable | None = None, **rules: Any
) -> tuple[dict[str, FoundTable], list[str]]:
    """The tables by path, and the lines of the log."""
    log: list[str] = []
    tables = Grouping([known] if known else [], log.append, **rules).tables(tree_of(files))
    return {table.path: table for table in tables}, log


def paths(files: dict[str, bytes], known: KnownTable | None = None, **rules: Any) -> list[str]:
    return list(crawl(files, known, **rules)[0])


def known(path: str = "", names: tuple[str, ...] = (), keys: tuple[str, ...] = ()) -> KnownTable:
    return KnownTable(path, names, keys)


# Files of one folder.


def test_files_of_one_folder_are_one_table_if_at_least_half_of_them_are_similar() -> None:
    assert paths({}) == []
    assert paths({"a": AB}) == [""]
    assert paths({"a": AB, "b": CD}) == [""]
    assert paths({"a": AB, "b": AB, "c": CD, "d": EF}) == [""]
    assert paths({"a": AB, "b": CD, "c": EF}) == ["a", "b", "c"]
    assert paths({"a": AB, "b": CD, "c": EF}, combine=True) == [""]


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("abcdefghij", "abcdefg", True),  # 7 of 10
        ("abcdefghij", "abcdef", False),  # 6 of 10
        ("abcdefg", "abcdefghij", True),
        ("abc", "abd", False),
        ("ab", "ab", True),
    ],
)
def test_schemas_are_similar_if_they_share_most_of_their_columns(one: str, other: str, similar: bool) -> None:
    found = paths({"x/1": columns(one), "y/1": columns(other)})
    assert found == ([""] if similar else ["x/", "y/"])


def test_files_of_one_folder_with_different_compressions_can_still_be_similar() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html speaks of folders."""
    assert paths({"a": AB, "b": gzip.compress(AB), "c": gzip.compress(AB + AB)}) == [""]


def test_a_table_has_the_format_of_most_of_its_files_and_skips_the_others() -> None:
    tables, log = crawl({"1": CSV, "2": AB, "3": CSV, "4": UNREADABLE, "5": UNREADABLE, "6": UNREADABLE})
    assert tables[""].look.classification == "csv"
    assert tables[""].statistics.objects == 2
    assert log == [
        "INFO : Skipped 2: its format is json, but the format of the table is csv",
        *(f"INFO : Skipped {name}: its format is UNKNOWN, but the format of the table is csv" for name in "456"),
    ]


def test_json_takes_precedence_over_csv_if_there_are_equally_many_files_of_both() -> None:
    assert crawl({"1": CSV, "2": AB})[0][""].look.classification == "json"


def test_unreadable_files_are_a_table_of_an_unknown_format() -> None:
    tables, log = crawl({"1": UNREADABLE, "2": UNREADABLE})
    assert (tables[""].look.classification, tables[""].schema, log) == ("UNKNOWN", {}, [])


def test_five_skipped_files_are_named_and_the_others_counted() -> None:
    for skipped, more in ((5, []), (6, ["INFO : Skipped 1 more files like these"])):
        files = {f"{number}.csv": CSV for number in range(skipped)}
        _, log = crawl(files | {f"{number}.json": AB for number in range(10)})
        assert log[5:] == more
        assert log[:5] == [
            f"INFO : Skipped {number}.csv: its format is csv, but the format of the table is json"
            for number in range(5)
        ]


def test_a_table_has_the_columns_of_all_its_files_in_the_catalog_s_and_the_files_spelling() -> None:
    tables, _ = crawl({"1": b'{"Id": 1, "b": 1}\n', "2": b'{"Id": 0.5, "b": 1, "C": "x"}\n'})
    table = tables[""]
    assert table.schema == {"id": Primitive.DOUBLE, "b": Primitive.INT, "c": Primitive.STRING}
    assert table.field_names == ("Id", "b", "C")
    assert table.statistics == Statistics(2, 2, 18 + 30)
    assert (table.partition_keys, table.partitions) == ((), ())


def test_the_columns_of_a_known_table_keep_their_order_before_new_columns() -> None:
    tables, _ = crawl({"1": b'{"new": 1, "a": 1, "b": 1}\n'}, known(names=("b", "gone", "a")))
    assert list(tables[""].schema) == ["b", "a", "new"]
    assert list(crawl({"1": b'{"new": 1, "a": 1, "b": 1}\n'})[0][""].schema) == ["new", "a", "b"]


# Folders.


def test_different_folders_next_to_files_are_tables_of_their_own() -> None:
    assert paths({"1": AB, "x/1": CD, "y/1": EF}) == ["", "x/", "y/"]
    assert paths({"x/1": CD, "y/1": EF, "z/1": AB}) == ["x/", "y/", "z/"]


def test_folders_are_partitions_if_more_than_half_of_them_are_similar() -> None:
    assert paths({"x/1": AB, "y/1": AB, "z/1": CD}) == [""]
    assert paths({"x/1": AB, "y/1": AB, "z/1": CD, "w/1": CD}) == ["w/", "x/", "y/", "z/"]
    assert paths({"x/1": AB, "y/1": CD}) == ["x/", "y/"]
    assert paths({"x/1": AB}) == [""]


def test_files_next_to_folders_count_as_one_more_folder() -> None:
    assert paths({"1": AB, "x/1": AB}) == [""]
    assert paths({"1": CD, "x/1": AB}) == ["", "x/"]
    assert paths({"1": CD, "x/1": AB, "y/1": AB}) == [""]


def test_a_folder_that_holds_several_tables_is_not_similar_to_any_other() -> None:
    mixed = {f"m/{number}": body for number, body in enumerate((AB, CD, EF))}
    assert paths({**mixed, "x/1": AB}) == ["m/0", "m/1", "m/2", "x/"]
    assert paths({**mixed, "x/1": AB, "y/1": AB}) == [""]


def test_a_folder_has_the_compression_and_the_columns_of_most_of_its_files() -> None:
    packed = gzip.compress(AB)
    assert paths({"x/1": packed, "x/2": packed, "x/3": AB, "y/1": packed}) == [""]
    assert paths({"x/1": packed, "x/2": AB, "x/3": AB, "x/4": AB, "y/1": packed}) == ["x/", "y/"]
    assert paths({"x/1": CSV, "x/2": AB, "x/3": AB, "y/1": AB}) == [""]


def test_a_table_level_skips_files_above_it() -> None:
    tables, log = crawl({"top": AB, "a/1": AB, "b/1": CD}, level=1)
    assert list(tables) == ["a/", "b/"]
    assert log == ["INFO : Skipped top: it lies above the table level, which is 1 folders further down"]
    assert paths({"a/1": AB, "a/x/1": CD}, level=1) == ["a/"]
    assert paths({"a/1": AB, "a/2": CD, "a/3": EF}, level=1) == ["a/"]


def test_each_file_can_be_a_table_named_after_the_file() -> None:
    tree = tree_of({"x/b": AB, "x/a": AB, "x/c": CD})
    found = Grouping([], lambda _: None).table_of_each_file(tree)
    assert [(table.path, table.statistics.objects) for table in found] == [("x/a", 1), ("x/b", 1), ("x/c", 1)]


# Partitions.


def test_a_hive_style_folder_names_its_partition_key_and_other_folders_get_numbered_keys() -> None:
    (table,) = crawl({"Year=2017/x/1": AB, "Year=2018/y/1": AB, "Year=2018/y/2": AB})[0].values()
    assert table.partition_keys == ("year", "partition_1")
    assert [(part.values, part.path, part.statistics.objects) for part in table.partitions] == [
        (("2017", "x"), "Year=2017/x/", 1),
        (("2018", "y"), "Year=2018/y/", 2),
    ]


def test_a_partition_value_is_url_decoded_and_may_contain_an_equals_sign() -> None:
    (table,) = crawl({"at=10%3A30/1": AB, "at=a=b/1": AB, "at=/1": AB})[0].values()
    assert [part.values for part in table.partitions] == [("",), ("10:30",), ("a=b",)]


def test_a_folder_whose_name_begins_with_an_equals_sign_gets_a_numbered_key() -> None:
    (table,) = crawl({"=x/1": AB, "=y/1": AB})[0].values()
    assert table.partition_keys == ("partition_0",)


def test_partition_keys_start_below_the_folder_of_the_table() -> None:
    tables, _ = crawl({"a/year=2017/1": AB, "a/year=2018/1": AB, "b/1": CD, "c/1": EF})
    assert list(tables) == ["a/", "b/", "c/"]
    assert tables["a/"].partition_keys == ("year",)
    assert [part.path for part in tables["a/"].partitions] == ["a/year=2017/", "a/year=2018/"]
    assert tables["b/"].partition_keys == ()


def test_a_partition_has_the_columns_and_the_format_of_its_own_files() -> None:
    files = {"y=1/1": b'{"A": 1, "B": 2}\n', "y=1/2": b'{"A": 0.5, "B": 2}\n', "y=2/1": b'{"B": 1, "A": "x"}\n'}
    (table,) = crawl(files, known(names=("b", "a"), keys=("y",)))[0].values()
    assert [part.schema for part in table.partitions] == [
        {"b": Primitive.INT, "a": Primitive.DOUBLE},
        {"b": Primitive.INT, "a": Primitive.STRING},
    ]
    assert [list(part.schema) for part in table.partitions] == [["b", "a"], ["b", "a"]]
    assert [part.look.classification for part in table.partitions] == ["json", "json"]


def test_the_partition_keys_are_those_of_most_files_and_other_files_are_skipped() -> None:
    """ "Folder partition keys do not match table partition keys":
    https://repost.aws/knowledge-center/glue-crawler-not-adding-new-partitions
    """
    tables, log = crawl({"year=2017/1": AB, "year=2017/2": AB, "month=1/1": AB})
    assert tables[""].partition_keys == ("year",)
    assert tables[""].statistics.objects == 2
    assert log == ["INFO : Folder partition keys do not match table partition keys, skipped: month=1/1"]
    tables, log = crawl({"year=2017/1": AB, "month=1/1": AB, "month=1/2": AB, "month=2/1": AB})
    assert (tables[""].partition_keys, len(log)) == (("month",), 1)


def test_a_known_table_keeps_its_partition_keys_even_if_most_files_have_others() -> None:
    files = {"year=2017/1": AB, "month=1/1": AB, "month=1/2": AB}
    tables, log = crawl(files, known(names=("a", "b"), keys=("year",)))
    assert tables[""].partition_keys == ("year",)
    assert [part.values for part in tables[""].partitions] == [("2017",)]
    assert log == [
        "INFO : Folder partition keys do not match table partition keys, skipped: month=1/1",
        "INFO : Folder partition keys do not match table partition keys, skipped: month=1/2",
    ]


def test_a_known_table_without_partition_keys_skips_files_in_new_folders() -> None:
    files = {"1": AB, "month=1/1": AB, "month=1/2": AB}
    tables, log = crawl(files, known(names=("a", "b")))
    assert (tables[""].partition_keys, tables[""].statistics.objects, len(log)) == ((), 1, 2)


def test_a_known_table_gets_new_partition_keys_if_no_folder_has_the_old_ones() -> None:
    tables, log = crawl({"month=1/1": AB}, known(keys=("year",)))
    assert (tables[""].partition_keys, log) == (("month",), [])


def test_more_than_five_files_with_other_partition_keys_are_only_counted() -> None:
    files = {f"year=2017/{number}": AB for number in range(8)} | {f"month=1/{number}": AB for number in range(7)}
    _, log = crawl(files)
    what = "Folder partition keys do not match table partition keys, skipped"
    assert log == [
        *(f"INFO : {what}: month=1/{number}" for number in range(5)),
        f"INFO : {what} 2 more files like these",
    ]


# What the catalog has already.


def test_a_known_table_stays_one_table_even_if_different_files_land_in_its_folders() -> None:
    unlike = {"x/1": AB, "y/1": CD, "z/1": EF}
    assert paths(unlike) == ["x/", "y/", "z/"]
    assert paths(unlike, known()) == [""]
    assert paths({"1": AB, "2": CD, "3": EF}, known()) == [""]
    assert paths({"x/1": AB, "x/2": CD, "x/3": EF, "y/1": EF}, known("x/")) == ["x/", "y/"]


def test_known_tables_below_a_folder_stay_tables_of_their_own() -> None:
    alike = {"x/1": AB, "y/1": AB}
    assert paths(alike) == [""]
    assert paths(alike, known("x/")) == ["x/", "y/"]
    assert paths(alike, known("z/")) == ["x/", "y/"]
    assert paths({"a/x/1": AB, "a/y/1": AB, "b/1": AB}, known("a/x/")) == ["a/x/", "a/y/", "b/"]

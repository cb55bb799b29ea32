"""Which files make one table: AWS's own examples, on the grouping itself."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from localaws.glue.crawlers.files import File, FileTree
from localaws.glue.crawlers.formats import look_at
from localaws.glue.crawlers.grouping import FoundTable, Grouping
from localaws.glue.crawlers.schema import hive_type

AB = b'{"A": 1, "B": 2}\n'
CD = b'{"C": 3, "D": 4}\n'
TWO_YEARS = {"year=2017/data1.json": AB, "year=2018/data2.json": CD}


def file(path: str, body: bytes) -> File:
    return File(path, len(body), look_at(body, len(body)))


def tables(files: Mapping[str, bytes], **rules: Any) -> dict[str, FoundTable]:
    """The tables that `files` make, by path."""
    tree = FileTree(file(path, body) for path, body in files.items())
    return {found.path: found for found in Grouping([], lambda _: None, **rules).tables(tree)}


@pytest.mark.as_on_aws("Glue crawlers")
def test_folders_with_different_schemas_become_one_table_each() -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    assert set(tables(TWO_YEARS)) == {"year=2017/", "year=2018/"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_CombineCompatibleSchemas_makes_one_table_of_folders_with_different_schemas() -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    (table,) = tables(TWO_YEARS, combine=True).values()
    assert {name: hive_type(kind) for name, kind in table.schema.items()} == dict.fromkeys("abcd", "int")
    assert table.partition_keys == ("year",)
    assert [list(partition.schema) for partition in table.partitions] == [["a", "b"], ["c", "d"]]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("other", [b"id,town\n1,Bern\n2,Rom\n", gzip.compress(AB)], ids=["format", "compression"])
def test_CombineCompatibleSchemas_keeps_other_formats_and_compressions_apart(other: bytes) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    assert set(tables({"a/one": AB, "b/two": other}, combine=True)) == {"a/", "b/"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_similar_folders_on_two_levels_become_one_table_with_two_partition_keys() -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    folders = [f"table1/partition{n}" for n in (1, 2, 3)] + [f"table2/partition{n}" for n in (4, 5)]
    (table,) = tables({f"{folder}/file.txt": AB for folder in folders}).values()
    assert (table.path, table.partition_keys) == ("", ("partition_0", "partition_1"))
    assert ["/".join(partition.values) for partition in table.partitions] == folders


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_days_of_the_months_of_a_year_become_partitions_of_one_table() -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    days = [f"year=2019/month={month}/day={day}" for month in ("Feb", "Jan") for day in (1, 2)]
    (table,) = tables({f"{day}/{name}.json": AB for day in days for name in "ab"}).values()
    assert table.partition_keys == ("year", "month", "day")
    assert [partition.values for partition in table.partitions] == [
        ("2019", "Feb", "1"),
        ("2019", "Feb", "2"),
        ("2019", "Jan", "1"),
        ("2019", "Jan", "2"),
    ]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_table_level_sets_at_which_folder_depth_the_tables_are() -> None:
    """The bucket is level 1: https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html"""
    files = {f"{folder}/{number}.json": AB for folder in ("a/x", "a/y", "b/x") for number in range(2)}
    assert set(tables(files)) == {""}
    assert set(tables(files, level=0)) == {""}
    assert set(tables(files, level=1)) == {"a/", "b/"}
    assert set(tables(files, level=2)) == {"a/x/", "a/y/", "b/x/"}


def test_an_updated_file_tree_equals_a_newly_built_one() -> None:
    dice = random.Random(5)
    bodies = [AB, CD, b"id,town\n1,Bern\n2,Rom\n", b"", AB * 3]
    paths = [f"{folder}{name}" for folder in ("", "a/", "a/b/", "c=1/") for name in ("x", "y", "z")]
    tree, files = FileTree(), dict[str, File]()
    for _ in range(400):
        path = dice.choice(paths)
        if dice.random() < 0.4:
            tree.remove(path)
            files.pop(path, None)
        else:
            files[path] = file(path, dice.choice(bodies))
            tree.put(files[path])
        anew = FileTree(files[path] for path in sorted(files))
        assert Grouping([], lambda _: None).tables(tree) == Grouping([], lambda _: None).tables(anew)


def test_skipped_files_are_named_and_counted_in_a_few_log_lines() -> None:
    log: list[str] = []
    csv = b"id,town\n1,Bern\n2,Rom\n"
    files = [file(f"{number}.csv", csv) for number in range(50)] + [file(f"{number}.json", AB) for number in range(60)]
    Grouping([], log.append).tables(FileTree(files))
    assert log[0] == "INFO : Skipped 0.csv: its format is csv, but the format of the table is json"
    assert log[5:] == ["INFO : Skipped 45 more files like these"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_nested_json_makes_struct_and_array_columns() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    row = {"id": 1, "car": {"make": "BMW", "wheels": [{"size": 17.5}]}, "tags": ["x"]}
    (table,) = tables({"a.json": json.dumps(row).encode()}).values()
    assert {name: hive_type(kind) for name, kind in table.schema.items()} == {
        "id": "int",
        "car": "struct<make:string,wheels:array<struct<size:double>>>",
        "tags": "array<string>",
    }

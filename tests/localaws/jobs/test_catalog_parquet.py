"""Parquet tables of the Data Catalog whose files are not all alike."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from awsglue_rows import Row, check, contains
from catalog_tables import FRAMES, crawl, declare, parquet, reading

PAGE = "aws-glue-programming-etl-format-parquet-home.html"


@pytest.mark.as_on_aws("awsglue")
def test_a_column_that_a_parquet_file_does_not_have_is_null_in_its_rows(jobs: Any, preamble: str) -> None:
    """In files of one folder and in those of partitions, through the catalog and by path:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-parquet-home.html
    """
    prefix = jobs.unique("in")
    alike = {name: [7] for name in "klmnopq"}  # a crawler makes one table of files that share most columns
    old, new = parquet(a=[1], b=["x"], **alike), parquet(a=[2], b=["y"], c=[2.5], **alike)
    less = parquet(c=[3.5], b=["z"], **alike)
    for name, files in {"one": (old, new, less), "turned": (new, old, less)}.items():
        for number, body in enumerate(files):
            jobs.put(f"{prefix}/{name}/{number}.parquet", body)
            jobs.put(f"{prefix}/{name}-keys/day={number}/x.parquet", body)
    structs = parquet(s=pa.array([{"x": 1}])), parquet(s=pa.array([{"x": 2, "y": "q"}]))
    for number, body in enumerate(structs):
        jobs.put(f"{prefix}/structs/{number}.parquet", body)
    one, turned = crawl(jobs, f"{prefix}/one/"), crawl(jobs, f"{prefix}/turned/")
    keys, other_keys = crawl(jobs, f"{prefix}/one-keys/"), crawl(jobs, f"{prefix}/turned-keys/")
    found = [[1, "x", None], [2, "y", 2.5], [None, "z", 3.5]]
    late = declare(jobs, {"a": "bigint", "missing": "string"}, f"{prefix}/one/", "parquet")
    nested = declare(jobs, {"s": "struct<x:bigint,y:string>"}, f"{prefix}/structs/", "parquet")
    options = f"glueContext.create_dynamic_frame.from_options('s3', {{'paths': ['s3://{jobs.bucket}/{prefix}/one/']}}"
    short = f"data(read({{0!r}}).select_fields({['a', 'b', 'c', 'day']!r}))"
    rows = [
        Row(PAGE, short.format(one), found),
        Row(PAGE, f"sorted(names(read({turned!r})))", sorted(["a", "b", "c", *alike])),
        Row(PAGE, short.format(turned), found),
        Row(PAGE, short.format(keys), [[*row, str(day)] for day, row in enumerate(found)]),
        Row(PAGE, f"[row[:3] for row in {short.format(other_keys)}]", found),
        Row(PAGE, f"data({options}, 'parquet').select_fields(['a', 'b', 'c']))", found),
        # What a file has and the catalog lacks is there, as in a DynamicFrame; what no file has is NULL.
        Row(PAGE, f"f = read({late!r}); result = [names(f), len(data(f))]",
            [["a", "missing", "b", *alike, "c"], 3]),
        Row(PAGE, f"data(read({nested!r}))", [[{"x": 1, "y": None}], [{"x": 2, "y": "q"}]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.simplified(
    "awsglue",
    "Glue makes a choice type of such a column; here it gets the catalog's type or the wider number type, and"
    " if a value could change, the read is refused with the column's name",
)
def test_different_types_in_parquet_files_become_one_type_that_holds_both_or_are_refused(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
    (resolveChoice)
    """
    prefix = jobs.unique("in")
    ints = {"n": pa.array([1], pa.int32())}
    pairs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "ints": (ints, {"n": pa.array([2**40]), "m": ["x"]}),
        "doubles": (ints, {"n": [2.5]}),
        "texts": (ints, {"n": ["x"]}),
        "large": ({"n": pa.array([2**60])}, {"n": [2.5]}),
        "same": (ints, ints),
    }
    for name, files in pairs.items():
        for number, columns in enumerate(files):
            jobs.put(f"{prefix}/{name}/{number}.parquet", parquet(**columns))

    def table(name: str, kind: str) -> str:
        return declare(jobs, {"n": kind}, f"{prefix}/{name}/", "parquet")

    seen = "f = read({0!r}); result = [f.toDF().schema.simpleString(), data(f)]"
    rows = [
        Row(PAGE, seen.format(table("ints", "bigint")),
            ["struct<n:bigint,m:string>", [[1, None], [2**40, "x"]]]),
        Row(PAGE, seen.format(table("ints", "string")),
            ["struct<n:string,m:string>", [["1", None], [str(2**40), "x"]]]),
        Row(PAGE, seen.format(table("ints", "int")), ["struct<n:bigint,m:string>", [[1, None], [2**40, "x"]]]),
        Row(PAGE, seen.format(table("doubles", "double")), ["struct<n:double>", [[1.0], [2.5]]]),
        Row(PAGE, seen.format(table("texts", "string")), ["struct<n:string>", [["1"], ["x"]]]),
        Row(PAGE, seen.format(table("texts", "int")), ["struct<n:string>", [["1"], ["x"]]]),
        Row(PAGE, f"read({table('large', 'double')!r})", contains("'n'", "bigint, double", "choice type")),
        # Files that agree are read as they are, as in a DynamicFrame: match_catalog casts.
        Row(PAGE, seen.format(table("same", "bigint")), ["struct<n:int>", [[1], [1]]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.simplified("awsglue", "the error has the object's name, but not AWS's text")
def test_a_file_that_is_not_parquet_fails_the_read_and_is_named_in_the_error(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-parquet-home.html"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/a.parquet", parquet(a=[1]))
    jobs.put(f"{prefix}/b.parquet", "not this")
    table = declare(jobs, {"a": "bigint"}, f"{prefix}/", "parquet")
    rows = [Row(FRAMES, f"read({table!r})", contains(f"s3://{jobs.bucket}/{prefix}/b.parquet is not a Parquet file"))]
    check(jobs, preamble, rows, reading(jobs))

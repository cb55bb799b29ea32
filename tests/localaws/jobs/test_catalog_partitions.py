"""Partitioned tables of the Data Catalog.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from awsglue_rows import Row, check, contains
from catalog_tables import PARTITIONS, add_partition, declare, parquet, reading, storage
from test_awsglue_sources import COUNTING

COLUMNS = {"id": "int", "name": "string"}
PUSHDOWN = "aws-glue-programming-pushdown.html"
ENABLED = {"--job-bookmark-option": "job-bookmark-enable"}


def days(jobs: Any, count: int, *, key: str = "int") -> tuple[str, str]:
    """A table of JSON with a partition a day, of one row each; its name, and the prefix of its files."""
    prefix = str(jobs.unique("in"))
    table = declare(jobs, COLUMNS, f"{prefix}/", "json", keys={"day": key})
    glue = jobs.aws("glue")
    for start in range(0, count, 100):
        inputs = []
        for day in range(start, min(start + 100, count)):
            jobs.put(f"{prefix}/day={day}/x.json", json.dumps({"id": day, "name": f"n{day}"}) + "\n")
            inputs.append({"Values": [str(day)], "StorageDescriptor": storage(jobs, COLUMNS, f"{prefix}/day={day}/")})
        glue.batch_create_partition(DatabaseName=jobs.bucket, TableName=table, PartitionInputList=inputs)
    return table, prefix


@pytest.mark.as_on_aws("awsglue")
def test_many_partitions_are_read_with_few_requests(jobs: Any, preamble: str) -> None:
    """As one read of their files: few requests and few tasks, whatever their number. Measured: 5,000 partitions of one
    row each take 3 s. https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html
    """
    table, _ = days(jobs, 300)
    setup = reading(jobs) + COUNTING
    rows = [
        Row(PARTITIONS, f"data(read({table!r}))", sorted(([n, f"n{n}", n] for n in range(300)), key=str)),
        Row(PARTITIONS, "[*counted()[:2], counted()[2] <= 6]", [1, 0, True]),
        Row(PARTITIONS, f"read({table!r}).toDF().rdd.getNumPartitions() <= 4", True),
    ]  # fmt: skip
    check(jobs, preamble, rows, setup)


@pytest.mark.as_on_aws("awsglue")
def test_a_pushdown_predicate_selects_partitions_and_the_others_are_neither_listed_nor_read(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-pushdown.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html
    """
    table, prefix = days(jobs, 40)
    setup = reading(jobs) + COUNTING + (
        "def listed():\n"
        "    asked = [what if name == 'files' else [what] for name, what in requests]\n"
        "    return [one for each in asked for one in each]\n"
        "def days(**how):\n"
        "    requests.clear()\n"
        f"    df = read({table!r}, **how).toDF()\n"
        "    return sorted(row.day for row in df.collect()) if df.columns else df.columns\n"
    )  # fmt: skip
    one = f"{prefix}/day=7/"
    pushed, catalog = (
        "days(push_down_predicate={0!r})",
        "days(additional_options={{'catalogPartitionPredicate': {0!r}}})",
    )
    rows = [
        Row(PUSHDOWN, pushed.format("day = 7"), [7]),
        Row(PUSHDOWN, "listed()", [one, [jobs.bucket, f"{one}x.json"]]),
        Row(PUSHDOWN, pushed.format("(day == '7')"), [7]),
        Row(PUSHDOWN, pushed.format("day between 9 and 10 or `DAY` * 2 = 6"), [3, 9, 10]),
        Row(PUSHDOWN, pushed.format("cast(day as string) like '1%'"), [1, *range(10, 20)]),
        Row(PUSHDOWN, pushed.format("day = 99"), []),
        Row(PUSHDOWN, "listed()", []),
        Row(PUSHDOWN, catalog.format("day = 7"), [7]),
        Row(PUSHDOWN, "listed()", [one, [jobs.bucket, f"{one}x.json"]]),
        Row(PUSHDOWN, catalog.format("day >= 38 and day < 100"), [38, 39]),
        Row(PUSHDOWN, "server = {'catalogPartitionPredicate': 'day < 39'}; "
            "result = days(push_down_predicate='day > 37', additional_options=server)", [38]),
        Row(PUSHDOWN, pushed.format("id = 7"), contains(
            "User's pushdown predicate: id = 7 can not be resolved against partition columns: List(day)")),
        Row(PUSHDOWN, catalog.format("id = 7"), contains("InvalidInputException", "Invalid partition expression")),
    ]  # fmt: skip
    check(jobs, preamble, rows, setup)


@pytest.mark.as_on_aws("awsglue")
def test_a_predicate_on_a_table_without_partitions_is_refused(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/a.json", '{"id": 1}\n')
    table = declare(jobs, COLUMNS, f"{prefix}/", "json")
    rows = [
        Row(PARTITIONS, f"read({table!r}, push_down_predicate='id = 1')",
            contains("can not be resolved against partition columns: List()")),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_partition_keys_have_the_values_and_types_from_the_catalog(jobs: Any, preamble: str) -> None:
    """Whatever the folders are called: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html"""
    prefix = jobs.unique("in")
    keys = {"on": "date", "n": "bigint", "price": "decimal(5,2)", "text": "string", "a b.c": "string"}
    table = declare(jobs, COLUMNS, f"{prefix}/", "json", keys=keys)
    values = {
        "folder": ["2024-02-29", "7", "1.50", "007", "x/y z"],
        "on=1/n=2": ["2023-01-01", "-1", "2", "=", "é"],
        "no-values": ["__HIVE_DEFAULT_PARTITION__", "__HIVE_DEFAULT_PARTITION__", "3", "-", "`"],
    }
    for folder, of_partition in values.items():
        jobs.put(f"{prefix}/{folder}/a.json", '{"id": 1, "name": "x"}\n')
        jobs.put(f"{prefix}/{folder}/deeper/b.json", '{"id": 1, "name": "x"}\n')
        add_partition(jobs, table, of_partition, storage(jobs, COLUMNS, f"{prefix}/{folder}/"))
    wrong = declare(jobs, COLUMNS, f"{prefix}/", "json", keys={"day": "int"})
    add_partition(jobs, wrong, ["monday"], storage(jobs, COLUMNS, f"{prefix}/folder/"))
    expected = [
        [1, "x", "2023-01-01", -1, "2.00", "=", "é"],
        [1, "x", "2024-02-29", 7, "1.50", "007", "x/y z"],
        [1, "x", None, None, "3.00", "-", "`"],
    ]
    rows = [
        Row(PARTITIONS, f"[(f.name, f.dataType.simpleString()) for f in read({table!r}).toDF().schema.fields][2:]",
            list(keys.items())),
        Row(PARTITIONS, f"data(read({table!r}))", [row for row in expected for _ in range(2)]),
        Row(PARTITIONS, f"data(read({table!r}, push_down_predicate=\"on > '2024-01-01' and `a b.c` = 'x/y z'\"))",
            [expected[1]] * 2),
        Row(PARTITIONS, f"data(read({wrong!r}))", contains("day", "monday", wrong)),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_partitions_are_read_from_the_locations_in_the_catalog(jobs: Any, preamble: str) -> None:
    """In another bucket, outside of the table's folder, within one another's, at one object, twice at one place, or
    nowhere: https://docs.aws.amazon.com/glue/latest/webapi/API_StorageDescriptor.html (Location)
    """
    prefix, other = jobs.unique("in"), jobs.unique("elsewhere")
    jobs.aws("s3").create_bucket(Bucket=other)
    table = declare(jobs, COLUMNS, f"{prefix}/", "json", keys={"day": "string"})
    places = {
        "slash": f"s3://{jobs.bucket}/{prefix}/1/",
        "bare": f"s3://{jobs.bucket}/{prefix}/2",
        "outside": f"s3://{jobs.bucket}/{prefix}-outside/x/",
        "bucket": f"s3://{other}/",
        "s3a": f"s3a://{jobs.bucket}/{prefix}/3/",
        "object": f"s3://{jobs.bucket}/{prefix}/4/a.json",
        "again": f"s3://{jobs.bucket}/{prefix}/1/",
        "nowhere": f"s3://{jobs.bucket}/{prefix}/5/",
    }
    for key, number in {"1/a": 1, "2/a": 2, "2/deep/a": 2, "3/a": 3, "4/a": 4, "4/b": 0, "20/a": 0, "a": 0}.items():
        jobs.put(f"{prefix}/{key}.json", json.dumps({"id": number, "name": key}) + "\n")
    jobs.put(f"{prefix}-outside/x/a.json", '{"id": 5, "name": "out"}\n')
    jobs.aws("s3").put_object(Bucket=other, Key="a.json", Body='{"id": 6, "name": "other"}\n')
    for day, location in places.items():
        add_partition(jobs, table, [day], storage(jobs, COLUMNS, location))
    rows = [
        Row(PARTITIONS, f"sorted((r.day, r.id, r.name) for r in read({table!r}).toDF().collect())",
            [["again", 1, "1/a"], ["bare", 2, "2/a"], ["bare", 2, "2/deep/a"], ["bucket", 6, "other"],
             ["object", 4, "4/a"], ["outside", 5, "out"], ["s3a", 3, "3/a"], ["slash", 1, "1/a"]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_a_partition_may_have_another_format_and_other_columns_than_its_table(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_PartitionInput.html"""
    prefix = jobs.unique("in")
    table = declare(jobs, COLUMNS, f"{prefix}/", "json", keys={"day": "int"})
    jobs.put(f"{prefix}/1/a.json", '{"id": 1, "NAME": "x"}\n')
    jobs.put(f"{prefix}/2/a.csv", "id;name\n2;y\n")
    jobs.put(f"{prefix}/3/a.parquet", parquet(id=[3], new=["z"]))
    jobs.put(f"{prefix}/4/a.csv", "w|4\n")
    add_partition(jobs, table, ["1"], storage(jobs, {"id": "int"}, f"{prefix}/1/"))
    semicolons = storage(jobs, COLUMNS, f"{prefix}/2/", serde={"separatorChar": ";"})
    add_partition(jobs, table, ["2"], semicolons, {"classification": "csv", "skip.header.line.count": "1"})
    add_partition(jobs, table, ["3"], storage(jobs, {}, f"{prefix}/3/"), {"classification": "parquet"})
    bars = storage(jobs, {"name": "string", "id": "int"}, f"{prefix}/4/", serde={"field.delim": "|"})
    add_partition(jobs, table, ["4"], bars, {"classification": "csv"})
    rows = [
        Row(PARTITIONS, f"sorted((r.id, r.name, r.new, r.day) for r in read({table!r}).toDF().collect())",
            [[1, "x", None, 1], [2, "y", None, 2], [3, None, "z", 3], [4, "w", None, 4]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_each_partition_has_a_bookmark_of_its_own(jobs: Any, preamble: str, json_lines: Callable[..., str]) -> None:
    """New files are read once, and partitions that a predicate left out stay unread:
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    table, prefix = days(jobs, 3)
    script = preamble + reading(jobs) + (
        "args = getResolvedOptions(sys.argv, ['where'])\n"
        f"df = read({table!r}, push_down_predicate=args['where'], transformation_ctx='s').toDF()\n"
        "print(sorted((row.day, row.id) for row in df.collect()) if df.columns else [])\n"
        "job.commit()\n"
    )  # fmt: skip
    name = jobs.make(script, arguments=ENABLED)
    assert jobs.succeed(name, where="day < 2") == ["[(0, 0), (1, 1)]"]
    jobs.put(f"{prefix}/day=1/y.json", json_lines([{"id": 10}]))
    jobs.put(f"{prefix}/day=0/x.json", json_lines([{"id": 20}]))
    assert jobs.succeed(name, where="day > -1") == ["[(0, 20), (1, 10), (2, 2)]"]
    assert jobs.succeed(name, where="day > -1") == ["[]"]
    # A partition that is new to the catalog, though its files are old.
    add_partition(jobs, table, ["7"], storage(jobs, COLUMNS, f"{prefix}/day=1/"))
    jobs.put(f"{prefix}/day=8/x.json", json_lines([{"id": 8}]))
    add_partition(jobs, table, ["8"], storage(jobs, COLUMNS, f"{prefix}/day=8"))
    assert jobs.succeed(name, where="day > -1") == ["[(8, 8)]"]
    assert jobs.succeed(name, where="day > -1") == ["[]"]
    assert jobs.succeed(name, where="day = 7", job_bookmark_option="job-bookmark-disable") == ["[(7, 1), (7, 10)]"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_GetPartitions_returns_pages_and_on_request_leaves_out_the_columns(jobs: Any) -> None:
    """At most 1,000 in one: https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html"""
    table, prefix = days(jobs, 7)
    glue = jobs.aws("glue")
    where = {"DatabaseName": jobs.bucket, "TableName": table}
    first = glue.get_partitions(**where, MaxResults=3)
    assert [partition["Values"] for partition in first["Partitions"]] == [["0"], ["1"], ["2"]]
    second = glue.get_partitions(**where, MaxResults=3, NextToken=first["NextToken"], ExcludeColumnSchema=True)
    assert second["Partitions"][0]["Values"] == ["3"]
    assert "Columns" not in second["Partitions"][0]["StorageDescriptor"]
    assert second["Partitions"][0]["StorageDescriptor"]["Location"] == f"s3://{jobs.bucket}/{prefix}/day=3/"
    pages = list(glue.get_paginator("get_partitions").paginate(**where, PaginationConfig={"PageSize": 2}))
    found = [partition for page in pages for partition in page["Partitions"]]
    assert [partition["Values"][0] for partition in found] == [str(day) for day in range(7)]
    assert abs(found[0]["CreationTime"].timestamp() - time.time()) < 60
    assert found[0]["StorageDescriptor"]["Columns"][0] == {"Name": "id", "Type": "int"}
    assert [p["Values"] for p in glue.get_partitions(**where, Expression="day > 5")["Partitions"]] == [["6"]]


@pytest.mark.nightly
@pytest.mark.as_on_aws("awsglue")
def test_5000_partitions_can_be_read_and_reading_one_of_them_takes_less_time(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html"""
    table, _ = days(jobs, 5000)
    script = preamble + reading(jobs) + (
        "import time\n"
        "for where in ('day < 5000', 'day = 4321'):\n"
        "    began = time.monotonic()\n"
        f"    count = len(read({table!r}, push_down_predicate=where).toDF().collect())\n"
        "    print(count, time.monotonic() - began)\n"
    )  # fmt: skip
    (all_of_them, long), (one, short) = (line.split() for line in jobs.succeed(jobs.make(script)))
    assert (all_of_them, one) == ("5000", "1")
    assert float(short) < float(long) / 3

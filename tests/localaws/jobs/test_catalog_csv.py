"""CSV tables of the Data Catalog: header lines, and the order of the columns.

skip.header.line.count is a parameter of the table: https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
"""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from awsglue_rows import Row, check, contains
from catalog_tables import FRAMES, add_partition, crawl, declare, reading, storage

COLUMNS = {"id": "int", "name": "string"}
HEADER = "skip.header.line.count"


@pytest.mark.as_on_aws("awsglue")
def test_the_header_of_a_crawled_csv_file_is_not_read_as_a_row(jobs: Any, preamble: str) -> None:
    """Of each file and of each partition: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    prefix = jobs.unique("in")
    files: dict[str, str | bytes] = {
        "plain/a.csv": "id,name\n1,x\n",
        "plain/b.csv": "id,name\n2,y\n3,z\n",
        "zipped/a.csv.gz": gzip.compress(b"id,name\n1,x\n"),
        "zipped/b.csv.gz": gzip.compress(b"id,name\n2,y\n"),
        "quoted/a.csv": '"id","name"\n"1","x, y"\n"2","z"\n',
        "keys/day=1/a.csv": "id,name\n1,x\n",
        "keys/day=1/b.csv": "id,name\n2,y\n",
        "keys/day=2/a.csv": "id,name\n3,z\n",
        "none/a.csv": "1,x\n2,y\n",
    }
    for name, body in files.items():
        jobs.put(f"{prefix}/{name}", body)
    tables = {name: crawl(jobs, f"{prefix}/{name}/") for name in {file.split("/")[0] for file in files}}
    ids = "sorted(int(row[0]) for row in data(read({0!r})))"
    rows = [
        Row(FRAMES, ids.format(tables["plain"]), [1, 2, 3]),
        Row(FRAMES, ids.format(tables["zipped"]), [1, 2]),
        Row(FRAMES, f"[row[1] for row in data(read({tables['quoted']!r}))]", ["x, y", "z"]),
        Row(FRAMES, f"sorted((int(row[0]), row[2]) for row in data(read({tables['keys']!r})))",
            [[1, "1"], [2, "1"], [3, "2"]]),
        Row(FRAMES, ids.format(tables["none"]), [1, 2]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_the_skip_header_line_count_of_a_table_or_its_serde_applies_to_each_file(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html; Hive takes the table's parameters before
    those of its SerDe.
    """
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/1/a.csv", "id,name\n1,x\n")
    jobs.put(f"{prefix}/2/a.csv", "made by hand\nid,name\n1,x\n2,y\n")
    jobs.put(f"{prefix}/2/b.csv.gz", gzip.compress(b"made by hand\nid,name\n3,z\n"))
    jobs.put(f"{prefix}/2/short.csv", "made by hand\n")
    jobs.put(f"{prefix}/2/cut.csv", "made by hand\nid,name")
    jobs.put(f"{prefix}/json/a.json", 'comment\n{"id": 1, "name": "x"}\n')

    def table(place: str, kind: str = "csv", parameters: Any = None, serde: Any = None) -> str:
        return declare(jobs, COLUMNS, f"{prefix}/{place}/", kind, parameters=parameters, serde=serde)

    rows = [
        Row(FRAMES, f"data(read({table('1', parameters={HEADER: '1'})!r}))", [[1, "x"]]),
        Row(FRAMES, f"data(read({table('1', serde={HEADER: '1'})!r}))", [[1, "x"]]),
        Row(FRAMES, f"data(read({table('1', parameters={HEADER: '0'}, serde={HEADER: '1'})!r}))",
            [[1, "x"], [None, "name"]]),
        Row(FRAMES, f"data(read({table('1')!r}))", [[1, "x"], [None, "name"]]),
        Row(FRAMES, f"data(read({table('2', parameters={HEADER: '2'})!r}))", [[1, "x"], [2, "y"], [3, "z"]]),
        Row(FRAMES, f"data(read({table('2', parameters={HEADER: '3'})!r}))", [[2, "y"]]),
        Row(FRAMES, f"f = read({table('json', 'json', {HEADER: '1'})!r}); result = [data(f), f.errorsCount()]",
            [[[1, "x"]], 0]),
        Row(FRAMES, f"read({table('1', parameters={HEADER: 'one'})!r})", contains("skip.header.line.count", "'one'")),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.simplified(
    "awsglue",
    "a partition with a classification has its own header setting, a partition without one has the table's;"
    " AWS does not document which applies",
)
def test_a_partition_has_its_own_header_setting_or_the_table_s(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html"""
    prefix = jobs.unique("in")
    table = declare(jobs, COLUMNS, f"{prefix}/", "csv", parameters={HEADER: "1"}, keys={"day": "int"})
    bodies = {"1": "id,name\n1,x\n", "2": "2,y\n", "3": "hand\nid,name\n3,z\n"}
    own: dict[str, dict[str, str]] = {"1": {}, "2": {"classification": "csv"}, "3": {HEADER: "2"}}
    for day, body in bodies.items():
        jobs.put(f"{prefix}/day={day}/a.csv", body)
        add_partition(jobs, table, [day], storage(jobs, COLUMNS, f"{prefix}/day={day}/"), own[day])
    rows = [Row(FRAMES, f"data(read({table!r}))", [[1, "x", 1], [2, "y", 2], [3, "z", 3]])]
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.simplified(
    "awsglue",
    "the partition's columns are matched to the table's by name; AWS documents neither order",
)
def test_a_partition_s_csv_has_the_column_order_of_the_partition(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html"""
    prefix = jobs.unique("in")
    columns = {"id": "int", "name": "string", "amount": "double"}
    table = declare(jobs, columns, f"{prefix}/", "csv", keys={"day": "string"})
    lines = {
        "same": (["id", "name", "amount"], "1,x,1.5\n"),
        "none": ([], "2,y,2.5\n"),
        "fewer": (["id", "amount"], "3,3.5\n"),
        "turned": (["amount", "ID", "name"], "4.5,4,z\n"),
        "renamed": (["id", "title", "amount"], "5,w,5.5\n"),
        "more": (["id", "name", "amount", "extra"], "6,v,6.5,!\n"),
        "inserted": (["id", "extra", "name", "amount"], "7,!,u,7.5\n"),
    }
    for day, (names, body) in lines.items():
        jobs.put(f"{prefix}/{day}/a.csv", body)
        kinds = {name: columns.get(name, "string") for name in names}
        add_partition(jobs, table, [day], storage(jobs, kinds, f"{prefix}/{day}/"))
    good = "push_down_predicate=\"day != 'inserted'\""
    rows = [
        Row(FRAMES, f"data(read({table!r}, {good}))",
            [[1, "x", 1.5, "same"], [2, "y", 2.5, "none"], [3, None, 3.5, "fewer"], [4, "z", 4.5, "turned"],
             [5, "w", 5.5, "renamed"], [6, "v", 6.5, "more"]]),
        Row(FRAMES, f"data(read({table!r}))", contains("inserted", "'extra'", "'name'")),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_rows_that_are_written_to_a_csv_table_can_be_read_from_it(jobs: Any, preamble: str) -> None:
    """With the table's delimiter, and a header where the table has one:
    https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html
    """
    prefix = jobs.unique("out")
    tables = [
        declare(jobs, COLUMNS, f"{prefix}/{number}/", "csv", parameters=parameters, serde={"field.delim": "|"})
        for number, parameters in enumerate(({}, {HEADER: "1"}, {HEADER: "2"}))
    ]
    setup = reading(jobs) + (
        "def write(table):\n"
        "    frame = frame_of([(1, 'x,y'), (2, 'a|b')], 'id int, name string')\n"
        f"    glueContext.write_dynamic_frame.from_catalog(frame, {jobs.bucket!r}, table)\n"
        "    return data(read(table))\n"
    )
    rows = [Row(FRAMES, f"write({table!r})", [[1, "x,y"], [2, "a|b"]]) for table in tables[:2]]
    rows.append(Row(FRAMES, f"write({tables[2]!r})", contains("NotSupportedLocally", f"{HEADER}=2")))
    check(jobs, preamble, rows, setup)
    assert [text.splitlines()[0] for text in jobs.objects(f"{prefix}/").values()] == ["1|x,y", "id|name"]

"""The local awsglue, in real runs: AWS's documented API, and honest errors for the rest."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

ROWS = [{"id": n, "name": f"booth {n}", "amount": n / 4, "at": {"road": "A", "km": n}} for n in range(4)]


def test_a_catalog_table_is_read_with_the_catalogs_types_in_strict_and_single_quoted_json(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    prefix = f"{jobs.unique('in')}/"
    jobs.put(f"{prefix}strict.json", json_lines(ROWS[:2]))
    jobs.put(f"{prefix}sample.json", "".join(f"{row}\n" for row in ROWS[2:]))
    jobs.put(f"{prefix}array.json.gz", gzip.compress(json.dumps(ROWS[:1] * 2).encode()))
    jobs.put(f"{prefix}bad.json", '{"id": 7, "na\n\n  \nNone\n')
    jobs.put(f"{prefix}empty.json", "")
    jobs.put(f"{prefix}_SUCCESS", "not data")
    columns = {"id": "bigint", "name": "string", "amount": "double", "at": "struct<road:string,km:int>"}
    table = jobs.table(columns, prefix)
    script = preamble + (
        f"frame = glueContext.create_dynamic_frame.from_catalog(database='{jobs.bucket}', table_name='{table}')\n"
        "frame.printSchema()\n"
        "print(frame.count(), frame.errorsCount())\n"
        "chosen = frame.select_fields(['id', 'at.km']).toDF()\n"
        "print(sorted(tuple(row) for row in chosen.select('id', 'at.km').collect()))\n"
        "print(sorted(row.error.input for row in frame.errorsAsDynamicFrame().toDF().collect()))\n"
    )
    *schema, counts, rows, errors = jobs.succeed(jobs.make(script))
    assert schema == [
        "root", "|-- id: long", "|-- name: string", "|-- amount: double", "|-- at: struct<road:string,km:int>"
    ]  # fmt: skip
    assert counts == "6 2"
    assert eval(rows) == [(0, 0), (0, 0), (0, 0), (1, 1), (2, 2), (3, 3)]
    assert eval(errors) == ["None", '{"id": 7, "na']


def test_partitions_become_columns_and_can_be_chosen(jobs: Any, preamble: str, json_lines: Callable[..., str]) -> None:
    prefix = jobs.unique("in")
    table = jobs.table({"id": "int"}, f"{prefix}/", PartitionKeys=[{"Name": "day", "Type": "int"}])
    for day in (1, 2):
        location = f"{prefix}/day={day}/"
        jobs.put(f"{location}x.json", json_lines({"id": n} for n in range(day)))
        storage = {"Columns": [{"Name": "id", "Type": "int"}], "Location": f"s3://{jobs.bucket}/{location}"}
        partition = {"Values": [str(day)], "StorageDescriptor": storage}
        jobs.aws("glue").create_partition(DatabaseName=jobs.bucket, TableName=table, PartitionInput=partition)
    script = preamble + (
        "read = glueContext.create_dynamic_frame.from_catalog\n"
        f"where = dict(database='{jobs.bucket}', table_name='{table}')\n"
        "print(sorted(tuple(r) for r in read(**where).toDF().collect()))\n"
        "print(sorted(tuple(r) for r in read(push_down_predicate='day > 1', **where).toDF().collect()))\n"
    )
    assert jobs.succeed(jobs.make(script)) == ["[(0, 1), (0, 2), (1, 2)]", "[(0, 2), (1, 2)]"]


def test_transforms_do_what_their_pages_say(jobs: Any, preamble: str) -> None:
    script = preamble + (
        "df = spark.createDataFrame([(1, '2.5', 'x', None), (2, 'no', 'y', None)],"
        " 'a int, b string, `c.d` string, e string')\n"
        "frame = DynamicFrame.fromDF(df, glueContext, 'frame')\n"
        "def show(f): print(f.toDF().columns, sorted([tuple(r) for r in f.toDF().collect()], key=str))\n"
        "show(ApplyMapping.apply(frame=frame, mappings=[('b', 'string', 'amount', 'double'),"
        " ('a', 'int', 'out.id', 'bigint'), ('gone', 'string', 'gone', 'string')]))\n"
        "show(SelectFields.apply(frame=frame, paths=['a', 'gone']))\n"
        "show(DropFields.apply(frame=frame, paths=['b', '`c.d`', 'e']))\n"
        "show(RenameField.apply(frame=frame, old_name='a', new_name='id').select_fields(['id']))\n"
        "show(ResolveChoice.apply(frame=frame, specs=[('b', 'cast:double')]).select_fields(['b']))\n"
        "show(Filter.apply(frame=frame, f=lambda row: row['a'] > 1).select_fields(['a']))\n"
        "show(Map.apply(frame=frame, f=lambda row: {'twice': 2 * row['a']}))\n"
        "show(DropNullFields.apply(frame=frame).select_fields(['a', 'e']))\n"
        "pair = SplitFields.apply(frame=frame, paths=['a'], name1='left', name2='right')\n"
        "print(sorted(pair.keys()), SelectFromCollection.apply(dfc=pair, key='left').toDF().columns)\n"
        "print(frame.count(), frame.schema().names)\n"
    )
    assert jobs.succeed(jobs.make(script)) == [
        "['amount', 'out'] [(2.5, Row(id=1)), (None, Row(id=2))]",
        "['a'] [(1,), (2,)]",
        "['a'] [(1,), (2,)]",
        "['id'] [(1,), (2,)]",
        "['b'] [(2.5,), (None,)]",
        "['a'] [(2,)]",
        "['twice'] [(2,), (4,)]",
        "['a'] [(1,), (2,)]",
        "['left', 'right'] ['a']",
        "2 ['a', 'b', 'c.d', 'e']",
    ]


def test_what_is_written_to_s3_comes_back_in_every_format(jobs: Any, preamble: str) -> None:
    target = jobs.unique("out")
    script = preamble + (
        "rows = [(1, '  spaced ', 'a,b'), (2, 'quo\"te', 'x')]\n"
        "df = spark.createDataFrame(rows, 'id int, text string, kind string')\n"
        "frame = DynamicFrame.fromDF(df, glueContext, 'f')\n"
        "for format, options in (('json', {}), ('csv', {'withHeader': True}), ('parquet', {})):\n"
        f"    path = 's3://{jobs.bucket}/{target}/' + format + '/'\n"
        "    glueContext.write_dynamic_frame.from_options(frame=frame, connection_type='s3',"
        " connection_options={'path': path}, format=format)\n"
        "    back = glueContext.create_dynamic_frame.from_options('s3', {'paths': [path]}, format, options)\n"
        "    print(sorted((int(r.id), r.text, r.kind) for r in back.toDF().collect()) == rows)\n"
        f"path = 's3://{jobs.bucket}/{target}/by/'\n"
        "glueContext.write_dynamic_frame.from_options(frame=frame, connection_type='s3',"
        " connection_options={'path': path, 'partitionKeys': ['id']}, format='json')\n"
        "empty = frame.filter(lambda row: False)\n"
        "glueContext.write_dynamic_frame.from_options(frame=empty, connection_type='s3',"
        f" connection_options={{'path': 's3://{jobs.bucket}/{target}/none/'}}, format='csv')\n"
    )
    assert jobs.succeed(jobs.make(script)) == ["True", "True", "True"]
    partitioned = jobs.objects(f"{target}/by/")
    assert sorted(key.split("/")[2] for key in partitioned) == ["id=1", "id=2"]
    assert jobs.objects(f"{target}/none/") == {}


def test_a_file_name_is_attached_to_each_row(jobs: Any, preamble: str, json_lines: Callable[..., str]) -> None:
    prefix = jobs.unique("in")
    for name in ("a b+c.json", "x/y%20z.json"):
        jobs.put(f"{prefix}/{name}", json_lines([{"id": 1}]))
    script = preamble + (
        f"options = {{'paths': ['s3://{jobs.bucket}/{prefix}/'], 'recurse': True}}\n"
        "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'json', {'attachFilename': 'file'})\n"
        "for row in sorted(r.file for r in frame.toDF().collect()): print(row)\n"
    )
    assert jobs.succeed(jobs.make(script)) == [
        f"s3://{jobs.bucket}/{prefix}/a b+c.json",
        f"s3://{jobs.bucket}/{prefix}/x/y%20z.json",
    ]


def test_a_truncated_archive_fails_the_run_by_its_name(jobs: Any, preamble: str) -> None:
    key = f"{jobs.unique('in')}/cut.json.gz"
    jobs.put(key, gzip.compress(b'{"id": 1}\n' * 1000)[:-20])
    script = preamble + (
        f"options = {{'paths': ['s3://{jobs.bucket}/{key}']}}\n"
        "print(glueContext.create_dynamic_frame.from_options('s3', options, 'json').count())\n"
    )
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert f"s3://{jobs.bucket}/{key} is a damaged gzip file" in run["ErrorMessage"]


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("glueContext.getSink(path='s3://b/')", "GlueContext.getSink"),
        ("frame.relationalize('a', 'b')", "DynamicFrame.relationalize"),
        ("glueContext.create_dynamic_frame.from_rdd(None, 'x')", "create_dynamic_frame.from_rdd"),
        ("glueContext.create_dynamic_frame.from_options('dynamodb', {})", "connection_type='dynamodb'"),
        ("glueContext.create_dynamic_frame.from_options('s3', {'paths': ['s3://b/']}, 'xml')", "format='xml'"),
        (
            "glueContext.create_dynamic_frame.from_options('s3', {'paths': ['s3://b/'], 'boundedFiles': 1}, 'json')",
            "'boundedFiles'",
        ),
        (
            "glueContext.create_dynamic_frame.from_options('s3', {'paths': ['s3://b/']}, 'json', {'jsonPath': '$'})",
            "'jsonPath'",
        ),
        ("frame.resolveChoice(specs=[('a', 'make_soup')])", "'make_soup'"),
        ("ApplyMapping.apply(frame, [('id', 'long', 'id', 'money')])", "'money'"),
        (
            "glueContext.write_dynamic_frame.from_options(frame, 'mysql', {})",
            "connection_type='mysql'",
        ),
    ],
)
def test_what_is_not_supported_names_itself(jobs: Any, preamble: str, code: str, named: str) -> None:
    script = preamble + f"frame = DynamicFrame.fromDF(spark.range(1), glueContext, 'f')\n{code}\n"
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith("NotSupportedLocally: ")
    assert named in run["ErrorMessage"]
    assert "is not supported by the embedded AWS" in run["ErrorMessage"]


def test_resolved_options_are_what_the_page_says(jobs: Any) -> None:
    script = """
        import sys
        from awsglue.utils import getResolvedOptions, GlueArgumentError
        args = getResolvedOptions(sys.argv, ["JOB_NAME", "color", "the-size"])
        print(args["color"], args["the_size"], args["JOB_RUN_ID"].startswith("jr_"), args["TempDir"][:5])
        print(getResolvedOptions(["x", "--col", "blue"], ["color"])["color"])
        try:
            getResolvedOptions(sys.argv, ["weight"])
        except GlueArgumentError as error:
            print(error)
    """
    name = jobs.make(script, arguments={"--color": "red", "--the-size": "2", "--other": "x"})
    assert jobs.succeed(name) == [
        "red 2 True s3://",
        "blue",
        "the following arguments are required: --weight",
    ]

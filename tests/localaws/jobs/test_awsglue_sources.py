"""S3 sources and sinks of ``awsglue``: formats and their options, paths, bookmarks of named objects."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from awsglue_rows import Row, check, contains

JSON, CSV, PARQUET, S3 = (
    f"aws-glue-programming-etl-{name}.html" for name in ("format-json-home", "format-csv-home", "format-parquet-home",
                                                         "connect-s3-home")
)  # fmt: skip
# Notes each request to S3: (operation, prefix or keys). Everything goes on as before.
COUNTING = """
from awsglue import _aws, _s3
requests, handed_out = [], _s3._handed_out
def noted(params, model, **_):
    requests.append((model.name, params.get("Prefix", params.get("Key"))))
def handing_out(addresses):
    requests.append(("files", [list(address) for address in addresses]))
    return handed_out(addresses)
_aws.client("s3").meta.events.register("before-parameter-build.s3", noted)
_s3._handed_out = handing_out
def counted():
    names = [name for name, _ in requests]
    return [names.count(name) for name in ("files", "GetObject", "ListObjectsV2")]
"""


@pytest.mark.nightly
@pytest.mark.as_on_aws("awsglue")
def test_format_options_for_reading_and_writing_work_as_documented(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-json-home.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-parquet-home.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
    """
    prefix = jobs.unique("in")
    files = {
        "lines.json": '{"id": 1, "at": {"km": 2}}\n{"id": 2}\n',
        "spread.json": '[{"id": 1,\n "name": "a"},\n {"id": 2}]\n',
        "plain.csv": "a,b\n1,x y\n",
        "quoted.csv": 'a,b\n1,"x, ""y"""\n2,"z"\n',
        "pipes.csv": "1|'x|y'\n",
        "long.csv": 'a,b\n1,"x\ny"\n',
        "ones/one.csv": "a\n",
        "ones/two.csv": "a,x\n",
        "ones/zipped.csv.gz": gzip.compress(b"b,y\n"),
        "escaped.csv": 'a,b\n1,"x\\"y"\n',
        "deep/er/one.csv": "1,2\n",
        "deep/two.csv": "3,4\n",
        "zipped": gzip.compress(b"1,2\n"),
        "zipped.csv.gz": gzip.compress(b"5,6\n"),
    }
    for name, body in files.items():
        jobs.put(f"{prefix}/{name}", body)
    setup = (
        f"root = 's3://{jobs.bucket}/{prefix}/'\n"
        "def read(name, format, options={}, **more):\n"
        "    paths = {'paths': [root + name], **more}\n"
        "    return glueContext.create_dynamic_frame.from_options('s3', paths, format, options)\n"
        "def write(frame, name, format, options={}, **more):\n"
        "    glueContext.write_dynamic_frame.from_options(frame=frame, connection_type='s3',"
        " connection_options={'path': root + name, **more}, format=format, format_options=options)\n"
        "def texts(name):\n"
        "    import boto3\n"
        "    s3 = boto3.client('s3')\n"
        f"    found = s3.list_objects_v2(Bucket='{jobs.bucket}', Prefix='{prefix}/' + name)['Contents']\n"
        f"    return {{o['Key'].split('/', 1)[1]: s3.get_object(Bucket='{jobs.bucket}', Key=o['Key'])['Body'].read()"
        " for o in found}\n"
        "frame = frame_of([(1, ' x,\"y ', 'k')], 'id int, text string, kind string')\n"
    )
    back = "write(frame, {0!r}, {1!r}, {2!r}); result = data(read({0!r}, {1!r}, {3!r}))"
    rows = [
        Row(JSON, "read('lines.json', 'json', {'multiLine': 'false'}).toDF().schema.simpleString()",
            "struct<at:struct<km:int>,id:int>"),
        Row(JSON, "data(read('spread.json', 'json', {'multiLine': 'true'}))", [[1, "a"], [2, None]]),
        Row(JSON, "data(read('spread.json', 'json', {'multiline': True, 'optimizePerformance': False}))",
            [[1, "a"], [2, None]]),
        Row(CSV, "f = read('plain.csv', 'csv'); result = [names(f), data(f)]",
            [["col0", "col1"], [["1", "x y"], ["a", "b"]]]),
        Row(CSV, "f = read('quoted.csv', 'csv', {'withHeader': True}); result = [names(f), data(f)]",
            [["a", "b"], [["1", 'x, "y"'], ["2", "z"]]]),
        Row(CSV, "data(read('pipes.csv', 'csv', {'separator': '|', 'quoteChar': \"'\"}))", [["1", "x|y"]]),
        Row(CSV, "data(read('pipes.csv', 'csv', {'separator': '|', 'quoteChar': -1}))", [["1", "'x", "y'"]]),
        Row(CSV, "data(read('long.csv', 'csv', {'withHeader': True, 'multiLine': True}))", [["1", "x\ny"]]),
        Row(CSV, "data(read('ones/', 'csv', {'quoteChar': -1}))", [["a"], ["a"], ["b"]]),
        Row(CSV, "data(read('escaped.csv', 'csv', {'withHeader': True, 'escaper': '\\\\'}))", [["1", 'x"y']]),
        Row(CSV, "read('plain.csv', 'csv', {'skipFirst': True})", contains("skipFirst")),
        Row(S3, "data(read('deep/', 'csv'))", [["3", "4"]]),
        Row(S3, "data(read('deep', 'csv', recurse=True))", [["1", "2"], ["3", "4"]]),
        Row(S3, "data(read('zipped.csv.gz', 'csv'))", [["5", "6"]]),
        Row(S3, "data(read('zipped', 'csv', compressionType='gzip'))", [["1", "2"]]),
        Row(S3, "data(read('deep', 'csv', groupFiles='inPartition', groupSize='1048576'))", [["3", "4"]]),
        Row(JSON, back.format("j/", "json", {}, {}), [[1, "k", ' x,"y ']]),
        Row(CSV, back.format("c/", "csv", {}, {"withHeader": True}), [["1", ' x,"y ', "k"]]),
        Row(CSV, "write(frame, 'h/', 'csv', {'writeHeader': False, 'separator': '|'}); result = "
            "list(texts('h/').values())[0].decode()", '1|" x,""y "|k\n'),
        Row(CSV, "write(frame.select_fields(['id', 'kind']), 'n/', 'csv', {'quoteChar': -1}); result = "
            "list(texts('n/').values())[0].decode()", "id,kind\n1,k\n"),
        Row(PARQUET, back.format("p/", "parquet", {}, {}), [[1, ' x,"y ', "k"]]),
        Row(PARQUET, "write(frame, 'g/', 'glueparquet', {'compression': 'gzip', 'blockSize': 65536, 'pageSize': 1024});"
            " result = [k.rsplit('.', 2)[1:] for k in texts('g/')]", [["gz", "parquet"]]),
        Row(S3, "write(frame, 'z/', 'json', compression='gzip'); import gzip; result = "
            "[json.loads(gzip.decompress(v))['kind'] for k, v in texts('z/').items() if k.endswith('.gz')]", ["k"]),
        Row(S3, "write(frame, 'by/', 'json', partitionKeys=['kind', 'id']); result = "
            "[(k.split('/')[1:3], json.loads(v)) for k, v in texts('by/').items()]",
            [[["kind=k", "id=1"], {"text": ' x,"y '}]]),
        Row(S3, "write(frame.filter(lambda r: False), 'none/', 'csv'); result = data(read('none/', 'csv'))", []),
    ]  # fmt: skip
    check(jobs, preamble, rows, setup)


@pytest.mark.as_on_aws("awsglue")
def test_paths_that_name_objects_are_read_without_a_listing(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html ("paths")"""
    prefix = jobs.unique("in")
    for number in range(30):
        jobs.put(f"{prefix}/{number}.json", json_lines([{"id": number}]))
    jobs.put(f"{prefix}/folder/x.json", json_lines([{"id": 99}]))
    script = preamble + COUNTING + (
        f"paths = ['s3://{jobs.bucket}/{prefix}/%d.json' % n for n in range(30)]\n"
        "def load(paths, **more):\n"
        "    requests.clear()\n"
        "    options = {'paths': paths, 'recurse': True}\n"
        "    read = glueContext.create_dynamic_frame.from_options\n"
        "    frame = read('s3', options, 'json', {'attachFilename': 'file'}, **more)\n"
        "    rows = frame.toDF().collect() if frame.toDF().columns else []\n"
        "    print(len(rows), sum(row.id for row in rows), *counted())\n"
        "    return rows\n"
        "rows = load(paths)\n"
        "print(all(row.file.endswith('/%d.json' % row.id) for row in rows))\n"
        f"load(paths[:2] + ['s3://{jobs.bucket}/{prefix}/folder'])\n"
        f"load(['s3://{jobs.bucket}/{prefix}/'])\n"
        "import os\n"
        "rename = os.rename\n"
        "def refusing(source, target):\n"
        "    if 'handed-out' in str(source): raise OSError('not here')\n"
        "    rename(source, target)\n"
        "os.rename = refusing\n"
        "load(paths)\n"
    )  # fmt: skip
    # One request asks for the files of all objects; an object without a file is read by a GetObject.
    assert jobs.succeed(jobs.make(script)) == [
        "30 435 1 0 0", "True", "3 100 2 1 1", "31 534 1 0 1", "30 435 1 30 0"
    ]  # fmt: skip


@pytest.mark.simplified(
    "awsglue",
    "AWS does not document the result of a missing path; here, as Glue's own log line says, it gives no rows"
    " and no error",
)
def test_a_path_to_a_missing_object_is_skipped_and_noted_in_the_error_log(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html ("paths")"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/here.json", json_lines([{"id": 1}]))
    script = preamble + (
        f"root = 's3://{jobs.bucket}/{prefix}/'\n"
        "read = glueContext.create_dynamic_frame.from_options\n"
        "print(read('s3', {'paths': [root + 'here.json', root + 'gone.json']}, 'json').count())\n"
        "print(read('s3', {'paths': [root + 'gone.json']}, 'json').toDF().columns)\n"
        "read('s3', {'paths': ['s3://no-such-bucket-here/x.json']}, 'json')\n"
    )
    run = jobs.run(jobs.make(script))
    assert jobs.log(run["Id"])[:2] == ["1", "[]"]
    assert "NoSuchBucket" in run["ErrorMessage"]
    assert any("no new files detected" in line and "gone.json" in line for line in jobs.log(run["Id"], "error"))


@pytest.mark.as_on_aws("awsglue")
def test_objects_that_are_named_in_paths_are_bookmarked_by_their_last_modified_times(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"""
    prefix = jobs.unique("in")
    for name in "abc":
        jobs.put(f"{prefix}/{name}.json", json_lines([{"id": name}]))
    script = preamble + (
        "names = getResolvedOptions(sys.argv, ['names'])['names'].split(',')\n"
        f"paths = ['s3://{jobs.bucket}/{prefix}/' + name for name in names]\n"
        "read = glueContext.create_dynamic_frame.from_options\n"
        "source = read('s3', {'paths': paths}, 'json', transformation_ctx='s')\n"
        "print(sorted(row.id for row in source.toDF().collect()))\n"
        "job.commit()\n"
    )
    name = jobs.make(script, arguments={"--job-bookmark-option": "job-bookmark-enable"})
    assert jobs.succeed(name, names="a.json,b.json") == ["['a', 'b']"]
    assert jobs.succeed(name, names="b.json,c.json") == ["['c']"]
    jobs.put(f"{prefix}/b.json", json_lines([{"id": "b2"}]))
    assert jobs.succeed(name, names="a.json,b.json,c.json") == ["['b2']"]


@pytest.mark.simplified(
    "awsglue",
    "AWS does not document whether the name is URL-encoded; here it is s3://bucket/key without encoding;"
    " Spark's own input_file_name() gives a local file",
)
def test_the_attachFilename_option_gives_the_s3_uri_of_the_object(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html ("attachFilename")"""
    prefix = jobs.unique("in")
    for name in ("a b+c.json", "x/y%20z.json"):
        jobs.put(f"{prefix}/{name}", json_lines([{"id": 1}]))
    jobs.put(f"{prefix}.parted/é=1.csv", "1\n")
    script = preamble + (
        f"options = {{'paths': ['s3://{jobs.bucket}/{prefix}/'], 'recurse': True}}\n"
        "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'json', {'attachFilename': 'file'})\n"
        "for row in sorted(r.file for r in frame.toDF().collect()): print(row)\n"
        f"options = {{'paths': ['s3://{jobs.bucket}/{prefix}.parted/é=1.csv']}}\n"
        "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'csv', {'attachFilename': 'f'})\n"
        "print(frame.toDF().first().f)\n"
    )  # fmt: skip
    assert jobs.succeed(jobs.make(script)) == [
        f"s3://{jobs.bucket}/{prefix}/a b+c.json",
        f"s3://{jobs.bucket}/{prefix}/x/y%20z.json",
        f"s3://{jobs.bucket}/{prefix}.parted/é=1.csv",
    ]


@pytest.mark.as_on_aws("awsglue")
def test_a_catalog_table_is_read_with_the_catalog_s_types_and_its_partition_keys_as_columns(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html"""
    prefix = jobs.unique("in")
    table = jobs.table({"id": "bigint"}, f"{prefix}/", PartitionKeys=[{"Name": "day", "Type": "int"}])
    for day in (1, 2):
        location = f"{prefix}/day={day}/"
        jobs.put(f"{location}x.json", json_lines({"id": n} for n in range(day)))
        storage = {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": f"s3://{jobs.bucket}/{location}"}
        partition = {"Values": [str(day)], "StorageDescriptor": storage}
        jobs.aws("glue").create_partition(DatabaseName=jobs.bucket, TableName=table, PartitionInput=partition)
    script = preamble + (
        "read = glueContext.create_dynamic_frame.from_catalog\n"
        f"where = dict(database='{jobs.bucket}', table_name='{table}')\n"
        "print(read(**where).toDF().schema.simpleString())\n"
        "print(sorted(tuple(r) for r in read(**where).toDF().collect()))\n"
        "print(sorted(tuple(r) for r in read(push_down_predicate='day > 1', **where).toDF().collect()))\n"
    )
    assert jobs.succeed(jobs.make(script)) == [
        "struct<id:bigint,day:int>", "[(0, 1), (0, 2), (1, 2)]", "[(0, 2), (1, 2)]"
    ]  # fmt: skip


@pytest.mark.simplified(
    "awsglue",
    "objects in single quotes are read, which AWS may not do; an array on one line is read as its elements",
)
def test_json_lines_that_are_not_objects_are_errors_of_the_source_frame(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"""
    rows = [{"id": n, "at": {"road": "A", "km": n}} for n in range(4)]
    prefix = f"{jobs.unique('in')}/"
    jobs.put(f"{prefix}strict.json", json_lines(rows[:2]))
    jobs.put(f"{prefix}sample.json", "".join(f"{row}\n" for row in rows[2:]))
    jobs.put(f"{prefix}array.json.gz", gzip.compress(json.dumps(rows[:1] * 2).encode()))
    jobs.put(f"{prefix}bad.json", '{"id": 7, "na\n\n  \nNone\n')
    jobs.put(f"{prefix}empty.json", "")
    jobs.put(f"{prefix}_SUCCESS", "not data")
    table = jobs.table({"id": "bigint", "at": "struct<road:string,km:int>"}, prefix)
    script = preamble + (
        f"frame = glueContext.create_dynamic_frame.from_catalog(database='{jobs.bucket}', table_name='{table}')\n"
        "print(frame.count(), frame.errorsCount())\n"
        "chosen = frame.select_fields(['id', 'at.km'])\n"
        "print(sorted(tuple(row) for row in chosen.toDF().select('id', 'at.km').collect()))\n"
        "print(sorted(row.error.input for row in chosen.errorsAsDynamicFrame().toDF().collect()))\n"
    )
    assert jobs.succeed(jobs.make(script)) == [
        "6 2",
        "[(0, 0), (0, 0), (0, 0), (1, 1), (2, 2), (3, 3)]",
        "['None', '{\"id\": 7, \"na']",
    ]


@pytest.mark.simplified("awsglue", "the error has the object's name and the reason, but not AWS's text")
def test_a_truncated_gzip_file_fails_the_run_and_is_named_in_the_error(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html"""
    key = f"{jobs.unique('in')}/cut.json.gz"
    jobs.put(key, gzip.compress(b'{"id": 1}\n' * 1000)[:-20])
    script = preamble + (
        f"options = {{'paths': ['s3://{jobs.bucket}/{key}']}}\n"
        "print(glueContext.create_dynamic_frame.from_options('s3', options, 'json').count())\n"
    )
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert f"s3://{jobs.bucket}/{key} is a damaged gzip file" in run["ErrorMessage"]

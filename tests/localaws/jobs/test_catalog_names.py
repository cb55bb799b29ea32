"""Names of columns and fields through the Data Catalog, which has columns in lower case, and structs as they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from awsglue_rows import Row, check, contains
from catalog_tables import FRAMES, crawl, declare, parquet, reading

ODD = ["a-b", "c d", "e.f", "g:h", "i`j", "k,l", "m<n", "o>p", "q:int", "(r)", "select", "Täg", "7", "it's"]


@pytest.mark.as_on_aws("awsglue")
def test_a_column_is_found_in_json_in_any_letter_case(jobs: Any, preamble: str, json_lines: Callable[..., str]) -> None:
    """The catalog's columns are in lower case: https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html;
    fields of structs are as they are: https://docs.aws.amazon.com/glue/latest/dg/add-crawler.html
    """
    prefix = jobs.unique("in")
    # Each file alone: what another one has must not be needed to find it.
    files: dict[str, str | bytes] = {
        "one/a.json": '{"Id": 1, "fooBar": {"InnerName": "x", "inner": 2}}\n',
        "mixed/a.json": '{"Id": 1}\n{"id": 2}\n',
        "mixed/b.json": '{"ID": 3}\n{ "iD" : 4}\n',
        "zipped/a.json.gz": gzip.compress(b'{"Id": 1}\n'),
        "quoted/a.json": "{'Id': 1, 'Note': 'it is \"Id\": 5'}\n",
        "wide/a.json": json.dumps({"Größe": 1, "Ärger": 2}) + "\n",
        "plain/a.json": json.dumps({"Größe": 1, "größe2": 2}, ensure_ascii=False) + "\n",
        "array/a.json": '[{"Id": 1}, {"Id": 2}]\n',
        "deep/a.json": '{"id": {"Id": 1}, "Name": [{"Id": 2}]}\n',
        "odd/a.json": '{"My, \\"Key\\"": 1, "Driver\'s": 2, "X:Y": 3}\n',
        "null/a.json": '{"Id": null, "id": 1}\n{"Id": 2}\n',
    }
    for name, body in files.items():
        jobs.put(f"{prefix}/{name}", body)
    tables = {name: crawl(jobs, f"{prefix}/{name}/") for name in {file.split("/")[0] for file in files}}
    rows = [
        Row(FRAMES, f"read({tables['one']!r}).toDF().schema.simpleString()",
            "struct<id:int,foobar:struct<InnerName:string,inner:int>>"),
        Row(FRAMES, f"data(read({tables['one']!r}))", [[1, {"InnerName": "x", "inner": 2}]]),
        Row(FRAMES, f"data(read({tables['mixed']!r}))", [[1], [2], [3], [4]]),
        Row(FRAMES, f"data(read({tables['zipped']!r}))", [[1]]),
        Row(FRAMES, f"data(read({tables['quoted']!r}))", [[1, 'it is "Id": 5']]),
        Row(FRAMES, f"data(read({tables['wide']!r}))", [[1, 2]]),
        Row(FRAMES, f"data(read({tables['plain']!r}))", [[1, 2]]),
        Row(FRAMES, f"data(read({tables['array']!r}))", [[1], [2]]),
        Row(FRAMES, f"data(read({tables['deep']!r}))", [[{"Id": 1}, [{"Id": 2}]]]),
        Row(FRAMES, f"data(read({tables['odd']!r}))", [[1, 2, 3]]),
        Row(FRAMES, f"data(read({tables['null']!r}))", [[1], [2]]),
        Row(FRAMES, f"f = read({tables['mixed']!r}); result = [f.errorsCount(), f.count(), names(f)]", [0, 4, ["id"]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_another_spelling_of_a_column_name_is_found_anywhere_in_a_large_file(jobs: Any, preamble: str) -> None:
    """A row in the middle of megabytes that are spelled otherwise:
    https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
    """
    prefix = jobs.unique("in")
    many = '{"id": 1, "text": "%s"}\n' % ("Some Text, With: Capitals" * 4) * 50_000
    jobs.put(f"{prefix}/a.json", many + '{"ID": 5, "text": "x"}\n' + many)
    table = declare(jobs, {"id": "int"}, f"{prefix}/", "json")
    rows = [Row(FRAMES, f"sorted((r.id, r['count']) for r in read({table!r}).toDF().groupBy('id').count().collect())",
                [[1, 100_000], [5, 1]])]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.simplified("awsglue", "such a record fails the read; on Glue, only selecting the column fails")
def test_a_record_with_two_keys_that_differ_only_in_case_is_refused(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/json/a.json", '{"Id": 1, "id": 2}\n')
    jobs.put(f"{prefix}/parquet/a.parquet", parquet(Id=[1], id=[2]))
    lines = declare(jobs, {"id": "int"}, f"{prefix}/json/", "json")
    columns = declare(jobs, {"id": "bigint"}, f"{prefix}/parquet/", "parquet")
    rows = [
        Row(FRAMES, f"data(read({lines!r}))", contains("'id'", "id, Id", "differ only in case")),
        Row(FRAMES, f"data(read({columns!r}))", contains(f"{prefix}/parquet/a.parquet", "Id, id", "only in case")),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_a_column_is_found_in_parquet_and_csv_in_any_letter_case(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/one/a.parquet", parquet(Id=[1], At=pa.array([{"Road": "A"}])))
    jobs.put(f"{prefix}/two/a.parquet", parquet(Id=[1], name=["x"]))
    jobs.put(f"{prefix}/two/b.parquet", parquet(ID=[2], Name=["y"]))
    jobs.put(f"{prefix}/csv/a.csv", "Id,Name\n1,x\n2,y\n")
    jobs.put(f"{prefix}/key/Day=1/a.json", '{"Id": 1, "DAY": 7}\n')
    one, two, csv, key = (crawl(jobs, f"{prefix}/{name}/") for name in ("one", "two", "csv", "key"))
    rows = [
        Row(FRAMES, f"f = read({one!r}); result = [f.toDF().schema.simpleString(), data(f)]",
            ["struct<id:bigint,at:struct<Road:string>>", [[1, {"Road": "A"}]]]),
        Row(FRAMES, f"f = read({two!r}); result = [names(f), data(f)]", [["id", "name"], [[1, "x"], [2, "y"]]]),
        Row(FRAMES, f"f = read({csv!r}); result = [names(f), data(f)]", [["id", "name"], [[1, "x"], [2, "y"]]]),
        Row(FRAMES, f"f = read({key!r}); result = [names(f), data(f)]", [["id", "day"], [[1, "1"]]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_column_and_field_names_may_have_any_characters_at_any_depth(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """Type is any text of one line: https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html"""
    prefix = jobs.unique("in")
    fields = {name: number for number, name in enumerate(ODD)}
    deep = {"s": {"t": fields}, "l": [fields, fields], "m": [[{"x y": fields}]], "e": {}}
    jobs.put(f"{prefix}/top/a.json", json_lines([fields]))
    jobs.put(f"{prefix}/deep/a.json", json_lines([deep]))
    maps = pa.array([[("k", fields)]], pa.map_(pa.string(), pa.struct([(name, pa.int32()) for name in ODD])))
    jobs.put(f"{prefix}/map/a.parquet", parquet(**{"m n": maps, "s": pa.array([fields])}))
    top, nested, mapped = (crawl(jobs, f"{prefix}/{name}/") for name in ("top", "deep", "map"))
    typed = "struct< `a-b`: int, `c d`:array< int >, name : decimal(10, 2)>"
    jobs.put(f"{prefix}/typed/a.json", '{"s": {"a-b": 1, "c d": [2], "name": 3.25}}\n')
    declared = declare(jobs, {"s": typed}, f"{prefix}/typed/", "json")
    jobs.put(f"{prefix}/map.json", '{"m": {"k": {"a-b": 1}}}\n')
    map_of_json = declare(jobs, {"m": "map<string,struct<a-b:int>>"}, f"{prefix}/map.json", "json")
    match = "read({0!r}).resolveChoice(choice='match_catalog', database={1!r}, table_name={0!r})"
    rows = [
        Row(FRAMES, f"f = read({top!r}); result = [names(f), data(f)]",
            [[name.lower() for name in ODD], [list(fields.values())]]),
        Row(FRAMES, f"data(read({nested!r}))", [list(deep.values())]),
        Row(FRAMES, f"data({match.format(nested, jobs.bucket)})", [list(deep.values())]),
        Row(FRAMES, f"data(read({mapped!r}))", [[{"k": fields}, fields]]),
        Row(FRAMES, f"data(read({declared!r}))", [[{"a-b": 1, "c d": [2], "name": "3.25"}]]),
        Row(FRAMES, f"data(read({map_of_json!r}))", [[{"k": {"a-b": 1}}]]),
        Row(FRAMES, f"data(read({nested!r}).apply_mapping([('s.t.`e.f`', 'int', 'x', 'bigint')]))",
            [[fields["e.f"]]]),
    ]  # fmt: skip
    check(jobs, preamble, rows, reading(jobs) + _PLAIN_MAPS)


# Rows in maps, too, as JSON.
_PLAIN_MAPS = """
_plain = plain
def plain(value):
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "asDict"):
        return [plain(inner) for inner in value]
    return {name: plain(value[name]) for name in value.__fields__} if hasattr(value, "asDict") else _plain(value)
"""


@pytest.mark.refused("awsglue")
def test_an_unknown_type_is_refused_by_name(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/a.json", '{"s": 1}\n')
    union = declare(jobs, {"s": "struct<a:uniontype<int,string>>"}, f"{prefix}/", "json")
    cut = declare(jobs, {"s": "struct<a:int"}, f"{prefix}/", "json")
    rows = [
        Row(FRAMES, f"read({union!r})", contains("NotSupportedLocally", "struct<a:uniontype<int,string>>")),
        Row(FRAMES, f"read({cut!r})", contains("NotSupportedLocally", "struct<a:int")),
    ]
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_a_sink_writes_column_names_in_lower_case_and_keeps_the_case_of_struct_fields(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html,
    https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
    """
    root = jobs.unique("out")
    setup = reading(jobs) + (
        "import boto3\n"
        "def write(frame, name, format='json', **more):\n"
        f"    path = 's3://{jobs.bucket}/{root}/' + name + '/'\n"
        "    sink = glueContext.getSink('s3', path=path, enableUpdateCatalog=True, **more)\n"
        "    sink.setFormat(format)\n"
        f"    sink.setCatalogInfo({jobs.bucket!r}, {root!r} + name)\n"
        "    sink.writeFrame(frame)\n"
        f"    table = boto3.client('glue').get_table(DatabaseName={jobs.bucket!r}, Name={root!r} + name)['Table']\n"
        "    return [[c['Name'] for c in table['StorageDescriptor']['Columns']],\n"
        "            [c['Name'] for c in table['PartitionKeys']], data(read(table['Name']))]\n"
        "frame = frame_of([(1, 'K', {'Road': 'A'})], 'Id int, Kind string, At struct<Road:string>')\n"
        "more = frame_of([(2, 'K', {'Road': 'B'}, 7)], 'Id int, Kind string, At struct<Road:string>, New int')\n"
    )
    both = [[1, {"Road": "A"}, None, "K"], [2, {"Road": "B"}, 7, "K"]]
    rows = [
        *(
            Row("update-from-job.html", f"write(frame, 'flat_{name}', {name!r})",
                [["id", "kind", "at"], [], [[1, "K", {"Road": "A"}]]])
            for name in ("json", "parquet")
        ),
        Row("update-from-job.html", "write(frame.drop_fields(['At']), 'csv', 'csv')",
            [["id", "kind"], [], [[1, "K"]]]),
        Row("update-from-job.html", "write(frame_of([(1, 2)], 'Id int, id int'), 'twice')", contains("Id, id")),
        Row("update-from-job.html", "write(frame, 'keys', partitionKeys=['Kind'])",
            [["id", "at"], ["kind"], [[1, {"Road": "A"}, "K"]]]),
        Row("update-from-job.html", "write(more, 'keys', partitionKeys=['Kind'])",
            [["id", "at", "new"], ["kind"], both]),
        Row("update-from-job.html", "write(frame, 'keys2', 'parquet', partitionKeys=['kind'])",
            [["id", "at"], ["kind"], [[1, {"Road": "A"}, "K"]]]),
        Row("update-from-job.html", "write(more, 'keys2', 'parquet', partitionKeys=['KIND'])",
            contains("/KIND=K/", "/kind=K/", "spell the partitionKeys")),
    ]  # fmt: skip
    check(jobs, preamble, rows, setup)

"""Types of fields in ``awsglue``: what mappings make of them, which ones numbers have, and what a schema is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from awsglue_rows import Row, check, contains

MAPPING = "aws-glue-api-crawler-pyspark-transforms-ApplyMapping.html"
TYPES = "aws-glue-api-crawler-pyspark-extensions-types.html"
FRAME = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"

# A column of each type, called by its Spark name, and one row.
COLUMNS = {
    "int": "1", "bigint": "2L", "smallint": "3S", "tinyint": "4Y", "double": "5.5D", "float": "6.5F", "string": "'7'",
    "boolean": "true", "date": "date'2023-08-13'", "timestamp": "timestamp'2023-08-13 10:00:00'",
    "decimal(12,4)": "8.1234BD", "binary": "X'41'", "array<int>": "array(9)", "struct<a:int>": "named_struct('a', 10)",
    "map<string,int>": "map('k', 11)",
}  # fmt: skip
# The names that scripts have for these types.
NAMES = {
    "int": ("int", "integer", "INT"), "bigint": ("bigint", "long", "Long"), "smallint": ("smallint", "short"),
    "tinyint": ("tinyint", "byte"), "double": ("double",), "float": ("float", "real"),
    "string": ("string", "varchar", "varchar(20)", "char(3)"), "boolean": ("boolean",), "date": ("date",),
    "timestamp": ("timestamp",), "decimal(12,4)": ("decimal", "decimal(12,4)", "decimal(10,2)"),
    "binary": ("binary",), "array<int>": ("array", "array<int>"), "struct<a:int>": ("struct", "struct<a:int>"),
    "map<string,int>": ("map", "map<string,int>"),
}  # fmt: skip
SETUP = (
    f"columns = {COLUMNS!r}\n"
    "every = DynamicFrame.fromDF(spark.range(1).selectExpr(*(f'cast({value} as {kind}) as `{kind}`'"
    " for kind, value in columns.items()), 'null as void'), glueContext, 'every')\n"
    # A value that a mapping gives, and its type.
    "def mapped(name, declared, target='', **more):\n"
    "    frame = every.apply_mapping([(f'`{name}`', declared, 'v', target or name)], **more)\n"
    "    (field,) = frame.toDF().schema.fields\n"
    "    return [field.dataType.simpleString(), frame.toDF().first()[0] is None]\n"
)


@pytest.mark.as_on_aws("awsglue")
def test_a_mapping_whose_source_type_differs_from_the_column_s_type_gives_null(jobs: Any, preamble: str) -> None:
    """The column is there, and NULL: https://github.com/awsdocs/aws-glue-developer-guide/issues/3

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ApplyMapping.html
    """
    rows = [
        *(Row(MAPPING, f"mapped({kind!r}, {name!r})", [kind, False])
          for kind, names in NAMES.items() for name in names),
        # Every type declared for a column of another.
        *(
            Row(MAPPING, f"[d for d in {[names[0] for k, names in NAMES.items() if k != kind]!r}"
                f" if not mapped({kind!r}, d)[1]]", [])
            for kind in NAMES
        ),
        Row(MAPPING, "mapped('int', 'string', 'int')", ["int", True]),
        Row(MAPPING, "mapped('int', 'long', 'bigint')", ["bigint", True]),
        Row(MAPPING, "mapped('int', 'int', 'bigint')", ["bigint", False]),
        Row(MAPPING, "mapped('string', 'string', 'bigint')", ["bigint", False]),
        Row(MAPPING, "mapped('string', 'string', 'double')", ["double", False]),
        Row(MAPPING, "mapped('decimal(12,4)', 'decimal', 'decimal')", ["decimal(10,2)", False]),
        Row(MAPPING, "mapped('array<int>', 'array', 'array')", ["array<int>", False]),
        Row(MAPPING, "mapped('struct<a:int>', 'string', 'struct')", ["struct<a:int>", True]),
        Row(MAPPING, "mapped('void', 'string', 'string')", ["string", True]),
        Row(MAPPING, "mapped('void', 'null', 'string')", ["string", True]),
        # Fields in structs, and several mappings of one frame: each for itself.
        Row(MAPPING, "data(every.apply_mapping([('`struct<a:int>`.a', 'int', 's.a', 'bigint'), ('`struct<a:int>`.a',"
            " 'long', 's.b', 'bigint'), ('int', 'int', 'i', 'string')]))", [[{"a": 10, "b": None}, "1"]]),
        # What AWS's library takes for a mapping.
        Row(MAPPING, "data(every.apply_mapping(('int', 'int', 'i', 'string')))", [["1"]]),
        Row(MAPPING, "every.apply_mapping([['int', 'int', 'i', 'string']])", contains("TypeError", "must be a tuple")),
        Row(MAPPING, "every.apply_mapping([('int', 'i', 'string')])", contains("not supported", "'i', 'string'")),
        Row(MAPPING, "mapped('int', 'choice', 'int')", contains("not supported", "'choice'")),
        Row(MAPPING, "mapped('int', 'int', 'struct')", contains("not supported", "a mapping of int to struct")),
        Row(MAPPING, "mapped('struct<a:int>', 'struct', 'struct<b:int>')", contains("not supported", "struct<b:int>")),
    ]  # fmt: skip
    check(jobs, preamble, rows, SETUP)


@pytest.mark.refused("awsglue")
def test_casts_between_numbers_and_times_are_refused_because_aws_does_not_document_their_unit(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html ("typically in
    seconds from 1/1/1970")
    """
    rows = [
        *(Row(MAPPING, f"mapped({number!r}, {number!r}, {time!r})", contains("not supported", f"to {time}"))
          for number in ("bigint", "int", "double", "boolean") for time in ("timestamp", "date")),
        *(Row(MAPPING, f"mapped({time!r}, {time!r}, {number!r})", contains("not supported", f"a cast of {time}"))
          for number in ("long", "int", "double") for time in ("timestamp", "date")),
        Row(TYPES, "every.resolveChoice(specs=[('bigint', 'cast:timestamp')])",
            contains("a cast of long to timestamp")),
        Row(MAPPING, "mapped('timestamp', 'timestamp', 'date')", ["date", False]),
        Row(MAPPING, "mapped('timestamp', 'timestamp', 'string')", ["string", False]),
        # What has no value, or loses it, has nothing to count.
        Row(MAPPING, "mapped('int', 'string', 'timestamp')", ["timestamp", True]),
        Row(MAPPING, "mapped('void', 'long', 'timestamp')", ["timestamp", True]),
    ]  # fmt: skip
    check(jobs, preamble, rows, SETUP)


@pytest.mark.as_on_aws("awsglue")
def test_the_job_s_log_warns_once_for_each_field_whose_values_a_mapping_loses(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ApplyMapping.html"""
    script = preamble + (
        "frame = DynamicFrame.fromDF(spark.range(1).selectExpr('1 as n', '2 as m', 'null as v'), glueContext, 'f')\n"
        "mappings = [('n', 'string', 'n', 'int'), ('m', 'int', 'm', 'string'), ('v', 'string', 'v', 'string')]\n"
        "for _ in range(3):\n"
        "    print(ApplyMapping.apply(frame=frame, mappings=mappings).toDF().collect())\n"
    )
    run = jobs.run(jobs.make(script))
    assert jobs.log(run["Id"]) == ["[Row(n=None, m='2', v=None)]"] * 3
    assert [line for line in jobs.log(run["Id"], "error") if "ApplyMapping" in line] == [
        "WARN ApplyMapping: the mapping says that 'n' is string, but it is int: as on AWS Glue, its values are lost and"
        " the column is NULL"
    ]


@pytest.mark.as_on_aws("awsglue")
def test_a_number_without_a_declared_type_is_an_int_if_it_fits(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://github.com/awslabs/aws-glue-libs/issues/157 (a choice of int and long),
    https://github.com/awslabs/aws-glue-libs/issues/44 (a field that a map leaves is what it was, a new one an int)

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
    """
    prefix = jobs.unique("in")
    largest, smallest = 2**31 - 1, -(2**31)
    rows = [
        {"small": largest, "large": 2**31, "in": {"ab": [1, 2], "of": [{"n": 5}, {"n": smallest - 1}]}, "x": 1.5},
        {"small": smallest, "large": 2**40, "in": {"ab": [], "of": [{"n": None}]}, "x": 2},
        {"small": None},
    ]
    # Spark's own reader takes no notice of a second object on a line.
    jobs.put(
        f"{prefix}/x.json", json_lines(rows) + '{"second": 1} {"second": 2}\n[{"second": 3}, {"second": 4294967296}]\n'
    )
    setup = (
        f"options = {{'paths': ['s3://{jobs.bucket}/{prefix}/']}}\n"
        "read = glueContext.create_dynamic_frame.from_options('s3', options, 'json')\n"
        "frame = frame_of([(1, 2)], 'i int, l long')\n"
    )
    table = [
        Row(FRAME, "read.toDF().schema.simpleString()", "struct<in:struct<ab:array<int>,of:array<struct<n:bigint>>>,"
            "large:bigint,second:bigint,small:int,x:double>"),
        Row(FRAME, "sorted(r.small for r in read.toDF().where('small is not null').collect())", [smallest, largest]),
        Row(FRAME, "sorted(r.second for r in read.toDF().where('second is not null').collect())", [3, 2**32]),
        Row(MAPPING, "read.apply_mapping([('small', 'int', 'n', 'bigint')]).toDF().where('n is not null').count()", 2),
        Row(MAPPING, "read.apply_mapping([('small', 'long', 'n', 'bigint')]).toDF().where('n is not null').count()", 0),
        Row(FRAME, "frame.map(lambda r: {**r, 'n': 1, 'm': [2 ** 31]}).toDF().schema.simpleString()",
            "struct<i:int,l:bigint,n:int,m:array<bigint>>"),
        Row(FRAME, "frame.map(lambda r: {'i': r.i * 2 ** 31}).toDF().schema.simpleString()", "struct<i:bigint>"),
    ]  # fmt: skip
    check(jobs, preamble, table, setup)


@pytest.mark.simplified("awsglue", "AWS makes a choice type of such a field")
def test_a_field_with_ints_and_longs_becomes_long_and_the_log_says_so(
    jobs: Any, preamble: str, json_lines: Callable[..., str]
) -> None:
    """https://github.com/awslabs/aws-glue-libs/issues/157

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
    """
    key = f"{jobs.unique('in')}/x.json"
    jobs.put(key, json_lines([{"n": [1, 2**31]}]))
    script = preamble + (
        f"options = {{'paths': ['s3://{jobs.bucket}/{key}']}}\n"
        "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'json')\n"
        "frame.printSchema()\n"
    )
    run = jobs.run(jobs.make(script))
    assert jobs.log(run["Id"]) == ["root", "|-- n: array", "|    |-- element: long"]
    (line,) = [line for line in jobs.log(run["Id"], "error") if "WARN" in line]
    assert "'n.[]' has values of the types int and long" in line


@pytest.mark.as_on_aws("awsglue")
def test_the_schema_of_a_frame_has_glue_s_own_types(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html"""
    rows = [
        Row(TYPES, "[(f.name, f.dataType.typeName()) for f in every.schema()][:10]",
            [["int", "int"], ["bigint", "long"], ["smallint", "short"], ["tinyint", "byte"], ["double", "double"],
             ["float", "float"], ["string", "string"], ["boolean", "boolean"], ["date", "date"],
             ["timestamp", "timestamp"]]),
        Row(TYPES, "isinstance(every.schema(), StructType)", True),
        Row(TYPES, "every.schema().getField('decimal(12,4)').dataType == DecimalType(12, 4)", True),
        Row(TYPES, "every.schema().getField('array<int>').dataType == ArrayType(IntegerType())", True),
        Row(TYPES, "every.schema().getField('struct<a:int>').dataType == StructType([Field('a', IntegerType())])",
            True),
        Row(TYPES, "every.schema().getField('map<string,int>').dataType == MapType(IntegerType())", True),
        Row(TYPES, "isinstance(every.schema().getField('void').dataType, NullType)", True),
        Row(TYPES, "hasattr(every.schema(), 'simpleString')", False),
    ]  # fmt: skip
    check(jobs, preamble + "from awsglue.gluetypes import *\n", rows, SETUP)

"""What the transforms of ``awsglue`` do to rows: tables of code and result, each row with AWS's page."""

from __future__ import annotations

from typing import Any

import pytest
from awsglue_rows import Row, check, contains

FRAME = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"
COLLECTION = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame-collection.html"
TRANSFORM = "aws-glue-api-crawler-pyspark-transforms-"

PEOPLE = """
people = frame_of(
    [
        (1, "Sally", "2.5", ("WY", "Fremont"), [("Ann", 7)], None, 1.0),
        (2, "Varun", "no", ("NE", None), [], None, 2.5),
        (3, None, None, None, None, None, None),
    ],
    "id int, name string, amount string, location struct<state:string,county:string>,"
    " friends array<struct<name:string,age:int>>, gone string, `a.b` double",
)
"""


@pytest.mark.as_on_aws("awsglue")
def test_fields_are_mapped_selected_dropped_renamed_and_split_as_documented(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-transforms.html and each row's page."""
    mapping, select, drop, rename = (
        f"{TRANSFORM}{name}.html" for name in ("ApplyMapping", "SelectFields", "DropFields", "RenameField")
    )
    rows = [
        # Only mapped fields come through, in the mapping's order, under the target's names and with its types.
        Row(mapping, "mapped = ApplyMapping.apply(people, [('name', 'string', 'who', 'string'), ('id', 'int', 'key',"
            " 'bigint')]); result = [names(mapped), data(mapped)[0]]", [["who", "key"], ["Sally", 1]]),
        Row(mapping, "ApplyMapping.apply(frame=people, mappings=[('id', 'int', 'id', 'Long')], transformation_ctx='m')"
            ".toDF().schema.simpleString()", "struct<id:bigint>"),
        Row(mapping, "ApplyMapping()(people, [('id', 'INT', 'id', 'VARCHAR')]).toDF().schema.simpleString()",
            "struct<id:string>"),
        Row(mapping, "data(people.apply_mapping([('`a.b`', 'double', 'thisNewName', 'double')]))",
            [[1.0], [2.5], [None]]),
        Row(mapping, "data(people.apply_mapping([('location.state', 'string', 'state', 'string')]))",
            [["NE"], ["WY"], [None]]),
        Row(mapping, "people.apply_mapping([('id', 'int', 'out.id', 'long'), ('name', 'string', 'out.name', 'string')])"
            ".toDF().schema.simpleString()", "struct<out:struct<id:bigint,name:string>>"),
        Row(mapping, "names(people.apply_mapping([('nothing', 'string', 'n', 'string'), ('id', 'id')]))", ["id"]),
        Row(mapping, "people.apply_mapping([('id',)])", contains("ValueError", "not a mapping")),
        Row(select, "names(SelectFields.apply(frame=people, paths=['name', 'id']))", ["name", "id"]),
        Row(select, "names(SelectFields.apply(people, ['`a.b`', 'nothing']))", ["a.b"]),
        Row(select, "people.select_fields(['location.state']).toDF().schema.simpleString()",
            "struct<location:struct<state:string>>"),
        Row(drop, "names(DropFields.apply(frame=people, paths=['name', 'location', 'friends', 'gone', '`a.b`']))",
            ["id", "amount"]),
        Row(drop, "people.drop_fields(['location.county']).select_fields(['location']).toDF().schema.simpleString()",
            "struct<location:struct<state:string>>"),
        Row(drop, "'location' in names(people.drop_fields(['location.county', 'location.state']))", False),
        Row(drop, "data(people.drop_fields(['friends.age']).select_fields(['friends']))",
            [[None], [[]], [[{"name": "Ann"}]]]),
        Row(drop, "'a.b' in names(DropFields.apply(frame=people, paths='`a.b`'))", False),
        Row(drop, "names(people.drop_fields(['nothing'])) == names(people)", True),
        Row(rename, "names(RenameField.apply(frame=people, old_name='id', new_name='key'))[0]", "key"),
        Row(rename, "names(people.rename_field('`a.b`', 'thisNewName'))[-1]", "thisNewName"),
        Row(f"{TRANSFORM}DropNullFields.html", "'gone' in names(DropNullFields.apply(frame=people))", False),
        Row(f"{TRANSFORM}DropNullFields.html", "len(names(DropNullFields.apply(people)))", 6),
        Row(f"{TRANSFORM}SplitFields.html", "pair = SplitFields.apply(people, ['id'], 'left', 'right');"
            " result = [list(pair.keys()), names(pair.select('left')), len(names(pair['right']))]",
            [["left", "right"], ["id"], 6]),
        Row(f"{TRANSFORM}SelectFromCollection.html", "names(SelectFromCollection.apply(dfc=SplitFields.apply(people,"
            " ['id']), key='frame1', transformation_ctx='s'))", ["id"]),
        Row(f"{TRANSFORM}SplitFields.html", "named = people.select_fields(['id', 'name']); named.name = 'p'; result ="
            " list(SplitFields.apply(named, ['id']).keys())", ["p1", "p2"]),
        Row(f"{TRANSFORM}SplitRows.html", "pair = SplitRows.apply(people, {'id': {'>': 1, '<': 3}}, 'in', 'out');"
            " result = [f.select_fields(['id']).toDF().count() for f in pair.values()]", [1, 2]),
        Row(f"{TRANSFORM}SplitRows.html", "[f.name for f in SplitRows.apply(people, {'id': {'=': 1}}).values()]",
            ["frame1", "frame2"]),
        Row(f"{TRANSFORM}SplitRows.html", "SplitRows.apply(people.map(lambda r: {'n': len(r.name)}), {'n': {'=': 1}},"
            " totalThreshold=1)", contains("TooManyErrors")),
        Row(FRAME, "[f.getNumPartitions() for f in (people.repartition(3), people.repartition(3).coalesce(2),"
            " people.coalesce(3, shuffle=True), Repartition.apply(people, 4), Coalesce.apply(people, 1))]",
            [3, 2, 3, 4, 1]),
        Row(f"{TRANSFORM}UnnestFrame.html", "names(UnnestFrame.apply(people.select_fields(['id', 'location'])))",
            ["id", "location.state", "location.county"]),
        Row(f"{TRANSFORM}GlueTransform.html", "[ApplyMapping.name(), Filter().name()]", ["ApplyMapping", "Filter"]),
        Row(f"{TRANSFORM}GlueTransform.html", "ApplyMapping.describeArgs()", contains("ApplyMapping.describeArgs")),
    ]  # fmt: skip
    check(jobs, preamble, rows, PEOPLE)


@pytest.mark.simplified(
    "awsglue", "values are converted by Spark's cast; AWS documents the types, but not values that do not fit"
)
def test_a_value_that_does_not_fit_its_new_type_becomes_null(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ApplyMapping.html"""
    page = f"{TRANSFORM}ApplyMapping.html"
    texts = {
        "bigint": ("12", 12), "int": ("x1", None), "smallint": ("40000", None), "tinyint": ("7", 7),
        "double": (" 2.50 ", 2.5), "float": ("no", None), "boolean": ("true", True),
        "date": ("2023-08-13", "2023-08-13"),
        "timestamp": ("2023-08-13 10:00:00", "2023-08-13 10:00:00"), "decimal(6,2)": ("3.456", "3.46"),
        "decimal": ("1.5", "1.50"), "string": ("", ""),
    }  # fmt: skip
    rows = [
        Row(
            page, f"data(frame_of([({text!r},)], 'v string').apply_mapping([('v', 'string', 'v', {kind!r})]))[0][0]", to
        )
        for kind, (text, to) in texts.items()
    ]
    rows += [
        Row(page, "data(frame_of([(2.9,)], 'v double').apply_mapping([('v', 'double', 'v', 'int')]))", [[2]]),
        Row(page, "data(frame_of([(7,)], 'v int').apply_mapping([('v', 'int', 'v', 'string')]))", [["7"]]),
    ]
    check(jobs, preamble, rows)


@pytest.mark.nightly
@pytest.mark.as_on_aws("awsglue")
def test_filter_and_map_pass_a_record_to_the_function_and_keep_exceptions_as_error_records(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-filter.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-map.html
    """
    choose, transform = f"{TRANSFORM}filter.html", f"{TRANSFORM}map.html"
    address = (
        "def merge(rec):\n"
        "    rec['Address'] = {}\n"
        "    rec['Address']['State'] = rec['location']['state'] if rec['location'] else None\n"
        "    rec['Address']['Zip.Code'] = [rec.id]\n"
        "    for name in ('location', 'friends', 'gone', 'a.b', 'amount', 'name'):\n"
        "        del rec[name]\n"
        "    return rec\n"
        "made = Map.apply(frame=people, f=merge)\n"
        "result = [made.toDF().schema.simpleString(), data(made)[0]]"
    )
    rows = [
        Row(choose, "data(Filter.apply(frame=people, f=lambda x: x['id'] > 1).select_fields(['id']))", [[2], [3]]),
        Row(choose, "data(people.filter(lambda x: x.name in ['Sally']).select_fields(['id']))", [[1]]),
        Row(choose, "data(people.filter(lambda x: x['a.b'] == 2.5).select_fields(['id']))", [[2]]),
        Row(choose, "data(people.filter(lambda x: x['location']['state'] == 'WY').select_fields(['id']))", [[1]]),
        Row(choose, "people.filter(lambda x: x['friends'][0]['age'] == 7).count()", 1),
        Row(transform, address, ["struct<id:int,Address:struct<State:string,Zip.Code:array<int>>>",
                                 [1, {"State": "WY", "Zip.Code": [1]}]]),
        Row(transform, "data(people.map(lambda x: {'twice': 2 * x.id}))", [[2], [4], [6]]),
        # Records may lack what a filter looks at: that is a "no". Other exceptions are errors, and so are all of a map.
        Row(choose, "people.filter(lambda x: x['location']['state'] == 'WY').stageErrorsCount()", 0),
        Row(choose, "people.filter(lambda x: x['nothing'] or x.nothing).stageErrorsCount()", 0),
        Row(choose, "people.filter(lambda x: int(x.name)).stageErrorsCount()", 0),
        Row(choose, "people.filter(lambda x: 1 / 0).stageErrorsCount()", 3),
        Row(transform, "people.map(lambda x: {'n': x.nothing}).errorsCount()", 3),
        Row(transform, "people.map(lambda x: None).errorsCount()", 3),
        Row(transform, "people.map(lambda x: {}).errorsCount()", 3),
        # Structs in a record are records; what is in them are dicts.
        Row(transform, "def f(x):\n    x.location.state = 'XX'\n    return {'s': x['location']['state']}\n"
            "result = data(people.filter(lambda x: x.id < 3).map(f))", [["XX"], ["XX"]]),
        Row(transform, "frame_of([((('deep',),),)], 'a struct<b:struct<c:string>>').map(lambda x: {'c': x.a.b.c})"
            ".errorsAsDynamicFrame().toDF().first().error.msg", contains("AttributeError")),
        Row(transform, "data(frame_of([((('deep',),),)], 'a struct<b:struct<c:string>>')"
            ".map(lambda x: {'c': x.a.b['c']}))", [["deep"]]),
        Row(FRAME, "made = people.map(lambda x: {'n': len(x.name)}); result = [made.count(), made.errorsCount()]",
            [2, 1]),
        Row(FRAME, "people.map(lambda x: 1 / 0).count()", 0),
        Row(FRAME, "people.map(lambda x: {'n': len(x.name)}).filter(lambda r: r.n / 0).errorsCount()", 3),
        Row(FRAME, "people.map(lambda x: {'n': len(x.name)}).filter(lambda r: r.n > 0).stageErrorsCount()", 0),
        Row(FRAME, "ErrorsAsDynamicFrame.apply(people.map(lambda x: {'n': len(x.name)})).toDF().first().error.msg",
            contains("TypeError")),
        Row(FRAME, "people.map(lambda x: {'n': len(x.name)}).errorsAsDynamicFrame().count()", 1),
        Row(FRAME, "people.errorsAsDynamicFrame().count()", 0),
    ]  # fmt: skip
    check(jobs, preamble, rows, PEOPLE)


@pytest.mark.simplified("awsglue", "a threshold is checked when the transform is called, not when rows are needed")
def test_an_error_threshold_raises_when_it_is_reached_and_without_one_nothing_is_raised(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"""
    rows = [
        Row(FRAME, "people.map(lambda x: 1 / 0, stageThreshold=3)", contains("TooManyErrors", "3 errors")),
        Row(FRAME, "people.map(lambda x: 1 / 0, stageThreshold=4).count()", 0),
        Row(FRAME, "people.filter(lambda x: x.id / 0).select_fields(['id'], totalThreshold=3)",
            contains("TooManyErrors", "the threshold is 3")),
        Row(FRAME, "people.filter(lambda x: x.id / 0).assertErrorThreshold()", contains("TooManyErrors")),
        Row(FRAME, "people.assertErrorThreshold()", None),
    ]  # fmt: skip
    check(jobs, preamble, rows, PEOPLE)


@pytest.mark.simplified(
    "awsglue",
    "there are no choice types: the records of a frame share the types that Spark inferred, so specs cast"
    " whole columns, match_catalog casts all columns that differ, and other choices for all choice types"
    " change nothing",
)
def test_ResolveChoice_casts_the_columns_that_its_specs_name(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ResolveChoice.html"""
    page = f"{TRANSFORM}ResolveChoice.html"
    table = jobs.table({"id": "bigint", "amount": "double"}, "nowhere/")
    where = f"database='{jobs.bucket}', table_name='{table}'"
    rows = [
        Row(page, "data(ResolveChoice.apply(frame=people, specs=[('amount', 'cast:double')], transformation_ctx='r')"
            ".select_fields(['amount']))", [[2.5], [None], [None]]),
        # Of a field of another type AWS's pages say that its values are converted, and that they are dropped.
        Row(page, "data(people.resolveChoice(specs=[('`a.b`', 'project:double')]).select_fields(['`a.b`']))",
            [[1.0], [2.5], [None]]),
        Row(page, "people.resolveChoice(specs=[('`a.b`', 'project:int')])",
            contains("'project:int' of a field of type double is not supported")),
        Row(page, "people.resolveChoice(specs=[('friends[].age', 'cast:string')]).select_fields(['friends']).toDF()"
            ".schema.simpleString()", "struct<friends:array<struct<name:string,age:string>>>"),
        Row(page, "people.resolveChoice(specs=[('location.state', 'cast:int')]).select_fields(['location']).toDF()"
            ".schema.simpleString()", "struct<location:struct<state:int,county:string>>"),
        *(Row(page, f"people.resolveChoice(choice={choice!r}).schema() == people.schema()", True)
          for choice in ("make_cols", "make_struct", "cast:long", "project:string")),
        Row(page, "people.resolveChoice(specs=[('id', 'make_cols')]).schema() == people.schema()", True),
        Row(page, f"people.resolveChoice(choice='match_catalog', {where}).select_fields(['id', 'amount']).toDF().schema"
            ".simpleString()", "struct<id:bigint,amount:double>"),
        Row(page, f"people.resolveChoice(choice='MATCH_CATALOG', {where}).toDF().schema['id'].dataType.simpleString()",
            "bigint"),
        Row(page, "people.resolveChoice(choice='match_catalog')", contains("ValueError", "database and table_name")),
        Row(page, "people.resolveChoice()", contains("ValueError", "specs or choice")),
        Row(page, "people.resolveChoice(specs=[('id', 'cast:long')], choice='make_cols')", contains("ValueError")),
    ]  # fmt: skip
    check(jobs, preamble, rows, PEOPLE)


@pytest.mark.as_on_aws("awsglue")
def test_frames_are_joined_merged_and_collected_as_documented(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-join.html,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-collection.html
    """
    setup = (
        "left = frame_of([(1, 'a'), (2, 'b'), (2, 'c')], 'zip int, v string')\n"
        "right = frame_of([(2, 9.0), (3, 8.0)], 'zip int, w double')\n"
        "both = DynamicFrameCollection({'left': left, 'right': right}, glueContext)\n"
    )
    join = f"{TRANSFORM}join.html"
    rows = [
        Row(join, "joined = Join.apply(left, right, 'zip', 'zip'); result = [names(joined), data(joined)]",
            [["zip", "v", ".zip", "w"], [[2, "b", 2, 9.0], [2, "c", 2, 9.0]]]),
        Row(join, "Join.apply(frame1=left, frame2=right.rename_field('zip', 'z'), keys1=['zip'], keys2=['z'],"
            " transformation_ctx='j').drop_fields(['z']).count()", 2),
        Row(join, "data(DropFields.apply(left.join(['zip'], ['zip'], right), ['`.zip`']))[0]", [2, "b", 9.0]),
        Row(join, "Join.apply(left, left, ['zip', 'v'], ['zip', 'v']).count()", 3),
        Row(FRAME, "data(left.mergeDynamicFrame(frame_of([(2, 'new'), (4, 'new')], 'zip int, v string'), ['zip']))",
            [[1, "a"], [2, "new"], [4, "new"]]),
        Row(COLLECTION, "[list(both.keys()), len(list(both.values())), both.select('left').count()]",
            [["left", "right"], 2, 3]),
        Row(COLLECTION, "[f.count() for f in both.map(lambda f, ctx: f.filter(lambda r: r.zip == 2)).values()]",
            [2, 1]),
        Row(COLLECTION, "list(both.flatmap(lambda f, ctx: f.split_fields(['zip'], names(f)[1], 'rest')).keys())",
            ["v", "rest", "w"]),
        # A frame that comes out has its own name; a function is told the context and the frame's name.
        Row(COLLECTION, "left.name, right.name = 'l', 'r'; seen = []; both.flatmap(lambda f, ctx: seen.append(ctx) or"
            " f, 'c'); result = [seen, list(both.flatmap(lambda f, ctx: f).keys())]", [["c:l", "c:r"], ["l", "r"]]),
        Row(COLLECTION, "both.map(lambda f, ctx: 1)", contains("TypeError", "DynamicFrame")),
        Row(COLLECTION, "both.flatmap(lambda f, ctx: None)", contains("TypeError", "DynamicFrame")),
        Row(COLLECTION, "f = both.select('nothing'); result = [names(f), f.count(), f.name]", [[], 0, "nothing"]),
        Row(COLLECTION, "both['nothing']", contains("KeyError")),
        Row(COLLECTION, "list(DynamicFrameCollection([left, right], glueContext).keys())", ["l", "r"]),
        Row(COLLECTION, "both.items()", contains("AttributeError")),
        Row(f"{TRANSFORM}MapToCollection.html", "[names(f) for f in MapToCollection.apply(dfc=both,"
            " BaseTransform=SelectFields, frame_name='frame', paths=['zip']).values()]", [["zip"], ["zip"]]),
        Row(f"{TRANSFORM}flat-map.html", "list(FlatMap.apply(both, SplitFields, 'frame', paths=['zip']).keys())",
            ["l1", "l2", "r1", "r2"]),
    ]  # fmt: skip
    check(jobs, preamble.replace("import DynamicFrame\n", "import DynamicFrame, DynamicFrameCollection\n"), rows, setup)


@pytest.mark.as_on_aws("awsglue")
def test_show_printSchema_and_the_counts_of_a_frame_work_as_documented(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"""
    script = preamble + (
        "df = spark.createDataFrame([(1, ('WY', 2.0), [('Ann', 7)], None)], 'id long, location struct<state:string,"
        "km:double>, friends array<struct<name:string,age:int>>, none void')\n"
        "frame = DynamicFrame.fromDF(df, glueContext, 'people')\n"
        "frame.printSchema()\n"
        "frame.show(5)\n"
        "print(frame.count(), frame.repartition(3).getNumPartitions(), frame.coalesce(1).getNumPartitions())\n"
    )
    assert jobs.succeed(jobs.make(script)) == [
        "root",
        "|-- id: long",
        "|-- location: struct",
        "|    |-- state: string",
        "|    |-- km: double",
        "|-- friends: array",
        "|    |-- element: struct",
        "|    |    |-- name: string",
        "|    |    |-- age: int",
        "|-- none: null",
        '{"id":1,"location":{"state":"WY","km":2.0},"friends":[{"name":"Ann","age":7}]}',
        "1 3 1",
    ]


@pytest.mark.as_on_aws("awsglue")
def test_a_spigot_writes_100_records_by_default(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-etl-scala-apis-glue-dynamicframe-class.html (spigot: "The default
    is 100"), https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-spigot.html
    """
    prefix = jobs.unique("spigot")
    script = preamble + (
        "frame = DynamicFrame.fromDF(spark.range(150), glueContext, 'frame')\n"
        f"root = 's3://{jobs.bucket}/{prefix}/'\n"
        "print(frame.spigot(root + 'default/').count(), Spigot.apply(frame, root + 'few/', {'topk': 2}).count())\n"
        "frame.spigot(root + 'none/', {'prob': 0})\n"
    )
    assert jobs.succeed(jobs.make(script)) == ["150 150"]
    written = {name: len("".join(jobs.objects(f"{prefix}/{name}/").values()).splitlines()) for name in
               ("default", "few", "none")}  # fmt: skip
    assert written == {"default": 100, "few": 2, "none": 0}


@pytest.mark.as_on_aws("awsglue")
def test_records_keep_their_values_if_a_map_gives_them_different_fields(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-map.html"""
    rows = [
        Row(f"{TRANSFORM}map.html", "made = frame_of([(1,), (2,)], 'i int').map(lambda r: {'a': 'x', 'b': 5} if"
            " r.i == 1 else {'b': 6, 'c': {'d': 7}}); result = [r.asDict(True) for r in made.toDF().collect()]",
            [{"a": "x", "b": 5, "c": None}, {"a": None, "b": 6, "c": {"d": 7}}]),
        Row(f"{TRANSFORM}map.html", "made = frame_of([(1,), (2,)], 'i int').map(lambda r: {'a': 1, 'b': [{'c': 2, 'd':"
            " 3}]} if r.i == 1 else {'b': [{'d': 4, 'c': 5}], 'a': 6}); result = data(made)",
            [[1, [{"c": 2, "d": 3}]], [6, [{"c": 5, "d": 4}]]]),
    ]  # fmt: skip
    check(jobs, preamble, rows)

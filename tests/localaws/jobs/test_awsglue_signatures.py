"""Names, parameters and defaults of ``awsglue``, compared with AWS's pages: a row for each public callable."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from awsglue_rows import FRAME_PAGE, GUIDE

ERRORS = 'transformation_ctx="", info="", stageThreshold=0, totalThreshold=0'
PYSPARK = f"{GUIDE}aws-glue-api-crawler-pyspark-"
CONTEXT_PAGE = f"{PYSPARK}extensions-glue-context.html"
READER_PAGE = f"{PYSPARK}extensions-dynamic-frame-reader.html"
WRITER_PAGE = f"{PYSPARK}extensions-dynamic-frame-writer.html"
COLLECTION_PAGE = f"{PYSPARK}extensions-dynamic-frame-collection.html"
TYPES_PAGE = f"{PYSPARK}extensions-types.html"
OPTIONS_PAGE = f"{PYSPARK}extensions-get-resolved-options.html"
TRANSFORMS = f"{PYSPARK}transforms-"
QUALITY_PAGE = f"{GUIDE}data-quality-getting-started-notebook.html"

# By page: what, and its parameters as the page has them. A default stands where the page says "optional" in words, too.
FRAME = {
    "DynamicFrame.__init__": 'jdf, glue_ctx, name=""',
    "DynamicFrame.fromDF": "dataframe, glue_ctx, name",
    "DynamicFrame.toDF": "options=None",
    "DynamicFrame.count": "",
    "DynamicFrame.schema": "",
    "DynamicFrame.printSchema": "",
    "DynamicFrame.show": "num_rows=20",
    "DynamicFrame.repartition": "numPartitions",
    "DynamicFrame.coalesce": "numPartitions",
    "DynamicFrame.errorsCount": "",
    "DynamicFrame.stageErrorsCount": "",
    "DynamicFrame.errorsAsDynamicFrame": "",
    "DynamicFrame.assertErrorThreshold": "",
    "DynamicFrame.apply_mapping": f"mappings, {ERRORS}",
    "DynamicFrame.select_fields": f"paths, {ERRORS}",
    "DynamicFrame.drop_fields": f"paths, {ERRORS}",
    "DynamicFrame.rename_field": f"oldName, newName, {ERRORS}",
    "DynamicFrame.filter": f"f, {ERRORS}",
    "DynamicFrame.map": f"f, {ERRORS}",
    "DynamicFrame.join": f"paths1, paths2, frame2, {ERRORS}",
    "DynamicFrame.resolveChoice": f'specs=None, choice="", database=None, table_name=None, {ERRORS}, catalog_id=None',
    "DynamicFrame.mergeDynamicFrame": 'stage_dynamic_frame, primary_keys, transformation_ctx="", options={}, info="",'
    " stageThreshold=0, totalThreshold=0",
    "DynamicFrame.split_fields": f"paths, name1, name2, {ERRORS}",
    "DynamicFrame.split_rows": f"comparison_dict, name1, name2, {ERRORS}",
    "DynamicFrame.spigot": "path, options={}",
    "DynamicFrame.unnest": ERRORS,
    "DynamicFrame.write": "connection_type, connection_options={}, format=None, format_options={}, accumulator_size=0",
    "ResolveOption.__init__": "path, action, target=None",
}
COLLECTION = {
    "DynamicFrameCollection.__init__": "dynamic_frames, glue_ctx",
    "DynamicFrameCollection.keys": "",
    "DynamicFrameCollection.values": "",
    "DynamicFrameCollection.select": "key",
    "DynamicFrameCollection.map": 'callable, transformation_ctx=""',
    "DynamicFrameCollection.flatmap": 'f, transformation_ctx=""',
}
FROM_CATALOG = 'redshift_tmp_dir="", transformation_ctx="", push_down_predicate="", additional_options={}'
FROM_OPTIONS = 'connection_type, connection_options={}, format=None, format_options={}, transformation_ctx=""'
FROM_JDBC = 'catalog_connection, connection_options={}, redshift_tmp_dir="", transformation_ctx=""'
READER = {
    "DynamicFrameReader.__init__": "glue_context",
    "DynamicFrameReader.from_rdd": "data, name, schema=None, sampleRatio=None",
    "DynamicFrameReader.from_options": FROM_OPTIONS,
    "DynamicFrameReader.from_catalog": f"database, table_name, {FROM_CATALOG}",
}
WRITER = {
    "DynamicFrameWriter.__init__": "glue_context",
    "DynamicFrameWriter.from_options": f"frame, {FROM_OPTIONS}",
    "DynamicFrameWriter.from_catalog": 'frame, database, table_name, redshift_tmp_dir="", transformation_ctx=""',
    "DynamicFrameWriter.from_jdbc_conf": f"frame, {FROM_JDBC}",
}
CONTEXT = {
    "GlueContext.__init__": "sparkContext",
    "GlueContext.create_dynamic_frame_from_catalog": f"database, table_name, {FROM_CATALOG}, catalog_id=None",
    "GlueContext.create_dynamic_frame_from_options": FROM_OPTIONS,
    "GlueContext.create_data_frame_from_catalog": 'database, table_name, transformation_ctx="", additional_options={}',
    "GlueContext.create_data_frame_from_options": FROM_OPTIONS,
    "GlueContext.getSink": 'connection_type, format=None, transformation_ctx="", **options',
    "GlueContext.write_dynamic_frame_from_options": f"frame, {FROM_OPTIONS}",
    "GlueContext.write_from_options": f"frame_or_dfc, {FROM_OPTIONS.replace('format=None', 'format={}')}",
    "GlueContext.write_dynamic_frame_from_catalog": 'frame, database, table_name, redshift_tmp_dir="",'
    ' transformation_ctx="", additional_options={}, catalog_id=None',
    "GlueContext.write_dynamic_frame_from_jdbc_conf": f"frame, {FROM_JDBC}, catalog_id=None",
    "GlueContext.write_from_jdbc_conf": f"frame_or_dfc, {FROM_JDBC}, catalog_id=None",
    "GlueContext.purge_s3_path": 's3_path, options={}, transformation_ctx=""',
    "GlueContext.extract_jdbc_conf": "connection_name, catalog_id=None",
    # The page's examples read `create_data_frame.from_catalog(database = ..., table_name = ..., ...)`.
    "DataFrameReader.__init__": "glue_context",
    "DataFrameReader.from_catalog": 'database, table_name, transformation_ctx="", additional_options={}',
    "DataFrameReader.from_options": FROM_OPTIONS,
    # Its examples begin with `job = Job(glueContext)` and `job.init(args['JOB_NAME'], args)`.
    "Job.__init__": "glue_context",
    "Job.init": "job_name, args=None",
    "Job.commit": "",
}
TYPES = {
    "DataType.__init__": "properties={}",
    "DataType.typeName": "",
    "DataType.jsonValue": "",
    "DataType.fromJsonValue": "json_value",
    "DecimalType.__init__": "precision=10, scale=2, properties={}",
    "EnumType.__init__": "options",
    "ArrayType.__init__": "elementType=UnknownType(), properties={}",
    "ChoiceType.__init__": "choices=[], properties={}",
    "ChoiceType.add": "new_choice",
    "ChoiceType.merge": "new_choices",
    "MapType.__init__": "valueType=UnknownType(), properties={}",
    "Field.__init__": "name, dataType, properties={}",
    "StructType.__init__": "fields=[], properties={}",
    "StructType.add": "field",
    "StructType.hasField": "field",
    "StructType.getField": "field",
    "EntityType.__init__": "entity, base_type, properties",
    "DataSink.setFormat": "format, **options",
    "DataSink.setAccumulableSize": "size",
    "DataSink.writeFrame": 'dynamic_frame, info=""',
    "DataSink.write": 'dynamic_frame_or_dfc, info=""',
}
TABLE = {
    **{what: (FRAME_PAGE, parameters) for what, parameters in FRAME.items()},
    **{what: (COLLECTION_PAGE, parameters) for what, parameters in COLLECTION.items()},
    **{what: (READER_PAGE, parameters) for what, parameters in READER.items()},
    **{what: (WRITER_PAGE, parameters) for what, parameters in WRITER.items()},
    **{what: (CONTEXT_PAGE, parameters) for what, parameters in CONTEXT.items()},
    **{what: (TYPES_PAGE, parameters) for what, parameters in TYPES.items()},
    "getResolvedOptions": (OPTIONS_PAGE, "args, options"),
    # https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html
    "DataSink.setCatalogInfo": (f"{GUIDE}update-from-job.html", 'catalogDatabase, catalogTableName, catalogId=""'),
    "ApplyMapping.__call__": (f"{TRANSFORMS}ApplyMapping.html", f"frame, mappings, {ERRORS}"),
    "SelectFields.__call__": (f"{TRANSFORMS}SelectFields.html", f"frame, paths, {ERRORS}"),
    "DropFields.__call__": (f"{TRANSFORMS}DropFields.html", f"frame, paths, {ERRORS}"),
    "RenameField.__call__": (f"{TRANSFORMS}RenameField.html", f"frame, old_name, new_name, {ERRORS}"),
    "ResolveChoice.__call__": (f"{TRANSFORMS}ResolveChoice.html", f'frame, specs=None, choice="", {ERRORS}'),
    "Filter.__call__": (f"{TRANSFORMS}filter.html", f"frame, f, {ERRORS}"),
    "Map.__call__": (f"{TRANSFORMS}map.html", f"frame, f, {ERRORS}"),
    "DropNullFields.__call__": (f"{TRANSFORMS}DropNullFields.html", f"frame, {ERRORS}"),
    "Join.__call__": (f"{TRANSFORMS}join.html", 'frame1, frame2, keys1, keys2, transformation_ctx=""'),
    "SplitFields.__call__": (f"{TRANSFORMS}SplitFields.html", f"frame, paths, name1=None, name2=None, {ERRORS}"),
    "SplitRows.__call__": (
        f"{TRANSFORMS}SplitRows.html",
        'frame, comparison_dict, name1="frame1", name2="frame2", transformation_ctx="", info=None, stageThreshold=0,'
        " totalThreshold=0",
    ),
    "Spigot.__call__": (f"{TRANSFORMS}spigot.html", 'frame, path, options, transformation_ctx=""'),
    "UnnestFrame.__call__": (f"{TRANSFORMS}UnnestFrame.html", f"frame, {ERRORS}"),
    "SelectFromCollection.__call__": (
        f"{TRANSFORMS}SelectFromCollection.html",
        'dfc, key, transformation_ctx=""',
    ),
    "MapToCollection.__call__": (
        f"{TRANSFORMS}MapToCollection.html",
        'dfc, BaseTransform, frame_name, transformation_ctx="", **base_kwargs',
    ),
    "FlatMap.__call__": (
        f"{TRANSFORMS}flat-map.html",
        'dfc, BaseTransform, frame_name, transformation_ctx="", **base_kwargs',
    ),
    "ErrorsAsDynamicFrame.__call__": (f"{TRANSFORMS}ErrorsAsDynamicFrame.html", "frame"),
    "Relationalize.__call__": (
        f"{TRANSFORMS}Relationalize.html",
        f'frame, staging_path=None, name="roottable", options=None, {ERRORS}',
    ),
    "Unbox.__call__": (f"{TRANSFORMS}Unbox.html", f"frame, path, format, {ERRORS}, **options"),
    "FillMissingValues.__call__": (
        f"{TRANSFORMS}fillmissingvalues.html",
        f'frame, missing_values_column, output_column="", {ERRORS}',
    ),
    "FindMatches.__call__": (
        f"{TRANSFORMS}findmatches.html",
        f"frame, transformId, {ERRORS}, enforcedMatches=None",
    ),
    "FindIncrementalMatches.__call__": (
        f"{TRANSFORMS}findincrementalmatches.html",
        f"existingFrame, incrementalFrame, transformId, {ERRORS}, enforcedMatches=None",
    ),
    "GlueTransform.apply": (f"{TRANSFORMS}GlueTransform.html", "*args, **kwargs"),
    **{
        f"GlueTransform.{name}": (f"{TRANSFORMS}GlueTransform.html", "")
        for name in ("name", "describeArgs", "describeReturn", "describeTransform", "describeErrors", "describe")
    },
    "EvaluateDataQuality.apply": (QUALITY_PAGE, "frame, ruleset, publishing_options={}"),
    "EvaluateDataQuality.process_rows": (
        QUALITY_PAGE,
        "frame, ruleset, publishing_options={}, additional_options={}",
    ),
    "EntityDetector.__init__": (f"{GUIDE}detect-PII.html", ""),
}
# What AWS's library has, and its pages don't: as there.
UNDOCUMENTED = {
    "DynamicFrame.getNumPartitions",
    "Repartition.__call__",
    "Coalesce.__call__",
    "Union.__call__",
    "Job.isInitialized",
    "GlueContext.get_logger",
    "GlueContext.sql",
    "SetType.__init__",
    "mergeDataTypes",
    *(f"Logger.{level}" for level in ("debug", "info", "warn", "error")),
    *(f"Field.{name}" for name in ("jsonValue", "fromJsonValue")),
}
# Only getSink makes one.
PRIVATE = {"DataSink.__init__"}
# The library has them optional, the page does not say so.
OPTIONAL_IN_THE_LIBRARY = {"name", "database", "table_name"}
# The library has them in another order than the page, so that only names say the same in both.
BY_NAME_ONLY = {
    "DynamicFrame.apply_mapping", "DynamicFrame.map", "ApplyMapping.__call__", "Map.__call__", "ResolveChoice.__call__",
    "GlueContext.create_data_frame_from_catalog",
}  # fmt: skip
# The classes of gluetypes say of themselves what DataType says of all.
INHERITED = {"typeName", "jsonValue", "fromJsonValue"}


def public() -> Iterator[tuple[str, Any]]:
    """Every public function, and every public method, constructor and call of a public class."""
    modules = ("context", "dynamicframe", "gluetypes", "job", "transforms", "utils")
    names = [f"awsglue.{module}" for module in modules] + ["awsgluedq.transforms", "awsglueml.transforms"]
    for name in names:
        module = importlib.import_module(name)
        exported = getattr(module, "__all__", ["Job", "getResolvedOptions"])
        for thing in filter(lambda thing: hasattr(module, thing), exported):
            found = getattr(module, thing)
            yield from methods(found) if inspect.isclass(found) else [(thing, found)]
    yield from methods(importlib.import_module("awsglue._sink").DataSink)


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods that a class defines, or a private base of it, and what makes and calls it."""
    bases = [base for base in kind.__mro__ if base is kind or base.__name__.startswith("_")]
    for name, member in {name: member for base in bases for name, member in vars(base).items()}.items():
        called = name in ("__init__", "__call__") or not name.startswith("_")
        inherited = name in INHERITED and kind.__name__ != "DataType" and kind.__name__.endswith("Type")
        if called and not inherited and (inspect.isfunction(member) or isinstance(member, classmethod)):
            yield f"{kind.__name__}.{name}", getattr(kind, name)


def signature_of(called: Any) -> list[inspect.Parameter]:
    """Its parameters, without `self`."""
    return [one for one in inspect.signature(called).parameters.values() if one.name != "self"]


def documented(text: str) -> list[inspect.Parameter]:
    """The parameters that a page's text has."""
    scope: dict[str, Any] = vars(importlib.import_module("awsglue.gluetypes")).copy()
    exec(f"def documented({text}): ...", scope)
    return list(inspect.signature(scope["documented"]).parameters.values())


def plain(default: Any) -> Any:
    """A default as the pages have it: what can't be changed here is a dict or a list there."""
    if isinstance(default, Mapping):
        return dict(default)
    return list(default) if isinstance(default, tuple) else default


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.usefixtures("awsglue")
@pytest.mark.parametrize("what", TABLE)
def test_the_names_parameters_and_defaults_are_those_of_the_developer_guide(what: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html and each row's page."""
    page, text = TABLE[what]
    assert page.startswith(GUIDE)
    ours, theirs = {one.name: one for one in signature_of(dict(public())[what])}, documented(text)
    assert [name for name in ours if name in {one.name for one in theirs}] == [one.name for one in theirs]
    for one in theirs:
        mine = ours.pop(one.name)
        if one.default is not one.empty or one.name not in OPTIONAL_IN_THE_LIBRARY:
            assert plain(mine.default) == one.default, one.name
        by_name = mine.kind is mine.KEYWORD_ONLY and what in BY_NAME_ONLY
        assert by_name or mine.kind is one.kind, one.name
    # What the pages lack may be left out.
    assert [one.name for one in ours.values() if one.default is one.empty] == []


@pytest.mark.usefixtures("awsglue")
def test_every_public_callable_is_in_the_table_of_signatures() -> None:
    assert {what for what, _ in public()} - UNDOCUMENTED - PRIVATE == set(TABLE)


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.usefixtures("awsglue")
def test_no_function_takes_arbitrary_arguments_unless_aws_documents_that() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html"""
    hiding = {
        what
        for what, called in public()
        if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in signature_of(called))
    }
    assert hiding == {what for what, (_, text) in TABLE.items() if "*" in text}

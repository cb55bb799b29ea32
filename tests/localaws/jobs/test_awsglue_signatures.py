"""Names, parameters and defaults of ``awsglue``, compared with AWS's pages: a row for each class and method."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from awsglue_rows import FRAME_PAGE, GUIDE

ERRORS = 'transformation_ctx="", info="", stageThreshold=0, totalThreshold=0'
CONTEXT_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-glue-context.html"
READER_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-dynamic-frame-reader.html"
WRITER_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-dynamic-frame-writer.html"
COLLECTION_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-dynamic-frame-collection.html"
TYPES_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-types.html"
OPTIONS_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"
TRANSFORMS = f"{GUIDE}aws-glue-api-crawler-pyspark-transforms-"

# What, AWS's page, and the parameters as the page has them.
TABLE = [
    ("dynamicframe.DynamicFrame.fromDF", FRAME_PAGE, "dataframe, glue_ctx, name"),
    ("dynamicframe.DynamicFrame.count", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.schema", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.printSchema", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.errorsCount", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.stageErrorsCount", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.errorsAsDynamicFrame", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.assertErrorThreshold", FRAME_PAGE, ""),
    ("dynamicframe.DynamicFrame.apply_mapping", FRAME_PAGE, f"mappings, {ERRORS}"),
    ("dynamicframe.DynamicFrame.select_fields", FRAME_PAGE, f"paths, {ERRORS}"),
    ("dynamicframe.DynamicFrame.drop_fields", FRAME_PAGE, f"paths, {ERRORS}"),
    ("dynamicframe.DynamicFrame.rename_field", FRAME_PAGE, f"oldName, newName, {ERRORS}"),
    ("dynamicframe.DynamicFrame.filter", FRAME_PAGE, f"f, {ERRORS}"),
    ("dynamicframe.DynamicFrame.map", FRAME_PAGE, f"f, {ERRORS}"),
    ("dynamicframe.DynamicFrame.join", FRAME_PAGE, f"paths1, paths2, frame2, {ERRORS}"),
    (
        "dynamicframe.DynamicFrame.resolveChoice",
        FRAME_PAGE,
        f'specs=None, choice="", database=None, table_name=None, {ERRORS}, catalog_id=None',
    ),
    (
        "dynamicframe.DynamicFrame.mergeDynamicFrame",
        FRAME_PAGE,
        'stage_dynamic_frame, primary_keys, transformation_ctx="", options={}, info="", stageThreshold=0,'
        " totalThreshold=0",
    ),
    ("dynamicframe.DynamicFrame.split_fields", FRAME_PAGE, f"paths, name1, name2, {ERRORS}"),
    ("dynamicframe.DynamicFrame.split_rows", FRAME_PAGE, f"comparison_dict, name1, name2, {ERRORS}"),
    ("dynamicframe.DynamicFrame.unnest", FRAME_PAGE, ERRORS),
    ("dynamicframe.DynamicFrameCollection.select", COLLECTION_PAGE, "key"),
    ("dynamicframe.DynamicFrameCollection.map", COLLECTION_PAGE, 'callable, transformation_ctx=""'),
    ("dynamicframe.DynamicFrameCollection.flatmap", COLLECTION_PAGE, 'f, transformation_ctx=""'),
    ("transforms.ApplyMapping.__call__", f"{TRANSFORMS}ApplyMapping.html", f"frame, mappings, {ERRORS}"),
    ("transforms.SelectFields.__call__", f"{TRANSFORMS}SelectFields.html", f"frame, paths, {ERRORS}"),
    ("transforms.DropFields.__call__", f"{TRANSFORMS}DropFields.html", f"frame, paths, {ERRORS}"),
    ("transforms.RenameField.__call__", f"{TRANSFORMS}RenameField.html", f"frame, old_name, new_name, {ERRORS}"),
    ("transforms.ResolveChoice.__call__", f"{TRANSFORMS}ResolveChoice.html", f'frame, specs=None, choice="", {ERRORS}'),
    ("transforms.Filter.__call__", f"{TRANSFORMS}filter.html", f"frame, f, {ERRORS}"),
    ("transforms.Map.__call__", f"{TRANSFORMS}map.html", f"frame, f, {ERRORS}"),
    ("transforms.DropNullFields.__call__", f"{TRANSFORMS}DropNullFields.html", f"frame, {ERRORS}"),
    ("transforms.Join.__call__", f"{TRANSFORMS}join.html", 'frame1, frame2, keys1, keys2, transformation_ctx=""'),
    (
        "transforms.SplitFields.__call__",
        f"{TRANSFORMS}SplitFields.html",
        f"frame, paths, name1=None, name2=None, {ERRORS}",
    ),
    (
        "transforms.SplitRows.__call__",
        f"{TRANSFORMS}SplitRows.html",
        'frame, comparison_dict, name1="frame1", name2="frame2", transformation_ctx="", info=None, stageThreshold=0,'
        " totalThreshold=0",
    ),
    ("transforms.UnnestFrame.__call__", f"{TRANSFORMS}UnnestFrame.html", f"frame, {ERRORS}"),
    (
        "transforms.SelectFromCollection.__call__",
        f"{TRANSFORMS}SelectFromCollection.html",
        'dfc, key, transformation_ctx=""',
    ),
    (
        "transforms.MapToCollection.__call__",
        f"{TRANSFORMS}MapToCollection.html",
        'dfc, BaseTransform, frame_name, transformation_ctx="", **base_kwargs',
    ),
    (
        "transforms.FlatMap.__call__",
        f"{TRANSFORMS}flat-map.html",
        'dfc, BaseTransform, frame_name, transformation_ctx="", **base_kwargs',
    ),
    ("transforms.ErrorsAsDynamicFrame.__call__", f"{TRANSFORMS}ErrorsAsDynamicFrame.html", "frame"),
    ("transforms.GlueTransform.apply", f"{TRANSFORMS}GlueTransform.html", "*args, **kwargs"),
    ("transforms.GlueTransform.name", f"{TRANSFORMS}GlueTransform.html", ""),
    (
        "context.GlueContext.getSink",
        CONTEXT_PAGE,
        'connection_type, format=None, transformation_ctx="", **options',
    ),
    ("context.GlueContext.purge_s3_path", CONTEXT_PAGE, 's3_path, options={}, transformation_ctx=""'),
    ("context.GlueContext.extract_jdbc_conf", CONTEXT_PAGE, "connection_name, catalog_id=None"),
    ("_sink.DataSink.setFormat", TYPES_PAGE, "format, **options"),
    ("_sink.DataSink.writeFrame", TYPES_PAGE, 'dynamic_frame, info=""'),
    ("_sink.DataSink.write", TYPES_PAGE, 'dynamic_frame_or_dfc, info=""'),
    ("utils.getResolvedOptions", OPTIONS_PAGE, "args, options"),
]
# Where parameters that AWS wants have defaults here, or some of its own come after those on the page.
LONGER = [
    (
        "context.DynamicFrameReader.from_options",
        READER_PAGE,
        'connection_type, connection_options={}, format=None, format_options={}, transformation_ctx=""',
    ),
    (
        "context.DynamicFrameWriter.from_options",
        WRITER_PAGE,
        'frame, connection_type, connection_options={}, format=None, format_options={}, transformation_ctx=""',
    ),
    (
        "context.DynamicFrameWriter.from_jdbc_conf",
        WRITER_PAGE,
        'frame, catalog_connection, connection_options={}, redshift_tmp_dir="", transformation_ctx=""',
    ),
    (
        "context.DynamicFrameReader.from_catalog",
        READER_PAGE,
        'database=None, table_name=None, redshift_tmp_dir="", transformation_ctx="", push_down_predicate="",'
        " additional_options={}",
    ),
    (
        "context.DynamicFrameWriter.from_catalog",
        WRITER_PAGE,
        'frame, database=None, table_name=None, redshift_tmp_dir="", transformation_ctx=""',
    ),
    ("dynamicframe.DynamicFrame.toDF", FRAME_PAGE, "options=None"),
    ("dynamicframe.DynamicFrame.show", FRAME_PAGE, "num_rows=20"),
    ("dynamicframe.DynamicFrame.repartition", FRAME_PAGE, "numPartitions"),
    ("dynamicframe.DynamicFrame.coalesce", FRAME_PAGE, "numPartitions"),
    ("dynamicframe.DynamicFrame.spigot", FRAME_PAGE, "path, options={}"),
    ("dynamicframe.DynamicFrame.write", FRAME_PAGE, "connection_type, connection_options={}"),
    ("transforms.Spigot.__call__", f"{TRANSFORMS}spigot.html", 'frame, path, options={}, transformation_ctx=""'),
    ("context.GlueContext.__init__", CONTEXT_PAGE, "sparkContext"),
    ("job.Job.__init__", CONTEXT_PAGE, "glue_context"),
    ("job.Job.init", CONTEXT_PAGE, "job_name, args=None"),
]


def _parameters(what: str) -> list[tuple[str, str, Any]]:
    module, *names = what.split(".")
    found: Any = importlib.import_module(f"awsglue.{module}")
    for name in names:
        found = getattr(found, name)
    return [
        (parameter.name, str(parameter.kind), _plain(parameter.default))
        for parameter in inspect.signature(found).parameters.values()
        if parameter.name != "self" and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]


def _plain(default: Any) -> Any:
    return dict(default) if isinstance(default, Mapping) else default


def _documented(text: str) -> list[tuple[str, str, Any]]:
    scope: dict[str, Any] = {}
    exec(f"def documented({text}): ...", scope)
    signature = inspect.signature(scope["documented"])
    return [(one.name, str(one.kind), one.default) for one in signature.parameters.values()]


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.usefixtures("awsglue")
@pytest.mark.parametrize(("what", "page", "parameters"), TABLE, ids=[row[0] for row in TABLE])
def test_names_parameters_and_defaults_are_those_of_the_developer_guide(what: str, page: str, parameters: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html and each row's page."""
    assert page.startswith(GUIDE)
    assert _parameters(what) == _documented(parameters)


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.usefixtures("awsglue")
@pytest.mark.parametrize(("what", "page", "parameters"), LONGER, ids=[row[0] for row in LONGER])
def test_what_takes_more_than_the_developer_guide_says_takes_that_first(what: str, page: str, parameters: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-extensions.html and each row's page."""
    assert page.startswith(GUIDE)
    documented = _documented(parameters)
    assert _parameters(what)[: len(documented)] == documented

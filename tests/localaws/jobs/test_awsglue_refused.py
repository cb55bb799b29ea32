"""Everything on AWS's pages that ``awsglue`` does not support raises an error that names it."""

from __future__ import annotations

from typing import Any

import pytest
from awsglue_rows import Row, check, contains

CONTEXT = "aws-glue-api-crawler-pyspark-extensions-glue-context.html"
FRAME = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"
READER = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame-reader.html"
WRITER = "aws-glue-api-crawler-pyspark-extensions-dynamic-frame-writer.html"
TYPES = "aws-glue-api-crawler-pyspark-extensions-types.html"
TRANSFORMS = "aws-glue-programming-python-transforms.html"
S3 = "aws-glue-programming-etl-connect-s3-home.html"
REDSHIFT = "aws-glue-programming-etl-connect-redshift-home.html"
FORMATS = "aws-glue-programming-etl-format.html"

SETUP = (
    "at, to = {'paths': ['s3://b/']}, {'path': 's3://b/'}\n"
    "frame = frame_of([(1, (2,))], 'id int, at struct<km:int>')\n"
    "read, write = glueContext.create_dynamic_frame.from_options, glueContext.write_dynamic_frame.from_options\n"
    "url = {'url': 'jdbc:redshift://localhost:1/d', 'user': 'u', 'password': 'p', 'dbtable': 't',"
    " 'redshiftTmpDir': 's3://b/'}\n"
)


def refused(page: str, code: str, named: str) -> Row:
    """A row whose code must be refused, naming `named`."""
    return Row(page, code, contains("is not supported by the embedded AWS", named))


@pytest.mark.refused("awsglue")
def test_unsupported_functions_of_the_glue_api_are_refused_by_name(jobs: Any, preamble: str) -> None:
    contexts = ("getSource('s3')", "create_dynamic_frame_from_rdd(None, 'x')", "add_ingestion_time_columns(None)",
                "create_sample_dynamic_frame_from_catalog()", "create_sample_dynamic_frame_from_options()",
                "forEachBatch(None, None)", "purge_table()", "transition_table()", "transition_s3_path()",
                "write_data_frame", "start_transaction(True)", "getSampleDynamicFrame", "getCatalogSource")  # fmt: skip
    frames = ("relationalize('a', 'b')", "unbox('a', 'json')", "union(None, None)", "simplify_ddb_json()",
              "unnest_ddb_json()", "toDF([1])", "rename_field('at.km', 'at.miles')", "unionAll(None)")  # fmt: skip
    used = {
        "awsglue.transforms": ("Relationalize.apply(frame, 's3://b/')", "Unbox.apply(frame, 'id', 'json')",
                               "Unbox()(frame, path='id', format='csv', separator='|')", "Union.apply(frame, frame)",
                               "FillMissingValues.apply(frame, 'id')", "FindMatches.apply(frame, 'tfm-1')",
                               "FindIncrementalMatches.apply(frame, frame, 'tfm-1')"),
        "awsgluedq.transforms": ("EvaluateDataQuality().process_rows(frame=frame, ruleset='', publishing_options={},"
                                 " additional_options={})", "EvaluateDataQuality.apply(frame=frame, ruleset='')"),
        "awsglueml.transforms": ("FillMissingValues.apply(frame, 'id')", "FindMatches.apply(frame, 'tfm-1')",
                                 "FindIncrementalMatches.apply(frame, frame, 'tfm-1')", "EntityDetector()"),
    }  # fmt: skip
    rows = [
        *(refused(CONTEXT, f"glueContext.{call}", f"GlueContext.{call.split('(')[0]}") for call in contexts),
        *(refused(FRAME, f"frame.{call}", call.split("(")[0]) for call in frames),
        # Glue Studio imports what a script may not use: importing works, using does not.
        *(
            refused(TRANSFORMS, f"from {module} import {name}\nresult = {call}", f"transforms.{name}")
            for module, calls in used.items()
            for call in calls
            for name in [call.split("(")[0].split(".")[0]]
        ),
        Row(TRANSFORMS, "from awsglue.transforms import Nothing\nresult = 1", contains("ImportError")),
        refused(READER, "glueContext.create_dynamic_frame.from_rdd(None, 'x')", "create_dynamic_frame.from_rdd"),
        refused(WRITER, "glueContext.write_dynamic_frame.from_rdd(None, 'x')", "write_dynamic_frame.from_rdd"),
        refused(FRAME, "DynamicFrame(1, glueContext, 'x')", "DynamicFrame(jdf, ...)"),
        refused(FRAME, "DynamicFrame(frame.toDF(), glueContext, 'x')", "DynamicFrame(jdf, ...)"),
        refused(
            FRAME,
            "from awsglue.dynamicframe import ResolveOption\n"
            "result = frame.toDF([ResolveOption('id', 'KeepAsStruct')])",
            "DynamicFrame.toDF(options)",
        ),
        refused(CONTEXT, "GlueContext(glueContext.spark_session, minPartitions=2)", "minPartitions"),
        refused(CONTEXT, "glueContext.extract_jdbc_conf('c', catalog_id='1')", "catalog_id"),
        refused(CONTEXT, "glueContext.write_from_jdbc_conf(frame, 'c', catalog_id='1')", "catalog_id"),
        refused(CONTEXT, "glueContext.write_dynamic_frame_from_jdbc_conf(frame, 'c', catalog_id='1')", "catalog_id"),
        # Parameters that are not AWS's are Python's to refuse.
        Row(CONTEXT, "read('s3', at, 'json', nonsense=1)", contains("TypeError", "nonsense")),
        Row(
            CONTEXT,
            "glueContext.create_dynamic_frame_from_catalog('d', 't', nonsense=1)",
            contains("TypeError", "nonsense"),
        ),
        Row(
            CONTEXT,
            "glueContext.create_dynamic_frame.from_catalog('d', 't', name_space='d')",
            contains("ValueError", "name_space"),
        ),
        Row(CONTEXT, "glueContext.write_dynamic_frame.from_catalog(frame, 'd')", contains("ValueError", "table_name")),
        # Where AWS's library has another order of parameters than its page, they must be named.
        Row(TRANSFORMS, "ApplyMapping.apply(frame, [('id', 'int', 'id', 'int')], 'ctx')", contains("TypeError")),
        refused(FRAME, "frame.resolveChoice(specs=[('id', 'make_soup')])", "'make_soup'"),
        refused(FRAME, "frame.resolveChoice(choice='match_soup')", "'match_soup'"),
        refused(FRAME, "frame.mergeDynamicFrame(frame, ['id'], options={'x': 1})", "'x'"),
        refused(FRAME, "frame.split_rows({'id': {'~': 1}}, 'a', 'b')", "'~'"),
        refused(FRAME, "frame.write('s3', {}, 'json', {}, 5)", "accumulator_size"),
        refused(TYPES, "ApplyMapping.apply(frame, [('id', 'long', 'id', 'money')])", "'money'"),
        refused(TYPES, "glueContext.getSink('s3', path='s3://b/').setAccumulableSize(5)", "setAccumulableSize"),
        Row(TRANSFORMS, "import gs_derived\nresult = 1", contains("ModuleNotFoundError", "gs_derived")),
    ]
    check(jobs, preamble, rows, SETUP)


@pytest.mark.refused("awsglue")
def test_unsupported_connections_formats_and_options_are_refused_by_name(jobs: Any, preamble: str) -> None:
    sources = ("dynamodb", "mysql", "postgresql", "oracle", "sqlserver", "redshift", "kinesis", "kafka", "mongodb",
               "opensearch", "custom.jdbc", "marketplace.spark", "snowflake", "bigquery")  # fmt: skip
    sinks = ("mysql", "postgresql", "oracle", "sqlserver", "dynamodb", "mongodb", "snowflake")
    formats = ("avro", "orc", "xml", "ion", "grokLog", "hudi", "iceberg", "delta")
    s3_options = ("exclusions", "maxBand", "maxFilesInBand", "isFailFast", "boundedFiles", "boundedSize",
                  "excludeStorageClasses", "useS3ListImplementation", "enableSamplePath", "samplePath",
                  "schema")  # fmt: skip
    redshift_options = ("DbUser", "forward_spark_s3_credentials", "unload_s3_format", "sse_kms_key", "autopushdown",
                        "extraunloadoptions", "hashfield")  # fmt: skip
    rows = [
        *(refused(CONTEXT, f"read({kind!r}, {{}})", f"connection_type={kind!r}") for kind in sources),
        *(refused(CONTEXT, f"write(frame, {kind!r}, {{}})", f"connection_type={kind!r}") for kind in sinks),
        *(refused(FORMATS, f"read('s3', at, {name!r})", f"format={name!r}") for name in formats),
        *(refused(FORMATS, f"write(frame, 's3', to, {name!r})", name) for name in formats),
        *(refused(S3, f"read('s3', {{**at, {name!r}: 1}}, 'json')", f"{name!r}") for name in s3_options),
        *(refused(REDSHIFT, f"write(frame, 'redshift', {{**url, {name!r}: 1}})", f"{name!r}")
          for name in redshift_options),
        refused(S3, "read('s3', {**at, 'compressionType': 'zstd'}, 'json')", "'zstd'"),
        refused(S3, "write(frame, 's3', {'path': 's3://b/', 'compression': 'lzo'}, 'json')", "'lzo'"),
        refused(S3, "write(frame, 's3', {'path': 's3://b/', 'overwrite': True}, 'json')", "'overwrite'"),
        refused(FORMATS, "read('s3', at, 'json', {'jsonPath': '$'})", "'jsonPath'"),
        refused(FORMATS, "read('s3', at, 'json', {'withSchema': '{}'})", "'withSchema'"),
        refused(FORMATS, "read('s3', at, 'csv', {'optimizePerformance': True})", "optimizePerformance"),
        refused(FORMATS, "read('s3', at, 'csv', {'strictCheckForQuoting': True})", "strictCheck"),
        refused(FORMATS, "write(frame, 's3', to, 'csv', {'escaper': 'x'})", "'escaper'"),
        refused(CONTEXT, "read('s3', at, 'json', push_down_predicate='x')", "push_down_predicate"),
        refused(CONTEXT, "glueContext.getSink('redshift')", "connection_type='redshift'"),
        refused(CONTEXT, "glueContext.getSink('s3', path='s3://b/', groupFiles=1)", "'groupFiles'"),
        refused(CONTEXT, "glueContext.purge_s3_path('s3://b/', {'manifestFilePath': ''})", "'manifestFilePath'"),
        refused(CONTEXT, "glueContext.create_dynamic_frame.from_catalog('d', 't', additional_options={'hashfield': 1})",
                "'hashfield'"),
        refused(WRITER, "glueContext.write_from_options(DynamicFrameCollection({}, glueContext), 's3', {})",
                "DynamicFrameCollection"),
        refused(REDSHIFT, "write(frame, 'redshift', url)", "'at', of type struct"),
        refused(REDSHIFT, "write(frame.select_fields(['id']), 'redshift', {**url, 'tempformat': 'AVRO'})", "'AVRO'"),
        refused(REDSHIFT, "write(frame, 'redshift', {**url, 'url': 'jdbc:mysql://x/y'})", "'jdbc:mysql://x/y'"),
        Row(S3, "read('s3', {}, 'json')", contains("ValueError", "paths")),
        Row(S3, "read('s3', {'paths': ['/tmp/x']}, 'json')", contains("ValueError", "not an S3 path")),
        Row(S3, "write(frame, 's3', {}, 'json')", contains("ValueError", "path")),
    ]  # fmt: skip
    check(jobs, preamble.replace("import DynamicFrame\n", "import DynamicFrame, DynamicFrameCollection\n"), rows, SETUP)

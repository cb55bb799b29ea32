"""Scripts as AWS Glue Studio writes them for visual jobs, node by node and unchanged but for buckets and names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

HEAD = """import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
{imports}
{functions}
args = getResolvedOptions(sys.argv, ['JOB_NAME'])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args['JOB_NAME'], args)
"""
SQL = """
def sparkSqlQuery(glueContext, query, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql(query)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
"""
UNION = """
def sparkUnion(glueContext, unionType, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql("(select * from source1) UNION " + unionType + " (select * from source2)")
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
"""
AGGREGATE = """
def sparkAggregate(glueContext, parentFrame, groups, aggs, transformation_ctx) -> DynamicFrame:
    aggsFuncs = []
    for column, func in aggs:
        aggsFuncs.append(getattr(SqlFuncs, func)(column))
    result = parentFrame.toDF().groupBy(*groups).agg(*aggsFuncs) if len(groups) > 0 else parentFrame.toDF().agg(*aggsFuncs)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
"""  # noqa: E501
CUSTOM = """
# Script generated for node Custom Transform
def MyTransform(glueContext, dfc) -> DynamicFrameCollection:
    df = dfc.select(list(dfc.keys())[0]).toDF()
    dyf = DynamicFrame.fromDF(df.filter("transaction_amount > 2"), glueContext, "filtered")
    return DynamicFrameCollection({"CustomTransform0": dyf}, glueContext)
"""
TOLLS = [
    {"transaction_id": n, "toll_booth": ("buckley_rd", "golf_rd")[n % 2], "transaction_amount": n * 1.5}
    for n in range(4)
]


@pytest.fixture
def landing(jobs: Any, json_lines: Callable[..., str]) -> str:
    """A prefix with toll rows."""
    prefix = str(jobs.unique("landing"))
    jobs.put(f"{prefix}/one.json", json_lines(TOLLS[:2]))
    jobs.put(f"{prefix}/more/two.json", json_lines([*TOLLS[2:], TOLLS[2]]))
    return prefix


def rows_of(objects: dict[str, str]) -> list[dict[str, Any]]:
    """The JSON rows of all objects, ordered."""
    lines = [line for body in objects.values() for line in body.splitlines()]
    return sorted((json.loads(line) for line in lines), key=str)


@pytest.mark.as_on_aws("awsglue")
def test_a_visual_job_with_filter_drop_duplicates_aggregate_and_sql_nodes_runs_unchanged(
    jobs: Any, landing: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/edit-nodes-chapter.html,
    https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html
    """
    table, target = jobs.unique("curated"), f"s3://{jobs.bucket}/{jobs.unique('curated')}/"
    imports = "from awsglue.dynamicframe import DynamicFrame\nfrom awsglue import DynamicFrame\n"
    imports += "from pyspark.sql import functions as SqlFuncs\nimport re\n"
    body = f"""
# Script generated for node Amazon S3
AmazonS3_node1 = glueContext.create_dynamic_frame.from_options(format_options={{"multiLine": "false"}}, connection_type="s3", format="json", connection_options={{"paths": ["s3://{jobs.bucket}/{landing}/"], "recurse": True}}, transformation_ctx="AmazonS3_node1")

# Script generated for node Filter
Filter_node2 = Filter.apply(frame=AmazonS3_node1, f=lambda row: (bool(re.match("_rd", row["toll_booth"])) or row["transaction_id"] >= 1), transformation_ctx="Filter_node2")

# Script generated for node Drop Duplicates
DropDuplicates_node3 =  DynamicFrame.fromDF(Filter_node2.toDF().dropDuplicates(["transaction_id"]), glueContext, "DropDuplicates_node3")

# Script generated for node Aggregate
Aggregate_node4 = sparkAggregate(glueContext, parentFrame = DropDuplicates_node3, groups = ["toll_booth"], aggs = [["transaction_amount", "sum"], ["transaction_id", "count"]], transformation_ctx = "Aggregate_node4")

# Script generated for node Rename Field
RenameField_node5 = RenameField.apply(frame=Aggregate_node4, old_name="`sum(transaction_amount)`", new_name="total", transformation_ctx="RenameField_node5")

# Script generated for node SQL Query
SqlQuery0 = '''
select toll_booth, total, `count(transaction_id)` as rows
from myDataSource
'''
SQLQuery_node6 = sparkSqlQuery(glueContext, query = SqlQuery0, mapping = {{"myDataSource":RenameField_node5}}, transformation_ctx = "SQLQuery_node6")

# Script generated for node Amazon S3
AmazonS3_node7 = glueContext.getSink(path="{target}", connection_type="s3", updateBehavior="UPDATE_IN_DATABASE", partitionKeys=["toll_booth"], enableUpdateCatalog=True, transformation_ctx="AmazonS3_node7")
AmazonS3_node7.setCatalogInfo(catalogDatabase="{jobs.bucket}",catalogTableName="{table}")
AmazonS3_node7.setFormat("glueparquet", compression="snappy")
AmazonS3_node7.writeFrame(SQLQuery_node6)

# Read back by its catalog table
back = glueContext.create_dynamic_frame.from_catalog(database="{jobs.bucket}", table_name="{table}", transformation_ctx="back")
for row in sorted(tuple(row) for row in back.toDF().select("toll_booth", "total", "rows").collect()): print(row)
job.commit()
"""  # noqa: E501
    script = HEAD.format(imports=imports, functions=SQL + AGGREGATE) + body
    name = jobs.make(script)
    assert jobs.succeed(name) == ["('buckley_rd', 3.0, 1)", "('golf_rd', 6.0, 2)"]
    found = jobs.aws("glue").get_table(DatabaseName=jobs.bucket, Name=table)["Table"]
    columns = [(column["Name"], column["Type"]) for column in found["StorageDescriptor"]["Columns"]]
    assert columns == [("total", "double"), ("rows", "bigint")]
    assert found["PartitionKeys"] == [{"Name": "toll_booth", "Type": "string"}]
    assert found["Parameters"]["classification"] == "parquet"
    partitions = jobs.aws("glue").get_partitions(DatabaseName=jobs.bucket, TableName=table)["Partitions"]
    assert sorted(partition["Values"] for partition in partitions) == [["buckley_rd"], ["golf_rd"]]


@pytest.mark.as_on_aws("awsglue")
def test_a_visual_job_with_catalog_source_join_union_and_custom_transform_nodes_runs_unchanged(
    jobs: Any, landing: str, json_lines: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/edit-nodes-chapter.html,
    https://docs.aws.amazon.com/glue/latest/dg/transforms-custom.html
    """
    types = {"transaction_id": "int", "toll_booth": "string", "transaction_amount": "double"}
    table, target, booths = jobs.table(types, f"{landing}/"), jobs.unique("out"), jobs.unique("booths")
    jobs.put(f"{booths}/booths.csv", 'booth,lanes\n"buckley_rd",4\n"golf_rd",2\n')
    imports = "from awsglue.dynamicframe import DynamicFrameCollection\nfrom awsglue.dynamicframe import DynamicFrame\n"
    imports += "from awsglue import DynamicFrame\n"
    body = f"""
# Script generated for node AWS Glue Data Catalog
AWSGlueDataCatalog_node1 = glueContext.create_dynamic_frame.from_catalog(database="{jobs.bucket}", table_name="{table}", transformation_ctx="AWSGlueDataCatalog_node1")

# Script generated for node Amazon S3
AmazonS3_node2 = glueContext.create_dynamic_frame.from_options(format_options={{"quoteChar": "\\"", "withHeader": True, "separator": ",", "optimizePerformance": False}}, connection_type="s3", format="csv", connection_options={{"paths": ["s3://{jobs.bucket}/{booths}/booths.csv"], "recurse": True}}, transformation_ctx="AmazonS3_node2")

# Script generated for node Custom Transform
CustomTransform_node3 = MyTransform(glueContext, DynamicFrameCollection({{"AWSGlueDataCatalog_node1": AWSGlueDataCatalog_node1}}, glueContext))

# Script generated for node Select From Collection
SelectFromCollection_node4 = SelectFromCollection.apply(dfc=CustomTransform_node3, key=list(CustomTransform_node3.keys())[0], transformation_ctx="SelectFromCollection_node4")

# Script generated for node Renamed keys for Join
RenamedkeysforJoin_node5 = ApplyMapping.apply(frame=AmazonS3_node2, mappings=[("booth", "string", "right_booth", "string"), ("lanes", "string", "right_lanes", "int")], transformation_ctx="RenamedkeysforJoin_node5")

# Script generated for node Join
Join_node6 = Join.apply(frame1=SelectFromCollection_node4, frame2=RenamedkeysforJoin_node5, keys1=["toll_booth"], keys2=["right_booth"], transformation_ctx="Join_node6")

# Script generated for node Drop Fields
DropFields_node7 = DropFields.apply(frame=Join_node6, paths=["right_booth", "transaction_amount"], transformation_ctx="DropFields_node7")

# Script generated for node Select Fields
SelectFields_node8 = SelectFields.apply(frame=DropFields_node7, paths=["transaction_id", "toll_booth", "right_lanes"], transformation_ctx="SelectFields_node8")

# Script generated for node Union
Union_node9 = sparkUnion(glueContext, unionType = "DISTINCT", mapping = {{"source1": SelectFields_node8, "source2": SelectFields_node8}}, transformation_ctx = "Union_node9")

# Script generated for node Drop Null Fields
DropNullFields_node10 = DropNullFields.apply(frame=Union_node9, transformation_ctx="DropNullFields_node10")

# Script generated for node Amazon S3
AmazonS3_node11 = glueContext.write_dynamic_frame.from_options(frame=DropNullFields_node10, connection_type="s3", format="json", connection_options={{"path": "s3://{jobs.bucket}/{target}/", "partitionKeys": []}}, transformation_ctx="AmazonS3_node11")

job.commit()
"""  # noqa: E501
    jobs.succeed(jobs.make(HEAD.format(imports=imports, functions=CUSTOM + UNION) + body))
    assert rows_of(jobs.objects(f"{target}/")) == [
        {"transaction_id": 2, "toll_booth": "buckley_rd", "right_lanes": 4},
        {"transaction_id": 3, "toll_booth": "golf_rd", "right_lanes": 2},
    ]


@pytest.mark.as_on_aws("awsglue")
def test_a_sink_creates_a_catalog_table_and_updates_its_columns_unless_UpdateBehavior_is_LOG(
    jobs: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html"""
    table, prefix = jobs.unique("kept"), jobs.unique("kept")
    script = (
        preamble
        + f"""
def write(columns, **options):
    df = spark.range(2).selectExpr(*columns)
    sink = glueContext.getSink(connection_type="s3", path="s3://{jobs.bucket}/{prefix}/", **options)
    sink.setFormat("json")
    sink.setCatalogInfo(catalogDatabase="{jobs.bucket}", catalogTableName="{table}")
    sink.writeFrame(DynamicFrame.fromDF(df, glueContext, "frame"))
    try:
        found = boto3.client("glue").get_table(DatabaseName="{jobs.bucket}", Name="{table}")["Table"]
    except Exception as error:
        return type(error).__name__
    return [(column["Name"], column["Type"]) for column in found["StorageDescriptor"]["Columns"]]
import boto3
print(write(["id"]))
print(write(["id"], enableUpdateCatalog=True))
print(write(["id", "id / 2 as half"], enableUpdateCatalog=True, updateBehavior="LOG"))
print(write(["id", "id / 2 as half"], enableUpdateCatalog=True))
glueContext.write_dynamic_frame.from_catalog(frame=DynamicFrame.fromDF(spark.range(1), glueContext, "f"),
    database="{jobs.bucket}", table_name="{table}", additional_options={{"enableUpdateCatalog": True}})
read = lambda: glueContext.create_dynamic_frame.from_catalog(database="{jobs.bucket}", table_name="{table}").count()
print(read())
glueContext.purge_s3_path("s3://{jobs.bucket}/{prefix}/")
print(read())
glueContext.purge_s3_path("s3://{jobs.bucket}/{prefix}/", {{"retentionPeriod": 0}})
print(read())
try:
    write(["id"], enableUpdateCatalog=True, partitionKeys=["id"])
except ValueError as error:
    print(error)
"""
    )
    assert jobs.succeed(jobs.make(script)) == [
        "EntityNotFoundException",
        "[('id', 'bigint')]",
        "[('id', 'bigint')]",
        "[('id', 'bigint'), ('half', 'double')]",
        "9",
        "9",
        "0",
        f"partitionKeys are ['id'], but {jobs.bucket}.{table} has []: they must be equal",
    ]


# The imports that scripts of Glue Studio have, by the nodes of the job.
IMPORTS = [
    "from awsglue.transforms import *",
    "from awsglue.utils import getResolvedOptions",
    "from awsglue.context import GlueContext",
    "from awsglue.job import Job",
    "from awsglue.dynamicframe import DynamicFrame",
    "from awsglue.dynamicframe import DynamicFrameCollection",
    "from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection",
    "from awsglue.dynamicframe import DynamicFrameReader, DynamicFrameWriter",
    "from awsglue import DynamicFrame",
    "from awsglue.gluetypes import *",
    "from awsgluedq.transforms import EvaluateDataQuality",
    "from awsglueml.transforms import EntityDetector",
    "from awsglueml.transforms import *",
    "from pyspark.context import SparkContext",
    "from pyspark.sql import functions as SqlFuncs",
    "from pyspark.sql.types import StringType",
    "from pyspark.sql.functions import *",
    "import concurrent.futures",
    "import hashlib",
    "import re",
]


@pytest.mark.as_on_aws("awsglue")
def test_every_import_that_glue_studio_generates_works(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/edit-nodes-chapter.html; seen in scripts in public repositories."""
    assert jobs.succeed(jobs.make("\n".join([*IMPORTS, "print('imported')"]))) == ["imported"]


@pytest.mark.as_on_aws("awsglue")
def test_a_visual_job_with_a_DropNullFields_node_runs_unchanged(jobs: Any) -> None:
    """Glue Studio's node "Drop Null Fields" goes through the types of `frame.schema()`:
    https://docs.aws.amazon.com/glue/latest/dg/transforms-remove-null-fields.html
    """
    prefix = str(jobs.unique("nulls"))
    jobs.put(f"{prefix}/x.csv", "id,name,nothing,same\n1,a,,null\n2,b,null,\n")
    functions = """
def null_fields(schema, path, frame, null_texts):
    if isinstance(schema, StructType):
        inner = [(field.dataType, f"{path}.{field.name}" if path else field.name) for field in schema]
        return [found for kind, name in inner for found in null_fields(kind, name, frame, null_texts)]
    if isinstance(schema, ArrayType) and isinstance(schema.elementType, StructType):
        return null_fields(schema.elementType, path, frame, null_texts)
    if isinstance(schema, NullType):
        return [path]
    if not isinstance(schema, StringType):
        return []
    values = {row[0] for row in frame.toDF().select(path).distinct().collect()}
    return [path] if values <= null_texts else []
"""
    imports = "from awsglue.gluetypes import *\nfrom awsglue import DynamicFrame"
    body = f"""
source = glueContext.create_dynamic_frame.from_options(format_options={{"withHeader": True, "separator": ","}},
    connection_type="s3", format="csv", connection_options={{"paths": ["s3://{jobs.bucket}/{prefix}/"]}})
fields = null_fields(source.schema(), "", source, {{"", "null", None}})
print(fields)
typed = spark.sql("select 1 as a, null as b, struct(null as d, 2 as e) as c, array(struct(null as g)) as f")
typed = DynamicFrame.fromDF(typed, glueContext, "typed")
print(null_fields(typed.schema(), "", typed, set()))
print(DropFields.apply(frame=source, paths=fields).toDF().columns)
"""
    script = HEAD.format(imports=imports, functions=functions) + body
    assert jobs.succeed(jobs.make(script)) == ["['nothing', 'same']", "['b', 'c.d', 'f.g']", "['id', 'name']"]


@pytest.mark.refused("awsglue")
def test_the_data_quality_evaluation_that_glue_studio_adds_to_new_targets_is_refused(jobs: Any, landing: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html"""
    body = f"""
# Default ruleset used by all target nodes with data quality enabled
DEFAULT_DATA_QUALITY_RULESET = '''
    Rules = [
        ColumnCount > 0
    ]
'''
# Script generated for node Amazon S3
AmazonS3_node1 = glueContext.create_dynamic_frame.from_options(connection_type="s3", format="json", connection_options={{"paths": ["s3://{jobs.bucket}/{landing}/"]}}, transformation_ctx="AmazonS3_node1")

# Script generated for node Amazon S3
EvaluateDataQuality().process_rows(frame=AmazonS3_node1, ruleset=DEFAULT_DATA_QUALITY_RULESET, publishing_options={{"dataQualityEvaluationContext": "EvaluateDataQuality_node1", "enableDataQualityResultsPublishing": True}}, additional_options={{"dataQualityResultsPublishing.strategy": "BEST_EFFORT", "observations.scope": "ALL"}})
"""  # noqa: E501
    script = HEAD.format(imports="from awsgluedq.transforms import EvaluateDataQuality", functions="") + body
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert "awsgluedq.transforms.EvaluateDataQuality is not supported by the embedded AWS" in run["ErrorMessage"]

import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir", "SOURCE_DATABASE", "SOURCE_TABLE", "TARGET_TABLE"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node AWS Glue Data Catalog
AWSGlueDataCatalog_node1 = glueContext.create_dynamic_frame.from_catalog(
    database=args["SOURCE_DATABASE"],
    table_name=args["SOURCE_TABLE"],
    transformation_ctx="AWSGlueDataCatalog_node1",
)

# Script generated for node Change Schema
ChangeSchema_node2 = ApplyMapping.apply(
    frame=AWSGlueDataCatalog_node1,
    mappings=[
        ("transaction_id", "int", "transaction_id", "bigint"),
        ("transaction_date", "string", "transaction_date", "string"),
        ("toll_booth", "string", "toll_booth", "string"),
        ("vehicle_make", "string", "vehicle_make", "string"),
        ("vehicle_category", "string", "vehicle_category", "string"),
        ("transaction_amount", "double", "transaction_amount", "double"),
    ],
    transformation_ctx="ChangeSchema_node2",
)

# Script generated for node Amazon Redshift
AmazonRedshift_node3 = glueContext.write_dynamic_frame.from_catalog(
    frame=ChangeSchema_node2,
    database=args["SOURCE_DATABASE"],
    table_name=args["TARGET_TABLE"],
    redshift_tmp_dir=args["TempDir"],
    transformation_ctx="AmazonRedshift_node3",
)

job.commit()

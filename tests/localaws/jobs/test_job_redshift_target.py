"""Writing to Redshift: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html"""

from __future__ import annotations

import json
from typing import Any

import pytest
from redshift_target import PASSWORD, USER, Target

ROWS = "[(1, '  spaced ', 0.5), (2, 'quo\"te, and comma', None), (3, '', 1.25), (4, None, 2.0)]"
FRAME = (
    f"df = spark.createDataFrame({ROWS}, 'id bigint, name string, amount double')\n"
    "frame = DynamicFrame.fromDF(df, glueContext, 'frame')\n"
)


@pytest.mark.as_on_aws("awsglue")
def test_a_frame_is_written_to_a_new_redshift_table_through_the_temporary_directory(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html"""
    table, staging = unique("t"), unique("staging")
    script = preamble + FRAME + (
        "glueContext.write_dynamic_frame.from_jdbc_conf(frame=frame,"
        f" catalog_connection='{jobs_cluster.connection}', connection_options={{'dbtable': 'public.{table}',"
        f" 'database': 'toll_db', 'preactions': \"create table {table}_log (t varchar); insert into {table}_log values"
        f" ('a;b')\", 'postactions': 'insert into {table}_log select count(*) from {table}'}},"
        f" redshift_tmp_dir='s3://{jobs.bucket}/{staging}/')\n"
    )  # fmt: skip
    jobs.succeed(jobs.make(script))
    assert jobs_cluster.query(f"select * from {table} order by id") == [
        [1, "  spaced ", 0.5], [2, 'quo"te, and comma', None], [3, "", 1.25], [4, None, 2.0],
    ]  # fmt: skip
    assert jobs_cluster.query(f"select t from {table}_log order by t") == [["4"], ["a;b"]]
    staged = jobs.objects(f"{staging}/")
    (manifest,) = [json.loads(body) for key, body in staged.items() if key.endswith("/manifest.json")]
    for entry in manifest["entries"]:
        body = staged[entry["url"].removeprefix(f"s3://{jobs.bucket}/")]
        assert entry["meta"]["content_length"] == len(body.encode())
        assert entry["mandatory"] is True


@pytest.mark.as_on_aws("awsglue")
def test_table_creation_preactions_copy_and_postactions_are_one_transaction(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html"""
    table = unique("t")
    jobs_cluster.execute(f"create table {table} (id bigint, name varchar not null, amount real)")
    options = f"{{'connectionName': '{jobs_cluster.secret_connection}', 'dbtable': '{table}',"
    options += (
        f" 'redshiftTmpDir': 's3://{jobs.bucket}/temp/', 'preactions': \"insert into {table} values (0, 'x', 0)\"}}"
    )
    script = preamble + FRAME + (
        f"glueContext.write_dynamic_frame.from_options(frame, 'redshift', {options})\n"
    )  # fmt: skip
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert f"Load into table '{table}' failed" in run["ErrorMessage"]
    assert jobs_cluster.query(f"select count(*) from {table}") == [[0]]


@pytest.mark.as_on_aws("awsglue")
def test_without_rows_there_is_no_copy_but_preactions_and_postactions_run(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html"""
    table = unique("t")
    url = f"jdbc:redshift://{jobs_cluster.host}:{jobs_cluster.port}/toll_db"
    script = preamble + FRAME + (
        "glueContext.write_dynamic_frame.from_options(frame=frame.filter(lambda row: False),"
        f" connection_type='redshift', connection_options={{'url': '{url}', 'user': '{USER}',"
        f" 'password': '{PASSWORD}', 'dbtable': '{table}', 'postactions': 'insert into {table} values (9)'}})\n"
    )  # fmt: skip
    jobs.succeed(jobs.make(script))
    assert jobs_cluster.query(f"select id, name from {table}") == [[9, None]]
    assert not jobs_cluster.query(f"select * from sys_load_history where table_name = '{table}'")


@pytest.mark.as_on_aws("awsglue")
def test_a_catalog_table_is_written_with_an_iam_role_of_the_cluster(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html"""
    table = unique("t")
    jobs_cluster.execute(f"create table {table} (id bigint, name varchar, amount real)")
    name = jobs_cluster.catalog_table(jobs.bucket, table)
    script = preamble + FRAME + (
        f"glueContext.write_dynamic_frame.from_catalog(frame=frame, database='{jobs.bucket}', table_name='{name}',"
        f" redshift_tmp_dir=args['TempDir'], additional_options={{'aws_iam_role': '{jobs_cluster.role}'}})\n"
    )  # fmt: skip
    jobs.succeed(jobs.make(script))
    assert jobs_cluster.query(f"select count(*), sum(id) from {table}") == [[4, 10]]


@pytest.mark.as_on_aws("awsglue")
def test_a_visual_job_that_merges_into_redshift_runs_unchanged_and_updates_existing_rows(
    jobs: Any, jobs_cluster: Target, unique: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html,
    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    table, temporary, prefix = unique("toll"), unique("toll_temp"), unique("landing")
    columns = "(transaction_id BIGINT, toll_booth VARCHAR, amount DOUBLE PRECISION)"
    jobs.put(f"{prefix}/a.json", '{"id": 1, "booth": "a;b", "amount": "2.5"}\n{"id": 2, "booth": "c", "amount": "3"}\n')
    script = f"""import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue import DynamicFrame

args = getResolvedOptions(sys.argv, ["JOB_NAME"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Amazon S3
AmazonS3_node1 = glueContext.create_dynamic_frame.from_options(
    format_options={{"multiline": False}},
    connection_type="s3",
    format="json",
    connection_options={{"paths": ["s3://{jobs.bucket}/{prefix}/a.json"], "recurse": True}},
    transformation_ctx="AmazonS3_node1",
)

# Script generated for node Change Schema
ChangeSchema_node2 = ApplyMapping.apply(
    frame=AmazonS3_node1,
    mappings=[
        ("id", "int", "transaction_id", "BIGINT"),
        ("booth", "string", "toll_booth", "VARCHAR"),
        ("amount", "string", "amount", "double"),
    ],
    transformation_ctx="ChangeSchema_node2",
)

# Script generated for node Amazon Redshift
AmazonRedshift_node3 = glueContext.write_dynamic_frame.from_options(
    frame=ChangeSchema_node2,
    connection_type="redshift",
    connection_options={{
        "postactions": "BEGIN; MERGE INTO public.{table} USING public.{temporary} ON {table}.transaction_id = {temporary}.transaction_id WHEN MATCHED THEN UPDATE SET transaction_id = {temporary}.transaction_id, toll_booth = {temporary}.toll_booth, amount = {temporary}.amount WHEN NOT MATCHED THEN INSERT VALUES ({temporary}.transaction_id, {temporary}.toll_booth, {temporary}.amount); DROP TABLE public.{temporary}; END;",
        "redshiftTmpDir": "s3://{jobs.bucket}/temporary/",
        "useConnectionProperties": "true",
        "dbtable": "public.{temporary}",
        "connectionName": "{jobs_cluster.connection}",
        "preactions": "CREATE TABLE IF NOT EXISTS public.{table} {columns}; DROP TABLE IF EXISTS public.{temporary}; CREATE TABLE public.{temporary} {columns};",
    }},
    transformation_ctx="AmazonRedshift_node3",
)

job.commit()
"""  # noqa: E501
    name = jobs.make(script)
    jobs.succeed(name)
    jobs.put(f"{prefix}/a.json", '{"id": 2, "booth": "d", "amount": "4"}\n{"id": 3, "booth": null, "amount": null}\n')
    jobs.succeed(name)
    assert jobs_cluster.query(f"select * from {table} order by 1") == [[1, "a;b", 2.5], [2, "d", 4.0], [3, None, None]]
    with pytest.raises(Exception, match=temporary):
        jobs_cluster.query(f"select * from {temporary}")


@pytest.mark.as_on_aws("awsglue")
def test_changes_before_a_commit_in_the_actions_remain_when_the_copy_fails(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COMMIT.html,
    https://repost.aws/knowledge-center/sql-commands-redshift-glue-job
    """
    table, log = unique("t"), unique("log")
    jobs_cluster.execute(f"create table {table} (id bigint, name varchar not null, amount real)")
    jobs_cluster.execute(f"create table {log} (t varchar(65535))")
    many = ", ".join(f"('it''s; {number} \"x')" for number in range(10_000))
    before = f"begin; insert into {log} values {many}; end; insert into {log} values ('lost');"
    options = f"'connectionName': '{jobs_cluster.connection}', 'redshiftTmpDir': 's3://{jobs.bucket}/temp/'"
    script = preamble + FRAME + (
        f"options = {{{options}, 'dbtable': '{table}'}}\n"
        "write = glueContext.write_dynamic_frame.from_options\n"
        f"before = \"\"\"{before}\"\"\"\n"
        "try:\n"
        "    write(frame, 'redshift', {**options, 'preactions': before})\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
        "good = frame.filter(lambda row: row.id == 1)\n"
        f"write(good, 'redshift', {{**options, 'postactions': 'commit; delete from {log} where false',"
        " 'csvnullstring': 'NIL'})\n"
        "try:\n"
        "    write(good, 'redshift', {**options, 'preactions': 'select 1;\\nselect 2'})\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )  # fmt: skip
    failed, refused = jobs.succeed(jobs.make(script))
    assert failed.startswith(f"RedshiftWriteFailed Load into table '{table}' failed.")
    assert refused == "preactions must not contain line breaks: AWS Glue does not accept them"
    assert jobs_cluster.query(f"select count(*), min(t) from {log}") == [[10_000, "it's; 0 \"x"]]
    assert jobs_cluster.query(f"select id from {table}") == [[1]]


@pytest.mark.refused("awsglue")
def test_a_redshift_target_without_a_required_option_or_with_an_unknown_connection_is_refused(
    jobs: Any, preamble: str
) -> None:
    cases = [
        ({"redshiftTmpDir": ""}, "needs a staging directory in S3"),
        ({"dbtable": ""}, "lacks dbtable"),
        ({"connectionName": "nobody"}, "EntityNotFoundException"),
        ({"user": None}, "lacks user"),
    ]
    base = {"url": "jdbc:redshift://localhost:1/d", "user": "u", "password": "p", "dbtable": "t"}
    base["redshiftTmpDir"] = "s3://b/"
    given = [{name: value for name, value in {**base, **options}.items() if value is not None} for options, _ in cases]
    script = preamble + FRAME + (
        f"for options in {given!r}:\n"
        "    try:\n"
        "        glueContext.write_dynamic_frame.from_options(frame, 'redshift', options)\n"
        "    except Exception as error:\n"
        "        print(error)\n"
    )  # fmt: skip
    printed = jobs.succeed(jobs.make(script, arguments={"--TempDir": ""}))
    assert [message in line for (_, message), line in zip(cases, printed, strict=True)] == [True] * len(cases), printed

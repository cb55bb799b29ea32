"""Airflow's operators and sensors for Amazon, unmodified: https://airflow.apache.org/docs/apache-airflow-providers-amazon/

They run without a scheduler or a database: by `execute` and `poke`, with a connection from the environment.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

CLUSTER = {"cluster_identifier": "clients", "database": "dev", "db_user": "admin"}
Client = Callable[[str], Any]
Name = Callable[[str], str]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session", autouse=True)
def _connection(lab: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Airflow's connection to the embedded AWS, before Airflow is imported."""
    os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps({
        "conn_type": "aws",
        "login": lab["AWS_ACCESS_KEY_ID"],
        "password": lab["AWS_SECRET_ACCESS_KEY"],
        "extra": {"endpoint_url": lab["AWS_ENDPOINT_URL"], "region_name": lab["AWS_REGION"]},
    })  # fmt: skip


@pytest.fixture
def context() -> dict[str, Any]:
    """The parts of a task's context that these operators read."""
    pushed: dict[str, Any] = {}
    task = SimpleNamespace(
        dag_id="clients", task_id="task", run_id="manual", map_index=-1, try_number=1, pushed=pushed,
        xcom_push=lambda key, value: pushed.update({key: value}), xcom_pull=lambda *_, **__: None,
    )  # fmt: skip
    return {"ti": task, "task_instance": task, "params": {}}


def _objects(aws: Client, bucket: str) -> dict[str, bytes]:
    s3 = aws("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_s3_operators_create_copy_transform_list_and_delete_objects(
    aws: Client, unique: Name, context: Any, tmp_path: Path
) -> None:
    from airflow.providers.amazon.aws.operators import s3

    bucket = unique("airflow")
    s3.S3CreateBucketOperator(task_id="b", bucket_name=bucket).execute(context)
    s3.S3CreateObjectOperator(task_id="o", s3_bucket=bucket, s3_key="in/a.txt", data="a,b\n").execute(context)
    s3.S3CopyObjectOperator(
        task_id="c", source_bucket_name=bucket, source_bucket_key="in/a.txt",
        dest_bucket_name=bucket, dest_bucket_key="in/b.txt",
    ).execute(context)  # fmt: skip
    script = tmp_path / "upper.sh"
    script.write_text('#!/bin/sh\ntr a-z A-Z < "$1" > "$2"\n')
    script.chmod(0o755)
    s3.S3FileTransformOperator(
        task_id="t", source_s3_key=f"s3://{bucket}/in/b.txt", dest_s3_key=f"s3://{bucket}/out/b.txt",
        transform_script=str(script),
    ).execute(context)  # fmt: skip
    assert s3.S3ListOperator(task_id="l", bucket=bucket, prefix="in/").execute(context) == ["in/a.txt", "in/b.txt"]
    assert _objects(aws, bucket) == {"in/a.txt": b"a,b\n", "in/b.txt": b"a,b\n", "out/b.txt": b"A,B\n"}
    s3.S3DeleteObjectsOperator(task_id="d", bucket=bucket, prefix="in/").execute(context)
    assert list(_objects(aws, bucket)) == ["out/b.txt"]
    s3.S3DeleteBucketOperator(task_id="r", bucket_name=bucket, force_delete=True).execute(context)
    assert bucket not in [one["Name"] for one in aws("s3").list_buckets()["Buckets"]]


def test_an_s3_operator_fails_if_the_object_already_exists(bucket: str, context: Any) -> None:
    from airflow.providers.amazon.aws.operators.s3 import S3CreateObjectOperator

    S3CreateObjectOperator(task_id="o", s3_bucket=bucket, s3_key="a", data="1").execute(context)
    with pytest.raises(ValueError, match="already exists"):
        S3CreateObjectOperator(task_id="o", s3_bucket=bucket, s3_key="a", data="2").execute(context)


def test_the_s3_key_sensor_succeeds_when_a_key_or_a_pattern_exists(aws: Client, bucket: str, context: Any) -> None:
    from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor

    sensor = S3KeySensor(task_id="k", bucket_name=bucket, bucket_key="in/a.csv")
    pattern = S3KeySensor(task_id="w", bucket_name=bucket, bucket_key="in/*.csv", wildcard_match=True)
    assert (sensor.poke(context), pattern.poke(context)) == (False, False)
    aws("s3").put_object(Bucket=bucket, Key="in/a.csv", Body=b"1")
    assert (sensor.poke(context), pattern.poke(context)) == (True, True)


def test_lambda_operators_create_and_invoke_a_function(aws: Client, unique: Name, role: str, context: Any) -> None:
    from airflow.providers.amazon.aws.operators import lambda_function
    from airflow.providers.amazon.aws.sensors.lambda_function import LambdaFunctionStateSensor

    name = unique("function")
    source = "def handler(event, context):\n    return {'doubled': event['n'] * 2}\n"
    lambda_function.LambdaCreateFunctionOperator(
        task_id="c", function_name=name, runtime="python3.13", role=role, handler="main.handler",
        code={"ZipFile": _zipped({"main.py": source})},
    ).execute(context)  # fmt: skip
    assert LambdaFunctionStateSensor(task_id="s", function_name=name).poke(context)
    invoke = lambda_function.LambdaInvokeFunctionOperator
    assert json.loads(invoke(task_id="i", function_name=name, payload='{"n": 21}').execute(context)) == {"doubled": 42}
    with pytest.raises(ValueError, match="Lambda function execution resulted in error"):
        invoke(task_id="f", function_name=name, payload="{}").execute(context)


def test_glue_operators_crawl_a_folder_and_run_a_job_over_it(
    aws: Client, unique: Name, bucket: str, role: str, context: Any, tmp_path: Path
) -> None:
    from airflow.exceptions import AirflowException
    from airflow.providers.amazon.aws.operators import glue_crawler
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
    from airflow.providers.amazon.aws.sensors.glue import GlueJobSensor
    from airflow.providers.amazon.aws.sensors.glue_catalog_partition import GlueCatalogPartitionSensor
    from airflow.providers.amazon.aws.sensors.glue_crawler import GlueCrawlerSensor

    for day, number in (("1", 1), ("2", 2)):
        aws("s3").put_object(Bucket=bucket, Key=f"tolls/day={day}/a.json", Body=json.dumps({"n": number}).encode())
    crawler, database = unique("crawler"), unique("database")
    config = {"Name": crawler, "Role": role, "DatabaseName": database, "Targets": {"S3Targets": [
        {"Path": f"s3://{bucket}/tolls/"}
    ]}}  # fmt: skip
    glue_crawler.GlueCrawlerCreateOperator(task_id="c", config=config).execute(context)
    changed = {**config, "Description": "again"}
    glue_crawler.GlueCrawlerUpdateOperator(task_id="u", config=changed).execute(context)
    glue_crawler.GlueCrawlerRunOperator(task_id="r", crawler_name=crawler, poll_interval=1).execute(context)
    assert aws("glue").get_crawler(Name=crawler)["Crawler"]["Description"] == "again"
    assert GlueCrawlerSensor(task_id="s", crawler_name=crawler).poke(context)
    table = {"database_name": database, "table_name": "tolls"}
    assert GlueCatalogPartitionSensor(task_id="p", **table, expression="day='2'").poke(context)
    assert not GlueCatalogPartitionSensor(task_id="p", **table, expression="day='3'").poke(context)

    script = tmp_path / "job.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            from awsglue.context import GlueContext
            from awsglue.dynamicframe import DynamicFrame
            from awsglue.utils import getResolvedOptions
            from pyspark.context import SparkContext
            given = getResolvedOptions(sys.argv, ["database", "target"])
            glue = GlueContext(SparkContext.getOrCreate())
            rows = glue.create_dynamic_frame.from_catalog(database=given["database"], table_name="tolls").toDF()
            total = DynamicFrame.fromDF(rows.selectExpr("sum(n) as total").coalesce(1), glue, "total")
            glue.write_dynamic_frame.from_options(
                frame=total, connection_type="s3", connection_options={"path": given["target"]}, format="json"
            )
        """)
    )
    job = unique("job")
    settings: dict[str, Any] = {
        "job_name": job, "script_location": str(script), "s3_bucket": bucket, "iam_role_name": "clients-tests",
        "script_args": {"--database": database, "--target": f"s3://{bucket}/totals/"}, "job_poll_interval": 1,
        "create_job_kwargs": {"WorkerType": "G.1X", "NumberOfWorkers": 2}, "replace_script_file": True,
        "durable": False,  # there is no scheduler whose retries could find the run
    }  # fmt: skip
    run_id = GlueJobOperator(task_id="j", verbose=True, **settings).execute(context)
    totals = [body for key, body in _objects(aws, bucket).items() if key.startswith("totals/")]
    assert [json.loads(body) for body in totals] == [{"total": 3}]
    assert GlueJobSensor(task_id="js", job_name=job, run_id=run_id).poke(context)
    settings["script_args"] = {**settings["script_args"], "--database": "nowhere"}
    with pytest.raises(AirflowException, match=r"Exiting Job .* Run State: FAILED"):
        GlueJobOperator(task_id="f", **settings).execute(context)


def test_the_redshift_data_operator_runs_statements_and_fails_with_redshift_s_error(
    query: Query, unique: Name, context: Any
) -> None:
    from airflow.providers.amazon.aws.hooks.redshift_data import RedshiftDataQueryFailedError
    from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator

    def run(*sql: str, **more: Any) -> Any:
        return RedshiftDataOperator(
            task_id="r", **CLUSTER, sql=list(sql) if len(sql) > 1 else sql[0], poll_interval=1, durable=False, **more
        ).execute(context)

    run("create table airflow_rows (n int)", "insert into airflow_rows values (1), (2)")
    run("insert into airflow_rows values (:n)", parameters=[{"name": "n", "value": "3"}])
    assert query("select sum(n) from airflow_rows") == [(6,)]
    shown = run("select n from airflow_rows order by n", return_sql_result=True)
    assert [record[0]["longValue"] for record in shown[0]["Records"]] == [1, 2, 3]
    with pytest.raises(RedshiftDataQueryFailedError, match='relation "airflow_nowhere" does not exist'):
        run("select * from airflow_nowhere")


@pytest.mark.parametrize("by", ["data API", "redshift_connector"])
def test_S3ToRedshift_loads_replaces_and_upserts_and_RedshiftToS3_unloads(
    aws: Client, query: Query, bucket: str, role: str, cluster: dict[str, Any], context: Any, by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from airflow.providers.amazon.aws.transfers.redshift_to_s3 import RedshiftToS3Operator
    from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator

    way: dict[str, Any] = {
        "redshift_data_api_kwargs": {**CLUSTER, "poll_interval": 1},
        "redshift_conn_id": "aws_default",
    }
    table = "loaded_by_api"
    if by == "redshift_connector":
        table = "loaded_by_driver"
        way = {"redshift_conn_id": "redshift_default"}
        address = f"admin:Passw0rd-1@{cluster['Address']}:{cluster['Port']}/dev"
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", f"redshift://{address}")

    def load(key: str, **more: Any) -> None:
        S3ToRedshiftOperator(
            task_id="l", schema="public", table=table, s3_bucket=bucket, s3_key=key, copy_options=["csv"],
            aws_conn_id="aws_default", **way, **more,
        ).execute(context)  # fmt: skip

    query(f"create table {table} (id int, name varchar(10), primary key (id))")
    aws("s3").put_object(Bucket=bucket, Key="first.csv", Body=b"1,a\n2,b\n")
    aws("s3").put_object(Bucket=bucket, Key="second.csv", Body=b"2,B\n3,c\n")
    load("first.csv")
    load("second.csv", method="UPSERT", upsert_keys=["id"])
    assert query(f"select * from {table} order by id") == [(1, "a"), (2, "B"), (3, "c")]
    load("first.csv", method="REPLACE")
    assert query(f"select * from {table} order by id") == [(1, "a"), (2, "b")]
    RedshiftToS3Operator(
        task_id="u", schema="public", table=table, s3_bucket=bucket, s3_key="unloaded",
        unload_options=["CSV", "PARALLEL OFF"], aws_conn_id="aws_default", **way,
    ).execute(context)  # fmt: skip
    unloaded = [body for key, body in _objects(aws, bucket).items() if key.startswith("unloaded")]
    assert [sorted(body.split()) for body in unloaded] == [[b"1,a", b"2,b"]]
    with pytest.raises(Exception, match=r"The specified S3 prefix 'nothing\.csv' does not exist"):
        load("nothing.csv")


def _zipped(files: dict[str, str]) -> bytes:
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, source in files.items():
            archive.writestr(name, source)
    return stream.getvalue()

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


def test_a_frame_goes_through_the_staging_directory_into_a_new_table(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
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


def test_all_of_it_is_one_transaction(jobs: Any, jobs_cluster: Target, unique: Any, preamble: str) -> None:
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


def test_no_rows_are_no_copy_but_the_actions_run(jobs: Any, jobs_cluster: Target, unique: Any, preamble: str) -> None:
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


def test_a_catalog_table_is_written_with_a_role_of_the_cluster(
    jobs: Any, jobs_cluster: Target, unique: Any, preamble: str
) -> None:
    table = unique("t")
    jobs_cluster.execute(f"create table {table} (id bigint, name varchar, amount real)")
    name = jobs_cluster.catalog_table(jobs.bucket, table)
    script = preamble + FRAME + (
        f"glueContext.write_dynamic_frame.from_catalog(frame=frame, database='{jobs.bucket}', table_name='{name}',"
        f" redshift_tmp_dir=args['TempDir'], additional_options={{'aws_iam_role': '{jobs_cluster.role}'}})\n"
    )  # fmt: skip
    jobs.succeed(jobs.make(script))
    assert jobs_cluster.query(f"select count(*), sum(id) from {table}") == [[4, 10]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"redshiftTmpDir": ""}, "needs a staging directory in S3"),
        ({"dbtable": ""}, "lacks dbtable"),
        ({"tempformat": "AVRO", "redshiftTmpDir": "s3://b/"}, "tempformat 'AVRO' is not supported"),
        ({"forward_spark_s3_credentials": "true"}, "'forward_spark_s3_credentials' is not supported"),
        ({"connectionName": "nobody"}, "EntityNotFoundException"),
        ({"url": "jdbc:mysql://x/y", "user": "u", "password": "p"}, "'jdbc:mysql://x/y' is not supported"),
    ],
)
def test_a_target_that_cannot_be_written_says_why(
    jobs: Any, preamble: str, options: dict[str, str], message: str
) -> None:
    given = {"dbtable": "t", **options}
    if "url" not in options and "connectionName" not in options:
        given["url"], given["user"], given["password"] = "jdbc:redshift://localhost:1/d", "u", "p"
    name = jobs.make(
        preamble + FRAME + f"glueContext.write_dynamic_frame.from_options(frame, 'redshift', {given})\n",
        arguments={"--TempDir": ""},
    )
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]

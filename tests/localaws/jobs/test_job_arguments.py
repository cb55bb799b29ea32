"""A job's arguments: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest


@pytest.mark.as_on_aws("Glue jobs")
def test_run_arguments_override_job_defaults_and_non_overridable_arguments_override_both(
    jobs: Any,
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html; Glue adds its own."""
    name = jobs.make(
        "import sys; print(__name__, sys.argv[1:])",
        arguments={"--color": "red", "--size": "1", "--fixed": "default"},
        NonOverridableArguments={"--fixed": "fixed"},
        Timeout=3,
    )
    started = jobs.aws("glue").start_job_run(
        JobName=name, Arguments={"--size": "2", "--fixed": "mine", "--JOB_NAME": "mine"}, Timeout=2
    )
    run = jobs.wait(name, started["JobRunId"])
    (line,) = jobs.log(run["Id"])
    words = eval(line.removeprefix("__main__ "))
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given == {
        "--TempDir": f"s3://{jobs.bucket}/temp/",
        "--color": "red",
        "--size": "2",
        "--fixed": "fixed",
        "--JOB_NAME": name,
        "--JOB_RUN_ID": run["Id"],
        "--JOB_ID": given["--JOB_ID"],
        "--job-bookmark-option": "job-bookmark-disable",
    }
    assert (run["JobRunState"], run["Attempt"], run["Timeout"], run["GlueVersion"]) == ("SUCCEEDED", 0, 2, "5.1")
    assert run["StartedOn"] <= run["CompletedOn"]
    assert "ErrorMessage" not in run


@pytest.mark.as_on_aws("Glue jobs")
def test_extra_py_files_from_s3_can_be_imported_in_the_script_and_in_spark_s_workers(jobs: Any, preamble: str) -> None:
    """One .py and one .zip: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html"""
    jobs.put("modules/one.py", "def double(n): return 2 * n\n")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("two/__init__.py", "def triple(n): return 3 * n\n")
    jobs.put("modules/two.zip", archive.getvalue())
    script = preamble + (
        "import one, two\n"
        "frame = DynamicFrame.fromDF(spark.range(5), glueContext, 'f')\n"
        "mapped = frame.map(lambda row: {'n': two.triple(one.double(row['id']))})\n"
        "print(sorted(row['n'] for row in mapped.toDF().collect()))"
    )
    files = f"s3://{jobs.bucket}/modules/one.py,s3://{jobs.bucket}/modules/two.zip"
    assert jobs.succeed(jobs.make(script, arguments={"--extra-py-files": files})) == ["[0, 6, 12, 18, 24]"]


@pytest.mark.simplified("Glue jobs", "memory and cores are the machine's, whatever the configuration says")
def test_arguments_can_set_a_run_s_script_extra_files_and_spark_configuration(jobs: Any) -> None:
    """--scriptLocation, --extra-files and --conf, for this run only:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    name = jobs.make("raise SystemExit('the wrong script')", arguments={"--a": "b"})
    jobs.put("other/settings.json", "a setting")
    jobs.put(
        "other/script.py",
        "from pyspark.context import SparkContext\nconf = SparkContext().getConf()\n"
        "print(open('settings.json').read(), conf.get('spark.mine', 'no'), conf.get('spark.sql.session.timeZone'))\n",
    )
    arguments = {
        "--scriptLocation": f"s3://{jobs.bucket}/other/script.py",
        "--extra-files": f"s3://{jobs.bucket}/other/settings.json",
    }
    conf = {"--conf": "spark.mine=1 --conf spark.sql.session.timeZone=Asia/Tokyo"}
    glue = jobs.aws("glue")
    for given, printed in ((conf, "a setting 1 Asia/Tokyo"), ({}, "a setting no None")):
        run = jobs.wait(name, glue.start_job_run(JobName=name, Arguments={**arguments, **given})["JobRunId"])
        assert jobs.log(run["Id"]) == [printed], run
    with pytest.raises(glue.exceptions.InvalidInputException, match=r"--conf takes spark\.name=value"):
        glue.start_job_run(JobName=name, Arguments={"--conf": "timeZone=UTC"})


@pytest.mark.simplified("Glue jobs", "the message is not AWS's")
def test_a_run_fails_if_its_job_s_connection_does_not_exist(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    name = jobs.make("print(1)", Connections={"Connections": ["no-such-connection"]})
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "EntityNotFoundException: Connection no-such-connection not found."


# What Glue Studio puts into the definition of a new visual job; older ones of its jobs have the key without a value.
STUDIO = {
    "--TempDir": "s3://jobs-tests/temporary/",
    "--class": "GlueApp",
    "--datalake-formats": "",
    "--enable-auto-scaling": "true",
    "--enable-continuous-cloudwatch-log": "true",
    "--enable-continuous-log-filter": "true",
    "--enable-glue-datacatalog": "true",
    "--enable-job-insights": "true",
    "--enable-metrics": "true",
    "--enable-observability-metrics": "true",
    "--enable-s3-parquet-optimized-committer": "true",
    "--enable-spark-ui": "true",
    "--job-bookmark-option": "job-bookmark-disable",
    "--job-language": "python",
    "--spark-event-logs-path": "s3://jobs-tests/sparkHistoryLogs/",
}


@pytest.mark.as_on_aws("Glue jobs")
@pytest.mark.parametrize("name", STUDIO)
def test_each_argument_that_glue_studio_adds_is_accepted(jobs: Any, name: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""
    job = jobs.make("print(1)", arguments={name: STUDIO[name]})
    assert jobs.aws("glue").get_job(JobName=job)["Job"]["DefaultArguments"][name] == STUDIO[name]
    if name not in ("--TempDir", "--job-bookmark-option", "--job-language"):
        jobs.make("print(1)", arguments={name: ""})


@pytest.mark.as_on_aws("Glue jobs")
def test_a_job_with_the_arguments_of_glue_studio_runs_and_its_script_gets_them(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""
    script = preamble + (
        "spark.range(2).createOrReplaceTempView('numbers')\n"
        "spark.sql('create or replace temporary view twice as select 2 * id as id from numbers')\n"
        "print(spark.sql('with t as (select * from twice) select sum(id) as s from t').first().s)\n"
        "print(spark.catalog.tableExists('twice'), spark.table('twice').count(), glueContext.sql('select 7').count())\n"
        "print(args['TempDir'], args['job_bookmark_option'], '--enable-metrics' in sys.argv)\n"
    )
    assert jobs.succeed(jobs.make(script, arguments=STUDIO)) == [
        "2",
        "True 2 1",
        "s3://jobs-tests/temporary/ job-bookmark-disable True",
    ]


@pytest.mark.refused("Glue jobs")
def test_spark_sql_access_to_the_data_catalog_is_refused(jobs: Any, preamble: str) -> None:
    """With --enable-glue-datacatalog Spark's own catalog is the Data Catalog on AWS:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-data-catalog-hive.html
    """
    calls = {
        "spark.sql('select * from db.t')": "`db`.`t`",
        "glueContext.sql('select * from t')": "`t`",
        "spark.table('db.t')": "SparkSession.table",
        "spark.read.table('db.t')": "DataFrameReader.table",
        "spark.sql('insert into db.t select 1')": "`db`.`t`",
        "spark.sql('use db')": "`db`",
        "spark.sql('show tables')": "ShowTables",
        "spark.sql('show databases')": "ShowNamespaces",
        "spark.sql('create database if not exists db')": "CreateNamespace",
        "spark.sql('-- a table\\ncreate table t using parquet as select 1 as a')": "CreateTableAsSelect",
        "spark.sql('drop table if exists db.t')": "DropTable",
        "df.write.saveAsTable('t')": "DataFrameWriter.saveAsTable",
        "df.write.mode('append').insertInto('db.t')": "DataFrameWriter.insertInto",
        "df.writeTo('db.t')": "DataFrame.writeTo",
        "spark.catalog.listDatabases()": "Catalog.listDatabases",
        "spark.catalog.listTables('db')": "Catalog.listTables",
        "spark.catalog.tableExists('db.t')": "Catalog.tableExists",
        "spark.catalog.databaseExists('db')": "Catalog.databaseExists",
        "spark.catalog.setCurrentDatabase('db')": "Catalog.setCurrentDatabase",
        "spark.catalog.refreshTable('db.t')": "Catalog.refreshTable",
    }
    script = preamble + (
        "df = spark.range(1)\n"
        f"for call in {list(calls)!r}:\n"
        "    try:\n"
        "        print(call, eval(call))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
    )
    for value in ("true", ""):
        told = jobs.succeed(jobs.make(script, arguments={"--enable-glue-datacatalog": value}))
        for line, named in zip(told, calls.values(), strict=True):
            assert line.startswith("NotSupportedLocally")
            assert named in line
    script = preamble + "print(spark.sql('show tables').collect(), spark.catalog.tableExists('db.t'))"
    for arguments in ({}, {"--enable-glue-datacatalog": "false"}):
        assert jobs.succeed(jobs.make(script, arguments=arguments)) == ["[] False"]

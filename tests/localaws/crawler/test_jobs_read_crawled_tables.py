"""A job reads from a crawled table exactly the data that was crawled."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from crawled import Crawled

# It prints the rows of each table, as lists, in the order of their first values.
SCRIPT = """
import json, sys
from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
args = getResolvedOptions(sys.argv, ["database", "tables"])
glue = GlueContext(SparkContext())
for table in args["tables"].split(","):
    frame = glue.create_dynamic_frame.from_catalog(database=args["database"], table_name=table).toDF()
    print(json.dumps([table, frame.columns, sorted(map(list, frame.collect()), key=str)]))
"""
Read = tuple[list[str], list[list[Any]]]


@pytest.fixture
def read(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str) -> Callable[[Crawled], dict[str, Read]]:
    """`read(crawled)`: the columns and the rows of each table of its database, as a job reads them."""

    def run(crawled: Crawled) -> dict[str, Read]:
        glue, name, scripts = aws("glue"), unique("reads"), unique("scripts-")
        aws("s3").create_bucket(Bucket=scripts)
        aws("s3").put_object(Bucket=scripts, Key="job.py", Body=SCRIPT.encode())
        command = {"Name": "glueetl", "ScriptLocation": f"s3://{scripts}/job.py"}
        glue.create_job(Name=name, Role=glue_role, Command=command)
        arguments = {"--database": crawled.database, "--tables": ",".join(crawled.tables())}
        run_id = glue.start_job_run(JobName=name, Arguments=arguments)["JobRunId"]
        deadline = time.monotonic() + 120
        while (found := glue.get_job_run(JobName=name, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING", "RUNNING", "WAITING", "STOPPING",
        ):  # fmt: skip
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert found["JobRunState"] == "SUCCEEDED", found
        page = aws("logs").get_log_events(
            logGroupName="/aws-glue/jobs/output", logStreamName=run_id, startFromHead=True
        )
        lines = (json.loads(event["message"]) for event in page["events"] if event["message"].startswith("["))
        return {table: (columns, rows) for table, columns, rows in lines}

    return run


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_job_reads_only_the_object_that_was_crawled(
    new_crawled: Callable[..., Crawled], read: Callable[[Crawled], dict[str, Read]]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("raw/a.json")
    objects = {
        "raw/a.json": '{"id": 1}\n',
        "raw/a.json.old": '{"id": 2}\n',
        "raw/other.json": '{"id": 3}\n',
        "raw/folder/a.json": '{"id": 4}\n',
        "raw/a+b é (1).json": '{"id": 5}\n',
        "raw/zipped.json.gz": gzip.compress(b'{"id": 6}\n'),
        "raw/folder": '{"id": 7}\n',
    }
    for key, body in objects.items():
        crawled.put_key(key, body)
    named = ("raw/a.json", "raw/a+b é (1).json", "raw/zipped.json.gz", "raw/folder")
    targets = [{"Path": f"s3://{crawled.bucket}/{key}"} for key in named]
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": targets})
    crawled.crawl()
    assert read(crawled) == {
        "a_json": (["id"], [[1]]),
        "a_b____1__json": (["id"], [[5]]),
        "zipped_json_gz": (["id"], [[6]]),
        "folder": (["id"], [[7]]),
    }


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_job_reads_quoted_fields_of_crawled_csv_with_any_delimiter(
    crawled: Crawled, read: Callable[[Crawled], dict[str, Read]]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html: quoteChar is '"'"""
    delimiters = {"comma": ",", "pipe": "|", "tab": "\t", "semicolon": ";", "control_a": "\x01"}
    for name, delimiter in delimiters.items():
        rows = [["1", f'"Bern{delimiter} BE"', "0.5"], ["2", '"say ""hi"""', ""], ["3", "plain", "2"]]
        crawled.put_key(f"{name}/a.csv", "".join(delimiter.join(row) + "\n" for row in rows))
    targets = [{"Path": f"s3://{crawled.bucket}/{name}/"} for name in delimiters]
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": targets})
    crawled.crawl()
    assert read(crawled) == {
        name: (["col0", "col1", "col2"], [[1, f"Bern{delimiter} BE", 0.5], [2, 'say "hi"', None], [3, "plain", 2.0]])
        for name, delimiter in delimiters.items()
    }


def test_a_job_reads_numbers_after_spaces_and_an_empty_last_column(
    crawled: Crawled, read: Callable[[Crawled], dict[str, Read]]
) -> None:
    crawled.put(numbers__aDOTcsv="1, 0.5,\n3, 1.5,\n")
    target = {"Path": f"s3://{crawled.bucket}/numbers/"}
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": [target]})
    crawled.crawl()
    assert list(crawled.columns().values()) == ["bigint", "double", "string"]
    assert read(crawled)["numbers"][1] == [[1, 0.5, None], [3, 1.5, None]]

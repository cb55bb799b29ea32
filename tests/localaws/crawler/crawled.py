"""A bucket, a database and a crawler that connects them, for tests of crawls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_EVERYTHING = ["s3:*", "glue:*", "logs:*", "sqs:*", "secretsmanager:*", "ec2:*"]
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": _EVERYTHING, "Resource": "*"}],
}


@dataclass
class Crawled:
    """The three, and what a test does with them."""

    aws: Callable[..., Any]
    bucket: str
    database: str
    crawler: str

    def put(self, **files: bytes | str) -> None:
        """Land files; `__` in a name stands for a slash, and `DOT` for a dot."""
        for name, body in files.items():
            self.put_key(name.replace("__", "/").replace("DOT", "."), body)

    def put_key(self, key: str, body: bytes | str) -> None:
        self.aws("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def crawl(self) -> dict[str, Any]:
        """Run the crawler and return its LastCrawl."""
        self.aws("glue").start_crawler(Name=self.crawler)
        return self.wait()

    def wait(self) -> dict[str, Any]:
        """Wait for the crawl that is on."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            crawler = self.aws("glue").get_crawler(Name=self.crawler)["Crawler"]
            if crawler["State"] == "READY":
                return dict(crawler["LastCrawl"])
            time.sleep(0.01)
        raise TimeoutError(f"{self.crawler} did not end")

    def tables(self) -> dict[str, dict[str, Any]]:
        """The database's tables by name."""
        return {table["Name"]: table for table in self.aws("glue").get_tables(DatabaseName=self.database)["TableList"]}

    def table(self) -> dict[str, Any]:
        """The database's only table."""
        (table,) = self.tables().values()
        return table

    def columns(self) -> dict[str, str]:
        """The only table's columns: types by name."""
        return {column["Name"]: column["Type"] for column in self.table()["StorageDescriptor"]["Columns"]}

    def log(self) -> list[str]:
        """The last crawl's lines in CloudWatch Logs."""
        last = self.aws("glue").get_crawler(Name=self.crawler)["Crawler"]["LastCrawl"]
        events = self.aws("logs").get_log_events(
            logGroupName=last["LogGroup"], logStreamName=last["LogStream"], startFromHead=True
        )["events"]
        return [event["message"] for event in events if event["message"].startswith(f"[{last['MessagePrefix']}]")]


def make_crawled(
    aws: Callable[..., Any], unique: Callable[[str], str], role: str, path: str = "", **settings: Any
) -> Crawled:
    """A crawler on `path` of a new bucket, with further settings of CreateCrawler and of its S3 target."""
    bucket, database, crawler = unique("landing-bucket-"), unique("raw-db"), unique("s3_crawler")
    aws("s3").create_bucket(Bucket=bucket)
    aws("glue").create_database(DatabaseInput={"Name": database})
    target = {"Path": f"s3://{bucket}/{path}"}
    for name in ("Exclusions", "SampleSize"):
        if name in settings:
            target[name] = settings.pop(name)
    aws("glue").create_crawler(
        Name=crawler, Role=role, DatabaseName=database, Targets={"S3Targets": [target]}, **settings
    )
    return Crawled(aws, bucket, database, crawler)


def make_role(iam: Any, name: str) -> str:
    """A role that Glue may assume, and that may do all that a crawl does; its name."""
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=name, PolicyName="crawls", PolicyDocument=json.dumps(ALLOWED))
    return name

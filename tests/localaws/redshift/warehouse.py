"""A cluster of the whole embedded AWS, and helpers for tests of COPY, UNLOAD and the Data API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

PASSWORD = "Passw0rd-1"
DATABASE = "toll_db"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}
]})  # fmt: skip
DEADLINE = 60.0  # seconds


@dataclass(frozen=True)
class Warehouse:
    """A cluster, a bucket and the role by which the cluster reads it."""

    aws: Callable[..., Any]
    home: Path
    identifier: str
    bucket: str
    role: str

    def put(self, key: str, content: str | bytes) -> str:
        """Put an object, and return its address."""
        body = content.encode() if isinstance(content, str) else content
        self.aws("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, key: str) -> bytes:
        content: bytes = self.aws("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def keys(self, prefix: str) -> list[str]:
        found = self.aws("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", ())]

    def endpoint(self) -> dict[str, Any]:
        cluster = self.aws("redshift").describe_clusters(ClusterIdentifier=self.identifier)["Clusters"][0]
        return dict(cluster["Endpoint"])

    def connect(self, user: str = "admin", password: str = PASSWORD) -> psycopg.Connection[tuple[Any, ...]]:
        """A session, in autocommit."""
        endpoint = self.endpoint()
        return psycopg.connect(
            host=endpoint["Address"],
            port=endpoint["Port"],
            dbname=DATABASE,
            user=user,
            password=password,
            sslmode="verify-full",
            sslrootcert=str(self.home / "tls" / "ca.pem"),
            autocommit=True,
        )


class Session:
    """A session in which a test loads tables and looks at them."""

    def __init__(self, warehouse: Warehouse, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.warehouse = warehouse
        self.connection = connection
        self.notices: list[str] = []
        connection.add_notice_handler(
            lambda notice: self.notices.append(f"{notice.severity}: {notice.message_primary}")
        )

    def run(self, sql: str) -> None:
        self.notices.clear()
        self.connection.execute(sql.encode())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql.encode()).fetchall()

    def copy(self, table: str, source: str, options: str = "csv") -> None:
        """COPY with the warehouse's role."""
        self.run(f"copy {table} from '{source}' iam_role '{self.warehouse.role}' {options}")

    def errors(self) -> list[tuple[Any, ...]]:
        """The last failed or partly failed load's rows of stl_load_errors."""
        return self.rows(
            "select line_number, colname, err_code, err_reason from stl_load_errors"
            " where query = (select max(query) from stl_load_errors) order by line_number"
        )


def wait_for_status(aws: Callable[..., Any], identifier: str, *wanted: str) -> dict[str, Any]:
    """Poll DescribeClusters until the cluster's status is one of `wanted`."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        cluster: dict[str, Any] = aws("redshift").describe_clusters(ClusterIdentifier=identifier)["Clusters"][0]
        if cluster["ClusterStatus"] in wanted:
            return cluster
        time.sleep(0.05)
    raise AssertionError(f"{identifier} is {cluster['ClusterStatus']}, not {' or '.join(wanted)}")


def lines(records: Iterable[object]) -> str:
    """JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)

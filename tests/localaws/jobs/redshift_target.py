"""A Redshift cluster with the lab's table, and the Glue connection to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redshift_connector

DATABASE, USER, PASSWORD = "toll_db", "admin", "Passw0rdOfTests"
TOLL_COLUMNS = (
    "transaction_id bigint, transaction_date varchar not null, toll_booth varchar not null,"
    " vehicle_make varchar not null, vehicle_category varchar not null, transaction_amount real"
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass
class Target:
    """The cluster's address; `connection` and `secret_connection` are Glue connections to it."""

    aws: Callable[..., Any]
    host: str
    port: int
    connection: str
    secret_connection: str
    role: str

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Open a cursor of the driver that the job also uses."""
        with redshift_connector.connect(
            host=self.host, port=self.port, database=DATABASE, user=USER, password=PASSWORD
        ) as connection:
            connection.autocommit = True
            yield connection.cursor()

    def query(self, statement: str) -> list[list[Any]]:
        """Return the rows of a query."""
        with self.cursor() as cursor:
            cursor.execute(statement)
            return [list(row) for row in cursor.fetchall()]

    def execute(self, statement: str) -> None:
        """Run a statement."""
        with self.cursor() as cursor:
            cursor.execute(statement)

    def catalog_table(self, database: str, table: str) -> str:
        """Create the catalog table for `public.table` that a JDBC crawl would create; return its name."""
        name = f"{DATABASE}_public_{table}"
        self.aws("glue").create_table(
            DatabaseName=database,
            TableInput={
                "Name": name,
                "Parameters": {"classification": "redshift", "connectionName": self.secret_connection},
                "StorageDescriptor": {"Columns": [], "Location": f"{DATABASE}.public.{table}"},
            },
        )
        return name


def make_target(aws: Callable[..., Any]) -> Target:
    """Create the cluster `jobs-tests` and the two connections."""
    redshift, glue, iam = aws("redshift"), aws("glue"), aws("iam")
    role = iam.create_role(RoleName="jobs-tests-copy", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="jobs-tests-copy", PolicyName="read", PolicyDocument=json.dumps(policy))
    redshift.create_cluster(
        ClusterIdentifier="jobs-tests", NodeType="dc2.large", ClusterType="single-node", DBName=DATABASE,
        MasterUsername=USER, MasterUserPassword=PASSWORD, IamRoles=[role],
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while (cluster := redshift.describe_clusters(ClusterIdentifier="jobs-tests")["Clusters"][0])[
        "ClusterStatus"
    ] != "available":
        assert time.monotonic() < deadline, cluster
        time.sleep(0.1)
    host, port = cluster["Endpoint"]["Address"], cluster["Endpoint"]["Port"]
    secret = {"username": USER, "password": PASSWORD, "engine": "redshift", "host": host, "port": port}
    aws("secretsmanager").create_secret(Name="jobs-tests", SecretString=json.dumps(secret))
    url = f"jdbc:redshift://{host}:{port}/{DATABASE}"
    for name, credentials in (
        ("jobs-tests-password", {"USERNAME": USER, "PASSWORD": PASSWORD}),
        ("jobs-tests-secret", {"SECRET_ID": "jobs-tests"}),
    ):
        properties = {"JDBC_CONNECTION_URL": url, **credentials}
        glue.create_connection(
            ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        )
    return Target(aws, host, port, "jobs-tests-password", "jobs-tests-secret", role)

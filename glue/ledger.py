"""The ledger: a table in Redshift (sql/create_ledger.sql) with one row for each object version that was loaded.

The rows of a version and its row in the ledger are written in one transaction, which holds a lock on the ledger. So two
runs can't both load the same version, even if one of them was killed and its session is still there.
"""

import json
from urllib.parse import urlparse

import boto3
import redshift_connector

FILES_A_PART = 10_000
"""At most this number of ledger rows go into one statement: Redshift accepts statements of up to 16 MB."""

glue, secrets = boto3.client("glue"), boto3.client("secretsmanager")


class Ledger:
    """The table that records which object versions are loaded."""

    def __init__(self, connection, table):
        """`connection` is the name of a Glue connection with a secret; `table` is SCHEMA.TABLE."""
        self.table = table
        properties = glue.get_connection(Name=connection)["Connection"]["ConnectionProperties"]
        address = urlparse(properties["JDBC_CONNECTION_URL"].removeprefix("jdbc:"))
        secret = json.loads(secrets.get_secret_value(SecretId=properties["SECRET_ID"])["SecretString"])
        self._connection = redshift_connector.connect(
            host=address.hostname,
            port=address.port,
            database=address.path.lstrip("/"),
            user=secret["username"],
            password=secret["password"],
        )
        self._connection.autocommit = True

    def lacks(self, objects):
        """Return the ObjectVersions that are not loaded yet."""
        if not objects:
            return []
        named = ""
        if len(objects) <= FILES_A_PART:
            named = f" where object in ({', '.join(_literal(item.name) for item in objects)})"
        loaded = {tuple(row) for row in self._execute(f"select object, version from {self.table}{named}").fetchall()}
        return [item for item in objects if (item.name, item.version) not in loaded]

    def entry(self, counts, job_run):
        """Return the SQL that enters the versions being loaded into the ledger: the preactions of Glue's writer.

        `counts` is {ObjectVersion: (loaded rows, rejected rows)}. The SQL fails if the ledger already has one of the
        versions. Redshift does not enforce keys, but it enforces NOT NULL: for a version that the ledger already has,
        the inserted value is null. The lock keeps the ledger unchanged until the transaction is committed.
        """
        lines = ", ".join(
            f"({_literal(item.name)}, {_literal(item.version)}, {rows}, {rejected})"
            for item, (rows, rejected) in counts.items()
        )
        # The writer runs CREATE TABLE IF NOT EXISTS first. That starts a transaction and takes its snapshot before the
        # lock is acquired, so the snapshot would lack the rows of a run that the lock waits for. Hence the commit. See
        # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html.
        # The writer splits preactions at semicolons, and expects them on one line.
        return (
            f"commit; lock {self.table};"
            " create temp table now_loaded (object varchar(4096), version varchar(1100), good bigint, bad bigint);"
            f" insert into now_loaded values {lines};"
            f" insert into {self.table} (object, version, loaded_rows, rejected_rows, job_run, loaded_at)"
            f" select n.object, case when l.object is null then n.version end, n.good, n.bad, {_literal(job_run)},"
            f" getdate() from now_loaded n left join {self.table} l on l.object = n.object and l.version = n.version"
        )

    def _execute(self, sql):
        cursor = self._connection.cursor()
        cursor.execute(sql)
        return cursor


def _literal(text):
    return "'" + text.replace("'", "''") + "'"

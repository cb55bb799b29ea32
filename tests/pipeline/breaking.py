"""Faults for the pipeline, from outside: resources that it needs are blocked or broken for a while."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from tests.pipeline.conftest import ShellLab


@contextmanager
def ledger_held(lab: ShellLab) -> Iterator[Callable[[], bool]]:
    """Holds every job back when it comes to load, as another writer would; yields what says whether one is waiting."""
    with lab.connect() as connection, lab.connect() as watcher:
        connection.execute("begin")
        connection.execute(f"delete from {lab.config['ledger']} where object = 'of nobody'")

        def one_waits() -> bool:
            waiting = watcher.execute("select count(*) from pg_locks where not granted").fetchone()
            return bool(waiting and waiting[0])

        yield one_waits
        with suppress(psycopg.OperationalError):  # PostgreSQL may have been killed meanwhile
            connection.execute("rollback")


@contextmanager
def wrong_password(lab: ShellLab) -> Iterator[None]:
    """The secret holds another password than the cluster."""
    secrets, name = lab.client("secretsmanager"), lab.config["secret_id"]
    right = secrets.get_secret_value(SecretId=name)["SecretString"]
    wrong = json.dumps(json.loads(right) | {"password": "Not-the-one-1"})
    secrets.put_secret_value(SecretId=name, SecretString=wrong)
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=right)


@contextmanager
def no_copy_role(lab: ShellLab) -> Iterator[None]:
    """The cluster may not take on the role that COPY reads the staging bucket with."""
    redshift, cluster = lab.client("redshift"), lab.config["cluster_identifier"]
    roles = redshift.describe_clusters(ClusterIdentifier=cluster)["Clusters"][0]["IamRoles"]
    arns = [role["IamRoleArn"] for role in roles]
    redshift.modify_cluster_iam_roles(ClusterIdentifier=cluster, RemoveIamRoles=arns)
    try:
        yield
    finally:
        redshift.modify_cluster_iam_roles(ClusterIdentifier=cluster, AddIamRoles=arns)

"""An embedded AWS for other programs' clients: it runs in the project's environment, the clients in their own.

`make test-clients` installs them (requirements.txt) and runs these tests; no other command collects this folder.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[2]
ROLE, PASSWORD, DATABASE, CLUSTER = "clients-tests", "Passw0rd-1", "dev", "clients"
_counter = itertools.count(1)
_EXPORT = re.compile(r"^export (\w+)=(\S+)$", re.MULTILINE)


@pytest.fixture(scope="session", autouse=True)
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One embedded AWS; this process gets the environment variables that `labkit env` prints."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PG", "LABKIT_", "AIRFLOW_"))]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    home = tmp_path_factory.mktemp("lab")
    try:
        _labkit(home, "up")
        environment = dict(_EXPORT.findall(_labkit(home, "env")))
        os.environ.update(environment)
        yield environment
    finally:
        _labkit(home, "down")


def _labkit(home: Path, command: str) -> str:
    program = ROOT / ".venv" / "bin" / "labkit"
    environment = {**os.environ, "LABKIT_HOME": str(home)}
    done = subprocess.run([program, command], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def aws(lab: dict[str, str]) -> Callable[[str], Any]:
    """`aws("s3")` is a boto3 client of the embedded AWS."""
    return lambda service: boto3.client(service)


@pytest.fixture
def unique() -> Callable[[str], str]:
    """`unique("job")` is a name that no other test uses."""
    return lambda stem: f"{stem}-{next(_counter)}"


@pytest.fixture
def bucket(aws: Callable[[str], Any], unique: Callable[[str], str]) -> str:
    """The name of an empty bucket."""
    name = unique("bucket")
    aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def role(aws: Callable[[str], Any]) -> str:
    """The ARN of a role that Lambda, Glue and Redshift may assume, and that may do everything."""
    services = [f"{name}.amazonaws.com" for name in ("lambda", "glue", "redshift")]
    trust = _policy(Principal={"Service": services}, Action="sts:AssumeRole")
    arn = aws("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    aws("iam").put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=_policy(Action="*", Resource="*"))
    return str(arn)


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@pytest.fixture(scope="session")
def cluster(aws: Callable[[str], Any], role: str) -> dict[str, Any]:
    """The endpoint of a Redshift cluster that is available."""
    redshift = aws("redshift")
    redshift.create_cluster(
        ClusterIdentifier=CLUSTER,
        NodeType="ra3.large",
        ClusterType="single-node",
        DBName=DATABASE,
        MasterUsername="admin",
        MasterUserPassword=PASSWORD,
        IamRoles=[role],
        DefaultIamRoleArn=role,
    )
    waiter = redshift.get_waiter("cluster_available")
    waiter.wait(ClusterIdentifier=CLUSTER, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return dict(redshift.describe_clusters(ClusterIdentifier=CLUSTER)["Clusters"][0]["Endpoint"])


@pytest.fixture
def query(aws: Callable[[str], Any], cluster: dict[str, Any]) -> Callable[[str], list[tuple[Any, ...]]]:
    """`query("select 1")` runs a statement with the Data API and returns its rows."""
    data = aws("redshift-data")

    def run(sql: str) -> list[tuple[Any, ...]]:
        statement = data.execute_statement(ClusterIdentifier=CLUSTER, Database=DATABASE, DbUser="admin", Sql=sql)["Id"]
        deadline = time.monotonic() + 30
        while (told := data.describe_statement(Id=statement))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        assert told["Status"] == "FINISHED", told["Error"]
        if not told["HasResultSet"]:
            return []
        records = data.get_statement_result(Id=statement)["Records"]
        return [tuple(next(iter(field.values())) for field in record) for record in records]

    return run

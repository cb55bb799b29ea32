"""moto's reset, which its test suites call, also resets what localaws adds."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import localaws

CLUSTER = {"NodeType": "ra3.large", "ClusterType": "single-node", "MasterUserPassword": "Passw0rd1"}

Clients = Callable[[str], Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of a lab that was started for moto's suites."""
    monkeypatch.setenv("LOCALAWS_MOTO_API", "1")
    localaws.start(tmp_path, enforce_iam=False, verify_signatures=False)
    yield tmp_path
    localaws.stop(tmp_path)


def _clients(home: Path) -> Clients:
    status = localaws.status(home)
    keys = status.access_key_id, status.secret_access_key
    session = boto3.Session(*keys, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def _reset(home: Path) -> None:
    url = f"{localaws.status(home).endpoint_url}/moto-api/reset"
    with urllib.request.urlopen(urllib.request.Request(url, b"", method="POST")) as answer:
        assert answer.status == 200


def _make_something_of_each(client: Clients) -> None:
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="key", Body=b"body")
    client("s3").create_multipart_upload(Bucket="bucket", Key="key")
    url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    client("sqs").send_message(QueueUrl=url, MessageBody="message")
    client("logs").create_log_group(logGroupName="group")
    client("logs").create_log_stream(logGroupName="group", logStreamName="stream")
    client("logs").start_query(logGroupName="group", startTime=0, endTime=1, queryString="fields @message")
    client("glue").create_database(DatabaseInput={"Name": "database"})
    client("secretsmanager").create_secret(Name="secret", SecretString="value")
    client("redshift").create_cluster(ClusterIdentifier="cluster", MasterUsername="admin", **CLUSTER)


def _assert_empty(home: Path) -> None:
    client = _clients(home)
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("sqs").list_queues().get("QueueUrls") is None
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("logs").describe_queries()["queries"] == []
    assert client("glue").get_databases()["DatabaseList"] == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []
    assert client("redshift").describe_clusters()["Clusters"] == []
    assert list((home / "objects").glob("??/*")) == []
    assert list((home / "clusters").iterdir()) == []


def test_a_reset_deletes_everything_including_the_state_for_the_next_start(home: Path) -> None:
    _make_something_of_each(_clients(home))
    _reset(home)
    _assert_empty(home)
    localaws.stop(home)
    localaws.start(home)
    _assert_empty(home)


@pytest.mark.nightly
def test_resources_that_are_created_after_a_reset_are_new_and_are_kept(home: Path) -> None:
    _make_something_of_each(_clients(home))
    _reset(home)
    client = _clients(home)
    client("s3").create_bucket(Bucket="bucket")
    assert client("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 0
    client("s3").put_object(Bucket="bucket", Key="later", Body=b"body")
    url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    assert "Messages" not in client("sqs").receive_message(QueueUrl=url)
    localaws.stop(home)
    localaws.start(home)
    assert _clients(home)("s3").get_object(Bucket="bucket", Key="later")["Body"].read() == b"body"

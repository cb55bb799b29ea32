"""Starting, stopping and finding the embedded AWS from outside."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import pytest

import localaws
from localaws.core.home import Home, write_durably
from tests.processes import family, listening, outliving

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def client(status: localaws.Status, service: str):
    return boto3.client(
        service,
        endpoint_url=status.endpoint_url,
        region_name=status.region,
        aws_access_key_id=status.access_key_id,
        aws_secret_access_key=status.secret_access_key,
    )


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_starting_a_healthy_server_again_changes_nothing(home: Path) -> None:
    first = localaws.start(home)
    assert localaws.start(home).pid == first.pid


def test_state_and_endpoint_survive_a_stop_and_a_start(home: Path) -> None:
    first = localaws.start(home)
    client(first, "secretsmanager").create_secret(Name="kept", SecretString="value")
    client(first, "iam").create_role(RoleName="kept", AssumeRolePolicyDocument=TRUST)
    client(first, "iam").attach_role_policy(RoleName="kept", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert localaws.stop(home)
    second = localaws.start(home)
    assert second.endpoint_url == first.endpoint_url
    assert second.access_key_id == first.access_key_id
    assert client(second, "secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "value"
    attached = client(second, "iam").list_attached_role_policies(RoleName="kept")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3FullAccess"]


def test_a_stop_leaves_no_process_and_no_port(home: Path) -> None:
    status = localaws.start(home)
    processes = family(status.pid)
    assert localaws.stop(home)
    assert outliving(processes) == []
    assert not answers(Home.at(home).port("http"))
    assert not localaws.stop(home), "a second stop has nothing to stop"


def test_a_server_that_does_not_answer_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = localaws.start(home)
    assert first.pid is not None
    monkeypatch.setattr("localaws.control.HEALTH_TIMEOUT", 1.0)
    os.kill(first.pid, signal.SIGSTOP)
    second = localaws.start(home)
    assert second.healthy
    assert second.pid != first.pid
    assert not psutil.pid_exists(first.pid)


def test_two_homes_are_two_labs(tmp_path: Path) -> None:
    one, two = localaws.start(tmp_path / "one"), localaws.start(tmp_path / "two")
    try:
        client(one, "sqs").create_queue(QueueName="only-in-one")
        assert one.endpoint_url != two.endpoint_url
        assert "QueueUrls" not in client(two, "sqs").list_queues()
    finally:
        localaws.stop(tmp_path / "one")
        localaws.stop(tmp_path / "two")


def test_a_wipe_deletes_the_data_and_keeps_files_that_are_not_the_lab_s(home: Path) -> None:
    status = localaws.start(home)
    client(status, "sqs").create_queue(QueueName="forgotten")
    (home / "labkit.toml").write_text("")
    localaws.wipe(home)
    assert (home / "labkit.toml").exists()
    assert "QueueUrls" not in client(localaws.start(home), "sqs").list_queues()


def test_state_of_another_version_is_refused_and_not_changed(home: Path) -> None:
    file = Home.at(home).state / "sqs.pickle"
    write_durably(file, b"localaws-state 0/moto-4.0\nwhatever")
    with pytest.raises(localaws.StartFailed, match=r"version 0/moto-4\.0.*Nothing was changed.*labkit down --wipe"):
        localaws.start(home)
    assert file.read_bytes().endswith(b"whatever")
    assert not localaws.status(home).running


def test_a_start_on_a_taken_port_fails_with_a_message(home: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", Home.at(home).port("http")))
        squatter.listen()
        with pytest.raises(localaws.StartFailed, match="in use"):
            localaws.start(home)


def test_nothing_listens_beyond_loopback(stack: localaws.Status) -> None:
    addresses = {address for address, _ in listening(family(stack.pid))}
    assert addresses
    assert all(address in ("127.0.0.1", "::ffff:127.0.0.1") for address in addresses), addresses

"""Every failed call to AWS raises a LabError, from the client itself, whatever code made the call."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from urllib3.exceptions import ProtocolError

from labkit import Lab, LabError
from labkit.clients import Translator, translate_and_record
from labkit.errors import AwsRefused, NotRunning
from labkit.recorder import Recorder
from labkit.steps.base import Step

STEPS = tuple(step.name for step in Step.__subclasses__())


@pytest.fixture
def unreachable(make_lab: Callable[..., Lab]) -> Lab:
    """A lab whose embedded AWS has died: its address is known, and nobody listens there."""
    lab = make_lab("kit")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lab.session.__dict__["_client_settings"] = {"endpoint_url": f"http://127.0.0.1:{port}"}
    return lab


@pytest.fixture(scope="module")
def stranger(lab: Lab, make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """The deployed lab, seen by a user who may do nothing."""
    iam, name = lab.session.client("iam"), "stranger"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    seen = make_lab("kit")
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=lab.config.region)
    translate_and_record(session, Translator(lab.config, lambda _asked, _words: ""), Recorder())
    seen.session.__dict__["_boto3"] = session
    yield seen
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


@pytest.mark.parametrize("step", STEPS)
def test_checking_a_lab_whose_aws_was_killed_says_that_it_is_not_running(unreachable: Lab, step: str) -> None:
    check = getattr(unreachable, step).check()
    assert [fact.what for fact in check.facts] == [f"The local AWS of {unreachable.config.home} is not running."]
    assert "labkit up" in check.facts[0].fix


@pytest.mark.parametrize("step", STEPS)
def test_describing_a_lab_whose_aws_was_killed_says_that_it_is_not_running(unreachable: Lab, step: str) -> None:
    with pytest.raises(NotRunning, match="labkit up"):
        getattr(unreachable, step).describe()


@pytest.mark.parametrize("step", STEPS)
def test_a_check_without_permission_says_so(stranger: Lab, step: str) -> None:
    check = getattr(stranger, step).check()
    assert not check
    assert any("not authorized" in fact.what or "Forbidden" in fact.what for fact in check.facts), check


@pytest.mark.parametrize("step", STEPS)
def test_describing_a_step_without_permission_says_so(stranger: Lab, step: str) -> None:
    with pytest.raises(AwsRefused):
        getattr(stranger, step).describe()


def test_lab_check_checks_all_steps(lab: Lab) -> None:
    checks = lab.check()
    assert [check.step for check in checks] == [step.name for step in lab.steps]
    assert "✓ buckets" in str(checks)
    assert "buckets" in checks._repr_html_()


def test_an_AwsRefused_error_has_the_operation_and_the_code_and_message_of_aws(lab: Lab) -> None:
    with pytest.raises(AwsRefused, match="AWS refused GetJob: EntityNotFoundException") as caught:
        lab.session.client("glue").get_job(JobName="no-such-job")
    error = caught.value
    assert (error.operation, error.code) == ("GetJob", "EntityNotFoundException")
    assert error.message
    assert error.message in str(error)


def test_an_AwsRefused_error_can_be_caught_like_any_boto3_error(lab: Lab) -> None:
    glue = lab.session.client("glue")
    for kind in (LabError, AwsRefused, ClientError, glue.exceptions.EntityNotFoundException):
        with pytest.raises(kind):
            glue.get_job(JobName="no-such-job")
    with pytest.raises(ClientError) as caught:
        glue.get_job(JobName="no-such-job")
    assert not isinstance(caught.value, glue.exceptions.InvalidInputException)
    assert caught.value.response["Error"]["Code"] == "EntityNotFoundException"
    assert type(caught.value).__name__ == "AwsRefused"


def test_a_refused_page_of_a_paginator_is_an_AwsRefused_error(lab: Lab) -> None:
    pages = lab.session.client("s3").get_paginator("list_objects_v2").paginate(Bucket="no-such-bucket-anywhere")
    with pytest.raises(AwsRefused, match="ListObjectsV2: NoSuchBucket"):
        list(pages)


def test_a_waiter_handles_refusals_and_gives_up_with_a_LabError(lab: Lab) -> None:
    s3 = lab.session.client("s3")
    s3.get_waiter("bucket_not_exists").wait(Bucket="no-such-bucket-anywhere")
    with pytest.raises(LabError, match="BucketExists"):
        s3.get_waiter("bucket_exists").wait(
            Bucket="no-such-bucket-anywhere", WaiterConfig={"Delay": 0, "MaxAttempts": 2}
        )


def test_a_call_that_boto3_itself_refuses_is_a_LabError(lab: Lab) -> None:
    with pytest.raises(LabError, match="Unknown parameter") as caught:
        lab.session.client("s3").list_buckets(Nonsense=1)
    assert "ListBuckets" in str(caught.value)
    with pytest.raises(LabError, match="no-such-service"):
        lab.session.client("no-such-service")


def test_an_interrupted_response_body_is_a_LabError(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded AWS is killed while an object is read: botocore raises when the body is read, not in the call."""

    def broken(_stream: io.BytesIO, _amount: int | None = None) -> bytes:
        raise ProtocolError("Connection broken")

    s3, bucket = lab.session.client("s3"), lab.names.staging_bucket
    s3.put_object(Bucket=bucket, Key="body", Body=b"one\ntwo\n")
    assert list(s3.get_object(Bucket=bucket, Key="body")["Body"].iter_lines()) == [b"one", b"two"]
    read = [lambda body: body.read(), lambda body: next(body.iter_lines()), lambda body: next(iter(body))]
    for way in read:
        body: StreamingBody = s3.get_object(Bucket=bucket, Key="body")["Body"]
        with contextlib.closing(body), monkeypatch.context() as patch:
            patch.setattr(body, "_raw_stream", type("Broken", (io.BytesIO,), {"read": broken})())
            with pytest.raises(NotRunning):
                way(body)
    s3.delete_object(Bucket=bucket, Key="body")


def test_without_credentials_the_error_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(LabError, match="no usable AWS credentials"):
        Lab(target="aws").session.client("s3").list_buckets()
    with pytest.raises(LabError, match="no usable AWS credentials"):
        Lab(target="aws", profile="nobody").session.client("s3")


def test_only_labkit_s_client_and_error_modules_use_botocore_s_errors(root: Any) -> None:
    """Otherwise each new function would need its own `except ClientError`, which is easily forgotten."""
    knowing = {
        file.relative_to(root).as_posix()
        for file in root.glob("labkit/**/*.py")
        if "ClientError" in (text := file.read_text()) or "botocore.exceptions" in text
    }
    assert knowing == {"labkit/clients.py", "labkit/errors.py", "labkit/session.py"}
    assert not issubclass(NotRunning, BotoCoreError | ClientError)


def test_an_error_for_a_missing_resource_names_the_resource(lab: Lab) -> None:
    """S3's error for a HEAD is only 404, and for a GET it lacks the key; errors of other services lack other facts."""
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    for call in (s3.head_object, s3.get_object):
        with pytest.raises(AwsRefused, match=rf"Key no-such\.json, Bucket {bucket}|Bucket {bucket}, Key no-such\.json"):
            call(Bucket=bucket, Key="no-such.json")
    with pytest.raises(AwsRefused, match="Bucket no-such-bucket-anywhere"):
        s3.head_bucket(Bucket="no-such-bucket-anywhere")
    with pytest.raises(AwsRefused, match="no-such-table") as caught:
        lab.session.client("glue").get_table(DatabaseName=lab.names.glue_database, Name="no-such-table")
    assert str(caught.value).count("no-such-table") == 1, "what AWS says already is not said again"


def test_an_AwsRefused_error_contains_no_secrets(lab: Lab) -> None:
    with pytest.raises(AwsRefused) as caught:
        lab.session.client("secretsmanager").put_secret_value(SecretId="no-such-secret", SecretString="hush")
    assert "hush" not in str(caught.value)
    assert "no-such-secret" in str(caught.value)

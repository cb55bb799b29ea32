"""An ambiguous request is refused and returns nothing; its sender has almost no permissions."""

from __future__ import annotations

import json
import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import localaws
from tests.localaws.opening import opened
from tests.localaws.server.conftest import Victim
from tests.localaws.server.wire import FORM, JSON, Answer, Wire

Someone = Callable[..., Wire]
Aws = Callable[..., Any]
OWN_BUCKET = "arn:aws:s3:::own-of-requests"


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def refused(answer: Answer, victim: Victim | None = None) -> Answer:
    """It, if it is a refusal that shows nothing."""
    assert 400 <= answer.status < 500 or "does not support" in answer.text, answer
    if victim is not None:
        assert victim.password not in answer.text
        assert victim.content.decode() not in answer.text
    return answer


@pytest.fixture
def own_bucket(aws: Aws) -> str:
    """A bucket of somebody's own."""
    name = OWN_BUCKET.rpartition(":")[2]
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="mine", Body=b"mine")
    return name


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "FOO"])
def test_no_http_method_bypasses_the_checks(stranger: Wire, someone: Someone, victim: Victim, method: str) -> None:
    body = json.dumps({"SecretId": victim.secret}).encode()
    target = {"X-Amz-Target": "secretsmanager.GetSecretValue", "Content-Type": JSON}
    scope = "AKIANOBODY/20260101/us-east-1/secretsmanager/aws4_request"
    unknown = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    host = {"Host": "127.0.0.1"}
    assert stranger.raw(method, "/", {**host, **target, **unknown}, body).status >= 400
    assert stranger.raw(method, "/", {**host, **target}, body).status >= 400
    assert someone().send(method, "/", service="secretsmanager", headers=target, body=body).status >= 400
    for path in ("/", f"/{victim.bucket}", f"/{victim.bucket}/{victim.key}", "/2015-03-31/functions"):
        answer = stranger.raw(method, path, host)
        assert answer.status >= 400
        assert victim.content not in answer.body


@pytest.mark.parametrize("authorization", ["Basic eDp5", "Bearer x", "AWS4-ECDSA-P256-SHA256 Credential=x", "AWS", "x"])
def test_another_authorization_scheme_is_refused_for_every_path(
    stranger: Wire, victim: Victim, authorization: str
) -> None:
    for path in (
        "/",
        f"/{victim.bucket}/{victim.key}",
        "/2015-03-31/functions",
        "/?Action=ListUsers&Version=2010-05-08",
    ):
        refused(stranger.raw("GET", path, {"Host": "localhost", "Authorization": authorization}), victim)


def test_an_unsigned_request_is_refused_unless_it_reads_public_objects(
    stranger: Wire, aws: Aws, victim: Victim
) -> None:
    host = {"Host": "localhost"}
    refused(stranger.raw("GET", f"/{victim.bucket}/{victim.key}", host), victim)
    refused(stranger.raw("PUT", f"/{victim.bucket}/new", host, b"x"))
    for target in ("secretsmanager.GetSecretValue", "AWSGlue.GetDatabases"):
        answer = refused(stranger.raw("POST", "/", {**host, "X-Amz-Target": target, "Content-Type": JSON}, b"{}"))
        assert "MissingAuthenticationToken" in answer.text
    form = {**host, "Content-Type": FORM}
    assert "MissingAuthenticationToken" in refused(stranger.raw("POST", "/", form, b"Action=ListUsers")).text
    opened(aws("s3"), victim.bucket)
    aws("s3").put_object(Bucket=victim.bucket, Key="public", Body=b"for all", ACL="public-read")
    assert stranger.raw("GET", f"/{victim.bucket}/public", host).body == b"for all"
    aws("s3").delete_object(Bucket=victim.bucket, Key="public")


def test_a_request_with_two_operations_is_refused(someone: Someone, aws: Aws, victim: Victim) -> None:
    catalog = "arn:aws:glue:us-east-1:123456789012"
    reader = someone(allow("glue:GetDatabase"), allow("sts:GetCallerIdentity"))
    name = {"Name": victim.database}
    for path in ("/?Action=DeleteDatabase", "/?X-Amz-Target=AWSGlue.DeleteDatabase", "/x"):
        refused(reader.json("glue", "AWSGlue.GetDatabase", name, path))
    # moto reads a body as a form as well, and headers as parameters.
    tricks: list[dict[str, Any]] = [
        {"Name": f"{victim.database}&Action=DeleteDatabase&x="},
        {"Name": "x&Action=DeleteDatabase"},
    ]
    for trick in tricks:
        assert reader.json("glue", "AWSGlue.GetDatabase", trick).status == 400
    reader.json("glue", "AWSGlue.GetDatabase", name, headers={"Action": "DeleteDatabase"})
    reader.json("glue", "AWSGlue.GetDatabase", name, headers={"X-Moto-Account-Id": "111111111111"})
    assert aws("glue").get_database(Name=victim.database)
    assert catalog
    sts = {"X-Amz-Target": "AWSSecurityTokenServiceV20110615.GetCallerIdentity"}
    assume = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": victim.role_arn, "RoleSessionName": "x"}
    answer = refused(reader.form("sts", assume, headers=sts))
    assert "AccessKeyId" not in answer.text
    refused(reader.form("sts", [("Action", "GetCallerIdentity"), *assume.items()]))
    refused(reader.form("sts", assume, "/?Action=GetCallerIdentity&Version=2011-06-15"))
    refused(reader.send("GET", "/?Action=GetCallerIdentity&Version=2011-06-15&Action=AssumeRole", service="sts"))
    refused(
        reader.send("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", body=b"Action=AssumeRole")
    )


def test_a_body_of_another_type_than_the_operation_s_is_refused(someone: Someone, victim: Victim, aws: Aws) -> None:
    reader = someone(allow("glue:GetDatabase"), allow("sqs:ListQueues"))
    form = urllib.parse.urlencode({"Action": "DeleteDatabase", "Name": victim.database}).encode()
    for kind in (FORM, "multipart/form-data; boundary=x", "text/plain", ""):
        headers = {"X-Amz-Target": "AWSGlue.GetDatabase", "Content-Type": kind}
        refused(reader.send("POST", "/", service="glue", headers=headers, body=form))
    for body in (b"[]", b'"x"', b"{", b'{"Name": "a", "Name": "b"}', b'{"Name": NaN}', b'{"Name": ["a"]}', b"\xff"):
        refused(reader.json("glue", "AWSGlue.GetDatabase", body))
    refused(reader.json("glue", "AWSGlue.GetDatabase", {"Name": "a"}, headers={"Content-Encoding": "gzip"}))
    assert aws("glue").get_database(Name=victim.database)


def test_parameters_of_another_operation_are_refused(someone: Someone, victim: Victim, aws: Aws) -> None:
    here = "arn:aws:sqs:us-east-1:123456789012:own-of-requests"
    own = aws("sqs").create_queue(QueueName="own-of-requests")["QueueUrl"]
    reader = someone(allow("sqs:*", here))
    both = {"QueueName": "own-of-requests", "QueueUrl": victim.queue}
    for target, more in (
        ("ReceiveMessage", {}),
        ("SendMessage", {"MessageBody": "x"}),
        ("DeleteQueue", {}),
        ("PurgeQueue", {}),
    ):
        refused(reader.json("sqs", f"AmazonSQS.{target}", {**both, **more}))
        form = {"Action": target, "Version": "2012-11-05", **both, **more}
        refused(reader.form("sqs", form))
        refused(reader.form("sqs", [*{**form, "QueueUrl": own}.items(), ("QueueUrl", victim.queue)]))
    path = urllib.parse.urlsplit(victim.queue).path
    refused(reader.form("sqs", {"Action": "ReceiveMessage", "Version": "2012-11-05", "QueueUrl": own}, path))
    refused(reader.form("sqs", {"Action": "ReceiveMessage", "Version": "2012-11-05"}, path))
    counted = aws("sqs").get_queue_attributes(QueueUrl=victim.queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "1"


def test_a_request_that_puts_a_policy_on_two_identities_is_refused(someone: Someone, victim: Victim, aws: Aws) -> None:
    arn = f"arn:aws:iam::123456789012:role/{victim.role}"
    writer = someone(allow("iam:PutUserPolicy", arn), allow("iam:PutRolePolicy", "arn:aws:iam::123456789012:user/*"))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]})
    aws("iam").create_user(UserName="other-of-requests")
    try:
        given = {"Version": "2010-05-08", "PolicyName": "all", "PolicyDocument": document,
                 "RoleName": victim.role, "UserName": "other-of-requests"}  # fmt: skip
        for action in ("PutUserPolicy", "PutRolePolicy"):
            refused(writer.form("iam", {"Action": action, **given}))
        assert aws("iam").list_user_policies(UserName="other-of-requests")["PolicyNames"] == []
        assert aws("iam").list_role_policies(RoleName=victim.role)["PolicyNames"] == []
    finally:
        aws("iam").delete_user(UserName="other-of-requests")


@pytest.mark.parametrize("kind", [JSON, "application/json", FORM, "text/plain", "application/octet-stream", ""])
def test_PassRole_is_checked_for_every_content_type(someone: Someone, victim: Victim, aws: Aws, kind: str) -> None:
    maker = someone(allow("lambda:CreateFunction"))
    given = {"FunctionName": "of-requests", "Runtime": "python3.13", "Role": victim.role_arn, "Handler": "x.y",
             "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}  # fmt: skip
    body = json.dumps(given).encode()
    headers = {"Content-Type": kind} if kind else {}
    refused(maker.send("POST", "/2015-03-31/functions", service="lambda", headers=headers, body=body))
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws("lambda").get_function(FunctionName="of-requests")


def test_the_payload_of_an_invocation_is_not_read_as_an_operation(
    someone: Someone, root: Wire, aws: Aws, victim: Victim
) -> None:
    caller = someone(allow("lambda:InvokeFunction"))
    for target in (
        "/2015-03-31/functions/none/invocations?Action=ListFunctions",
        "/2015-03-31/functions/a%2Finvocations",
    ):
        assert caller.send("POST", target, service="lambda", body=b"{}").status >= 400
    answer = caller.send(
        "POST", "/2015-03-31/functions/none/invocations", service="lambda", body=b"Action=ListFunctions"
    )
    assert (answer.status, "Function not found" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("method", "sub"),
    [("GET", "?uploads"), ("GET", "?restore"), ("GET", "?delete"), ("GET", "?select&select-type=2"), ("HEAD", "?acl"),
     ("GET", "?acl&tagging"), ("GET", "?tagging&uploadId=x"), ("GET", "?versionId=null&versionId=null")],
)  # fmt: skip
def test_a_subresource_with_the_wrong_method_does_not_return_the_object(
    someone: Someone, victim: Victim, method: str, sub: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    others = ("ListMultipartUploadParts", "RestoreObject", "GetObjectTagging", "PutObject", "GetObjectAcl")
    rights = [allow(f"s3:{action}", f"arn:aws:s3:::{victim.bucket}/*") for action in others]
    refused(someone(*rights).send(method, f"/{victim.bucket}/{victim.key}{sub}"), victim)


@pytest.mark.parametrize(
    "sub", ["?tagging&policy", "?policy&tagging", "?cors&acl", "?versioning&policy", "?tagging&tagging"]
)
def test_a_request_with_two_subresources_is_refused(someone: Someone, aws: Aws, own_bucket: str, sub: str) -> None:
    writer = someone(allow("s3:PutBucketTagging", OWN_BUCKET), allow("s3:PutBucketCORS", OWN_BUCKET),
                     allow("s3:PutBucketVersioning", OWN_BUCKET))  # fmt: skip
    document = {"Version": "2012-10-17", "Statement": [{**allow("s3:*", f"{OWN_BUCKET}/*"), "Principal": "*"}]}
    refused(writer.send("PUT", f"/{own_bucket}{sub}", body=json.dumps(document).encode()))
    # moto takes a body, or headers, for parameters where the query has none.
    writer.send("PUT", f"/{own_bucket}", headers={"policy": "x", "Content-Type": FORM}, body=b"policy=x")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        aws("s3").get_bucket_policy(Bucket=own_bucket)


@pytest.mark.parametrize(
    "source",
    ["{own}/mine;/../{victim}", "/{own}/mine#/../../{victim}", "{own}/mine?x=/{victim}",
     "{victim}?versionId=", "{own}/mine?versionId=a&b",
     "{own}%2Fmine?", "{own}", "//{victim}", "{own}/../{victim}"],
)  # fmt: skip
def test_a_copy_reads_only_the_object_that_its_source_names(
    someone: Someone, victim: Victim, aws: Aws, own_bucket: str, source: str
) -> None:
    copier = someone(allow("s3:GetObject", f"{OWN_BUCKET}/mine*"), allow("s3:PutObject", f"{OWN_BUCKET}/*"))
    text = source.format(own=own_bucket, victim=f"{victim.bucket}/{victim.key}")
    refused(copier.send("PUT", f"/{own_bucket}/copied", headers={"x-amz-copy-source": text}), victim)


@pytest.mark.parametrize(
    "key", ["a;b", "a#b", "a?b", "a;b?versionId=c", "a%3Bb", "a&b=c", "a\nb", "ä ö", "a//b", "/a", "a+b"]
)
def test_an_object_with_an_unusual_key_can_be_copied(aws: Aws, own_bucket: str, someone: Someone, key: str) -> None:
    aws("s3").put_object(Bucket=own_bucket, Key=key, Body=key.encode())
    aws("s3").put_object(Bucket=own_bucket, Key="a", Body=b"another")
    copier = someone(allow("s3:GetObject", f"{OWN_BUCKET}/{key}"), allow("s3:PutObject", f"{OWN_BUCKET}/*"))
    header = {"x-amz-copy-source": urllib.parse.quote(f"{own_bucket}/{key}", safe="/")}
    assert copier.send("PUT", f"/{own_bucket}/copied", headers=header).status == 200
    assert aws("s3").get_object(Bucket=own_bucket, Key="copied")["Body"].read() == key.encode()
    assert aws("s3").get_object(Bucket=own_bucket, Key=key)["Body"].read() == key.encode()


def test_more_than_one_credential_is_refused(stack: Any, someone: Someone, victim: Victim, aws: Aws) -> None:
    stack_key = stack.access_key_id
    wire = someone(allow("sts:GetCallerIdentity"))
    path = f"/{victim.bucket}/{victim.key}"
    own = wire.key["aws_access_key_id"]
    root_claim = f"Credential={stack_key}/20260101/us-east-1/s3/aws4_request"
    own_claim = f"Credential={own}/20260101/us-east-1/s3/aws4_request"
    for fields in (f"{own_claim}, {root_claim}", f"{root_claim}, {own_claim}"):
        header = f"AWS4-HMAC-SHA256 {fields}, SignedHeaders=host, Signature={'0' * 64}"
        refused(wire.raw("GET", path, {"Host": "localhost", "Authorization": header}), victim)
    good = wire.send("GET", path).status
    assert good == 403
    signed = aws("s3").generate_presigned_url("get_object", Params={"Bucket": victim.bucket, "Key": victim.key})
    target = signed.removeprefix(stack.endpoint_url)
    assert wire.raw("GET", target, {"Host": stack.endpoint_url.removeprefix("http://")}).status == 200
    assert "Only one auth mechanism" in refused(wire.send("GET", target), victim).text
    twice = [("Host", "localhost"), *[("Authorization", f"AWS {key}:x") for key in (own, stack_key)]]
    refused(wire.raw("GET", path, twice), victim)


def test_conflicting_Content_Length_and_Transfer_Encoding_headers_are_refused(stranger: Wire) -> None:
    host = ("Host", "localhost")
    for pairs in (
        [host, ("Content-Length", "0"), ("Content-Length", "5")],
        [host, ("Content-Length", "-1")],
        [host, ("Content-Length", "+1")],
        [host, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [host, ("Transfer-Encoding", "gzip, chunked")],
        [host, ("Host", "127.0.0.1")],
        [host, ("X-Amz-Target", "AWSGlue.GetDatabase"), ("X-Amz-Target", "AWSGlue.DeleteDatabase")],
    ):
        assert stranger.raw("POST", "/", pairs).status == 400, pairs


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding : chunked",
        b": no name",
        b"no colon",
        b"X-A: a\x00b",
        b"X(A): a",
        b"X-A: a\r\n folded",
    ],
)
def test_a_malformed_header_is_refused_and_the_connection_closed(stack: localaws.Status, line: bytes) -> None:
    parts = urllib.parse.urlsplit(stack.endpoint_url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"HTTP/1.1") == 1


NOT_OURS = [
    "evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", "127.0.0.1:x",
    "localhost@evil.example", "",
]  # fmt: skip


@pytest.mark.parametrize("host", NOT_OURS)
def test_a_request_with_a_foreign_Host_header_is_refused(root: Wire, victim: Victim, host: str) -> None:
    assert root.send("GET", f"/{victim.bucket}/{victim.key}", headers={"Host": host}).status == 421
    assert root.raw("GET", "/_localaws/health", {"Host": host}).status == 421


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_the_lab_accepts_its_own_host_names_and_bucket_names_before_them(root: Wire, victim: Victim, name: str) -> None:
    port = urllib.parse.urlsplit(root.endpoint).port
    for host in (name, f"{name}:{port}"):
        assert root.send("GET", f"/{victim.bucket}/{victim.key}", headers={"Host": host}).body == victim.content
        virtual = {"Host": f"{victim.bucket}.{host}"}
        assert root.send("GET", f"/{victim.key}", headers=virtual).body == victim.content
    refused(root.json("glue", "AWSGlue.GetDatabases", {}, headers={"Host": f"x.{name}"}))


def test_moto_s_own_api_is_not_reachable(stranger: Wire, root: Wire, aws: Aws, victim: Victim) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        for path in ("/moto-api/reset", "/moto-api/", "/moto-api/data.json", "/moto-api/seed?a=1", "/moto-api/config"):
            assert stranger.raw(method, path, {"Host": "localhost"}).status == 404
            assert root.send(method, path).status == 404
    for path in ("/latest/meta-data/iam/security-credentials/", "/latest/api/token", "/favicon.ico"):
        assert stranger.raw("GET", path, {"Host": "localhost"}).status >= 400
    assert aws("secretsmanager").get_secret_value(SecretId=victim.secret)["SecretString"] == victim.password


def test_the_health_check_tells_a_stranger_only_that_a_server_is_running(stranger: Wire, root: Wire) -> None:
    for headers in ({}, {"X-Localaws-Proof": "0:x"}, {"X-Localaws-Proof": "1"}):
        answer = stranger.raw("GET", "/_localaws/health", {"Host": "localhost", **headers})
        assert answer.body == b'{"status": "running"}'


def test_the_region_of_a_request_is_the_region_in_its_signature(someone: Someone, aws: Aws) -> None:
    reader = someone(
        {**allow("glue:GetDatabases"), "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}
    )
    aws("glue", "eu-west-1").create_database(DatabaseInput={"Name": "in_ireland"})
    try:
        answer = reader.json("glue", "AWSGlue.GetDatabases", {}, headers={"User-Agent": "x region/eu-west-1"})
        assert (answer.status, "in_ireland" in answer.text) == (200, False)
        refused(reader.json("glue", "AWSGlue.GetDatabases", {}, region="eu-west-1"))
    finally:
        aws("glue", "eu-west-1").delete_database(Name="in_ireland")

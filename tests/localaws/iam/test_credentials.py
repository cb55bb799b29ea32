"""Whose key signed a request: the account's root, a user, a role's session, or an unknown key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from iam_actors import ACCOUNT, Actor, allow, credentials_of, deny, policy, refused

import localaws
from localaws.core.home import Home
from localaws.iam.refusals import expired_token

MakeActor = Callable[..., Actor]
SOMEBODY = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
INVALID = "The security token included in the request is invalid."
UNKNOWN = [
    ("s3", "list_buckets", "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    ("ec2", "describe_vpcs", "AuthFailure", "AWS was not able to validate the provided access credentials"),
    ("iam", "list_roles", "InvalidClientTokenId", INVALID),
    ("sts", "get_caller_identity", "InvalidClientTokenId", INVALID),
    ("redshift", "describe_clusters", "InvalidClientTokenId", INVALID),
    ("sqs", "list_queues", "InvalidClientTokenId", INVALID),
    ("glue", "get_databases", "UnrecognizedClientException", INVALID),
    ("logs", "describe_log_groups", "UnrecognizedClientException", INVALID),
    ("secretsmanager", "list_secrets", "UnrecognizedClientException", INVALID),
    ("redshift-data", "list_statements", "UnrecognizedClientException", INVALID),
    ("lambda", "list_functions", "UnrecognizedClientException", INVALID),
]


def client_with(stack: localaws.Status, service: str, credentials: dict[str, str]) -> Any:
    return boto3.client(service, endpoint_url=stack.endpoint_url, region_name="us-east-1", **credentials)


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("service", "operation", "code", "message"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_an_unknown_access_key_is_refused_with_the_service_s_message(
    stack: localaws.Status, service: str, operation: str, code: str, message: str
) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html"""
    call = getattr(client_with(stack, service, SOMEBODY), operation)
    assert refused(call) == (code, message)


@pytest.mark.as_on_aws("IAM")
def test_a_user_s_deleted_or_inactive_key_is_refused(make_user: MakeActor) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"""
    actor = make_user(allow("*"))
    sts, key = actor.client("sts"), actor.credentials["aws_access_key_id"]
    assert sts.get_caller_identity()["Arn"] == actor.arn
    actor.iam.update_access_key(UserName=actor.name, AccessKeyId=key, Status="Inactive")
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    actor.iam.update_access_key(UserName=actor.name, AccessKeyId=key, Status="Active")
    assert sts.get_caller_identity()["Arn"] == actor.arn
    actor.iam.delete_access_key(UserName=actor.name, AccessKeyId=key)
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.mark.as_on_aws("IAM")
def test_a_session_s_key_is_refused_without_the_session_token(stack: localaws.Status, make_role: MakeActor) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html"""
    credentials = make_role(allow("*")).credentials
    wrong = {**credentials, "aws_session_token": "another"}
    without = {name: value for name, value in credentials.items() if name != "aws_session_token"}
    for given in (wrong, without):
        assert refused(client_with(stack, "sts", given).get_caller_identity)[0] == "InvalidClientTokenId"
        assert refused(client_with(stack, "s3", given).list_buckets)[0] == "InvalidToken"


@pytest.mark.simplified("IAM", "a deleted role's sessions end at once; AWS does not document when they end")
def test_the_sessions_of_a_deleted_role_are_refused(make_role: MakeActor) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_delete.html"""
    actor = make_role()
    sts = actor.client("sts")
    sts.get_caller_identity()
    actor.iam.delete_role(RoleName=actor.name)
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.mark.as_on_aws("IAM")
def test_a_role_can_be_assumed_only_by_those_whom_its_trust_policy_names(
    make_user: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html"""
    actor, role = make_user(), unique("role")
    sts, trusted = actor.client("sts"), {"Effect": "Allow", "Action": "sts:AssumeRole"}
    service = policy({**trusted, "Principal": {"Service": "glue.amazonaws.com"}})
    arn = aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=service)["Role"]["Arn"]

    def trust(statement: dict[str, Any]) -> None:
        aws("iam").update_assume_role_policy(RoleName=role, PolicyDocument=policy(statement))

    actor.may(allow("sts:AssumeRole", arn))
    code, message = refused(sts.assume_role, RoleArn=arn, RoleSessionName="tests")
    assert code == "AccessDenied"
    assert message == f"User: {actor.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    trust({**trusted, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
    given = sts.assume_role(RoleArn=arn, RoleSessionName="tests")
    assert given["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/tests"
    # The account is named: without a policy of his own he may not. He is named himself: he need not have one.
    actor.iam.delete_user_policy(UserName=actor.name, PolicyName="own")
    refused(sts.assume_role, RoleArn=arn, RoleSessionName="tests")
    trust({**trusted, "Principal": {"AWS": actor.arn}})
    sts.assume_role(RoleArn=arn, RoleSessionName="tests")
    trust({**trusted, "Principal": {"AWS": actor.arn}, "Condition": {"StringEquals": {"sts:ExternalId": "42"}}})
    refused(sts.assume_role, RoleArn=arn, RoleSessionName="tests")
    sts.assume_role(RoleArn=arn, RoleSessionName="tests", ExternalId="42")


@pytest.mark.simplified(
    "IAM",
    "the lab's own key is the account's root, and can assume any role; on AWS, root can assume none",
)
def test_the_lab_s_own_key_can_do_everything_and_assume_any_role(
    stack: localaws.Status, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html"""
    trust = policy({"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"})
    arn = aws("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    session = credentials_of(aws("sts").assume_role(RoleArn=arn, RoleSessionName="tests"))
    assert arn.rpartition("/")[2] in client_with(stack, "sts", session).get_caller_identity()["Arn"]


@pytest.mark.refused("IAM")
@pytest.mark.parametrize("operation", ["get_session_token", "get_federation_token"])
def test_GetSessionToken_and_GetFederationToken_are_refused(aws: Callable[..., Any], operation: str) -> None:
    parameters = {"Name": "somebody"} if operation == "get_federation_token" else {}
    code, message = refused(getattr(aws("sts"), operation), **parameters)
    assert code == "NotImplemented"
    assert operation.title().replace("_", "") in message


def test_the_enforcement_setting_is_saved_and_applies_to_a_running_server(
    stack: localaws.Status, tmp_path: Path
) -> None:
    assert Home.at(tmp_path).settings.enforce_iam
    Home.at(tmp_path).keep_settings(enforce_iam=False)
    assert not Home.at(tmp_path).settings.enforce_iam
    assert Home.at(tmp_path).settings.verify_signatures
    s3 = client_with(stack, "s3", SOMEBODY)
    try:
        assert not localaws.start(stack.home, enforce_iam=False).enforce_iam
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            s3.list_buckets()
        assert not localaws.start(stack.home, verify_signatures=False).verify_signatures
        s3.list_buckets()
        assert not localaws.start(stack.home).enforce_iam
        assert not localaws.status(stack.home).enforce_iam
    finally:
        assert localaws.start(stack.home, enforce_iam=True, verify_signatures=True).enforce_iam
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        s3.list_buckets()


def test_a_denied_call_changes_nothing(make_role: MakeActor, aws: Callable[..., Any], bucket: str) -> None:
    s3 = make_role(deny("*")).client("s3")
    refused(s3.delete_object, Bucket=bucket, Key="other.txt")
    refused(s3.put_object, Bucket=bucket, Key="in/a.txt", Body=b"changed")
    assert aws("s3").get_object(Bucket=bucket, Key="other.txt")["Body"].read() == b"other.txt"
    assert aws("s3").get_object(Bucket=bucket, Key="in/a.txt")["Body"].read() == b"in/a.txt"


def test_the_next_server_removes_the_sessions_of_a_killed_server_s_workers() -> None:
    from moto.sts.models import sts_backends

    from localaws.iam.service_roles import RoleCredentials, forget_left_over

    account = "999999999999"
    role = f"arn:aws:iam::{account}:role/r"
    left = RoleCredentials.assume(role, "worker", account, "us-east-1")
    somebody = sts_backends[account]["aws"].assume_role("us-east-1", "somebody", role, "", 43_200, "")
    forget_left_over()
    kept = [session.access_key_id for session in sts_backends[account]["aws"].assumed_roles]
    assert (left.access_key_id in kept, somebody.access_key_id in kept) == (False, True)


@pytest.mark.as_on_aws("IAM")
def test_a_session_expires_after_its_duration() -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    from moto.sts.models import sts_backends

    from localaws.iam.principals import ExpiredToken, of_key

    account = "999999999999"
    role = f"arn:aws:iam::{account}:role/r"
    over = sts_backends[account]["aws"].assume_role("us-east-1", "somebody", role, "", -1, "")
    with pytest.raises(ExpiredToken):
        of_key(over.access_key_id, over.session_token, account)
    assert (expired_token("glue").code, expired_token("s3").code, expired_token("sts").code) == (
        "ExpiredTokenException",
        "ExpiredToken",
        "ExpiredToken",
    )

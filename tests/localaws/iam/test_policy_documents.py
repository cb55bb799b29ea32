"""Invalid policy documents, and roles that a service may not assume, are refused as AWS refuses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.opening import opened

Make = Callable[..., Any]
ACCOUNT = "123456789012"
TRUST: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
NAMED = f"arn:aws:iam::{ACCOUNT}:role/is-not-there"


def document(statement: dict[str, Any], without: str = "", **changes: Any) -> str:
    """A policy of `statement`, less one of its elements, and with others."""
    changed = {name: value for name, value in {**statement, **changes}.items() if name != without}
    return json.dumps({"Version": "2012-10-17", "Statement": [changed]})


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of what `call` is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


NO_TRUST = {
    "nope": "This policy contains invalid Json",
    "[]": "This policy contains invalid Json",
    "{}": "Missing required field Statement",
    '{"Version": "2012-10-17", "Statement": []}': "Could not parse the policy: Statement is empty!",
    '{"Version": "2020-01-01", "Statement": []}': "The policy must contain a valid version string",
    document(TRUST, without="Effect"): "Missing required field Effect",
    document(TRUST, Effect="Yes"): "Invalid effect: Yes",
    document(TRUST, without="Principal"): "Missing required field Principal",
    document(TRUST, Principal={}): "Missing required field Principal cannot be empty!",
    document(TRUST, Principal={"Servant": "x"}): 'Invalid principal in policy: "SERVANT":"x"',
    document(TRUST, Principal={"Service": "lambda"}): 'Invalid principal in policy: "SERVICE":"lambda"',
    document(TRUST, Principal={"AWS": NAMED}): f'Invalid principal in policy: "AWS":"{NAMED}"',
    document(TRUST, without="Action"): "Missing required field Action",
    document(TRUST, Action="s3:GetObject"): "AssumeRole policy may only specify STS AssumeRole actions.",
    document(TRUST, Action="*"): "AssumeRole policy may only specify STS AssumeRole actions.",
    document(TRUST, Resource="*"): "Has prohibited field Resource",
    document(TRUST, Condition={"Looks": {"a": "b"}}): "Syntax errors in policy.",
    document(TRUST, Conditions={}): "Syntax errors in policy.",
}


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("trust", "message"), NO_TRUST.items(), ids=NO_TRUST.values())
def test_a_malformed_trust_policy_is_refused(aws: Make, unique: Make, trust: str, message: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""
    iam, name = aws("iam"), unique("role")
    assert refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust) == (
        "MalformedPolicyDocument",
        message,
    )
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))
    assert refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=trust)[1] == message
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"] == [TRUST]


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"]},
        {"AWS": "arn:aws:iam::111122223333:role/of-others"},
        {"Service": ["glue.amazonaws.com", "redshift.amazonaws.com"]},
        {"Federated": "cognito-identity.amazonaws.com"},
    ],
)
def test_a_trust_policy_may_name_all_kinds_of_principals(aws: Make, unique: Make, principal: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    old = json.dumps({"Version": "2008-10-17", "Statement": {**TRUST, "Principal": principal, "Sid": ""}})
    aws("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=old)


@pytest.mark.as_on_aws("IAM")
def test_an_identity_policy_with_a_principal_is_refused(aws: Make, unique: Make) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    iam, name = aws("iam"), unique("somebody")
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    made = iam.create_policy(PolicyName=name, PolicyDocument=document(allowed))["Policy"]["Arn"]
    wrong = document(allowed, Principal="*")
    message = ("MalformedPolicyDocument", "Policy document should not specify a principal.")
    assert refusal(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=wrong) == message
    assert refusal(iam.put_user_policy, UserName=name, PolicyName="p", PolicyDocument=wrong) == message
    assert refusal(iam.put_group_policy, GroupName=name, PolicyName="p", PolicyDocument=wrong) == message
    assert refusal(iam.create_policy, PolicyName=f"{name}2", PolicyDocument=wrong) == message
    assert refusal(iam.create_policy_version, PolicyArn=made, PolicyDocument=wrong) == message


@pytest.mark.as_on_aws("IAM")
def test_a_permissions_boundary_has_to_exist(aws: Make, unique: Make) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html"""
    iam, name = aws("iam"), unique("role")
    absent = f"arn:aws:iam::{ACCOUNT}:policy/is-not-there"
    expected = ("NoSuchEntity", f"Scope ARN: {absent} does not exist or is not attachable.")
    trust = document(TRUST)
    create = {"RoleName": name, "AssumeRolePolicyDocument": trust, "PermissionsBoundary": absent}
    assert refusal(iam.create_role, **create) == expected
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    assert refusal(iam.put_role_permissions_boundary, RoleName=name, PermissionsBoundary=absent) == expected


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize("session_policy", ["nope", "{}", document(TRUST)])
def test_a_malformed_session_policy_is_refused(aws: Make, unique: Make, session_policy: str) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    trust = document(TRUST, Principal={"AWS": ACCOUNT})
    role = aws("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "tests", "Policy": session_policy}
    assert refusal(aws("sts").assume_role, **asked)[0] == "MalformedPolicyDocument"


@pytest.mark.as_on_aws("S3")
def test_a_bucket_policy_that_is_malformed_or_for_another_bucket_is_refused(aws: Make, unique: Make) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-bucket-policy.html"""
    s3, bucket = aws("s3"), unique("policies").lower()
    s3.create_bucket(Bucket=bucket)
    opened(s3, bucket)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(statement))
    wrong = {
        "nope": "Policies must be valid JSON and the first byte must be '{'",
        "{nope": "This policy contains invalid Json",
        document(statement, without="Principal"): "Missing required field Principal",
        document(statement, Principal={"AWS": NAMED}): "Invalid principal in policy",
        document(statement, Action="ec2:RunInstances"): "Policy has invalid action",
        document(statement, Action="s3:PutBucketEncryption"): "Policy has invalid action",
        document(statement, Action="s3:ListBucket"): "Action does not apply to any resource(s) in statement",
        document(statement, Resource=f"arn:aws:s3:::{bucket}", Action=["s3:ListBucket", "s3:GetObject"]): (
            "Action does not apply to any resource(s) in statement"
        ),
        document(statement, NotAction="s3:GetObject"): "Syntax errors in policy.",
        document(statement, Sid="x" * (20 << 10)): "Policy exceeds the maximum allowed document size.",
        document(statement, Resource="arn:aws:s3:::another/*"): "Policy has invalid resource",
        document(statement, Resource=f"arn:aws:s3:::{bucket}2"): "Policy has invalid resource",
        document(statement, without="Resource"): "Missing required field Resource",
    }
    for policy, message in wrong.items():
        assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=policy) == ("MalformedPolicy", message)
    for action, resource in (("s3:*", bucket), ("s3:List*", bucket), ("s3:getobject", f"{bucket}*"), ("*", bucket)):
        allowed = document(statement, Action=action, Resource=f"arn:aws:s3:::{resource}")
        s3.put_bucket_policy(Bucket=bucket, Policy=allowed)
    s3.put_bucket_policy(Bucket=bucket, Policy=document(statement))
    kept = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert kept["Statement"] == [statement]


@pytest.mark.as_on_aws("SQS")
@pytest.mark.parametrize("policy", ["nope", "{}", document(TRUST, without="Principal")])
def test_a_malformed_queue_policy_is_refused(aws: Make, unique: Make, policy: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""
    sqs = aws("sqs")
    queue = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    code, message = refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": policy})
    assert (code, message) == ("InvalidAttributeValue", "Invalid value for the parameter Policy.")

"""Users, groups, keys and roles: what is attached takes effect, and what is detached no longer does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from iam_actors import TRUST_ACCOUNT, Actor, allow, policy, refused

MakeActor = Callable[..., Actor]
Aws = Callable[..., Any]
Unique = Callable[[str], str]


@pytest.mark.as_on_aws("IAM")
def test_a_policy_that_is_attached_to_a_user_or_a_group_applies_until_it_is_detached(
    make_user: MakeActor, aws: Aws, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"""
    iam, actor, group = aws("iam"), make_user(), unique("group")
    lists = actor.client("glue").get_databases
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy(allow("glue:*")))["Policy"]["Arn"]
    refused(lists)
    iam.attach_user_policy(UserName=actor.name, PolicyArn=arn)
    lists()
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [each["UserName"] for each in entities["PolicyUsers"]] == [actor.name]
    iam.detach_user_policy(UserName=actor.name, PolicyArn=arn)
    refused(lists)
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=actor.name)
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    lists()
    iam.detach_group_policy(GroupName=group, PolicyArn=arn)
    refused(lists)
    iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=policy(allow("glue:*")))
    lists()
    iam.delete_group_policy(GroupName=group, PolicyName="own")
    refused(lists)
    iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=policy(allow("glue:*")))
    iam.remove_user_from_group(GroupName=group, UserName=actor.name)
    refused(lists)
    iam.delete_group_policy(GroupName=group, PolicyName="own")
    iam.delete_group(GroupName=group)
    assert refused(iam.get_group, GroupName=group) == (
        "NoSuchEntity",
        f"The group with name {group} cannot be found.",
    )


@pytest.mark.as_on_aws("IAM")
def test_a_permissions_boundary_that_is_removed_no_longer_applies(
    make_role: MakeActor, aws: Aws, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    iam, actor = aws("iam"), make_role(allow("*"))
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=actor.name, PermissionsBoundary=arn)
    refused(actor.client("glue").get_databases)
    iam.delete_role_permissions_boundary(RoleName=actor.name)
    actor.client("glue").get_databases()


@pytest.mark.as_on_aws("IAM")
def test_an_access_key_works_while_it_is_active(make_user: MakeActor, aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"""
    iam, actor = aws("iam"), make_user(allow("glue:*"))
    key = {"UserName": actor.name, "AccessKeyId": actor.credentials["aws_access_key_id"]}
    iam.update_access_key(**key, Status="Inactive")
    refused(actor.client("glue").get_databases)
    iam.update_access_key(**key, Status="Active")
    actor.client("glue").get_databases()
    second = iam.create_access_key(UserName=actor.name)["AccessKey"]
    assert refused(iam.create_access_key, UserName=actor.name)[0] == "LimitExceeded"
    iam.delete_access_key(UserName=actor.name, AccessKeyId=second["AccessKeyId"])
    listed = iam.list_access_keys(UserName=actor.name)["AccessKeyMetadata"]
    assert [each["AccessKeyId"] for each in listed] == [key["AccessKeyId"]]
    iam.delete_access_key(**key)
    refused(actor.client("glue").get_databases)


@pytest.mark.as_on_aws("IAM")
def test_policies_and_versions_can_be_deleted_only_when_they_are_not_in_use(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"""
    iam, document = aws("iam"), policy(allow("glue:*"))
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[0] == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    assert [each["VersionId"] for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2"]
    user = unique("user")
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.detach_user_policy(UserName=user, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert refused(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"


@pytest.mark.as_on_aws("IAM")
def test_a_session_lasts_at_most_the_role_s_maximum_duration(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    iam, name = aws("iam"), unique("role")
    made: dict[str, Any] = {"RoleName": name, "AssumeRolePolicyDocument": policy(TRUST_ACCOUNT)}
    assert refused(iam.create_role, **made, MaxSessionDuration=50_000)[0] == "ValidationError"
    arn = iam.create_role(**made)["Role"]["Arn"]

    def assume(**more: Any) -> float:
        until = aws("sts").assume_role(**{"RoleArn": arn, "RoleSessionName": "tests", **more})["Credentials"]
        return float((until["Expiration"] - datetime.now(UTC)).total_seconds())

    assert 800 < assume(DurationSeconds=900) <= 901
    assert refused(assume, DurationSeconds=7200)[1].endswith("exceeds the MaxSessionDuration set for this role.")
    assert refused(iam.update_role, RoleName=name, MaxSessionDuration=43_201)[0] == "ValidationError"
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    assert iam.get_role(RoleName=name)["Role"]["MaxSessionDuration"] == 7200
    assert 7100 < assume(DurationSeconds=7200) <= 7201
    assert refused(assume, DurationSeconds=43_201)[0] == "ValidationError"
    assert refused(assume, RoleSessionName="a name")[0] == "ValidationError"


def test_a_service_linked_role_trusts_its_service(aws: Aws) -> None:
    iam = aws("iam")
    role = iam.create_service_linked_role(AWSServiceName="redshift.amazonaws.com")["Role"]
    assert json.dumps(role["AssumeRolePolicyDocument"]).count("redshift.amazonaws.com") == 1
    iam.delete_service_linked_role(RoleName=role["RoleName"])
    gone = f"The role with name {role['RoleName']} cannot be found."
    assert refused(iam.get_role, RoleName=role["RoleName"]) == ("NoSuchEntity", gone)


@pytest.mark.refused("IAM")
@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("iam", "create_user", {"UserName": "u", "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ("iam", "update_account_password_policy", {"MinimumPasswordLength": 20}),
        ("iam", "create_login_profile", {"UserName": "u", "Password": "p"}),
        (
            "iam",
            "simulate_principal_policy",
            {"PolicySourceArn": "arn:aws:iam::123456789012:user/u", "ActionNames": ["s3:GetObject"]},
        ),
        ("iam", "list_policies", {"PolicyUsageFilter": "PermissionsBoundary"}),
        ("sts", "assume_role", {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}),
        ("sts", "assume_role", {"Tags": [{"Key": "k", "Value": "v"}]}),
        ("sts", "assume_role", {"SourceIdentity": "me"}),
        ("sts", "assume_role", {"SerialNumber": "arn:aws:iam::123456789012:mfa/m", "TokenCode": "123456"}),
    ],
)
def test_iam_and_sts_settings_that_would_not_be_enforced_are_refused(
    aws: Aws, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    """A session that is not limited by its policies could do more than was intended."""
    who = {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "tests"} if service == "sts" else {}
    with pytest.raises(ClientError, match="does not support") as no:
        getattr(aws(service), operation)(**who, **arguments)
    assert no.value.response["Error"]["Code"] == "NotImplemented"

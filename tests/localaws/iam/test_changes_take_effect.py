"""Every call that changes a user, a group, a role or a policy changes what they may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from iam_actors import ACCOUNT, TRUST_ACCOUNT, Actor, allow, policy, refused

MakeActor = Callable[..., Actor]
READS = policy(allow("s3:GetObject"))


def reads(actor: Actor, bucket: str) -> bool:
    """Whether the actor may read an object of the bucket.

    Raises:
        ClientError: it is refused for another reason than its policies.
    """
    try:
        actor.client("s3").get_object(Bucket=bucket, Key="other.txt")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.fixture
def reading(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """The ARN of a managed policy that lets objects be read."""
    return aws("iam").create_policy(PolicyName=unique("reading"), PolicyDocument=READS)["Policy"]["Arn"]


@pytest.mark.as_on_aws("IAM")
def test_a_group_s_policies_apply_to_its_members_as_long_as_they_are_in_the_group(
    make_user: MakeActor, bucket: str, reading: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups_manage_attach-policy.html"""
    user, group = make_user(), unique("group")
    iam = user.iam
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    assert [found["GroupName"] for found in iam.list_groups_for_user(UserName=user.name)["Groups"]] == [group]
    assert not reads(user, bucket)
    iam.attach_group_policy(GroupName=group, PolicyArn=reading)
    assert reads(user, bucket)
    iam.detach_group_policy(GroupName=group, PolicyArn=reading)
    assert not reads(user, bucket)
    iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=READS)
    assert reads(user, bucket)
    iam.delete_group_policy(GroupName=group, PolicyName="own")
    assert not reads(user, bucket)
    iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=READS)
    iam.update_group(GroupName=group, NewGroupName=f"{group}-renamed")
    assert reads(user, bucket)
    iam.remove_user_from_group(GroupName=f"{group}-renamed", UserName=user.name)
    assert not reads(user, bucket)
    assert refused(iam.delete_group, GroupName=f"{group}-renamed")[0] == "DeleteConflict"
    iam.delete_group_policy(GroupName=f"{group}-renamed", PolicyName="own")
    iam.delete_group(GroupName=f"{group}-renamed")
    assert refused(iam.get_group, GroupName=f"{group}-renamed")[0] == "NoSuchEntity"


@pytest.mark.as_on_aws("IAM")
def test_a_user_s_policies_can_be_attached_and_detached(make_user: MakeActor, bucket: str, reading: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"""
    user = make_user()
    user.iam.attach_user_policy(UserName=user.name, PolicyArn=reading)
    assert reads(user, bucket)
    user.iam.detach_user_policy(UserName=user.name, PolicyArn=reading)
    assert not reads(user, bucket)
    user.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=READS)
    assert reads(user, bucket)
    user.iam.delete_user_policy(UserName=user.name, PolicyName="own")
    assert not reads(user, bucket)


@pytest.mark.as_on_aws("IAM")
def test_a_renamed_user_keeps_its_key_and_its_policies(make_user: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_rename.html"""
    user = make_user(allow("s3:GetObject"))
    another = make_user()
    taken = refused(user.iam.update_user, UserName=user.name, NewUserName=another.name)
    assert taken == ("EntityAlreadyExists", f"User with name {another.name} already exists.")
    user.iam.update_user(UserName=user.name, NewUserName=f"{user.name}-renamed")
    assert reads(user, bucket)
    assert user.client("sts").get_caller_identity()["Arn"].endswith(f":user/{user.name}-renamed")


@pytest.mark.as_on_aws("IAM")
def test_a_policy_in_use_and_its_default_version_cannot_be_deleted(
    make_role: MakeActor, bucket: str, reading: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-delete.html"""
    role = make_role()
    iam = role.iam
    iam.attach_role_policy(RoleName=role.name, PolicyArn=reading)
    iam.create_policy_version(PolicyArn=reading, PolicyDocument=policy(allow("s3:PutObject")))
    assert refused(iam.delete_policy, PolicyArn=reading)[0] == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=reading, VersionId="v2")
    assert [version["VersionId"] for version in iam.list_policy_versions(PolicyArn=reading)["Versions"]] == ["v1"]
    assert refused(iam.delete_policy_version, PolicyArn=reading, VersionId="v1")[0] == "DeleteConflict"
    assert refused(iam.delete_policy, PolicyArn=reading)[0] == "DeleteConflict"
    assert iam.get_policy(PolicyArn=reading)["Policy"]["AttachmentCount"] == 1
    assert reads(role, bucket)
    iam.detach_role_policy(RoleName=role.name, PolicyArn=reading)
    iam.delete_policy(PolicyArn=reading)
    assert refused(iam.get_policy, PolicyArn=reading)[0] == "NoSuchEntity"


@pytest.mark.as_on_aws("IAM")
def test_a_permissions_boundary_applies_from_when_it_is_set_until_it_is_removed(
    make_role: MakeActor, bucket: str, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    role = make_role()
    role.iam.put_role_policy(RoleName=role.name, PolicyName="own", PolicyDocument=policy(allow("s3:*")))
    limit = aws("iam").create_policy(PolicyName=unique("limit"), PolicyDocument=policy(allow("s3:PutObject")))
    assert reads(role, bucket)
    role.iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=limit["Policy"]["Arn"])
    assert not reads(role, bucket)
    role.iam.delete_role_permissions_boundary(RoleName=role.name)
    assert reads(role, bucket)


@pytest.mark.as_on_aws("IAM")
def test_conditions_can_use_the_tags_of_a_role_and_of_a_user(
    make_role: MakeActor, make_user: MakeActor, bucket: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_iam-tags.html"""
    tagged = allow("s3:GetObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "tolls"}})
    role, user = make_role(tagged), make_user(tagged)
    team = [{"Key": "team", "Value": "tolls"}]
    assert not reads(role, bucket)
    role.iam.tag_role(RoleName=role.name, Tags=team)
    assert reads(role, bucket)
    role.iam.untag_role(RoleName=role.name, TagKeys=["team"])
    assert not reads(role, bucket)
    assert not reads(user, bucket)
    user.iam.tag_user(UserName=user.name, Tags=team)
    assert reads(user, bucket)
    user.iam.untag_user(UserName=user.name, TagKeys=["team"])
    assert not reads(user, bucket)


@pytest.mark.as_on_aws("IAM")
def test_a_role_s_maximum_session_duration_is_the_last_one_that_was_set(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html"""
    iam, sts, name = aws("iam"), aws("sts"), unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST_ACCOUNT), Description="long")
    arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    two_hours = {"RoleArn": arn, "RoleSessionName": "long", "DurationSeconds": 7200}
    code, message = refused(sts.assume_role, **two_hours)
    assert code == "ValidationError"
    assert "exceeds the MaxSessionDuration" in message
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "long"
    sts.assume_role(**two_hours)


@pytest.mark.as_on_aws("IAM")
def test_a_user_can_be_deleted_only_when_it_has_no_keys_policies_or_groups(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html"""
    iam, user, group = aws("iam"), unique("user"), unique("group")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=READS)
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user)
    left = [
        lambda: iam.delete_access_key(UserName=user, AccessKeyId=key),
        lambda: iam.remove_user_from_group(GroupName=group, UserName=user),
        lambda: iam.delete_user_policy(UserName=user, PolicyName="own"),
    ]
    for take_away in left:
        assert refused(iam.delete_user, UserName=user)[0] == "DeleteConflict"
        take_away()
    iam.delete_user(UserName=user)
    assert refused(iam.get_user, UserName=user)[0] == "NoSuchEntity"


@pytest.mark.as_on_aws("IAM")
def test_a_queue_s_permission_is_a_statement_of_its_policy_until_it_is_removed(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html"""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    sqs.add_permission(QueueUrl=url, Label="all", AWSAccountIds=[ACCOUNT], Actions=["ReceiveMessage"])
    document = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    (statement,) = document["Statement"]
    assert statement["Sid"] == "all"
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    sqs.remove_permission(QueueUrl=url, Label="all")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert refused(sqs.remove_permission, QueueUrl=url, Label="all")[0] == "InvalidParameterValue"


@pytest.mark.as_on_aws("IAM")
def test_a_secret_s_policy_gives_access_until_it_is_deleted(
    make_user: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html"""
    user, secrets, name = make_user(), aws("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="kept")
    read = user.client("secretsmanager").get_secret_value
    assert refused(read, SecretId=name)[0] == "AccessDeniedException"
    statement = allow("secretsmanager:GetSecretValue", Principal={"AWS": user.arn})
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy(statement))
    assert read(SecretId=name)["SecretString"] == "kept"
    secrets.delete_resource_policy(SecretId=name)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)
    assert refused(read, SecretId=name)[0] == "AccessDeniedException"

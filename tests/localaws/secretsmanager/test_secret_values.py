"""Values and names of secrets, and the parameters that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

Aws = Callable[..., Any]
Unique = Callable[[str], str]


def _refused(code: str, text: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_secret_has_one_value_of_at_most_64_KB_and_a_name_without_spaces(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"""
    secrets, name = aws("secretsmanager"), unique("secret")
    _refused("ValidationException", "Invalid name", secrets.create_secret, Name="a name", SecretString="x")
    both = {"SecretString": "x", "SecretBinary": b"x"}
    big = {"SecretString": "x" * 65_537}
    _refused("InvalidParameterException", "both a binary", secrets.create_secret, Name=name, **both)
    _refused("ValidationException", "65536", secrets.create_secret, Name=name, **big)
    secrets.create_secret(Name=name, SecretString="first")
    for call in (secrets.put_secret_value, secrets.update_secret):
        _refused("InvalidParameterException", "both a binary", call, SecretId=name, **both)
        _refused("ValidationException", "65536", call, SecretId=name, **big)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first"
    secrets.update_secret(SecretId=name, SecretString="second", Description="d")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "second"
    assert secrets.describe_secret(SecretId=name)["Description"] == "d"


@pytest.mark.as_on_aws("Secrets Manager")
def test_versions_without_a_staging_label_are_not_listed(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html"""
    secrets, name = aws("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="0")
    made = [secrets.put_secret_value(SecretId=name, SecretString=value)["VersionId"] for value in "12"]
    listed = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    assert {each["VersionId"]: each["VersionStages"] for each in listed} == {
        made[0]: ["AWSPREVIOUS"], made[1]: ["AWSCURRENT"],
    }  # fmt: skip
    secrets.update_secret_version_stage(
        SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=made[1], MoveToVersionId=made[0]
    )
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "1"
    secrets.put_secret_value(SecretId=name, SecretString="another", VersionStages=["mine"])
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "1"
    assert secrets.get_secret_value(SecretId=name, VersionStage="mine")["SecretString"] == "another"
    values = secrets.batch_get_secret_value(SecretIdList=[name])["SecretValues"]
    assert [each["SecretString"] for each in values] == ["1"]


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_secret_s_policy_gives_access_until_it_is_deleted(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html"""
    secrets, user, name = aws("secretsmanager"), unique("user"), unique("secret")
    arn = secrets.create_secret(Name=name, SecretString="x")["ARN"]
    reader = aws("iam").create_user(UserName=user)["User"]["Arn"]
    key = aws("iam").create_access_key(UserName=user)["AccessKey"]
    theirs = boto3.client(
        "secretsmanager", endpoint_url=secrets.meta.endpoint_url, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    statement = {
        "Effect": "Allow", "Principal": {"AWS": reader}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    _refused("AccessDeniedException", "GetSecretValue", theirs.get_secret_value, SecretId=arn)
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=document)
    assert json.loads(secrets.get_resource_policy(SecretId=name)["ResourcePolicy"]) == json.loads(document)
    assert theirs.get_secret_value(SecretId=arn)["SecretString"] == "x"
    secrets.delete_resource_policy(SecretId=name)
    _refused("AccessDeniedException", "GetSecretValue", theirs.get_secret_value, SecretId=arn)


@pytest.mark.as_on_aws("Secrets Manager")
def test_tags_of_a_secret_are_kept_until_they_are_removed(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html"""
    secrets, name = aws("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="x", Tags=[{"Key": "a", "Value": "1"}])
    secrets.tag_resource(SecretId=name, Tags=[{"Key": "b", "Value": "2"}])
    secrets.untag_resource(SecretId=name, TagKeys=["a"])
    assert secrets.describe_secret(SecretId=name)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.as_on_aws("Secrets Manager")
def test_secrets_can_be_listed_by_filters(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html"""
    secrets, name = aws("secretsmanager"), unique("picked")
    secrets.create_secret(Name=name, SecretString="x", Description="of a kind", Tags=[{"Key": name, "Value": "v"}])
    for key, value in {"name": name, "tag-key": name}.items():
        found = secrets.list_secrets(Filters=[{"Key": key, "Values": [value]}])["SecretList"]
        assert [each["Name"] for each in found] == [name]
    assert secrets.list_secrets(Filters=[{"Key": "name", "Values": [f"!{name}"]}])["SecretList"] != found
    _refused("ValidationException", "nonsense", secrets.list_secrets, Filters=[{"Key": "nonsense", "Values": ["x"]}])


@pytest.mark.refused("Secrets Manager")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_secret", {"Name": "s", "SecretString": "x", "KmsKeyId": "alias/mine"}),
        ("create_secret", {"Name": "s", "SecretString": "x", "AddReplicaRegions": [{"Region": "eu-west-1"}]}),
        ("update_secret", {"SecretId": "s", "KmsKeyId": "alias/mine"}),
        ("rotate_secret", {"SecretId": "s"}),
        ("cancel_rotate_secret", {"SecretId": "s"}),
        ("replicate_secret_to_regions", {"SecretId": "s", "AddReplicaRegions": [{"Region": "eu-west-1"}]}),
        ("batch_get_secret_value", {"Filters": [{"Key": "name", "Values": ["s"]}]}),
    ],
)
def test_kms_keys_replication_rotation_and_batch_filters_of_secrets_are_refused(
    aws: Aws, operation: str, arguments: dict[str, Any]
) -> None:
    """Values that a filter picks would be returned to callers who may not read them."""
    _refused("NotImplemented", "does not support", getattr(aws("secretsmanager"), operation), **arguments)


def test_the_default_kms_key_of_secrets_may_be_given(aws: Aws, unique: Unique) -> None:
    aws("secretsmanager").create_secret(Name=unique("secret"), SecretString="x", KmsKeyId="alias/aws/secretsmanager")

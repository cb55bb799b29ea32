"""The values of secrets: versions, staging labels, and creating and reading several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def secrets(aws: Callable[..., Any]) -> Any:
    """A client."""
    return aws("secretsmanager")


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_new_value_becomes_AWSCURRENT_and_the_last_value_becomes_AWSPREVIOUS(
    secrets: Any, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html"""
    name = unique("secret")
    first = secrets.create_secret(Name=name, SecretString="1", Description="d")["VersionId"]
    second = secrets.put_secret_value(SecretId=name, SecretString="2")["VersionId"]
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "2"
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "1"
    assert secrets.get_secret_value(SecretId=name, VersionId=first)["SecretString"] == "1"
    stage = {"SecretId": name, "VersionStage": "AWSCURRENT"}
    for moved in ({"MoveToVersionId": first}, {"RemoveFromVersionId": second}):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            secrets.update_secret_version_stage(**stage, **moved)
    secrets.update_secret_version_stage(**stage, MoveToVersionId=first, RemoveFromVersionId=second)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "1"
    secrets.update_secret(SecretId=name, SecretBinary=b"\x00\x01", Description="changed")
    current = secrets.get_secret_value(SecretId=name)
    assert current["SecretBinary"] == b"\x00\x01"
    assert "SecretString" not in current
    described = secrets.describe_secret(SecretId=name)
    assert described["Description"] == "changed"
    stages = {stage for found in described["VersionIdsToStages"].values() for stage in found}
    assert stages == {"AWSCURRENT", "AWSPREVIOUS"}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId=name, VersionStage="AWSPENDING")


@pytest.mark.as_on_aws("Secrets Manager")
def test_BatchGetSecretValue_reads_several_secrets_and_reports_the_missing_ones(
    secrets: Any, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html"""
    names = [unique("secret"), unique("secret")]
    for name in names:
        secrets.create_secret(Name=name, SecretString=f"of {name}")
    answer = secrets.batch_get_secret_value(SecretIdList=[*names, "nobody's"])
    assert {each["Name"]: each["SecretString"] for each in answer["SecretValues"]} == {
        name: f"of {name}" for name in names
    }
    assert [(each["SecretId"], each["ErrorCode"]) for each in answer["Errors"]] == [
        ("nobody's", "ResourceNotFoundException")
    ]


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_random_password_follows_the_requested_length_and_character_set(secrets: Any) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html"""
    made = secrets.get_random_password(PasswordLength=40, ExcludePunctuation=True, ExcludeCharacters="abc0")
    password = made["RandomPassword"]
    assert len(password) == 40
    assert password.isalnum()
    assert not set(password) & set("abc0")
    assert password != secrets.get_random_password(PasswordLength=40)["RandomPassword"]


@pytest.mark.as_on_aws("Secrets Manager")
def test_tags_of_a_secret_can_be_added_and_removed(secrets: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html"""
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.tag_resource(SecretId=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    secrets.untag_resource(SecretId=name, TagKeys=["a"])
    assert secrets.describe_secret(SecretId=name)["Tags"] == [{"Key": "b", "Value": "2"}]

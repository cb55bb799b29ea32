"""Secrets' values and names, and what of a secret nothing here would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Aws = Callable[..., Any]
Unique = Callable[[str], str]


def _refused(code: str, text: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_secret_has_one_value_of_64_kb_at_most_and_a_name_without_blanks(aws: Aws, unique: Unique) -> None:
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


@pytest.mark.as_on_aws("Secrets Manager")
def test_filters_pick_secrets(aws: Aws, unique: Unique) -> None:
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
def test_what_nothing_here_does_with_a_secret_is_refused(aws: Aws, operation: str, arguments: dict[str, Any]) -> None:
    """Values picked by a filter would be given to who may not read them."""
    _refused("NotImplemented", "does not support", getattr(aws("secretsmanager"), operation), **arguments)


def test_the_key_that_a_secret_has_without_one_may_be_named(aws: Aws, unique: Unique) -> None:
    aws("secretsmanager").create_secret(Name=unique("secret"), SecretString="x", KmsKeyId="alias/aws/secretsmanager")

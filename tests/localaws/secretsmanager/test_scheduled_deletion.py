"""A secret that is scheduled for deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

MARKED = "You can't perform this operation on the secret because it was marked for deletion."


def _refused(message: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["Error"] == {"Code": "InvalidRequestException", "Message": message}


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_secret_scheduled_for_deletion_takes_no_new_value_until_it_is_restored(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html"""
    client, name = aws("secretsmanager"), unique("secret")
    arn = client.create_secret(Name=name, SecretString="old")["ARN"]
    client.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    for secret in (name, arn):
        _refused(MARKED, client.put_secret_value, SecretId=secret, SecretString="new")
        _refused(MARKED, client.update_secret, SecretId=secret, SecretString="new")
        _refused(MARKED, client.get_secret_value, SecretId=secret)
        _refused(MARKED, client.tag_resource, SecretId=secret, Tags=[{"Key": "a", "Value": "b"}])
        _refused(MARKED, client.put_resource_policy, SecretId=secret, ResourcePolicy="{}")
        _refused(MARKED, client.update_secret_version_stage, SecretId=secret, VersionStage="AWSCURRENT")
    assert client.describe_secret(SecretId=name)["DeletedDate"]
    client.restore_secret(SecretId=name)
    assert client.get_secret_value(SecretId=name)["SecretString"] == "old"


@pytest.mark.as_on_aws("Secrets Manager")
def test_the_name_of_a_secret_scheduled_for_deletion_is_taken_until_the_secret_is_deleted(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html"""
    client, name = aws("secretsmanager"), unique("secret")
    client.create_secret(Name=name, SecretString="old")
    client.delete_secret(SecretId=name)
    taken = "You can't create this secret because a secret with this name is already scheduled for deletion."
    _refused(taken, client.create_secret, Name=name, SecretString="new")
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name=name, SecretString="new")
    assert client.get_secret_value(SecretId=name)["SecretString"] == "new"

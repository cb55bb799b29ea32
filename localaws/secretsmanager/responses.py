"""The HTTP side of Secrets Manager: moto's parsing, after a check of the secret's value."""

from __future__ import annotations

import json
from typing import Any

from moto.secretsmanager.responses import SecretsManagerResponse

from localaws.secretsmanager.models import check_value


class LocalSecretsManagerResponse(SecretsManagerResponse):
    """Answers Secrets Manager's requests."""

    def create_secret(self) -> Any:
        """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"""
        check_value(json.loads(self.body))
        return super().create_secret()

    def put_secret_value(self) -> Any:
        """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html"""
        check_value(json.loads(self.body))
        return super().put_secret_value()

    def update_secret(self) -> Any:
        """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html"""
        check_value(json.loads(self.body))
        return super().update_secret()

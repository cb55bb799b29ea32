"""How a call of the Data API logs in to its cluster: as a database user, with a secret, or with its IAM identity.

Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moto.redshift.models import redshift_backends

from localaws.core import context
from localaws.core.ports import SecretUnreadable
from localaws.redshift.data_api.exceptions import ValidationException, not_supported

_ROOT_USER = "IAM:RootIdentity"


@dataclass(frozen=True)
class Access:
    """The cluster, the database and the credentials that a request names."""

    cluster_identifier: str
    database: str
    db_user: str | None = None
    secret_arn: str | None = None

    @classmethod
    def of(cls, parameters: dict[str, Any], account_id: str, region: str, *, database: str = "Database") -> Access:
        """Read and check a request's parameters.

        Raises:
            ValidationException: the cluster does not exist, is not available, or the combination is wrong.
        """
        if parameters.get("WorkgroupName"):
            raise not_supported("A serverless workgroup (WorkgroupName)")
        identifier, db_user, secret = (parameters.get(name) for name in ("ClusterIdentifier", "DbUser", "SecretArn"))
        if db_user and secret:
            raise ValidationException("Parameters DbUser and SecretArn can't be specified together.")
        if not parameters.get(database):
            raise ValidationException("Database is a required parameter.")
        if not identifier and secret:
            identifier = _secret(secret, region).get("dbClusterIdentifier")
        if not identifier:
            raise ValidationException("Either ClusterIdentifier or WorkgroupName must be specified.")
        cluster = redshift_backends[account_id][region].clusters.get(identifier)
        if cluster is None:
            raise ValidationException("Redshift endpoint doesn't exist in this region.")
        if cluster.status != "available":
            raise ValidationException(f"Redshift cluster {identifier} is not available: it is {cluster.status}.")
        access = cls(identifier, str(parameters[database]), db_user, secret)
        if secret:
            access._credentials(region)
        return access

    def connection_parameters(self, region: str) -> dict[str, Any]:
        """Return the arguments for psycopg.connect; the cluster itself checks the credentials."""
        redshift = context.current().ports.clusters
        parameters = redshift.internal_connection_parameters(
            self.cluster_identifier, db_user=self.db_user, database=self.database
        )
        if self.secret_arn:
            parameters["user"], parameters["password"] = self._credentials(region)
        elif self.db_user is None:
            given = redshift.temporary_credentials(self.cluster_identifier, _ROOT_USER, auto_create=True)
            parameters["user"], parameters["password"] = given.user, given.password
        return {**parameters, "application_name": "RedshiftDataAPI"}

    def _credentials(self, region: str) -> tuple[str, str]:
        secret = _secret(str(self.secret_arn), region)
        try:
            user, password = str(secret["username"]), str(secret["password"])
        except KeyError as error:
            raise ValidationException(f"Secret {self.secret_arn} has no {error}.") from error
        named = secret.get("dbClusterIdentifier")
        if named and named != self.cluster_identifier:
            raise ValidationException(
                f"Secret {self.secret_arn} belongs to cluster {named}, not {self.cluster_identifier}."
            )
        return user, password


def _secret(arn: str, region: str) -> dict[str, Any]:
    here = context.current()
    try:
        secret = json.loads(here.ports.secret_value(here.account_id, region, arn))
    except SecretUnreadable as error:
        raise ValidationException(str(error)) from error
    except ValueError as error:
        raise ValidationException(f"Secret {arn} is not in JSON format.") from error
    if not isinstance(secret, dict):
        raise ValidationException(f"Secret {arn} is not in JSON format.")
    return secret

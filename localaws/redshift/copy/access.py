"""Clients of S3 that act with the role or the access key of a COPY or UNLOAD."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.redshift.copy.parse import Authorization
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.statements import ClientSession, StatementContext

_KEPT_FOR = 15 * 60.0  # seconds for which a client with a role's temporary credentials is used
_lock = threading.Lock()
_session: boto3.Session | None = None
_clients: dict[tuple[str | None, ...], tuple[float, Any]] = {}


def s3_client(
    authorization: Authorization, region: str | None, session: ClientSession, context: StatementContext
) -> Any:
    """Return a boto3 S3 client with the authorization that the statement gives.

    Raises:
        SqlError: a role does not exist, is not associated with the cluster, or may not be assumed.
    """
    region = region or context.region
    roles = authorization.roles
    if not roles:
        key = (authorization.access_key_id, authorization.secret_access_key, authorization.session_token)
        return _client("s3", context, region, key)
    roles = _checked_roles(roles, session, context)
    kept = ("role", *roles, region, context.endpoint_url)
    with _lock:
        made, client = _clients.get(kept, (0.0, None))
    if client is None or made + _KEPT_FOR < time.monotonic():
        client = _client("s3", context, region, _assumed(roles, session, context))
        with _lock:
            _clients[kept] = (time.monotonic(), client)
    return client


def warm_up(context: StatementContext) -> None:
    """Create the clients that the first COPY would otherwise wait for: reading botocore's service models takes long."""
    for service in ("iam", "redshift", "sts", "s3"):
        _own_client(service, context)


def _checked_roles(roles: tuple[str, ...], session: ClientSession, context: StatementContext) -> tuple[str, ...]:
    """Return the roles' ARNs. All must exist, and the first must be associated with the cluster and trust Redshift."""
    attached, default = _cluster_roles(context)
    if roles == ("default",):
        if default is None:
            raise SqlError(
                "XX000", "The cluster does not have a default IAM role. Set one, or name the role in IAM_ROLE."
            )
        roles = (default,)
    for role in roles:
        try:
            found = _own_client("iam", context).get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
        except ClientError as error:
            raise _not_authorized(role, session, context) from error
        # Each later role in the chain trusts the one before it; STS checks that when it is assumed.
        if role == roles[0] and not _trusts_redshift(found["AssumeRolePolicyDocument"]):
            raise _not_authorized(role, session, context)
    if roles[0] not in attached:
        raise SqlError(
            "XX000",
            f"The requested role {roles[0]} is not associated to cluster",
            hint="Associate it: ModifyClusterIamRoles, or IamRoles in CreateCluster.",
        )
    return roles


def _trusts_redshift(policy: dict[str, Any]) -> bool:
    """Whether a trust policy lets Redshift assume the role: https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service.html."""
    statements = _listed(policy.get("Statement"))
    return any(
        statement.get("Effect") == "Allow"
        and {"sts:AssumeRole", "sts:*", "*"} & set(_listed(statement.get("Action")))
        and {"redshift.amazonaws.com", "*"} & set(_services(statement.get("Principal")))
        for statement in statements
    )


def _services(principal: Any) -> list[str]:
    return _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _cluster_roles(context: StatementContext) -> tuple[set[str], str | None]:
    try:
        found = _own_client("redshift", context).describe_clusters(ClusterIdentifier=context.cluster_identifier)
    except ClientError:
        return set(), None  # a cluster that was not created through the API has no roles
    cluster = found["Clusters"][0]
    return {role["IamRoleArn"] for role in cluster.get("IamRoles", ())}, cluster.get("DefaultIamRoleArn") or None


def _assumed(
    roles: tuple[str, ...], session: ClientSession, context: StatementContext
) -> tuple[str | None, str | None, str | None]:
    key: tuple[str | None, str | None, str | None] | None = None
    for role in roles:
        sts = _client("sts", context, context.region, key) if key else _own_client("sts", context)
        try:
            given = sts.assume_role(RoleArn=role, RoleSessionName="RedshiftIamRoleSession")
        except ClientError as error:
            raise _not_authorized(role, session, context) from error
        credentials = given["Credentials"]
        key = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    assert key is not None
    return key


def _not_authorized(role: str, session: ClientSession, context: StatementContext) -> SqlError:
    user = f"arn:aws:redshift:{context.region}:{context.account_id}:dbuser:{context.cluster_identifier}/{session.user}"
    message = f"User {user} is not authorized to assume IAM Role {role}"
    line = "-----------------------------------------------"
    detail = f"\n  {line}\n  error:  {message}\n  code:      8001\n  context:   IAM Role={role}\n  {line}"
    return SqlError("XX000", message, detail=detail)


def _own_client(service: str, context: StatementContext) -> Any:
    """Return a client with the cluster's own credentials, which are the lab's."""
    key = (context.access_key_id, context.secret_access_key, None)
    kept = ("own", service, *key, context.region, context.endpoint_url)
    with _lock:
        _, client = _clients.get(kept, (0.0, None))
    if client is None:
        client = _client(service, context, context.region, key)
        with _lock:
            _clients[kept] = (time.monotonic(), client)
    return client


def _client(
    service: str, context: StatementContext, region: str, key: tuple[str | None, str | None, str | None]
) -> Any:
    global _session
    # All clients share one boto3 session: it caches the parsed service models, and parsing them takes most of the time.
    with _lock:
        if _session is None:
            _session = boto3.Session()
        return _session.client(
            service,
            region_name=region,
            endpoint_url=context.endpoint_url,
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            aws_session_token=key[2],
            config=Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"}, proxies={}),
        )

"""Redshift and its Data API.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshift.html and
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localaws.core.call import Call
from localaws.iam.actions.iam import pass_role
from localaws.iam.actions.secrets import secret_arn
from localaws.iam.decision import Access

_SERVICE = "redshift.amazonaws.com"
_ROLES = re.compile(r"(Add)?IamRoles\.(IamRoleArn|member)\.\d+|DefaultIamRoleArn")
_CONNECTS = frozenset(
    {"ExecuteStatement", "BatchExecuteStatement", "ListDatabases", "ListSchemas", "ListTables", "DescribeTable"}
)
_GROUPS = {"subnetgroup": "ClusterSubnetGroupName", "parametergroup": "ParameterGroupName"}
_BY_CLUSTER = re.compile(
    r"(Create|Delete|Modify|Reboot|Pause|Resume|Resize|Describe)Clusters?(IamRoles)?|DescribeLoggingStatus"
)


def accesses(call: Call) -> list[Access]:
    """Return what a call of Redshift needs; empty if it is not about particular resources."""
    given, here = call.parameters, f"arn:aws:redshift:{call.region}:{call.account_id}"
    action, cluster = f"redshift:{call.operation}", given.get("ClusterIdentifier") or "*"
    if call.operation == "GetClusterCredentials":
        resources = [f"dbuser:{cluster}/{given.get('DbUser', '')}"]
        resources += [f"dbname:{cluster}/{given['DbName']}"] if given.get("DbName") else []
        keys: dict[str, str | list[str] | None] = {
            "redshift:dbuser": given.get("DbUser"), "redshift:dbname": given.get("DbName"),
        }  # fmt: skip
        found = [Access(action, f"{here}:{resource}", keys) for resource in resources]
        if given.get("AutoCreate") == "true":
            found.append(Access("redshift:CreateClusterUser", f"{here}:{resources[0]}", keys))
        return found
    if call.operation == "GetClusterCredentialsWithIAM":
        return [Access(action, f"{here}:dbname:{cluster}/{given.get('DbName') or '*'}")]
    if _BY_CLUSTER.fullmatch(call.operation):
        roles = [value for name, value in given.items() if value and _ROLES.fullmatch(name)]
        passed = [pass_role(role, call.account_id, _SERVICE) for role in roles]
        return [Access(action, f"{here}:cluster:{cluster}"), *passed]
    for kind, parameter in _GROUPS.items():
        if kind in call.operation.lower() and not call.operation.startswith("Describe"):  # that takes no name
            return [Access(action, f"{here}:{kind}:{given.get(parameter) or '*'}")]
    return [Access(action, str(given["ResourceName"]))] if given.get("ResourceName") else []


def of_data_api(call: Call) -> list[Access]:
    """Return what a call of the Data API needs: its own action, and that for the credentials which it names."""
    given, action = call.parameters, f"redshift-data:{call.operation}"
    cluster = given.get("ClusterIdentifier")
    if call.operation not in _CONNECTS or not cluster:
        return []
    return [
        Access(action, f"arn:aws:redshift:{call.region}:{call.account_id}:cluster:{cluster}"),
        _way_in(call, given, str(cluster)),
    ]


def _way_in(call: Call, given: Mapping[str, Any], cluster: str) -> Access:
    here = f"arn:aws:redshift:{call.region}:{call.account_id}"
    if secret := given.get("SecretArn"):
        return Access("secretsmanager:GetSecretValue", secret_arn(str(secret), call.region, call.account_id))
    database = given.get("Database") or "*"
    if user := given.get("DbUser"):
        keys: dict[str, str | list[str] | None] = {"redshift:dbuser": user, "redshift:dbname": database}
        return Access("redshift:GetClusterCredentials", f"{here}:dbuser:{cluster}/{user}", keys)
    return Access("redshift:GetClusterCredentialsWithIAM", f"{here}:dbname:{cluster}/{database}")

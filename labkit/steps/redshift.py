"""The Redshift cluster, its admin's secret, and the table that the rows are loaded into."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit import project
from labkit.calls import found
from labkit.data import data_api
from labkit.errors import ConfigError, RunFailed
from labkit.show.display import Described, Fact, Removed, hidden
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step

COLUMNS = (
    "transaction_id",
    "transaction_date",
    "toll_booth",
    "vehicle_make",
    "vehicle_category",
    "transaction_amount",
)

BROKEN = ("hardware-failure", "incompatible-hsm", "incompatible-network", "incompatible-restore", "storage-full")


@dataclass(frozen=True)
class RedshiftMade(Described):
    """The cluster, without its password."""

    cluster: str
    node_type: str
    nodes: int
    database: str
    user: str
    encrypted: bool
    public: bool
    host: str = hidden()
    port: int = hidden()


class Redshift(Step[RedshiftMade]):
    """Nobody has to type the admin's password: Secrets Manager generates it, and the cluster is created with it."""

    name = "redshift"
    notebook = "02_redshift"
    makes = "the admin's secret, a Redshift cluster and the table"

    @names_all_missing
    def create(self) -> RedshiftMade:
        """Create the secret, the cluster with the secret's password, and the table."""
        self.lab.consent(self.name)
        network = self.lab.network.describe()
        copy_role = self.lab.roles.arn(self.names.copy_role)
        there = self._cluster()
        if there is None and self.config.check_node_type:
            self._require_orderable()
        self._make_subnet_group(network.database_subnet_ids)
        password, is_new = self._make_secret()
        redshift, cluster = self.aws("redshift"), self.names.cluster_identifier
        if there is None:
            redshift.create_cluster(
                ClusterIdentifier=cluster,
                ClusterType=self._cluster_type,
                **({} if self.config.number_of_nodes == 1 else {"NumberOfNodes": self.config.number_of_nodes}),
                NodeType=self.config.node_type,
                DBName=self.config.redshift_database,
                MasterUsername=self.config.redshift_user,
                MasterUserPassword=password,
                ClusterSubnetGroupName=self.names.subnet_group,
                VpcSecurityGroupIds=[network.security_group_id],
                PubliclyAccessible=self.config.publicly_accessible,
                Encrypted=self.config.encrypted,
                IamRoles=[copy_role],
                Tags=self.tag_list,
            )
        elif is_new:
            # The cluster exists but its secret was gone: set the new password.
            redshift.modify_cluster(ClusterIdentifier=cluster, MasterUserPassword=password)
        there = self._wait_until_available()
        if copy_role not in [role["IamRoleArn"] for role in there.get("IamRoles", [])]:
            redshift.modify_cluster_iam_roles(ClusterIdentifier=cluster, AddIamRoles=[copy_role])
        data_api.execute(self.lab.session, project.file("sql", "create_table.sql").read_text())
        return self.describe()

    def describe(self) -> RedshiftMade:
        """The cluster as AWS describes it."""
        there = self._cluster()
        if there is None or "Address" not in there.get("Endpoint", {}):
            raise self.missing(f"A usable cluster {self.names.cluster_identifier}")
        return RedshiftMade(
            cluster=there["ClusterIdentifier"],
            node_type=there["NodeType"],
            nodes=there["NumberOfNodes"],
            database=there["DBName"],
            user=there["MasterUsername"],
            encrypted=there["Encrypted"],
            public=there["PubliclyAccessible"],
            host=there["Endpoint"]["Address"],
            port=there["Endpoint"]["Port"],
        )

    def secret_arn(self) -> str:
        """The ARN of the admin's secret.

        Raises:
            MissingStep: it is not there yet.
        """
        return data_api.admin_secret(self.lab.session)

    def facts(self) -> Iterator[Fact]:
        """The cluster's state and settings, and the table's columns."""
        self.secret_arn()
        there = self._cluster()
        if there is None:
            raise self.missing(f"Cluster {self.names.cluster_identifier}")
        name = self.names.cluster_identifier
        available = there["ClusterStatus"] == "available"
        yield Fact(available, f"cluster {name} is available", f"it is {there['ClusterStatus']}; {self.fix}")
        if not available:
            return
        size = (there["NodeType"], there["NumberOfNodes"])
        wanted = (self.config.node_type, self.config.number_of_nodes)
        yield Fact(
            size == wanted, f"it has {wanted[1]} x {wanted[0]}", "resize it in the console, or destroy and create"
        )
        private = there["PubliclyAccessible"] == self.config.publicly_accessible
        yield Fact(private, f"it is {'public' if self.config.publicly_accessible else 'private'}",
                   "destroy the cluster, then create it")  # fmt: skip
        copy_role = self.lab.roles.arn(self.names.copy_role)
        roles = [role["IamRoleArn"] for role in there.get("IamRoles", [])]
        yield Fact(copy_role in roles, f"its COPY may use the role {self.names.copy_role}", self.fix)
        columns = data_api.execute(
            self.lab.session,
            "select column_name from information_schema.columns "
            "where table_schema = 'public' and table_name = :name order by ordinal_position",
            {"name": self.config.redshift_table},
        ).rows
        same = tuple(row[0] for row in columns) == COLUMNS
        yield Fact(same, f"table {self.config.redshift_table} has the 6 columns of sql/create_table.sql", self.fix)

    def destroy(self) -> Removed:
        """Delete the cluster with its rows, its subnet group and the secret."""
        redshift, gone = self.aws("redshift"), []
        if self._cluster() is not None:
            name = self.names.cluster_identifier
            redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
            wait_for(
                f"cluster {name} to be gone",
                lambda: ("deleting", True if self._cluster() is None else None),
                config=self.config,
                go_on="Then run it again: lab.redshift.destroy()",
                quiet=True,
            )
            gone.append(f"cluster {name}")
        if self._subnet_group() is not None:
            redshift.delete_cluster_subnet_group(ClusterSubnetGroupName=self.names.subnet_group)
            gone.append(f"subnet group {self.names.subnet_group}")
        secrets = self.aws("secretsmanager")
        if found(secrets.describe_secret, SecretId=self.names.secret) is not None:
            # Without a recovery window, which would keep the secret's name in use for a week or more.
            secrets.delete_secret(SecretId=self.names.secret, ForceDeleteWithoutRecovery=True)
            gone.append(f"secret {self.names.secret}")
        return Removed(self.name, tuple(gone))

    @property
    def _cluster_type(self) -> str:
        return "single-node" if self.config.number_of_nodes == 1 else "multi-node"

    def _require_orderable(self) -> None:
        """Ask AWS which node types it sells in this region. It stops selling old ones, such as dc2.large.

        Raises:
            ConfigError: `node_type` is not one of them. The message lists those that are.
        """
        pages = self.aws("redshift").get_paginator("describe_orderable_cluster_options").paginate()
        options = [option for page in pages for option in page["OrderableClusterOptions"]]
        orderable = sorted({option["NodeType"] for option in options if option["ClusterType"] == self._cluster_type})
        if self.config.node_type not in orderable:
            raise ConfigError(
                "node_type",
                f"{self.config.node_type} can't be ordered as a {self._cluster_type} cluster in {self.config.region}",
                allowed=orderable,
                fix="" if orderable else "AWS offers no node type there: choose another region (LABKIT_REGION).",
            )

    def _make_secret(self) -> tuple[str, bool]:
        """Return the admin's password, and whether it was generated just now."""
        secrets, name = self.aws("secretsmanager"), self.names.secret
        there = found(secrets.get_secret_value, SecretId=name)
        if there is not None:
            return str(json.loads(there["SecretString"])["password"]), False
        # Redshift doesn't allow / @ " ' \ or a space in a password.
        password = secrets.get_random_password(
            PasswordLength=32, ExcludeCharacters="/@\"'\\ ", RequireEachIncludedType=True
        )["RandomPassword"]
        value = {"username": self.config.redshift_user, "password": password}
        secrets.create_secret(Name=name, SecretString=json.dumps(value), Tags=self.tag_list)
        return str(password), True

    def _make_subnet_group(self, subnet_ids: tuple[str, ...]) -> None:
        redshift, group = self.aws("redshift"), self._subnet_group()
        settings = {
            "ClusterSubnetGroupName": self.names.subnet_group,
            "Description": "Database subnets of the toll lab",
            "SubnetIds": list(subnet_ids),
        }
        if group is None:
            redshift.create_cluster_subnet_group(**settings, Tags=self.tag_list)
        elif {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} != set(subnet_ids):
            redshift.modify_cluster_subnet_group(**settings)

    def _wait_until_available(self) -> dict[str, Any]:
        name = self.names.cluster_identifier

        def look() -> tuple[str, dict[str, Any] | None]:
            cluster = self._cluster() or {}
            state = cluster.get("ClusterStatus", "not there")
            if state in BROKEN:
                raise RunFailed(
                    f"Cluster {name}",
                    state,
                    "",
                    where="See its events in the console, or labkit logs.",
                    fix="On the local target, labkit up says why, and starts the cluster again if it can. Otherwise, "
                    "replace the cluster: labkit destroy redshift, then labkit deploy redshift",
                )
            return state, cluster if state == "available" else None

        go_on = "The cluster goes on starting by itself; to wait for it, run lab.redshift.create() again."
        return wait_for(f"cluster {name}", look, config=self.config, go_on=go_on, quiet=self._cluster_is_up())

    def _cluster_is_up(self) -> bool:
        return (self._cluster() or {}).get("ClusterStatus") == "available"

    def _cluster(self) -> dict[str, Any] | None:
        answer = found(self.aws("redshift").describe_clusters, ClusterIdentifier=self.names.cluster_identifier)
        return answer["Clusters"][0] if answer else None

    def _subnet_group(self) -> dict[str, Any] | None:
        answer = found(
            self.aws("redshift").describe_cluster_subnet_groups, ClusterSubnetGroupName=self.names.subnet_group
        )
        return answer["ClusterSubnetGroups"][0] if answer else None

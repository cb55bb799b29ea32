"""Parameter groups and subnet groups. Creating a group never replaces one, and a group in use can't be deleted."""

from __future__ import annotations

from typing import Any

from moto.redshift.models import ParameterGroup, RedshiftBackend, SubnetGroup

from localaws.redshift import rules
from localaws.redshift.exceptions import GroupState

DEFAULT_GROUP = "default.redshift-1.0"


class GroupOperations(RedshiftBackend):
    """The operations on the groups that a cluster can name."""

    def create_cluster_parameter_group(
        self, cluster_parameter_group_name: str, group_family: str, *rest: Any, **more: Any
    ) -> ParameterGroup:
        """CreateClusterParameterGroup.

        Raises:
            InvalidParameterValue: Redshift has no such parameter group family.
            GroupState: a group with this name exists.
        """
        rules.check_family(group_family)
        if cluster_parameter_group_name in self.parameter_groups:
            raise GroupState(
                "ClusterParameterGroupAlreadyExists", f"Parameter group {cluster_parameter_group_name} already exists"
            )
        return super().create_cluster_parameter_group(cluster_parameter_group_name, group_family, *rest, **more)

    def delete_cluster_parameter_group(self, parameter_group_name: str) -> ParameterGroup:
        """DeleteClusterParameterGroup.

        Raises:
            GroupState: a cluster uses it, or it is the default one.
        """
        if parameter_group_name == DEFAULT_GROUP:
            raise GroupState("InvalidClusterParameterGroupState", "The default parameter group can't be deleted.")
        for cluster in self.clusters.values():
            if parameter_group_name in cluster.cluster_parameter_group_name:
                raise GroupState(
                    "InvalidClusterParameterGroupState",
                    f"Parameter group {parameter_group_name} is used by cluster {cluster.cluster_identifier}.",
                )
        return super().delete_cluster_parameter_group(parameter_group_name)

    def create_cluster_subnet_group(self, cluster_subnet_group_name: str, *rest: Any, **more: Any) -> SubnetGroup:
        """CreateClusterSubnetGroup.

        Raises:
            GroupState: a group with this name exists.
        """
        if cluster_subnet_group_name in self.subnet_groups:
            raise GroupState(
                "ClusterSubnetGroupAlreadyExists", f"Cluster subnet group {cluster_subnet_group_name} already exists"
            )
        return super().create_cluster_subnet_group(cluster_subnet_group_name, *rest, **more)

    def delete_cluster_subnet_group(self, subnet_identifier: str) -> SubnetGroup:
        """DeleteClusterSubnetGroup.

        Raises:
            GroupState: a cluster uses it.
        """
        for cluster in self.clusters.values():
            if cluster.cluster_subnet_group_name == subnet_identifier:
                raise GroupState(
                    "InvalidClusterSubnetGroupStateFault",
                    f"Subnet group {subnet_identifier} is used by cluster {cluster.cluster_identifier}.",
                )
        return super().delete_cluster_subnet_group(subnet_identifier)

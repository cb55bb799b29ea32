"""Requests and responses of the Redshift API that moto handles differently, or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from moto.core.responses import ActionResult
from moto.redshift.exceptions import ClusterNotFoundError
from moto.redshift.responses import RedshiftResponse

from localaws.redshift.exceptions import UnsupportedOperation
from localaws.redshift.models import LocalRedshiftBackend

_ROOT_USER = "IAM:RootIdentity"  # the database user for the root user of an account


class LocalRedshiftResponse(RedshiftResponse):
    """moto's responses, with the operations that differ here."""

    # Report the cluster's real state in every response; moto would replace it by "creating" in some.
    RESPONSE_KEY_PATH_TO_TRANSFORMER = {}

    @property
    def local_backend(self) -> LocalRedshiftBackend:
        return cast(LocalRedshiftBackend, self.redshift_backend)

    def create_cluster(self) -> ActionResult:
        cluster = self.local_backend.create_cluster(
            cluster_identifier=self._get_param("ClusterIdentifier"),
            node_type=self._get_param("NodeType"),
            master_username=self._get_param("MasterUsername"),
            master_user_password=self._get_param("MasterUserPassword"),
            db_name=self._get_param("DBName"),
            cluster_type=self._get_param("ClusterType"),
            cluster_security_groups=self._get_param("ClusterSecurityGroups", []),
            vpc_security_group_ids=self._get_param("VpcSecurityGroupIds", []),
            cluster_subnet_group_name=self._get_param("ClusterSubnetGroupName"),
            availability_zone=self._get_param("AvailabilityZone"),
            preferred_maintenance_window=self._get_param("PreferredMaintenanceWindow"),
            cluster_parameter_group_name=self._get_param("ClusterParameterGroupName"),
            automated_snapshot_retention_period=self._get_int_param("AutomatedSnapshotRetentionPeriod"),
            port=self._get_int_param("Port"),
            cluster_version=self._get_param("ClusterVersion"),
            allow_version_upgrade=self._get_bool_param("AllowVersionUpgrade", True),
            number_of_nodes=self._get_int_param("NumberOfNodes"),
            publicly_accessible=self._get_bool_param("PubliclyAccessible", False),
            encrypted=self._get_bool_param("Encrypted", True),  # AWS's default since 2025
            region_name=self.region,
            tags=self._get_param("Tags", []),
            iam_roles_arn=self._get_param("IamRoles", []),
            default_iam_role_arn=self._get_param("DefaultIamRoleArn"),
            enhanced_vpc_routing=self._get_bool_param("EnhancedVpcRouting", False),
            kms_key_id=self._get_param("KmsKeyId"),
        )
        return ActionResult({"Cluster": cluster})

    def reboot_cluster(self) -> ActionResult:
        cluster = self.local_backend.reboot_cluster(self._get_param("ClusterIdentifier"))
        return ActionResult({"Cluster": cluster})

    def modify_cluster_iam_roles(self) -> ActionResult:
        cluster = self.local_backend.modify_cluster_iam_roles(
            self._get_param("ClusterIdentifier"),
            add=self._get_param("AddIamRoles", []),
            remove=self._get_param("RemoveIamRoles", []),
            default=self._get_param("DefaultIamRoleArn"),
        )
        return ActionResult({"Cluster": cluster})

    def get_cluster_credentials(self) -> ActionResult:
        if self._get_param("DbGroups"):
            raise UnsupportedOperation("GetClusterCredentials with DbGroups")
        credentials = self.local_backend.get_cluster_credentials(
            self._named_cluster(),
            self._get_param("DbUser"),
            self._get_bool_param("AutoCreate", False),
            self._get_int_param("DurationSeconds", 900),
            db_name=self._get_param("DbName"),
        )
        return ActionResult(credentials)

    def get_cluster_credentials_with_iam(self) -> ActionResult:
        credentials = self.local_backend.get_cluster_credentials(
            self._named_cluster(),
            _ROOT_USER,
            True,
            self._get_int_param("DurationSeconds", 900),
            db_name=self._get_param("DbName"),
        )
        refresh = credentials["Expiration"] - timedelta(seconds=300)
        return ActionResult({**credentials, "NextRefreshTime": refresh})

    def describe_custom_domain_associations(self) -> ActionResult:
        associations = self.local_backend.describe_custom_domain_associations(self._get_param("CustomDomainName"))
        return ActionResult({"Associations": associations})

    def _named_cluster(self) -> str:
        identifier = self._get_param("ClusterIdentifier")
        if not identifier:
            raise ClusterNotFoundError(str(self._get_param("CustomDomainName")))
        return str(identifier)

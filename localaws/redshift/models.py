"""moto's Redshift backend, with clusters that the engine really creates, pauses, resumes and deletes."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.redshift.exceptions import (
    ClusterAlreadyExistsFaultError,
    ClusterNotFoundError,
    InvalidParameterCombinationError,
)
from moto.redshift.models import Cluster

from localaws.core import context
from localaws.redshift import rules
from localaws.redshift.exceptions import (
    CustomDomainAssociationNotFound,
    InvalidClusterState,
    InvalidParameterValue,
    UnsupportedOperation,
)
from localaws.redshift.groups import GroupOperations

log = logging.getLogger(__name__)

# Clusters that a thread of this process is working on. If another cluster is in such a state, an earlier server
# ended in the middle of the work.
_at_work: set[str] = set()
_lock = threading.Lock()


class LocalCluster(Cluster):
    """A cluster that takes its endpoint and its state from the engine."""

    _status = "creating"  # while the cluster is in _at_work: what is being done

    def __init__(self, *arguments: Any, default_iam_role_arn: str | None = None, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.default_iam_role_arn = default_iam_role_arn or ""
        self.failure: str | None = None

    @property
    def status(self) -> str:
        """ClusterStatus: https://docs.aws.amazon.com/redshift/latest/mgmt/rs-mgmt-cluster-status.html."""
        if self.cluster_identifier in _at_work:
            return self._status
        redshift = context.current().ports.clusters
        try:
            if redshift.is_paused(self.cluster_identifier):
                return "paused"
            redshift.wait_until_available(self.cluster_identifier, timeout=0)
        except TimeoutError:
            return "rebooting"  # for example, after a start of the embedded AWS
        except (KeyError, RuntimeError) as error:
            self.failure = self.failure or str(error)
            return "hardware-failure"
        return "available"

    @status.setter
    def status(self, value: str) -> None:
        # moto's constructor sets the status, before the cluster exists.
        self._status = value

    @property
    def is_half_made(self) -> bool:
        """Whether the server ended while it was creating this cluster."""
        return self._status == "creating" and self.cluster_identifier not in _at_work

    @property
    def cluster_availability_status(self) -> str:
        """ClusterAvailabilityStatus, which follows from the status."""
        states = {"available": "Available", "paused": "Paused", "hardware-failure": "Failed"}
        return states.get(self.status, "Modifying" if self.status != "deleting" else "Unavailable")

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where the cluster listens; empty while it is being created, as on AWS."""
        try:
            address = context.current().ports.clusters.address(self.cluster_identifier)
        except KeyError:
            return {}
        return {"Address": address.host, "Port": address.port}

    @property
    def address(self) -> str:
        return str(self.endpoint.get("Address", ""))

    @property
    def vpc_id(self) -> str | None:
        """The VPC of the cluster's subnet group; None if it has no group."""
        group = self.redshift_backend.subnet_groups.get(self.cluster_subnet_group_name)
        return group.vpc_id if group else None

    @property
    def cluster_namespace_arn(self) -> str:
        """The namespace's ARN, made from the cluster's own id."""
        return f"arn:aws:redshift:{self.region}:{self.account_id}:namespace:{self.unique_cluster_id}"

    @property
    def physical_resource_id(self) -> str:
        """The id by which CloudFormation knows the cluster."""
        return str(self.cluster_identifier)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the cluster; CloudFormation calls this when it deletes the cluster's stack."""
        _wait_for_work(self.cluster_identifier)
        self.redshift_backend.delete_cluster(cluster_identifier=self.cluster_identifier, skip_final_snapshot=True)


class LocalRedshiftBackend(GroupOperations):
    """The clusters of one region."""

    clusters: dict[str, LocalCluster]  # type: ignore[assignment]

    def reset(self) -> None:
        """Delete all clusters and their data."""
        for cluster in self.clusters.values():
            _wait_for_work(cluster.cluster_identifier)
            with contextlib.suppress(KeyError):
                context.current().ports.clusters.delete_cluster(cluster.cluster_identifier)
        super().reset()

    def create_cluster(self, **parameters: Any) -> Cluster:
        """CreateCluster: check the request as AWS does, then create the cluster in the background."""
        # AWS stores identifiers in lower case; CloudFormation builds them from the names of the stack and the resource.
        identifier = parameters["cluster_identifier"] = str(parameters["cluster_identifier"]).lower()
        self._check(parameters)
        if identifier in self.clusters or self._known_elsewhere(identifier):
            raise ClusterAlreadyExistsFaultError
        group = parameters.get("cluster_subnet_group_name")
        if group:
            self.describe_cluster_subnet_groups(group)
        parameter_group = parameters.get("cluster_parameter_group_name")
        if parameter_group:
            self.describe_cluster_parameter_groups(parameter_group)
        cluster = LocalCluster(self, **parameters)  # type: ignore[abstract]  # moto's stack operations
        self.clusters[identifier] = cluster
        self._make(cluster)
        return cluster

    def describe_clusters(
        self, cluster_identifier: str | None = None, tag_keys: list[str] | None = None
    ) -> list[Cluster]:
        """DescribeClusters. Also continues a creation that an earlier server did not finish, as waiters call this."""
        found = super().describe_clusters(cluster_identifier, tag_keys)
        for cluster in found:
            if isinstance(cluster, LocalCluster) and cluster.is_half_made:
                self._make(cluster)
        return found

    def _make(self, cluster: LocalCluster) -> None:
        def make() -> None:
            with contextlib.suppress(FileExistsError):  # an earlier server created it, but ended before it saved this
                context.current().ports.clusters.create_cluster(
                    cluster.cluster_identifier,
                    database=cluster.db_name,
                    user=cluster.master_username,
                    password=cluster.master_user_password,
                    region=self.region_name,
                )

        self._in_background(cluster, "creating", make)

    def delete_cluster(self, **parameters: Any) -> Cluster:
        """DeleteCluster: when this returns, the cluster and its data are gone."""
        cluster = self._cluster(parameters["cluster_identifier"])
        if cluster.cluster_identifier in _at_work:
            raise InvalidClusterState(cluster.cluster_identifier, cluster.status)
        if not parameters.get("skip_final_snapshot"):
            if parameters.get("final_cluster_snapshot_identifier") is None:
                raise InvalidParameterCombinationError(
                    "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified."
                )
            raise UnsupportedOperation("DeleteCluster with a final snapshot")
        try:
            context.current().ports.clusters.delete_cluster(cluster.cluster_identifier)
        except KeyError:
            log.info("Cluster %s had no data to delete", cluster.cluster_identifier)
        del self.clusters[cluster.cluster_identifier]
        _at_work.add(cluster.cluster_identifier)  # so that the answer has the status "deleting"
        cluster.status = "deleting"
        context.current().bus.after_response(lambda: _at_work.discard(cluster.cluster_identifier))
        return cluster

    def modify_cluster(self, **parameters: Any) -> Cluster:
        """ModifyCluster: change the password in the running cluster, everything else only in its description."""
        cluster = self._available(parameters["cluster_identifier"])
        if parameters.get("new_cluster_identifier"):
            raise UnsupportedOperation("ModifyCluster with NewClusterIdentifier")
        if "node_type" in parameters:
            rules.check_node_type(parameters["node_type"])
        self._check_description(parameters)
        password = parameters.get("master_user_password")
        if password is not None:
            rules.check_password(password)
        group = parameters.pop("cluster_parameter_group_name", None)
        if group:
            self.describe_cluster_parameter_groups(group)
            parameters["cluster_parameter_group_name"] = [group]
        modified = super().modify_cluster(**parameters)
        if password is not None:  # last, so that a refused call changes nothing
            context.current().ports.clusters.set_master_password(cluster.cluster_identifier, password)
        return modified

    def modify_cluster_iam_roles(
        self, identifier: str, add: list[str], remove: list[str], default: str | None
    ) -> Cluster:
        """ModifyClusterIamRoles."""
        cluster = self._available(identifier)
        kept = [role for role in cluster.iam_roles_arn if role not in remove]
        cluster.iam_roles_arn = kept + [role for role in add if role not in kept]
        if default is not None:
            if default and default not in cluster.iam_roles_arn:
                raise InvalidParameterValue(
                    f"The default IAM role {default} must be one of the cluster's associated roles."
                )
            cluster.default_iam_role_arn = default
        elif cluster.default_iam_role_arn in remove:
            cluster.default_iam_role_arn = ""
        return cluster

    def pause_cluster(self, cluster_id: str) -> Cluster:
        """PauseCluster: stop the cluster and keep its data."""
        cluster = self._available(cluster_id)

        self._in_background(cluster, "pausing", lambda: context.current().ports.clusters.pause_cluster(cluster_id))
        return cluster

    def resume_cluster(self, cluster_id: str) -> Cluster:
        """ResumeCluster."""
        cluster = self._cluster(cluster_id)
        if cluster.status != "paused":
            raise InvalidClusterState(cluster_id, cluster.status)
        self._in_background(cluster, "resuming", lambda: context.current().ports.clusters.resume_cluster(cluster_id))
        return cluster

    def reboot_cluster(self, identifier: str) -> Cluster:
        """RebootCluster: sessions end, committed rows are kept."""
        cluster = self._available(identifier)

        def reboot() -> None:
            context.current().ports.clusters.pause_cluster(identifier)
            context.current().ports.clusters.resume_cluster(identifier)

        self._in_background(cluster, "rebooting", reboot)
        return cluster

    def get_cluster_credentials(
        self,
        cluster_identifier: str,
        db_user: str,
        auto_create: bool,
        duration_seconds: int,
        db_name: str | None = None,
    ) -> dict[str, Any]:
        """GetClusterCredentials: return a user and a password that the cluster accepts until they expire."""
        if not 900 <= duration_seconds <= 3600:
            raise InvalidParameterValue("Token duration must be between 900 and 3600 seconds")
        self._available(cluster_identifier)
        given = context.current().ports.clusters.temporary_credentials(
            cluster_identifier, db_user, database=db_name, auto_create=auto_create, duration_seconds=duration_seconds
        )
        return {"DbUser": given.user, "DbPassword": given.password, "Expiration": given.expiration}

    def describe_custom_domain_associations(self, domain: str | None) -> list[Any]:
        """DescribeCustomDomainAssociations: there are never any."""
        if domain:
            raise CustomDomainAssociationNotFound(domain)
        return []

    def create_cluster_snapshot(self, *arguments: Any, **parameters: Any) -> Any:
        """CreateClusterSnapshot: refused, as the embedded AWS takes no snapshots."""
        raise UnsupportedOperation("CreateClusterSnapshot")

    def restore_from_cluster_snapshot(self, **parameters: Any) -> Cluster:
        """See create_cluster_snapshot."""
        raise UnsupportedOperation("RestoreFromClusterSnapshot")

    def enable_snapshot_copy(self, **parameters: Any) -> Cluster:
        """See create_cluster_snapshot."""
        raise UnsupportedOperation("EnableSnapshotCopy")

    def enable_logging(self, *arguments: Any, **parameters: Any) -> Any:
        """EnableLogging: refused, as the embedded AWS writes no audit log."""
        raise UnsupportedOperation("EnableLogging")

    def _check(self, parameters: dict[str, Any]) -> None:
        rules.check_identifier(str(parameters["cluster_identifier"]))
        rules.check_node_type(str(parameters["node_type"]))
        rules.check_user(str(parameters["master_username"] or ""))
        if parameters["master_user_password"] is None:
            raise InvalidParameterCombinationError(
                "MasterUserPassword is required. (ManageMasterPassword is not supported.)"
            )
        rules.check_password(parameters["master_user_password"])
        if parameters.get("db_name"):
            rules.check_database(parameters["db_name"])
        self._check_description(parameters)
        nodes, kind = parameters.get("number_of_nodes"), parameters.get("cluster_type")
        if kind not in (None, "single-node", "multi-node"):
            raise InvalidParameterValue("Invalid cluster type. Cluster type can be one of multi-node or single-node")
        if kind == "multi-node" and (nodes or 0) < 2:
            raise InvalidParameterCombinationError(
                "Number of nodes for cluster type multi-node must be greater than or equal to 2"
            )
        if kind == "single-node" and (nodes or 1) > 1:
            raise InvalidParameterCombinationError("Number of nodes for cluster type single-node must be 1")
        default = parameters.get("default_iam_role_arn")
        if default and default not in (parameters.get("iam_roles_arn") or ()):
            raise InvalidParameterValue(
                f"The default IAM role {default} must be one of the cluster's associated roles."
            )

    def _check_description(self, parameters: dict[str, Any]) -> None:
        """Check parameters of CreateCluster and ModifyCluster that only become part of the description."""
        rules.check_nodes(parameters.get("number_of_nodes"))
        rules.check_maintenance_window(parameters.get("preferred_maintenance_window"))
        groups, zone = parameters.get("vpc_security_group_ids") or (), parameters.get("availability_zone")
        rules.check_network(ec2_backends[self.account_id][self.region_name], groups, zone)

    def _known_elsewhere(self, identifier: str) -> bool:
        """Whether another region has a cluster of this name: unlike on AWS, names are unique in the whole lab."""
        try:
            context.current().ports.clusters.address(identifier)
        except KeyError:
            return False
        return True

    def _cluster(self, identifier: str) -> LocalCluster:
        if identifier not in self.clusters:
            raise ClusterNotFoundError(identifier)
        return self.clusters[identifier]

    def _available(self, identifier: str) -> LocalCluster:
        cluster = self._cluster(identifier)
        if cluster.status != "available":
            raise InvalidClusterState(identifier, cluster.status)
        return cluster

    def _in_background(self, cluster: LocalCluster, status: str, work: Callable[[], None]) -> None:
        identifier = cluster.cluster_identifier
        with _lock:
            if identifier in _at_work:
                return
            _at_work.add(identifier)
        cluster.status = status

        def run() -> None:
            try:
                work()
                cluster.failure = None
            except Exception as error:
                log.exception("Cluster %s: %s failed", identifier, status)
                cluster.failure = f"{status} at {datetime.now(UTC):%H:%M:%S}: {error}"
            finally:
                cluster.status = "made"
                _at_work.discard(identifier)
                context.current().state.save("redshift")

        threading.Thread(target=run, name=f"{status}-{identifier}", daemon=True).start()


def _wait_for_work(identifier: str, seconds: float = 60.0) -> None:
    """Return when nothing is being done to a cluster."""
    deadline = time.monotonic() + seconds
    while identifier in _at_work and time.monotonic() < deadline:
        time.sleep(0.02)

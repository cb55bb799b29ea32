"""The Redshift API: clusters that are really there."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redshift_connector
from botocore.exceptions import ClientError
from warehouse import DATABASE, PASSWORD, Warehouse, wait_for_status

import localaws

Aws = Callable[..., Any]
Unique = Callable[[str], str]

CLUSTER = {
    "NodeType": "dc2.large",
    "ClusterType": "single-node",
    "DBName": DATABASE,
    "MasterUsername": "admin",
    "MasterUserPassword": PASSWORD,
}


@pytest.fixture
def environment(warehouse: Warehouse, stack: localaws.Status, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `labkit env` sets in a shell."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.secret_access_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.region)
    monkeypatch.setenv("SSL_CERT_FILE", str(stack.ca_bundle))
    return


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"NodeType": "dc9.huge"}, "Invalid node type: dc9.huge"),
        ({"MasterUserPassword": "short1A"}, "between 8 and 64 characters"),
        ({"MasterUserPassword": ""}, "between 8 and 64 characters"),
        ({"MasterUserPassword": "A1" + "a" * 63}, "between 8 and 64 characters"),
        ({"MasterUserPassword": "nouppercase1"}, "at least one uppercase letter"),
        ({"MasterUserPassword": "NOLOWERCASE1"}, "at least one lowercase letter"),
        ({"MasterUserPassword": "NoDigitsHere"}, "at least one number"),
        *(({"MasterUserPassword": f"Signs{sign}123"}, "Only printable ASCII") for sign in "'\"\\/@ ü"),
        ({"MasterUserPassword": "No/slashes1"}, "Only printable ASCII characters"),
        ({"MasterUsername": "public"}, "reserved word"),
        ({"MasterUsername": "rdsdb"}, "reserved word"),
        ({"MasterUsername": "rdsdb_history"}, "reserved word"),
        ({"DBName": "Capital"}, "DBName is not valid"),
        ({"ClusterIdentifier": "two--hyphens"}, "not a valid identifier"),
        ({"ClusterType": "multi-node", "NumberOfNodes": 1}, "greater than or equal to 2"),
        ({"ClusterType": "multi-node", "NumberOfNodes": 101}, "between 1 and 100"),
        ({"PreferredMaintenanceWindow": "at night"}, "PreferredMaintenanceWindow is not valid"),
        ({"AvailabilityZone": "mars-1a"}, "mars-1a is not a valid availability zone"),
        ({"VpcSecurityGroupIds": ["sg-0123"]}, "Invalid security group, groupId= sg-0123"),
    ],
)
def test_CreateCluster_refuses_invalid_parameters_with_the_messages_of_aws(
    aws: Aws, wrong: dict[str, Any], message: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html"""
    with pytest.raises(ClientError, match=message) as refused:
        aws("redshift").create_cluster(**{"ClusterIdentifier": "never-made", **CLUSTER, **wrong})
    assert refused.value.response["Error"]["Code"].startswith("InvalidParameter")
    with pytest.raises(ClientError, match="ClusterNotFound"):
        aws("redshift").describe_clusters(ClusterIdentifier="never-made")


def test_a_cluster_is_described_with_its_settings_and_its_state(warehouse: Warehouse) -> None:
    client = warehouse.aws("redshift")
    cluster = client.describe_clusters(ClusterIdentifier=warehouse.identifier)["Clusters"][0]
    assert cluster["ClusterStatus"] == "available"
    assert cluster["NodeType"] == "dc2.large"
    assert cluster["Endpoint"]["Address"] in ("localhost", "127.0.0.1")
    assert [role["IamRoleArn"] for role in cluster["IamRoles"]] == [warehouse.role]
    assert cluster["DefaultIamRoleArn"] == warehouse.role
    with pytest.raises(ClientError, match="ClusterAlreadyExists"):
        client.create_cluster(ClusterIdentifier=warehouse.identifier, **CLUSTER)


@pytest.mark.usefixtures("environment")
def test_the_driver_gets_temporary_credentials_with_only_the_environment_variables(warehouse: Warehouse) -> None:
    with (
        redshift_connector.connect(
            iam=True, cluster_identifier=warehouse.identifier, db_user="admin", database=DATABASE
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select current_user")
        assert cursor.fetchall() == ([ "admin"],)  # fmt: skip


@pytest.mark.usefixtures("environment")
def test_the_driver_can_run_COPY_through_the_extended_protocol(warehouse: Warehouse, unique: Unique) -> None:
    table = unique("t")
    source = warehouse.put(f"{table}/a.json", '{"id": 1}\n{"id": 2}\n')
    with (
        redshift_connector.connect(
            iam=True, cluster_identifier=warehouse.identifier, db_user="admin", database=DATABASE
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"create table {table} (id int)")
        cursor.execute(f"copy {table} from '{source}' iam_role default json 'auto'")
        with pytest.raises(redshift_connector.ProgrammingError) as failed:
            cursor.execute(f"copy {table} from '{source}' iam_role default csv")
        assert "Check 'stl_load_errors' system table" in failed.value.args[0]["M"]
        connection.rollback()
        cursor.execute(f"create table {table} (id int)")  # the rollback undid the first one
        cursor.execute(f"copy {table} from '{source}' iam_role default json 'auto'")
        connection.commit()
        cursor.execute(f"select sum(id) from {table}")
        assert cursor.fetchall() == ([3],)


def test_credentials_of_an_iam_identity_create_a_user_of_their_own(warehouse: Warehouse) -> None:
    given = warehouse.aws("redshift").get_cluster_credentials_with_iam(ClusterIdentifier=warehouse.identifier)
    with warehouse.connect(given["DbUser"], given["DbPassword"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("IAM:RootIdentity",)


@pytest.mark.as_on_aws("Redshift")
def test_temporary_credentials_are_for_the_requested_user_and_duration(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html"""
    asked = {"ClusterIdentifier": warehouse.identifier, "DurationSeconds": 900}
    given = warehouse.aws("redshift").get_cluster_credentials(DbUser="admin", **asked)
    assert given["DbUser"] == "IAM:admin"
    assert 850 < (given["Expiration"] - datetime.now(UTC)).total_seconds() <= 900
    with warehouse.connect(given["DbUser"], given["DbPassword"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("admin",)


def test_credentials_for_an_unknown_cluster_or_an_invalid_duration_are_refused(warehouse: Warehouse) -> None:
    client = warehouse.aws("redshift")
    with pytest.raises(ClientError, match="ClusterNotFound"):
        client.get_cluster_credentials(ClusterIdentifier="nowhere", DbUser="admin")
    with pytest.raises(ClientError, match="between 900 and 3600"):
        client.get_cluster_credentials(ClusterIdentifier=warehouse.identifier, DbUser="admin", DurationSeconds=10)


@pytest.mark.as_on_aws("Redshift")
def test_credentials_of_a_database_user_log_in_as_that_user(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html"""
    given = warehouse.aws("redshift").get_cluster_credentials(
        ClusterIdentifier=warehouse.identifier, DbUser="admin", DurationSeconds=900
    )
    assert given["DbUser"] == "IAM:admin"
    with warehouse.connect(given["DbUser"], given["DbPassword"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("admin",)


@pytest.mark.as_on_aws("Redshift")
def test_iam_roles_can_be_associated_and_disassociated(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/copy-unload-iam-role.html"""
    client = warehouse.aws("redshift")
    other = "arn:aws:iam::123456789012:role/another"
    cluster = client.modify_cluster_iam_roles(ClusterIdentifier=warehouse.identifier, AddIamRoles=[other])["Cluster"]
    assert [role["IamRoleArn"] for role in cluster["IamRoles"]] == [warehouse.role, other]
    cluster = client.modify_cluster_iam_roles(ClusterIdentifier=warehouse.identifier, RemoveIamRoles=[other])["Cluster"]
    assert [role["IamRoleArn"] for role in cluster["IamRoles"]] == [warehouse.role]


def test_snapshots_resizes_and_other_unsupported_operations_are_refused(warehouse: Warehouse) -> None:
    client = warehouse.aws("redshift")
    with pytest.raises(ClientError, match="does not support CreateClusterSnapshot"):
        client.create_cluster_snapshot(SnapshotIdentifier="s", ClusterIdentifier=warehouse.identifier)
    with pytest.raises(ClientError, match="ResizeCluster"):
        client.resize_cluster(ClusterIdentifier=warehouse.identifier, NumberOfNodes=4)
    with pytest.raises(ClientError, match="FinalClusterSnapshotIdentifier is required"):
        client.delete_cluster(ClusterIdentifier=warehouse.identifier)
    assert client.describe_custom_domain_associations()["Associations"] == []
    with pytest.raises(ClientError, match="CustomDomainAssociationNotFoundFault"):
        client.describe_custom_domain_associations(CustomDomainName="warehouse.example.com")


def test_a_cluster_can_be_created_modified_paused_resumed_rebooted_and_deleted(
    aws: Aws, stack: localaws.Status, unique: Unique
) -> None:
    client, identifier = aws("redshift"), unique("life-")
    made = client.create_cluster(ClusterIdentifier=identifier, **CLUSTER)["Cluster"]
    assert made["ClusterStatus"] == "creating"
    assert "Address" not in made.get("Endpoint", {})
    with pytest.raises(ClientError, match="InvalidClusterState"):
        client.delete_cluster(ClusterIdentifier=identifier, SkipFinalClusterSnapshot=True)
    wait_for_status(aws, identifier, "available")
    cluster = Warehouse(aws, stack.home, identifier, "", "")
    with cluster.connect() as connection:
        connection.execute("create table kept as select 1 as id")
    for invalid in ("", "short1A", "nouppercase1", "No/slashes1"):
        with pytest.raises(ClientError, match="The parameter MasterUserPassword"):
            client.modify_cluster(ClusterIdentifier=identifier, MasterUserPassword=invalid)
    with pytest.raises(ClientError, match="ClusterParameterGroupNotFound"):
        client.modify_cluster(
            ClusterIdentifier=identifier, MasterUserPassword="Another-1", ClusterParameterGroupName="missing"
        )
    cluster.connect().close()
    client.modify_cluster(ClusterIdentifier=identifier, MasterUserPassword="Another-1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect()
    assert client.pause_cluster(ClusterIdentifier=identifier)["Cluster"]["ClusterStatus"] == "pausing"
    wait_for_status(aws, identifier, "paused")
    with pytest.raises(psycopg.OperationalError):
        cluster.connect(password="Another-1")
    client.resume_cluster(ClusterIdentifier=identifier)
    wait_for_status(aws, identifier, "available")
    with cluster.connect(password="Another-1") as connection:
        assert connection.execute("select id from kept").fetchall() == [(1,)]
    with cluster.connect(password="Another-1") as connection:
        assert client.reboot_cluster(ClusterIdentifier=identifier)["Cluster"]["ClusterStatus"] == "rebooting"
        wait_for_status(aws, identifier, "available")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with cluster.connect(password="Another-1") as connection:
        assert connection.execute("select id from kept").fetchall() == [(1,)]
    gone = client.delete_cluster(ClusterIdentifier=identifier, SkipFinalClusterSnapshot=True)["Cluster"]
    assert gone["ClusterStatus"] == "deleting"
    with pytest.raises(ClientError, match="ClusterNotFound"):
        client.describe_clusters(ClusterIdentifier=identifier)
    assert not (stack.home / "clusters" / identifier).exists()


@pytest.mark.as_on_aws("Redshift")
def test_a_cluster_needs_existing_groups_and_a_group_in_use_cannot_be_deleted(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_DeleteClusterSubnetGroup.html"""
    client, ec2, name = aws("redshift"), aws("ec2"), unique("group-")
    for missing in ({"ClusterParameterGroupName": name}, {"ClusterSubnetGroupName": name}):
        with pytest.raises(ClientError, match="NotFound"):
            client.create_cluster(ClusterIdentifier=name, **CLUSTER, **missing)
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    client.create_cluster_subnet_group(ClusterSubnetGroupName=name, Description="tests", SubnetIds=[subnet])
    group = {"ParameterGroupName": name, "Description": "tests"}
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.create_cluster_parameter_group(ParameterGroupFamily="mysql", **group)
    client.create_cluster_parameter_group(ParameterGroupFamily="redshift-1.0", **group)
    with pytest.raises(ClientError, match="ClusterParameterGroupAlreadyExists"):
        client.create_cluster_parameter_group(ParameterGroupFamily="redshift-1.0", **group)
    with pytest.raises(ClientError, match="ClusterSubnetGroupAlreadyExists"):
        client.create_cluster_subnet_group(ClusterSubnetGroupName=name, Description="tests", SubnetIds=[subnet])
    (found,) = client.describe_cluster_subnet_groups(ClusterSubnetGroupName=name)["ClusterSubnetGroups"]
    assert found["VpcId"] == vpc
    assert [each["SubnetIdentifier"] for each in found["Subnets"]] == [subnet]
    client.create_cluster(
        ClusterIdentifier=name, ClusterParameterGroupName=name, ClusterSubnetGroupName=name, **CLUSTER
    )
    with pytest.raises(ClientError, match="InvalidClusterSubnetGroupStateFault"):
        client.delete_cluster_subnet_group(ClusterSubnetGroupName=name)
    with pytest.raises(ClientError, match="InvalidClusterParameterGroupState"):
        client.delete_cluster_parameter_group(ParameterGroupName=name)
    wait_for_status(aws, name, "available")
    client.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    client.delete_cluster_subnet_group(ClusterSubnetGroupName=name)
    client.delete_cluster_parameter_group(ParameterGroupName=name)
    with pytest.raises(ClientError, match="ClusterParameterGroupNotFound"):
        client.delete_cluster_parameter_group(ParameterGroupName=name)


@pytest.mark.refused("Redshift")
def test_reading_and_changing_the_values_of_a_parameter_group_is_refused(aws: Aws) -> None:
    client = aws("redshift")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.describe_cluster_parameters(ParameterGroupName="default.redshift-1.0")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.modify_cluster_parameter_group(
            ParameterGroupName="default.redshift-1.0", Parameters=[{"ParameterName": "search_path"}]
        )


@pytest.mark.nightly
def test_a_cluster_whose_creation_was_interrupted_by_a_kill_is_still_created(tmp_path: Path) -> None:
    status = localaws.start(tmp_path)
    try:
        session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)

        def aws(service: str) -> Any:
            return session.client(service, endpoint_url=status.endpoint_url)

        aws("redshift").create_cluster(ClusterIdentifier="hurried", **CLUSTER)
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        localaws.start(tmp_path)
        wait_for_status(aws, "hurried", "available")
        with Warehouse(aws, tmp_path, "hurried", "", "").connect() as connection:
            assert connection.execute("select current_user").fetchone() == ("admin",)
    finally:
        localaws.stop(tmp_path)


@pytest.mark.nightly
def test_deleting_a_stack_deletes_its_cluster(aws: Aws, unique: Unique, allowing: None) -> None:
    stack = unique("Stack")
    template = {"Resources": {"Warehouse": {"Type": "AWS::Redshift::Cluster", "Properties": CLUSTER}}}
    aws("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    resources = aws("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    identifier = resources[0]["PhysicalResourceId"]
    assert identifier.startswith(f"{stack.lower()}-warehouse-")
    wait_for_status(aws, identifier, "available")
    aws("cloudformation").delete_stack(StackName=stack)
    with pytest.raises(ClientError, match="not found"):
        aws("redshift").describe_clusters(ClusterIdentifier=identifier)


@pytest.mark.refused("Redshift")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        *(
            (operation, arguments)
            for operation in ("create_cluster", "modify_cluster")
            for arguments in (
                {"AutomatedSnapshotRetentionPeriod": 5},
                {"ManualSnapshotRetentionPeriod": 3},
                {"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"},
                {"ClusterVersion": "2.0"},
                {"EnhancedVpcRouting": True},
                {"ClusterSecurityGroups": ["group"]},
                {"Port": 5440},
            )
        ),
        ("modify_cluster_parameter_group", {"ParameterGroupName": "g", "Parameters": []}),
        ("describe_cluster_parameters", {"ParameterGroupName": "g"}),
        ("create_cluster_snapshot", {"SnapshotIdentifier": "s"}),
        ("resize_cluster", {"NodeType": "ra3.large"}),
    ],
)
def test_unsupported_settings_of_a_cluster_are_refused(aws: Aws, operation: str, arguments: dict[str, Any]) -> None:
    where = {} if "parameter" in operation else {"ClusterIdentifier": "never-made"}
    more = CLUSTER if operation == "create_cluster" else {}
    with pytest.raises(ClientError, match="does not support") as refused:
        getattr(aws("redshift"), operation)(**where, **more, **arguments)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.as_on_aws("Redshift")
def test_a_parameter_group_needs_a_valid_family_and_a_cluster_needs_an_existing_group(aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateClusterParameterGroup.html"""
    client = aws("redshift")
    with pytest.raises(ClientError, match="ClusterParameterGroupNotFound"):
        client.create_cluster(ClusterIdentifier="never-made", **CLUSTER, ClusterParameterGroupName="missing")
    name = unique("group")
    with pytest.raises(ClientError, match="not a valid parameter group family"):
        client.create_cluster_parameter_group(ParameterGroupName=name, ParameterGroupFamily="none", Description="d")
    client.create_cluster_parameter_group(ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description="d")
    (made,) = client.describe_cluster_parameter_groups(ParameterGroupName=name)["ParameterGroups"]
    assert made["ParameterGroupFamily"] == "redshift-1.0"

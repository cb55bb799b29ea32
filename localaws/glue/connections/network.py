"""The checks that AWS makes before it runs Glue in a VPC: why a connection can fail there.

No traffic passes through this module: on loopback every database is reachable. The checks are those of
https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html and
https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html, in AWS's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.context import Context
from localaws.iam.service_roles import ServiceRole

# What Glue reads before it creates a network interface. AWS can't limit these actions to a resource:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
_LOOKS_AT_NETWORK = (
    "DescribeSubnets", "DescribeSecurityGroups", "DescribeRouteTables", "DescribeVpcEndpoints", "DescribeVpcAttribute",
    "DescribeNetworkInterfaces",
)  # fmt: skip


class NetworkRefused(Exception):
    """Glue can't work in the connection's subnet; the message says what is missing."""


def check_network(context: Context, region: str, requirements: Mapping[str, Any]) -> None:
    """Check a connection's PhysicalConnectionRequirements; without a subnet there is nothing to check.

    Raises:
        NetworkRefused: the subnet or a security group doesn't exist, no group lets Glue's workers reach each other, or
            the subnet has no route to S3.
    """
    subnet_id = requirements.get("SubnetId")
    if not subnet_id:
        return
    ec2 = context.client("ec2", region)
    try:
        subnet = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
        group_ids = requirements.get("SecurityGroupIdList") or []
        groups = ec2.describe_security_groups(GroupIds=group_ids)["SecurityGroups"] if group_ids else []
    except ClientError as error:
        raise NetworkRefused(error.response["Error"]["Message"]) from None
    if not any(_opens_all_ports(group) for group in groups):
        raise NetworkRefused(
            "At least one security group must open all ingress ports. To limit traffic, the source security group "
            "in your inbound rule can be restricted to the same security group"
        )
    vpc_id = subnet["VpcId"]
    if not _leads_to_s3(ec2, region, subnet_id, vpc_id):
        raise NetworkRefused(
            f"VPC S3 endpoint validation failed for SubnetId: {subnet_id}. VPC: {vpc_id}. Reason: Could not find S3 "
            f"endpoint or NAT gateway for subnetId: {subnet_id} in Vpc {vpc_id}"
        )


def require_connection(role: ServiceRole, name: str) -> None:
    """Check that a role may look a connection up in the catalog.

    Raises:
        AccessDenied: it may not.
    """
    for resource in ("catalog", f"connection/{name}"):
        role.require("glue:GetConnection", f"arn:aws:glue:{role.region}:{role.account_id}:{resource}")


def require_network(role: ServiceRole, requirements: Mapping[str, Any]) -> None:
    """Check that `role` lets Glue put its workers into a connection's subnet; without a subnet, check nothing.

    https://docs.aws.amazon.com/glue/latest/dg/create-service-policy.html lists the permissions that this takes.

    Raises:
        AccessDenied: it may not.
    """
    subnet = requirements.get("SubnetId")
    if not subnet:
        return
    here = f"arn:aws:ec2:{role.region}:{role.account_id}"
    for action in _LOOKS_AT_NETWORK:
        role.require(f"ec2:{action}")
    groups = [f"security-group/{group}" for group in requirements.get("SecurityGroupIdList") or []]
    for resource in (f"subnet/{subnet}", "network-interface/*", *groups):
        role.require("ec2:CreateNetworkInterface", f"{here}:{resource}")
    tags: dict[str, str | list[str] | None] = {"aws:tagkeys": ["aws-glue-service-resource"]}
    for action in ("CreateTags", "DeleteTags"):
        role.require(f"ec2:{action}", f"{here}:network-interface/*", tags)
    role.require("ec2:DeleteNetworkInterface", f"{here}:network-interface/*")


def _opens_all_ports(group: Mapping[str, Any]) -> bool:
    """Whether an inbound rule lets in all TCP ports, from the group itself or from anywhere."""
    for rule in group["IpPermissions"]:
        all_tcp = rule["IpProtocol"] == "tcp" and (rule.get("FromPort"), rule.get("ToPort")) == (0, 65535)
        itself = any(pair.get("GroupId") == group["GroupId"] for pair in rule.get("UserIdGroupPairs", []))
        anywhere = any(item.get("CidrIp") == "0.0.0.0/0" for item in rule.get("IpRanges", []))
        if (rule["IpProtocol"] == "-1" or all_tcp) and (itself or anywhere):
            return True
    return False


def _leads_to_s3(ec2: Any, region: str, subnet_id: str, vpc_id: str) -> bool:
    in_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    tables = ec2.describe_route_tables(Filters=in_vpc)["RouteTables"]
    own = [table for table in tables if any(link.get("SubnetId") == subnet_id for link in table["Associations"])]
    main = [table for table in tables if any(link.get("Main") for link in table["Associations"])]
    for table in own or main:
        if any(route.get("NatGatewayId") for route in table["Routes"]):
            return True
        for endpoint in ec2.describe_vpc_endpoints(Filters=in_vpc)["VpcEndpoints"]:
            gateway = endpoint.get("VpcEndpointType", "Gateway") == "Gateway"
            to_s3 = endpoint["ServiceName"] == f"com.amazonaws.{region}.s3"
            if gateway and to_s3 and table["RouteTableId"] in endpoint.get("RouteTableIds", []):
                return True
    return False

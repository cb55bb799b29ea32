"""EC2 only stores networks: requests for other effects and references to missing resources are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Aws = Callable[..., Any]


def _refused(code: str, text: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.as_on_aws("EC2")
def test_a_dry_run_changes_nothing(aws: Aws) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html"""
    ec2 = aws("ec2")
    before = {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]}
    _refused("DryRunOperation", "Request would have succeeded", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    _refused("DryRunOperation", "Request would have succeeded", ec2.delete_vpc, VpcId=before.pop(), DryRun=True)
    assert {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]} >= before


@pytest.mark.refused("EC2")
@pytest.mark.parametrize(
    ("operation", "known"),
    [
        ("describe_regions", "opt-in-status"),
        ("describe_availability_zones", "message"),
        ("describe_vpc_peering_connections", "status-code"),
        ("describe_security_groups", "ip-permission.ipv6-cidr"),
        ("describe_subnets", "outpost-arn"),
        ("describe_vpcs", "tag-value"),
        ("describe_vpcs", "vpcId"),
        ("describe_subnets", "availabilityZoneId"),
    ],
)
def test_a_filter_without_an_effect_is_refused(aws: Aws, operation: str, known: str) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html"""
    call = getattr(aws("ec2"), operation)
    _refused("NotImplemented", f"the filter {known} of", call, Filters=[{"Name": known, "Values": ["x"]}])
    unknown = [{"Name": "nonsense", "Values": ["x"]}]
    _refused("InvalidParameterValue", "The filter 'nonsense' is invalid", call, Filters=unknown)


@pytest.mark.as_on_aws("EC2")
def test_describe_calls_return_what_their_filters_match(aws: Aws) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html"""
    ec2 = aws("ec2")
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "picked", "Value": "yes"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    for name, value in {"tag:picked": "yes", "tag-key": "picked", "vpc-id": vpc}.items():
        found = ec2.describe_vpcs(Filters=[{"Name": name, "Values": [value]}])["Vpcs"]
        assert [each["VpcId"] for each in found] == [vpc]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]
    zone = subnet["AvailabilityZone"]
    for name in ("cidr-block", "cidr", "cidrBlock"):
        given = [
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": name, "Values": ["10.9.1.0/24"]},
            {"Name": "availabilityZone", "Values": [zone]},
            {"Name": "defaultForAz", "Values": ["false"]},
        ]
        assert [each["SubnetId"] for each in ec2.describe_subnets(Filters=given)["Subnets"]] == [subnet["SubnetId"]]
    default = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
    assert [each["IsDefault"] for each in default] == [True]


@pytest.mark.as_on_aws("EC2")
def test_resources_that_a_network_refers_to_have_to_exist(aws: Aws, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=unique("group"), Description="d", VpcId=vpc)["GroupId"]
    for arguments, code in {
        ("NatGatewayId", "nat-0123"): "InvalidNatGatewayID.NotFound",
        ("VpcPeeringConnectionId", "pcx-0123"): "InvalidVpcPeeringConnectionID.NotFound",
        ("EgressOnlyInternetGatewayId", "eigw-0123"): "InvalidGatewayID.NotFound",
        ("GatewayId", "igw-0123"): "InvalidInternetGatewayID.NotFound",
        ("TransitGatewayId", "tgw-0123"): "NotImplemented",
    }.items():
        route = {"RouteTableId": table, "DestinationCidrBlock": "10.7.0.0/16", arguments[0]: arguments[1]}
        _refused(code, "CreateRoute", ec2.create_route, **route)
    service: dict[str, Any] = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    create = ec2.create_vpc_endpoint
    _refused("InvalidRouteTableID.NotFound", "rtb-0", create, **service, RouteTableIds=[table, "rtb-0"])
    _refused("InvalidSubnetID.NotFound", "subnet-0", create, **service, SubnetIds=[subnet, "subnet-0"])
    _refused("InvalidGroup.NotFound", "sg-0", create, **service, SecurityGroupIds=[group, "sg-0"])
    _refused("InvalidGroup.NotFound", "sg-0", ec2.create_network_interface, SubnetId=subnet, Groups=[group, "sg-0"])
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": "sg-0"}]}
    for authorize in (ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress):
        _refused("InvalidGroup.NotFound", "sg-0", authorize, GroupId=group, IpPermissions=[pair])


@pytest.mark.refused("EC2")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("run_instances", {"ImageId": "ami-0123", "MinCount": 1, "MaxCount": 1}),
        ("create_vpc_endpoint", {"VpcId": "v", "ServiceName": "s", "PolicyDocument": "{}"}),
        ("create_vpc", {"Ipv4IpamPoolId": "ipam-pool-0"}),
        ("create_subnet", {"VpcId": "v", "OutpostArn": "arn"}),
        ("modify_subnet_attribute", {"SubnetId": "s", "EnableDns64": {"Value": True}}),
        (
            "create_network_acl_entry",
            {
                "NetworkAclId": "a", "RuleNumber": 1, "Protocol": "1", "RuleAction": "allow", "Egress": False,
                "IcmpTypeCode": {"Code": 1, "Type": 1},
            },
        ),
    ],
)  # fmt: skip
def test_requests_and_parameters_without_an_effect_are_refused(
    aws: Aws, operation: str, arguments: dict[str, Any]
) -> None:
    _refused("NotImplemented", "does not support", getattr(aws("ec2"), operation), **arguments)

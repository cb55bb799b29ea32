"""Checks that EC2 makes in every request, and moto only in some or none: dry runs, filters and references."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from moto.ec2.models import EC2Backend, ec2_backends

from localaws.core.call import Call
from localaws.core.errors import UnsupportedOperation
from localaws.core.operations import vouching
from localaws.iam.refusals import Refused

_CHANGES = re.compile("(Associate|Create|Modify|Replace)(?!Tags)")
_INDEX = re.compile(r"\.\d+")
_CAPITAL = re.compile("(?<=[a-z])(?=[A-Z])")
# Parameters that moto does not check: whether the resource exists, and AWS's error code and message if it doesn't.
_KINDS: dict[str, tuple[Callable[[EC2Backend, str], bool], str, str]] = {
    "Subnet": (
        lambda ec2, each: any(each in of_zone for of_zone in ec2.subnets.values()),
        "InvalidSubnetID.NotFound",
        "The subnet ID '{}' does not exist",
    ),
    "SecurityGroup": (
        lambda ec2, each: ec2.get_security_group_from_id(each) is not None,
        "InvalidGroup.NotFound",
        "The security group '{}' does not exist",
    ),
    "RouteTable": (
        lambda ec2, each: each in ec2.route_tables,
        "InvalidRouteTableID.NotFound",
        "The routeTable ID '{}' does not exist",
    ),
    "NatGateway": (
        lambda ec2, each: each in ec2.nat_gateways,
        "InvalidNatGatewayID.NotFound",
        "The natGateway ID '{}' does not exist",
    ),
    "VpcPeeringConnection": (
        lambda ec2, each: each in ec2.vpc_pcxs,
        "InvalidVpcPeeringConnectionID.NotFound",
        "The vpcPeeringConnection ID '{}' does not exist",
    ),
    "EgressOnlyInternetGateway": (
        lambda ec2, each: each in ec2.egress_only_internet_gateways,
        "InvalidGatewayID.NotFound",
        "The eigw ID '{}' does not exist",
    ),
}
_REFERENCE = re.compile(f"(?:Add)?({'|'.join(_KINDS)})Id")


def check(call: Call) -> None:
    """Check that a call to EC2 is not a dry run, and that its filters and references can have an effect.

    Raises:
        Refused: it is a dry run (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html), or a
            filter or a resource that it refers to doesn't exist.
        UnsupportedOperation: AWS has the filter, but it has no effect here.
    """
    if str(call.parameters.get("DryRun", "")).lower() == "true":
        raise Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    _check_filters(call.operation, call.parameters)
    if _CHANGES.match(call.operation):
        _check_references(ec2_backends[call.account_id][call.region], call.parameters)


def _check_filters(operation: str, given: Mapping[str, Any]) -> None:
    table = vouching.table("ec2")
    if table.standing(operation) is vouching.Standing.REFUSED:  # moto answers, and reports what it makes of a filter
        return
    for parameter, name in given.items():
        if _INDEX.sub("", parameter) != "Filter.Name":
            continue
        kind = "tag:" if name.startswith("tag:") else name
        working, refused = table.filters.get(operation, ()), table.refused_filters.get(operation, ())
        if kind in working:
            continue
        if kind in refused or _may_be_known(kind, {*working, *refused}):
            raise UnsupportedOperation(f"the filter {name} of {operation}")
        raise Refused(400, "InvalidParameterValue", f"The filter '{name}' is invalid")


def _may_be_known(filter_name: str, documented: Container[str]) -> bool:
    """Whether AWS may still accept a filter: older documentation has tag-value, and names such as vpcId for vpc-id."""
    return filter_name == "tag-value" or _CAPITAL.sub("-", filter_name).lower() in documented


def _check_references(ec2: EC2Backend, given: Mapping[str, Any]) -> None:
    for parameter, value in given.items():
        if match := _REFERENCE.fullmatch(_INDEX.sub("", parameter)):
            is_there, code, message = _KINDS[match[1]]
            if not is_there(ec2, value):
                raise Refused(400, code, message.format(value))

"""The subnets and security groups that a function is attached to.

They are only stored: on loopback, every function can reach everything. The checks that AWS makes first are made here:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaFunction
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends

from localaws.lambda_.roles import allows


def attached(function: LambdaFunction, config: dict[str, Any]) -> dict[str, Any] | None:
    """Return a function's VpcConfig as the API shows it; None if it has no subnets.

    Raises:
        InvalidParameterValueException: a subnet or a group does not exist, they are not in the same VPC, or the role
            may not create network interfaces.
    """
    subnets, groups = config.get("SubnetIds") or [], config.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        raise InvalidParameterValueException("SubnetIds and SecurityIds must coexist or be both empty list.")
    if not subnets:
        return None
    if not allows(function, "ec2:CreateNetworkInterface", f"arn:aws:ec2:{function.region}:{function.account_id}:*/*"):
        raise InvalidParameterValueException(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
        )
    ec2 = ec2_backends[function.account_id][function.region]
    vpcs: set[str] = set()
    for subnet in subnets:
        try:
            vpcs.add(ec2.get_subnet(subnet).vpc_id)
        except InvalidSubnetIdError:
            raise _unknown("DescribeSubnets", "InvalidSubnetID", f"The subnet ID '{subnet}'") from None
    if len(vpcs) > 1:
        raise InvalidParameterValueException("Security Groups are required to be in the same VPC.")
    for each in groups:
        group = ec2.get_security_group_from_id(each)
        if group is None:
            raise _unknown("DescribeSecurityGroups", "InvalidGroup", f"The security group '{each}'")
        if group.vpc_id not in vpcs:
            raise InvalidParameterValueException("Security Groups are required to be in the same VPC.")
    return {"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpcs.pop(), "Ipv6AllowedForDualStack": False}


def _unknown(operation: str, code: str, what: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"Error occurred while {operation}. EC2 Error Code: {code}.NotFound. EC2 Error Message: {what} does not exist"
    )

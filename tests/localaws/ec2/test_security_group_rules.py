"""A rule of a security group is the same rule whatever its description is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Aws = Callable[..., Any]
PORT = {"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439}


@pytest.mark.as_on_aws("EC2")
@pytest.mark.parametrize("way", ["ingress", "egress"])
@pytest.mark.parametrize("description", [None, "another one"])  # AWS documents only None
@pytest.mark.parametrize("source", ["UserIdGroupPairs", "IpRanges", "Ipv6Ranges"])
def test_a_rule_is_revoked_without_its_description(
    aws: Aws, unique: Callable[[str], str], way: str, description: str | None, source: str
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html"""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName=unique("group"), Description="d", VpcId=vpc)["GroupId"]
    permissions = "IpPermissions" if way == "ingress" else "IpPermissionsEgress"
    authorize, revoke = (getattr(ec2, f"{verb}_security_group_{way}") for verb in ("authorize", "revoke"))

    def rules() -> Any:
        return ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0][permissions]

    before = rules()
    origins = {
        "UserIdGroupPairs": {"GroupId": group}, "IpRanges": {"CidrIp": "10.1.0.0/16"},
        "Ipv6Ranges": {"CidrIpv6": "2001:db8::/32"},
    }  # fmt: skip
    origin = origins[source]
    given = origin if description is None else {**origin, "Description": description}
    authorize(GroupId=group, IpPermissions=[{**PORT, source: [{**origin, "Description": "the first"}]}])
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        authorize(GroupId=group, IpPermissions=[{**PORT, source: [given]}])
    with pytest.raises(ClientError, match=r"InvalidPermission\.NotFound"):
        revoke(GroupId=group, IpPermissions=[{**PORT, "ToPort": 5440, source: [given]}])
    revoke(GroupId=group, IpPermissions=[{**PORT, source: [given]}])
    assert rules() == before

"""Which connections a security group's inbound rules let in, for judges of tasks about the network."""

from __future__ import annotations

import ipaddress
from typing import Any

from labkit.steps.lab_steps import LabSteps

ALL_PORTS = range(65536)


def rules(lab: LabSteps) -> list[dict[str, Any]]:
    """The inbound rules of Redshift's security group, as EC2 describes them.

    Raises:
        MissingStep: there is no such group yet.
    """
    group_id = lab.network.describe().security_group_id
    groups = lab.session.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    return list(groups[0]["IpPermissions"])


def lets_in(inbound: list[dict[str, Any]], address: str, port: int) -> bool:
    """Whether the rules let a TCP connection from this address in."""
    source = ipaddress.ip_address(address)
    return any(
        source in ipaddress.ip_network(origin["CidrIp"])
        for rule in inbound
        if port in _ports(rule)
        for origin in rule.get("IpRanges", [])
    )


def lets_itself_in(inbound: list[dict[str, Any]], group_id: str) -> bool:
    """Whether the group lets TCP connections from its own members in, on all ports."""
    return any(
        origin["GroupId"] == group_id
        for rule in inbound
        if len(_ports(rule)) == len(ALL_PORTS)
        for origin in rule.get("UserIdGroupPairs", [])
    )


def _ports(rule: dict[str, Any]) -> range:
    if rule["IpProtocol"] == "-1":
        return ALL_PORTS
    if rule["IpProtocol"] not in ("tcp", "6"):
        return range(0)
    return range(rule.get("FromPort", 0), rule.get("ToPort", 65535) + 1)

"""When two rules of a security group are the same rule.

For EC2, a rule's description is not a part of what identifies it: a rule is revoked without naming its description.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
moto compares it where the rule's source is a security group.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule


def register() -> None:
    """Make moto compare rules without their descriptions."""
    SecurityGroupRule.__eq__ = _are_the_same  # type: ignore[method-assign]


def _are_the_same(one: SecurityGroupRule, other: object) -> bool:
    return isinstance(other, SecurityGroupRule) and _identity(one) == _identity(other)


def _identity(rule: SecurityGroupRule) -> tuple[Any, ...]:
    ports = (rule.from_port, rule.to_port) if rule.ip_protocol != "-1" else ()
    group = {name: value for name, value in rule.source_group.items() if name != "Description"}
    return rule.ip_protocol, ports, rule.cidr_ipv4, rule.cidr_ipv6, rule.prefix_list_id, group

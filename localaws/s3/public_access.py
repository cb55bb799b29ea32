"""Block Public Access: which policies are public, and what a bucket's settings forbid.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from moto.s3.models import PublicAccessBlock

from localaws.iam.conditions import listed

BLOCKED_POLICY = "public policies are blocked by the BlockPublicPolicy block public access setting"
BLOCKED_ACL = "public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting"
_LIMITING = re.compile(r"(?i)(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)")
_FIXED_KEYS = frozenset({
    "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid",
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount",
    "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
})  # fmt: skip
_WIDEST = {4: 8, 6: 32}
"""By IP version: the shortest prefix, in bits, of a range of addresses that does not count as public."""


def all_on() -> PublicAccessBlock:
    """The settings of a new bucket."""
    return PublicAccessBlock(True, True, True, True)


def blocks_policies(bucket: Any) -> bool:
    """Whether the bucket refuses public policies."""
    return bucket.public_access_block is not None and bool(bucket.public_access_block.block_public_policy)


def blocks_acls(bucket: Any) -> bool:
    """Whether the bucket and its objects refuse public ACLs."""
    return bucket.public_access_block is not None and bool(bucket.public_access_block.block_public_acls)


def ignores_acls(bucket: Any) -> bool:
    """Whether public ACLs have no effect."""
    return bucket.public_access_block is not None and bool(bucket.public_access_block.ignore_public_acls)


def restricts(bucket: Any) -> bool:
    """Whether only the account and AWS's services may use the bucket, because its policy is public."""
    block = bucket.public_access_block
    return block is not None and bool(block.restrict_public_buckets) and is_public(bucket.policy)


def is_public(policy: bytes | str | None) -> bool:
    """Whether a bucket policy allows something to everybody."""
    if not policy:
        return False
    return any(_lets_everybody_in(statement) for statement in listed(json.loads(policy).get("Statement")))


def _lets_everybody_in(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))
    if not everybody:
        return False
    conditions = statement.get("Condition") or {}
    return not any(
        _limits(operator, str(key).lower(), [str(value) for value in listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _limits(operator: str, key: str, values: list[str]) -> bool:
    """Whether a condition holds for fixed values only."""
    if not values:
        return False
    if operator.lower() == "ipaddress" and key == "aws:sourceip":
        return all(_is_narrow(value) for value in values)
    if not _LIMITING.fullmatch(operator) or key not in _FIXED_KEYS:
        return False
    return all(_is_fixed(key, value) for value in values)


def _is_fixed(key: str, value: str) -> bool:
    if key == "s3:dataaccesspointarn":  # only the last part, the access point's name, may vary
        value = value.rpartition("/")[0]
    if key == "aws:userid" and re.fullmatch(r"AROA[A-Z0-9]+:\*", value):
        return True
    return bool(value) and not re.search(r"[*?]|\$\{", value)


def _is_narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]

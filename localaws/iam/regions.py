"""The regions of the lab's account: those of the partition `aws`.

An account belongs to one partition. The others (China, GovCloud, the isolated ones) don't know its keys:
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
"""

from __future__ import annotations

from functools import cache

import boto3
from botocore.exceptions import UnknownRegionError

from localaws.iam.refusals import Refused, unknown_key

PARTITION = "aws"


@cache
def known() -> frozenset[str]:
    """Return the names of the account's regions."""
    return frozenset(boto3.Session().get_available_regions("ec2", PARTITION))


def check(service: str, region: str) -> None:
    """Check that a call of `service` is signed for one of the account's regions, or for none.

    Raises:
        Refused: the region belongs to another partition, or does not exist.
    """
    if not region or region in known():
        return
    raise unknown_key(service) if _is_elsewhere(region) else _no_such_region(service, region)


def _is_elsewhere(region: str) -> bool:
    try:
        return bool(boto3.Session().get_partition_for_region(region) != PARTITION)
    except UnknownRegionError:
        return False


def _no_such_region(service: str, region: str) -> Refused:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    text = f"Credential should be scoped to a valid region, not '{region}'. "
    if service == "s3":
        said = f"The authorization header is malformed; the region '{region}' is wrong; expecting 'us-east-1'"
        return Refused(400, "AuthorizationHeaderMalformed", said)
    told = unknown_key(service)
    if told.code == "InvalidClientTokenId":
        return Refused(403, "SignatureDoesNotMatch", text)
    return Refused(told.status, told.code if service == "ec2" else "InvalidSignatureException", text)

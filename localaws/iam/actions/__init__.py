"""Which actions on which resources a call needs: one module for each service, and `accesses` for all of them.

Source, the Service Authorization Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/
A call that no module knows needs `service:Operation` on every resource, so only a policy that allows `*` allows it.
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.core.call import Call
from localaws.iam.actions import glue, iam, lambda_, logs, redshift, secrets, sqs
from localaws.iam.decision import Access

# For a few services, the name in a signature differs from the prefix of their actions.
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "awslambda": "lambda"}

_SERVICES: dict[str, Callable[[Call], list[Access]]] = {
    "glue": glue.accesses,
    "iam": iam.accesses,
    "kms": secrets.of_key,
    "lambda": lambda_.accesses,
    "logs": logs.accesses,
    "redshift": redshift.accesses,
    "redshift-data": redshift.of_data_api,
    "secretsmanager": secrets.of_secret,
    "sns": sqs.of_topic,
    "sqs": sqs.accesses,
    "sts": iam.of_sts,
}


def accesses(call: Call) -> list[Access]:
    """Return everything that a principal must be allowed for `call`. (For calls of S3, see actions/s3.py.)"""
    find = _SERVICES.get(call.service)
    found = find(call) if find is not None else []
    return found or [Access(f"{_PREFIXES.get(call.service, call.service)}:{call.operation}")]

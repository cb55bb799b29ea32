"""Checks, as AWS does, that the buckets, connections and event queues that a new crawler names exist.

The database, the folders and the objects may be missing: the crawl creates the database, and finds nothing in the
others. AWS documents only the error's code; the messages come from public reports, which the tests name.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from moto.glue.exceptions import InvalidInputException
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from localaws.glue.connections.network import require_connection
from localaws.glue.crawlers.event_queue import READS_QUEUE
from localaws.glue.crawlers.targets import S3Target
from localaws.iam import AccessDenied
from localaws.iam.service_roles import ServiceRole


def check_references(targets: dict[str, Any], role: ServiceRole, connections: Container[str]) -> None:
    """Check that everything named by `targets` (the API's CrawlerTargets, valid in themselves) exists for `role`.

    Raises:
        InvalidInputException: something does not exist, or the role may not use it.
    """
    for target in targets["S3Targets"]:
        _check_bucket(S3Target.of(target).bucket, role.account_id)
        if queue := target.get("EventQueueArn"):
            _check_queue(queue, role)
    for target in targets["JdbcTargets"]:
        _check_connection(target["ConnectionName"], role, connections)


def _check_bucket(bucket: str, account_id: str) -> None:
    if bucket not in s3_backends[account_id]["aws"].buckets:
        raise InvalidInputException("", f"S3 bucket {bucket} does not exist.")


def _check_queue(arn: str, role: ServiceRole) -> None:
    region, account_id, name = arn.split(":")[3:6]
    known = account_id == role.account_id and region in sqs_backends[account_id]
    try:
        if known and name in sqs_backends[account_id][region].queues:
            for action in READS_QUEUE:
                role.require(f"sqs:{action}", arn)
            return
    except AccessDenied:
        pass  # AWS's message is the same as for a missing queue
    text = f"SQS queue {arn} does not exist or the role provided does not have access to it."
    raise InvalidInputException("", text)


def _check_connection(name: str, role: ServiceRole, connections: Container[str]) -> None:
    service = "(Service: AmazonDataCatalog; Status Code: 400; Error Code: {})"
    try:
        require_connection(role, name)
    except AccessDenied as denied:
        reason = f"{denied} {service.format('AccessDeniedException')}"
    else:
        if name in connections:
            return
        reason = f"Connection {name} not found. {service.format('EntityNotFoundException')}"
    raise InvalidInputException("", f"Unable to retrieve connection {name}: {reason}")

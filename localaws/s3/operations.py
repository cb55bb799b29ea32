"""Which operations S3 has, by the sub-resource that a request's query names, and which of them moto answers.

moto looks for the sub-resources that it knows, and takes any other request for one without a sub-resource. Without
this module, DeleteBucketMetricsConfiguration deletes the bucket, and PutBucketAnalyticsConfiguration creates one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from moto.core.utils import get_service_model

from localaws.core.errors import UnsupportedOperation

BUCKET, OBJECT = "bucket", "object"

_ANSWERED = {
    (BUCKET, "GET"): "accelerate acl cors encryption inventory lifecycle location logging notification object-lock "
    "ownershipControls policy policyStatus publicAccessBlock replication tagging uploads versioning versions website",
    (BUCKET, "PUT"): "accelerate acl cors encryption inventory lifecycle logging notification object-lock "
    "ownershipControls policy publicAccessBlock replication tagging versioning website",
    (
        BUCKET,
        "DELETE",
    ): "cors encryption lifecycle ownershipControls policy publicAccessBlock replication tagging website",
    (BUCKET, "POST"): "delete",
    (OBJECT, "GET"): "acl attributes legal-hold retention tagging",
    (OBJECT, "PUT"): "acl legal-hold retention tagging",
    (OBJECT, "DELETE"): "tagging",
    (OBJECT, "POST"): "restore select uploads",
}


def refuse_unsupported(resource: str, method: str, query: Iterable[str]) -> None:
    """Refuse a request that moto would take for another operation.

    Args:
        resource: BUCKET or OBJECT.
        method: the HTTP method.
        query: the names in the request's query.

    Raises:
        UnsupportedOperation: the query names a sub-resource whose operation is not implemented.
    """
    names = set(query)
    for name in names:
        known, with_id = _operations(), "id" in names
        operation = known.get((resource, method, name, with_id)) or known.get((resource, method, name, not with_id))
        if operation is not None and name not in _ANSWERED[resource, method].split():
            raise UnsupportedOperation(operation)


@cache
def _operations() -> dict[tuple[str, str, str, bool], str]:
    """Map (resource, method, sub-resource, whether an id tells Get from List) to an operation, by AWS's model."""
    model = get_service_model("s3")  # the server has loaded it anyway
    found: dict[tuple[str, str, str, bool], str] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        resource = OBJECT if "{Key" in path else BUCKET
        members = operation.input_shape.members.values() if operation.input_shape else ()
        by_id = any(member.serialization.get("name") == "id" for member in members)
        for part in query.split("&"):
            if part and "=" not in part:
                found[resource, operation.http["method"], part, by_id] = name
    return found

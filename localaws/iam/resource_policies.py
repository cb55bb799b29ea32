"""The policies of resources: of buckets, queues, functions, topics and secrets."""

from __future__ import annotations

from localaws.core import context


def policies_of(arn: str, account_id: str) -> tuple[str, ...]:
    """Return the policy documents of the resource `arn`. An anonymous caller's `account_id` is empty."""
    parts = arn.split(":", 5)
    find = context.current().ports.policies.get(parts[2]) if len(parts) == 6 else None
    if find is None:
        return ()
    found = find(parts[4] or account_id, parts[3], parts[5])
    return (found,) if found else ()

"""What other parts of the embedded AWS ask of SNS: `PolicyOf` of core/ports.py."""

from __future__ import annotations

from typing import Any

from moto.sns.models import sns_backends

from localaws.core.ports import policy_text


def policy_of(account_id: str, region: str, name: str) -> str:
    """A topic's policy."""
    topic: Any = sns_backends[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{name}")
    policy = topic.policy if topic is not None else None
    return policy_text(policy)

"""Whether a resource lets an AWS service in, by its policy: what a queue or a function says of SNS, say."""

from __future__ import annotations

from localaws.authorization.engines import enforced
from localaws.authorization.policy import Caller, Question, verdict
from localaws.authorization.resource_policies import policies_of


def lets_in(service: str, action: str, arn: str, account_id: str, source_arn: str) -> bool:
    """Whether the policy of `arn` lets `service` ("sns.amazonaws.com") do `action` on behalf of `source_arn`.

    Where IAM's policies are not enforced, it does.
    """
    if not enforced():
        return True
    keys = {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id, "aws:principalisawsservice": "true"}
    found = verdict(policies_of(arn, account_id), Question(Caller(service=service), action, arn, keys))
    return found.allowed and not found.denied

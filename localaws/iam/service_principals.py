"""Whether a resource's policy allows an AWS service to act on it, such as SNS to send to a queue."""

from __future__ import annotations

from localaws.iam.enforcement import enforced
from localaws.iam.policy import Caller, Question, verdict
from localaws.iam.resource_policies import policies_of


def lets_in(service: str, action: str, arn: str, account_id: str, source_arn: str) -> bool:
    """Whether `service` ("sns.amazonaws.com") may do `action` to `arn` on behalf of `source_arn`.

    It may if the policy of `arn` allows it, or if IAM's policies are not enforced.
    """
    return not enforced() or allows(service, action, arn, account_id, source_arn)


def allows(service: str, action: str, arn: str, account_id: str, source_arn: str) -> bool:
    """Whether the policy of `arn` allows it, whether IAM is enforced or not."""
    keys = {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id, "aws:principalisawsservice": "true"}
    found = verdict(policies_of(arn, account_id), Question(Caller(service=service), action, arn, keys))
    return found.allowed and not found.denied

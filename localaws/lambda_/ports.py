"""What other parts of the embedded AWS ask of Lambda: `PolicyOf` of core/ports.py. `Functions` is the engine.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends


def find_function(account_id: str, arn: str) -> LambdaFunction | None:
    """Return the function (version, alias) that `arn` names; None if it does not exist."""
    region = arn.split(":")[3]
    try:
        return lambda_backends[account_id][region].get_function(arn)
    except (UnknownFunctionException, KeyError):
        return None


def policy_of(account_id: str, region: str, resource: str) -> str:
    """Return the policy of a function, a version or an alias."""
    if not resource.startswith("function:"):
        return ""
    function = find_function(account_id, f"arn:aws:lambda:{region}:{account_id}:{resource}")
    statements = function.policy.statements if function is not None else []
    return json.dumps({"Statement": statements}) if statements else ""

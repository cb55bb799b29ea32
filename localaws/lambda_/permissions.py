"""Resource policies of functions: who else may invoke them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import fnmatch
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends


def find_function(account_id: str, arn: str) -> LambdaFunction | None:
    """The function (version, alias) that `arn` names; None where there is none."""
    region = arn.split(":")[3]
    try:
        return lambda_backends[account_id][region].get_function(arn)
    except (UnknownFunctionException, KeyError):
        return None


def may_invoke(function: LambdaFunction, service: str, source_arn: str, source_account: str) -> bool:
    """Whether the function's policy lets `service` ("s3.amazonaws.com") invoke it on behalf of `source_arn`."""
    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    statements = [each for each in function.policy.statements if _concerns(each, function, service, facts)]
    effects = {each.get("Effect", "Allow") for each in statements}
    return "Allow" in effects and "Deny" not in effects


def _concerns(statement: dict[str, Any], function: LambdaFunction, service: str, facts: dict[str, str]) -> bool:
    return (
        _is_principal(statement.get("Principal"), service)
        and any(fnmatch.fnmatchcase("lambda:InvokeFunction", action) for action in _each(statement.get("Action")))
        and any(fnmatch.fnmatchcase(function.function_arn, pattern) for pattern in _each(statement.get("Resource")))
        and all(
            _holds(operator, facts.get(key.lower()), _each(values))
            for operator, conditions in (statement.get("Condition") or {}).items()
            for key, values in conditions.items()
        )
    )


def _is_principal(principal: Any, service: str) -> bool:
    if isinstance(principal, dict):
        return service in _each(principal.get("Service")) or "*" in _each(principal.get("AWS"))
    return principal in ("*", service)


def _holds(operator: str, fact: str | None, values: list[str]) -> bool:
    if fact is None:
        return False  # a condition on something that S3 doesn't send
    if operator in ("StringEquals", "ArnEquals"):
        return fact in values
    return operator in ("ArnLike", "StringLike") and any(fnmatch.fnmatchcase(fact, value) for value in values)


def _each(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]

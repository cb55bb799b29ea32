"""The Condition element: its operators, and how they compare a request's keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html: a key that is not
in the request makes a condition false, and a negated one true. If AWS would know a key and this package doesn't, the
result is unknown, and `holds` returns None. The caller must then not allow the request.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from localaws.iam.patterns import LITERAL, arns, wildcards

log = logging.getLogger(__name__)

Keys = Mapping[str, str | list[str] | None]
"""A request's keys in lower case; None for a key that the request is known not to have."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = ("*", "?", "$")


class Unknown(Exception):
    """The request's value of a key, or the meaning of an operator, is not known here."""


_ALL_KNOWN = "aws:principaltag/"
"""The prefix of keys that are all known: one that is not in the request doesn't exist."""


def holds(conditions: Mapping[str, Mapping[str, Any]], keys: Keys) -> bool | None:
    """Whether all `conditions` are met; None if that is unknown."""
    unknown = False
    for operator, wanted in conditions.items():
        for key, values in wanted.items():
            try:
                if not _met(operator, key, [str(value) for value in listed(values)], keys):
                    return False
            except Unknown:
                _tell_once(operator, key)
                unknown = True
    return None if unknown else True


def listed(value: Any) -> list[Any]:
    """Return a policy's element as a list. The element may be one value or several."""
    if isinstance(value, bool):
        return [str(value).lower()]
    return value if isinstance(value, list) else [] if value is None else [value]


def substituted(text: str, keys: Keys) -> str | None:
    """Replace the policy variables in `text`; None if a variable has no value. `${*}` becomes LITERAL and a star.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

    Raises:
        Unknown: the request's value of a variable is not known here.
    """
    if "${" not in text:
        return text
    missing = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        name = name.strip()
        if name in _LITERALS:
            return LITERAL + name
        found = _value(name, keys)
        if isinstance(found, str):
            return found
        missing = missing or not default
        return default.strip().strip("'")

    result = _VARIABLE.sub(value_of, text)
    return None if missing else result


def _met(operator: str, key: str, wanted: list[str], keys: Keys) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    found = _value(key, keys)
    if name == "Null":
        return any((value.lower() == "true") == (found is None) for value in wanted)
    compare = _OPERATORS.get(name)
    if compare is None:
        raise Unknown(operator)
    if name not in _PATTERNS:
        compare = _plainly(compare)
    negated = name.startswith(("StringNot", "ArnNot", "NotIp", "NumericNot", "DateNot"))
    match quantifier:
        case "ForAllValues":
            return all(_compared(compare, value, wanted, keys, negated) for value in listed(found))
        case "ForAnyValue":
            return any(_compared(compare, value, wanted, keys, negated) for value in listed(found))
        case "":
            if found is None:
                return if_exists or negated
            return _compared(compare, listed(found)[0], wanted, keys, negated)
    raise Unknown(operator)


def _compared(compare: Callable[[str, str], bool], found: str, wanted: list[str], keys: Keys, negated: bool) -> bool:
    values = [text for value in wanted if (text := substituted(value, keys)) is not None]
    return any(compare(found, value) for value in values) != negated


def _plainly(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Return `compare` for an operator without wildcards: it treats `${*}` as a plain star."""
    return lambda found, wanted: compare(found, wanted.replace(LITERAL, ""))


def _value(key: str, keys: Keys) -> str | list[str] | None:
    try:
        return keys[key.lower()]
    except KeyError:
        if key.lower().startswith(_ALL_KNOWN):
            return None
        raise Unknown(key) from None


@lru_cache(maxsize=256)
def _tell_once(operator: str, key: str) -> None:
    log.warning(
        "A policy's condition %s on %s can't be evaluated here: an Allow with it does not apply, a Deny with it does",
        operator,
        key,
    )


def _arn_like(found: str, pattern: str) -> bool:
    return arns(pattern).fullmatch(found) is not None


def _in_network(found: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(found: str, wanted: str) -> bool:
        try:
            return compare(float(found), float(wanted))
        except ValueError:
            return False

    return compared


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(found: str, wanted: str) -> bool:
        try:
            return compare(_moment(found), _moment(wanted))
        except ValueError:
            return False

    return compared


def _moment(text: str) -> float:
    if text.replace(".", "", 1).isdigit():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda found, wanted: found == wanted,
    "NotEquals": lambda found, wanted: found == wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanEquals": lambda found, wanted: found <= wanted,
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanEquals": lambda found, wanted: found >= wanted,
}
_PATTERNS = ("StringLike", "StringNotLike", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
"""Operators with wildcards."""
# A negated operator compares as the plain one does; `_met` negates the result.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringNotEquals": lambda found, wanted: found == wanted,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringNotEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringLike": lambda found, pattern: wildcards(pattern).fullmatch(found) is not None,
    "StringNotLike": lambda found, pattern: wildcards(pattern).fullmatch(found) is not None,
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "IpAddress": _in_network,
    "NotIpAddress": _in_network,
    **dict.fromkeys([name for name in _PATTERNS if name.startswith("Arn")], _arn_like),
    **{f"Numeric{name}": _number(order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _date(order) for name, order in _ORDERS.items()},
}

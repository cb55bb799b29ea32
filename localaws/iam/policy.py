"""Compiled policy documents, and their verdict on a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from localaws.iam.conditions import Keys, Unknown, holds, listed, substituted
from localaws.iam.patterns import arns, wildcards


@dataclass(frozen=True)
class Caller:
    """The caller of a request, by all names that a Principal element can have for it.

    `names` are the caller's ARNs (of its session, of its role). `account` is its account's id: a policy that names the
    account leaves the decision to the account's own policies. `service` is an AWS service such as s3.amazonaws.com.
    """

    names: tuple[str, ...] = ()
    account: str = ""
    service: str = ""


@dataclass(frozen=True)
class Question:
    """May `caller` do `action` to `resource`? `keys` are the condition keys of the request."""

    caller: Caller
    action: str
    resource: str
    keys: Keys = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a set of policies says: an explicit deny, an allow, both or neither."""

    denied: bool = False
    allowed: bool = False
    to_account: bool = False  # allowed by naming the account only: the account's own policies must allow, too

    def __or__(self, other: Verdict) -> Verdict:
        return Verdict(self.denied or other.denied, self.allowed or other.allowed, self.to_account or other.to_account)


NOTHING = Verdict()


class Statement:
    """A statement of a policy."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._denies = document.get("Effect") == "Deny"
        self._actions = _any_of(listed(document.get("Action", document.get("NotAction"))))
        self._not_action = "NotAction" in document
        self._has_resource = "Resource" in document or "NotResource" in document
        self._resources = [str(text) for text in listed(document.get("Resource", document.get("NotResource")))]
        self._not_resource = "NotResource" in document
        self._principal = document.get("Principal", document.get("NotPrincipal"))
        self._not_principal = "NotPrincipal" in document
        self._conditions = document.get("Condition") or {}

    def verdict(self, question: Question) -> Verdict:
        """Return the statement's verdict, if `is_about` holds for the question's action."""
        to_account = False
        if self._principal is not None:
            named = self._names(question.caller)
            if named is None:
                return NOTHING
            to_account = named == "account"
        if self._has_resource and not self._covers(question):
            return NOTHING
        if self._conditions:
            met = holds(self._conditions, question.keys)
            # A condition with an unknown result must not allow, but does deny.
            if met is False or (met is None and not self._denies):
                return NOTHING
        if self._denies:
            return Verdict(denied=True)
        return Verdict(to_account=True) if to_account else Verdict(allowed=True)

    def is_about(self, action: str) -> bool:
        """Whether its Action or NotAction element matches."""
        return (self._actions.fullmatch(action) is not None) != self._not_action

    def _covers(self, question: Question) -> bool:
        return any(self._resource_matches(text, question) for text in self._resources) != self._not_resource

    def _resource_matches(self, text: str, question: Question) -> bool:
        if text == "*":
            return True
        try:
            pattern = substituted(text, question.keys)
        except Unknown:
            return self._denies != self._not_resource
        if pattern is None:  # a variable has no value: the resource matches nothing
            return self._not_resource
        return arns(pattern).fullmatch(question.resource) is not None

    def _names(self, caller: Caller) -> str | None:
        """Return how the Principal element names `caller`: "itself", by its "account", or None."""
        found = _named(self._principal, caller)
        if not self._not_principal:
            return found
        # AWS warns of "Allow … NotPrincipal": it would allow everybody else.
        return "itself" if found is None and self._denies else None


class Policy:
    """A policy document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._statements = [Statement(statement) for statement in listed(document.get("Statement"))]
        self._by_action: dict[str, list[Statement]] = {}

    def verdict(self, question: Question) -> Verdict:
        """Return the combined verdict of its statements."""
        statements = self._by_action.get(question.action)
        if statements is None:
            statements = [statement for statement in self._statements if statement.is_about(question.action)]
            self._by_action[question.action] = statements
        found = NOTHING
        for statement in statements:
            found |= statement.verdict(question)
        return found


@lru_cache(maxsize=1024)
def compiled(document: str) -> Policy:
    """Compile the policy in `document` (JSON). A changed policy is another document, so the cache is never stale."""
    parsed = json.loads(document)
    return Policy(parsed if isinstance(parsed, dict) else {})


def verdict(documents: Iterable[str], question: Question) -> Verdict:
    """Return the combined verdict of several policies."""
    found = NOTHING
    for document in documents:
        found |= compiled(document).verdict(question)
    return found


def _any_of(actions: list[str]) -> re.Pattern[str]:
    # Action names are case-insensitive.
    return re.compile("|".join(f"(?:{wildcards(str(action)).pattern})" for action in actions) or "(?!)", re.IGNORECASE)


def _named(principal: Any, caller: Caller) -> str | None:
    if principal == "*":
        return "itself"
    if not isinstance(principal, dict):
        return None
    if caller.service:
        return "itself" if caller.service in listed(principal.get("Service")) else None
    by_account = None
    for name in listed(principal.get("AWS")):
        if name == "*" or name in caller.names:
            return "itself"
        if caller.account and name in (caller.account, f"arn:aws:iam::{caller.account}:root"):
            by_account = "account"
    return by_account

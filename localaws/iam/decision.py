"""Whether a principal may do something; if not, the reason in AWS's words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html;
the words are from https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from localaws.iam.policy import Question, verdict
from localaws.iam.principals import ROOT, Principal
from localaws.iam.resource_policies import policies_of

_ABSENT = (
    "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:principalorgid",
    "aws:principalorgpaths", "aws:resourceorgid", "aws:sourceorgid", "aws:calledvia", "aws:calledviafirst",
    "aws:calledvialast", "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalservicename",
    "aws:federatedprovider", "aws:sourceidentity", "aws:username",
)  # fmt: skip
NEVER_DENIED = "sts:GetCallerIdentity"  # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html


@dataclass(frozen=True)
class Access:
    """An action on a resource that a call needs, with the action's own condition keys (in lower case)."""

    action: str
    resource: str = "*"
    keys: Mapping[str, str | list[str] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Where a request comes from."""

    region: str
    address: str = "127.0.0.1"
    user_agent: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a principal may not have an access."""

    text: str
    """The reason in AWS's words."""
    is_explicit: bool = False
    """Whether a policy denies it."""
    can_be_lifted: bool = False
    """Whether it is refused only because no policy allows it, so that an ACL could still allow it."""


def refusal(principal: Principal, access: Access, origin: Origin) -> Refusal | None:
    """Return why `principal` may not have `access`; None if it may."""
    if access.action == NEVER_DENIED:
        return None
    question = Question(principal.caller, access.action, access.resource, request_keys(principal, access, origin))
    by_resource = verdict(policies_of(access.resource, principal.account_id), question)
    if by_resource.denied:
        return _denied(principal, access, "resource-based policy")
    if principal is ROOT:
        return None
    if principal.is_anonymous:
        return None if by_resource.allowed else _not_allowed(principal, access, "resource-based policy", lift=True)
    by_identity = verdict(principal.identity, question)
    if by_identity.denied:
        return _denied(principal, access, "identity-based policy")
    for name, documents in (
        ("permissions boundary", principal.boundary),
        ("session policy", principal.session_policy),
    ):
        if documents is None:
            continue
        limit = verdict(documents, question)
        if limit.denied:
            return _denied(principal, access, name)
        if not limit.allowed:
            return _not_allowed(principal, access, name)
    if by_identity.allowed or by_resource.allowed:
        return None
    return _not_allowed(principal, access, "identity-based policy", lift=True)


def _denied(principal: Principal, access: Access, kind: str) -> Refusal:
    article = "an" if kind[0] in "aeiou" else "a"
    return Refusal(_sentence(principal, access, f"with an explicit deny in {article} {kind}"), is_explicit=True)


def _not_allowed(principal: Principal, access: Access, kind: str, *, lift: bool = False) -> Refusal:
    reason = f"because no {kind} allows the {access.action} action"
    return Refusal(_sentence(principal, access, reason), can_be_lifted=lift)


def _sentence(principal: Principal, access: Access, reason: str) -> str:
    who = "User: anonymous" if principal.is_anonymous else f"User: {principal.arn}"
    resource = f'"{access.resource}"' if access.action.startswith("s3:") else access.resource
    return f"{who} is not authorized to perform: {access.action} on resource: {resource} {reason}"


def request_keys(principal: Principal, access: Access, origin: Origin) -> dict[str, str | list[str] | None]:
    """Return the keys that conditions can use: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html."""
    now = time.time()
    keys: dict[str, str | list[str] | None] = dict.fromkeys(_ABSENT)
    keys |= {
        "aws:principalarn": principal.caller.names[-1] if principal.caller.names else principal.arn,
        "aws:principalaccount": principal.account_id or None,
        "aws:principaltype": principal.kind,
        "aws:userid": principal.user_id or None,
        "aws:sourceip": origin.address,
        "aws:useragent": origin.user_agent or None,
        # Requests to the embedded AWS use this machine's loopback, so nobody can intercept them.
        "aws:securetransport": "true",
        "aws:requestedregion": origin.region,
        "aws:resourceaccount": principal.account_id or None,
        "aws:currenttime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "aws:epochtime": str(int(now)),
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
    }
    if principal.user_name:
        keys["aws:username"] = principal.user_name
    if principal.kind == "AssumedRole":
        keys["aws:multifactorauthpresent"] = "false"
    keys |= {f"aws:principaltag/{name}".lower(): value for name, value in principal.tags.items()}
    return {**keys, **access.keys}

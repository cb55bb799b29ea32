"""Whether a principal may do something, and if not, why not, in AWS's words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html;
the words are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from localaws.authorization.policy import Question, verdict
from localaws.authorization.principals import ROOT, Principal
from localaws.authorization.resource_policies import policies_of

_ABSENT = (
    "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:principalorgid",
    "aws:principalorgpaths", "aws:resourceorgid", "aws:sourceorgid", "aws:calledvia", "aws:calledviafirst",
    "aws:calledvialast", "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalservicename",
    "aws:federatedprovider", "aws:sourceidentity", "aws:username",
)  # fmt: skip
NEVER_DENIED = "sts:GetCallerIdentity"  # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html


@dataclass(frozen=True)
class Access:
    """One action on one resource that a call comes to, with the condition keys of its own (in lower case)."""

    action: str
    resource: str = "*"
    keys: Mapping[str, str | list[str] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Where a request comes from."""

    region: str
    address: str = "127.0.0.1"
    user_agent: str = ""


def refusal(principal: Principal, access: Access, origin: Origin) -> str | None:
    """Why `principal` may not have `access`; None where it may."""
    if access.action == NEVER_DENIED:
        return None
    question = Question(principal.caller, access.action, access.resource, request_keys(principal, access, origin))
    by_resource = verdict(policies_of(access.resource, principal.account_id), question)
    if by_resource.denied:
        return _sentence(principal, access, "with an explicit deny in a resource-based policy")
    if principal is ROOT:
        return None
    if principal.is_anonymous:
        return None if by_resource.allowed else _sentence(principal, access, _nothing("resource-based policy", access))
    by_identity = verdict(principal.identity, question)
    if by_identity.denied:
        return _sentence(principal, access, "with an explicit deny in an identity-based policy")
    for name, documents in (
        ("permissions boundary", principal.boundary),
        ("session policy", principal.session_policy),
    ):
        if documents is None:
            continue
        limit = verdict(documents, question)
        if limit.denied:
            return _sentence(principal, access, f"with an explicit deny in a {name}")
        if not limit.allowed:
            return _sentence(principal, access, _nothing(name, access))
    if by_identity.allowed or by_resource.allowed:
        return None
    return _sentence(principal, access, _nothing("identity-based policy", access))


def _nothing(kind: str, access: Access) -> str:
    return f"because no {kind} allows the {access.action} action"


def _sentence(principal: Principal, access: Access, reason: str) -> str:
    who = "User: anonymous" if principal.is_anonymous else f"User: {principal.arn}"
    resource = f'"{access.resource}"' if access.action.startswith("s3:") else access.resource
    return f"{who} is not authorized to perform: {access.action} on resource: {resource} {reason}"


def request_keys(principal: Principal, access: Access, origin: Origin) -> dict[str, str | list[str] | None]:
    """What conditions can look at: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html."""
    now = time.time()
    keys: dict[str, str | list[str] | None] = dict.fromkeys(_ABSENT)
    keys |= {
        "aws:principalarn": principal.caller.names[-1] if principal.caller.names else principal.arn,
        "aws:principalaccount": principal.account_id or None,
        "aws:principaltype": principal.kind,
        "aws:userid": principal.user_id or None,
        "aws:sourceip": origin.address,
        "aws:useragent": origin.user_agent or None,
        # The wire to the embedded AWS is this machine's loopback: nobody listens in.
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

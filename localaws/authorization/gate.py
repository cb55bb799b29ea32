"""Looks at each request before anything of AWS does: who signs it, and may they?

Signatures are not verified: on loopback, whoever knows a key's id is taken for its owner.
"""

from __future__ import annotations

from localaws.authorization import actions, engines, refusals
from localaws.authorization.actions import s3
from localaws.authorization.decision import Access, Origin, refusal, request_keys
from localaws.authorization.principals import (
    ANONYMOUS,
    ExpiredToken,
    Principal,
    UnknownKey,
    WrongToken,
    of_key,
)
from localaws.authorization.requests import ApiCall, Environ, parameters, path, rest_operation, signature
from localaws.authorization.trust import trust
from localaws.errors import UnsupportedOperation

# moto answers these with a key that is nobody's, or without looking at what proves the identity.
_NOT_CHECKABLE = frozenset(
    {"GetSessionToken", "GetFederationToken", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"}
)


class Gate:
    """The checks of one lab's requests."""

    def __init__(self, root_key: str, account_id: str, region: str) -> None:
        self._root_key = root_key
        self._by_root = f"Credential={root_key}/"
        self._account_id = account_id
        self._region = region

    def check(self, environ: Environ, service: str, operation: str) -> None:
        """Let a request pass that its signer may make. `service` and `operation` are as its envelope tells them.

        Raises:
            Refused: the signer is unknown or may not do this.
            UnsupportedOperation: what it would give could not be checked later.
        """
        if not engines.enforced():
            return
        if service == "sts" and operation in _NOT_CHECKABLE:
            raise UnsupportedOperation(operation)
        if self._by_root in environ.get("HTTP_AUTHORIZATION", ""):  # nearly every call: it must cost nothing
            return
        signed = signature(environ)
        if signed.access_key_id == self._root_key or environ["REQUEST_METHOD"] == "OPTIONS":
            return
        principal = self._principal(signed.access_key_id, signed.token, service)
        address, agent = environ.get("REMOTE_ADDR") or "127.0.0.1", environ.get("HTTP_USER_AGENT", "")
        origin = Origin(signed.region or self._region, address, agent)
        if service == "s3":
            self._check_s3(environ, principal, origin)
            return
        if principal.is_anonymous:
            raise refusals.unsigned(service)
        call = self._call(environ, service, operation, origin.region)
        if service == "sts" and call.operation == "AssumeRole" and call.parameters.get("PolicyArns.member.1.arn"):
            raise UnsupportedOperation("AssumeRole with PolicyArns")
        for access in actions.accesses(call):
            if access.action == "sts:AssumeRole":
                _require_trust(principal, access, origin)
            elif reason := refusal(principal, access, origin):
                raise refusals.access_denied(service, reason)

    def _principal(self, access_key_id: str, token: str | None, service: str) -> Principal:
        if not access_key_id:
            return ANONYMOUS
        try:
            return of_key(access_key_id, token, self._account_id)
        except UnknownKey:
            raise refusals.unknown_key(service) from None
        except WrongToken:
            raise refusals.wrong_token(service) from None
        except ExpiredToken:
            raise refusals.expired_token(service) from None

    def _check_s3(self, environ: Environ, principal: Principal, origin: Origin) -> None:
        wanted = s3.accesses(environ)
        if bucket := s3.missing_object(environ):
            wanted.append(Access("s3:ListBucket", bucket, dict.fromkeys(("s3:prefix", "s3:delimiter", "s3:max-keys"))))
        for access in wanted:
            reason = refusal(principal, access, origin)
            if reason is None or (principal.is_anonymous and s3.is_public(environ)):
                continue
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
            raise refusals.access_denied("s3", "Access Denied" if principal.is_anonymous else reason)

    def _call(self, environ: Environ, service: str, operation: str, region: str) -> ApiCall:
        given = parameters(environ)
        if " " in operation:  # no operation by name: a REST call, or one whose parameters are in the query
            found = rest_operation(service, environ["REQUEST_METHOD"], path(environ))
            operation = found[0] if found else given.get("Action") or operation
            query_and_path = parameters({**environ, "CONTENT_TYPE": "", "HTTP_X_AMZ_TARGET": ""}) | (
                found[1] if found else {}
            )
            given = {**given, **query_and_path}
        return ApiCall(service, operation, given, region, self._account_id)


def _require_trust(principal: Principal, access: Access, origin: Origin) -> None:
    """AssumeRole: the trust policy names the caller, or the account, and then the caller's own policies must allow."""
    own_refusal = refusal(principal, access, origin)
    said = trust(access.resource, principal.account_id, principal.caller, request_keys(principal, access, origin))
    text = f"User: {principal.arn} is not authorized to perform: {access.action} on resource: {access.resource}"
    if said is None or said.denied or not (said.allowed or said.to_account):
        raise refusals.access_denied("sts", text)
    if own_refusal is not None and (said.to_account or "explicit deny" in own_refusal):
        raise refusals.access_denied("sts", own_refusal)

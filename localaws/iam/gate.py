"""Check each request before a service gets it: who signed it, and may they do this?

The server has verified the signature already (server/signatures.py). Here the access key is resolved to a principal.
"""

from __future__ import annotations

from collections.abc import Mapping

from localaws.core.call import Call, S3Call, S3Object
from localaws.core.errors import UnsupportedOperation
from localaws.iam import actions, enforcement, refusals
from localaws.iam.actions import s3
from localaws.iam.decision import Access, Origin, refusal, request_keys
from localaws.iam.principals import ANONYMOUS, ROOT, ExpiredToken, Principal, UnknownKey, WrongToken, of_key, secret_of
from localaws.iam.trust import trust

# moto answers these with a key that belongs to nobody, or without checking the proof of identity.
_NOT_CHECKABLE = frozenset(
    {"GetSessionToken", "GetFederationToken", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"}
)


# The root may call these, whatever the policy says:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
_ROOT_MAY = frozenset({"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"})


class Gate:
    """Checks the requests to one lab."""

    def __init__(self, root_key: str, root_secret: str, account_id: str) -> None:
        self._root_key = root_key
        self._root_secret = root_secret
        self._account_id = account_id

    def secret_of(self, access_key_id: str, token: str | None, service: str) -> str:
        """Return the secret access key with which this signer must sign a request.

        Raises:
            Refused: nobody has this key, or its session is over.
        """
        if access_key_id == self._root_key:
            if token is not None:
                raise _refused_key(WrongToken(), service)
            return self._root_secret
        try:
            return secret_of(access_key_id, token, self._account_id)
        except (UnknownKey, WrongToken, ExpiredToken) as error:
            raise _refused_key(error, service) from None

    def principal(self, access_key_id: str | None, token: str | None, service: str) -> Principal:
        """Return the principal that has this key; ANONYMOUS without a key. If IAM is not enforced, everybody is root.

        Raises:
            Refused: the key is unknown, or its session is over.
        """
        if access_key_id == self._root_key and token is not None and enforcement.enforced():
            raise _refused_key(WrongToken(), service)
        if access_key_id == self._root_key or not enforcement.enforced():
            return ROOT
        if access_key_id is None:
            return ANONYMOUS
        try:
            return of_key(access_key_id, token, self._account_id)
        except (UnknownKey, WrongToken, ExpiredToken) as error:
            raise _refused_key(error, service) from None

    def check(self, call: Call, principal: Principal, origin: Origin) -> Mapping[S3Object, str]:
        """Check that `principal` may make this call.

        Returns:
            For DeleteObjects, the objects that the principal may not delete, and why. It may delete the others.

        Raises:
            Refused: the principal may not make the call.
            UnsupportedOperation: the call would return credentials that could not be checked later.
        """
        if not enforcement.enforced():
            return {}
        if call.service == "sts" and call.operation in _NOT_CHECKABLE:
            raise UnsupportedOperation(call.operation)
        if call.operation == "PreflightObject":
            return {}
        if principal is ROOT and (not isinstance(call, S3Call) or call.operation in _ROOT_MAY):
            return {}
        if isinstance(call, S3Call):
            return self._check_s3(call, principal, origin)
        if principal.is_anonymous:
            raise refusals.unsigned(call.service)
        if call.service == "sts" and call.operation == "AssumeRole" and call.parameters.get("PolicyArns.member.1.arn"):
            raise UnsupportedOperation("AssumeRole with PolicyArns")
        for access in actions.accesses(call):
            if access.action == "sts:AssumeRole":
                _require_trust(principal, access, origin)
            elif reason := refusal(principal, access, origin):
                raise refusals.access_denied(call.service, reason.text)
        return {}

    def _check_s3(self, call: S3Call, principal: Principal, origin: Origin) -> Mapping[S3Object, str]:
        if call.operation == "DeleteObjects":
            return {
                one: reason
                for one in call.deleted
                for access in s3.deleted(call, one)
                if (reason := _refusal_of_s3(call, principal, access, origin)) is not None
            }
        wanted = s3.accesses(call)
        if principal is not ROOT and (bucket := s3.missing_object(call)):
            wanted.append(Access("s3:ListBucket", bucket, dict.fromkeys(("s3:prefix", "s3:delimiter", "s3:max-keys"))))
        for access in wanted:
            if reason := _refusal_of_s3(call, principal, access, origin):
                raise refusals.access_denied("s3", reason)
        return {}


def _refusal_of_s3(call: S3Call, principal: Principal, access: Access, origin: Origin) -> str | None:
    """Return why `principal` may not have `access`; None if a policy or an ACL allows it."""
    reason = refusal(principal, access, origin)
    if principal.is_anonymous and s3.is_restricted(s3.bucket_of(access.resource)):
        return "Access Denied"
    if reason is None:
        return None
    if reason.can_be_lifted and s3.is_public(call, access.action):
        return None
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
    return "Access Denied" if principal.is_anonymous else reason.text


def _refused_key(error: Exception, service: str) -> refusals.Refused:
    if isinstance(error, WrongToken):
        return refusals.wrong_token(service)
    return refusals.expired_token(service) if isinstance(error, ExpiredToken) else refusals.unknown_key(service)


def _require_trust(principal: Principal, access: Access, origin: Origin) -> None:
    """Check AssumeRole. The trust policy must name the caller, or its account if the caller's own policies allow it."""
    own_refusal = refusal(principal, access, origin)
    said = trust(access.resource, principal.account_id, principal.caller, request_keys(principal, access, origin))
    text = f"User: {principal.arn} is not authorized to perform: {access.action} on resource: {access.resource}"
    if said is None or said.denied or not (said.allowed or said.to_account):
        raise refusals.access_denied("sts", text)
    if own_refusal is not None and (said.to_account or own_refusal.is_explicit):
        raise refusals.access_denied("sts", own_refusal.text)

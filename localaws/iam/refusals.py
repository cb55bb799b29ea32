"""AWS's refusals. Each service has its own codes and statuses for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_NO_SUCH_KEY = "The security token included in the request is invalid."
_NO_MATCH = "The request signature we calculated does not match the signature you provided."
_EXPIRED = "The security token included in the request is expired"
_QUERY = frozenset({"iam", "sts", "redshift", "cloudformation", "elasticloadbalancing", "monitoring", "autoscaling"})


class Refused(Exception):
    """A call that is answered with an error, in the service's own words."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        """`details` are the additional elements of an error of S3: their names and texts."""
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        super().__init__(message)


def access_denied(service: str, message: str) -> Refused:
    """The principal may not do that."""
    if service == "ec2":
        return Refused(403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {message}")
    if service == "sns":
        return Refused(403, "AuthorizationError", message)
    if service in _QUERY or service in ("s3", "sqs"):
        return Refused(403, "AccessDenied", message)
    return Refused(403 if service == "lambda" else 400, "AccessDeniedException", message)


def unknown_key(service: str) -> Refused:
    """Nobody has this access key."""
    if service == "s3":
        return Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if service == "ec2":
        return Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    return _by_protocol(service, "InvalidClientTokenId", "UnrecognizedClientException", _NO_SUCH_KEY)


def wrong_token(service: str) -> Refused:
    """A session's key came without its token, or with another token."""
    if service == "s3":
        return Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    return unknown_key(service)


def expired_token(service: str) -> Refused:
    """The session is over."""
    if service == "s3":
        return Refused(400, "ExpiredToken", "The provided token has expired.")
    if service == "ec2":
        return Refused(400, "RequestExpired", "Request has expired.")
    return _by_protocol(service, "ExpiredToken", "ExpiredTokenException", _EXPIRED)


def unsigned(service: str) -> Refused:
    """The call must be signed, but is not."""
    text = "Missing Authentication Token"
    return _by_protocol(service, "MissingAuthenticationToken", "MissingAuthenticationTokenException", text)


def _by_protocol(service: str, query: str, json: str, message: str) -> Refused:
    if service in _QUERY or service in ("sns", "sqs"):
        return Refused(403, query, message)
    return Refused(403 if service == "lambda" else 400, json, message)


def bad_signature(service: str, reason: str = "") -> Refused:
    """The signature is not the one that the request should have."""
    if service == "s3":
        return Refused(403, "SignatureDoesNotMatch", reason or f"{_NO_MATCH} Check your key and signing method.")
    if service == "ec2":
        return Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    text = reason or (
        f"{_NO_MATCH} Check your AWS Secret Access Key and signing method. "
        "Consult the service documentation for details."
    )
    return _by_protocol(service, "SignatureDoesNotMatch", "InvalidSignatureException", text)


def signature_expired(service: str, moment: datetime, now: datetime, allowed: timedelta) -> Refused:
    """The request was signed too long ago, or its time is in the future."""
    if service == "s3":
        return Refused(
            403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
        )
    if service == "ec2":
        return Refused(400, "RequestExpired", "Request has expired.")
    minutes = round(allowed.total_seconds() / 60)
    if moment < now:
        words, edge, sign = ("Signature expired", "now earlier"), now - allowed, "-"
    else:
        words, edge, sign = ("Signature not yet current", "still later"), now + allowed, "+"
    at, limit, here = (f"{each:%Y%m%dT%H%M%SZ}" for each in (moment, edge, now))
    text = f"{words[0]}: {at} is {words[1]} than {limit} ({here} {sign} {minutes} min.)"
    return _by_protocol(service, "SignatureDoesNotMatch", "InvalidSignatureException", text)


def unclear(service: str, message: str) -> Refused:
    """The request is ambiguous, or has something that its operation doesn't know."""
    if service == "s3":
        return Refused(400, "InvalidRequest", message)
    if service == "ec2":
        return Refused(400, "InvalidParameterCombination", message)
    if service == "lambda":
        return Refused(400, "InvalidRequestContentException", message)
    return Refused(400, "ValidationError" if service in _QUERY else "SerializationException", message)


def missing(code: str, name: str) -> Refused:
    """The request lacks a parameter that its operation requires. The message is AWS's."""
    written = name[:1].lower() + name[1:]
    text = f"Value null at '{written}' failed to satisfy constraint: Member must not be null"
    return Refused(400, code, f"1 validation error detected: {text}")

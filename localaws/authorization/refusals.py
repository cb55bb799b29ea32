"""AWS's refusals: each service says them by another code and status."""

from __future__ import annotations

# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_NO_SUCH_KEY = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_QUERY = frozenset({"iam", "sts", "redshift", "cloudformation", "elasticloadbalancing", "monitoring", "autoscaling"})


class Refused(Exception):
    """A call that is answered by an error, in the service's own words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
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
    """A session's key without its token."""
    if service == "s3":
        return Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    return unknown_key(service)


def expired_token(service: str) -> Refused:
    """A session that is over."""
    if service == "s3":
        return Refused(400, "ExpiredToken", "The provided token has expired.")
    if service == "ec2":
        return Refused(400, "RequestExpired", "Request has expired.")
    return _by_protocol(service, "ExpiredToken", "ExpiredTokenException", _EXPIRED)


def unsigned(service: str) -> Refused:
    """A call that must be signed, and is not."""
    text = "Missing Authentication Token"
    return _by_protocol(service, "MissingAuthenticationToken", "MissingAuthenticationTokenException", text)


def _by_protocol(service: str, query: str, json: str, message: str) -> Refused:
    if service in _QUERY or service in ("sns", "sqs"):
        return Refused(403, query, message)
    return Refused(403 if service == "lambda" else 400, json, message)

"""Temporary passwords: they are signed, so the front can check them without a list of those that were issued.

GetClusterCredentials returns such a password, with a user name that has the prefix `IAM:` (`IAMA:` with AutoCreate).
https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Grant:
    """What a temporary password allows: to log in as a user until it expires, perhaps only to one database."""

    db_user: str
    database: str | None
    auto_create: bool
    expires: float  # seconds since the epoch


class InvalidPassword(Exception):
    """The password was not issued for this cluster, or has expired."""


def issue(key: bytes, grant: Grant) -> str:
    """Return a password for this grant."""
    claims = json.dumps({**asdict(grant), "nonce": secrets.token_hex(4)}, separators=(",", ":")).encode()
    return _encode(claims + _signature(key, claims))


def check(key: bytes, password: str) -> Grant:
    """Return the grant in a password.

    Raises:
        InvalidPassword: its signature is wrong, or it has expired.
    """
    try:
        signed = base64.urlsafe_b64decode(password + "=" * (-len(password) % 4))
    except ValueError as error:
        raise InvalidPassword("not a temporary password") from error
    claims, signature = signed[:-32], signed[-32:]
    if not hmac.compare_digest(signature, _signature(key, claims)):
        raise InvalidPassword("not a temporary password of this cluster")
    said = json.loads(claims)
    grant = Grant(said["db_user"], said["database"], said["auto_create"], said["expires"])
    if grant.expires < time.time():
        raise InvalidPassword("the temporary password has expired")
    return grant


def _signature(key: bytes, claims: bytes) -> bytes:
    return hmac.new(key, claims, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

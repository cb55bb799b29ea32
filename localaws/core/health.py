"""The server's health endpoint. Callers prove that they know the lab's secret, without sending it."""

from __future__ import annotations

import hashlib
import hmac
import re
import time

PATH = "/_localaws/health"
HEADER = "X-Localaws-Proof"
HEAL, WARM_JOBS = "heal", "warm-jobs"
"""What a caller can wish for in the query string."""
_SECONDS = 300  # how long a proof is valid


def proof(secret: str) -> str:
    """Return the header's value for a request that is sent now."""
    moment = str(int(time.time()))
    return f"{moment}:{_of(secret, moment)}"


def proves(secret: str, given: str) -> bool:
    """Whether a header's value was made with `secret`, and is still valid."""
    moment, _, found = given.partition(":")
    return (
        re.fullmatch(r"[0-9]{1,12}", moment) is not None
        and abs(time.time() - int(moment)) < _SECONDS
        and hmac.compare_digest(_of(secret, moment).encode(), found.encode())
    )


def _of(secret: str, moment: str) -> str:
    return hmac.new(secret.encode(), f"{PATH} {moment}".encode(), hashlib.sha256).hexdigest()

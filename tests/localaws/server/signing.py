"""Signed requests, and the time at which their signatures are verified, without a server."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from localaws.iam.refusals import Refused
from localaws.server import signatures
from localaws.server.claims import claim_of
from localaws.server.signatures import verify
from tests.localaws.server.raw import envelope

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
NOW = datetime(2026, 1, 2, 0, 30, tzinfo=UTC)
Pairs = list[tuple[str, str]]
_OF_STATUS_400 = ("AuthorizationQueryParametersError", "InvalidSignatureException")


def stop_the_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime = NOW) -> None:
    """Let signatures be looked at at `moment`."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment

    monkeypatch.setattr(signatures, "datetime", Stopped)


def refusal(
    method: str, target: str, headers: dict[str, str] | Pairs, payload: str = EMPTY, secret: str = SECRET
) -> Refused | None:
    """Why a signed request is refused; None where it isn't."""
    request = envelope(method, target, headers)
    claim = claim_of(request)
    assert claim is not None
    try:
        verify(claim, secret, request, payload)
    except Refused as error:
        return error
    return None


def code(*request: Any, **more: Any) -> str:
    """The code of the refusal; empty where there is none."""
    found = refusal(*request, **more)
    assert found is None or found.status == (400 if found.code in _OF_STATUS_400 else 403)
    return "" if found is None else found.code

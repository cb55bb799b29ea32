"""boto3 clients, made once: making one costs more than using it."""

from __future__ import annotations

import os
from typing import Any

import boto3

_clients: dict[tuple[str, str | None], Any] = {}


def client(service: str) -> Any:
    """The client of `service` in this run's region."""
    key = (service, os.environ.get("AWS_DEFAULT_REGION"))
    if key not in _clients:
        _clients[key] = boto3.client(service)
    return _clients[key]

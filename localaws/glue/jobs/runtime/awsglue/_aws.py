"""boto3 clients, created once: creating one costs more than using it.

They are created before the process of a run is forked, so they look up their credentials at each call: by then, the
run's environment holds those of its role.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.utils import parse_timestamp
from dateutil.tz import tzutc  # type: ignore[import-untyped]


class EnvironmentCredentials(Credentials):  # type: ignore[misc]
    """The current values of AWS_ACCESS_KEY_ID and its like."""

    def __init__(self) -> None:
        super().__init__("", "", method="env")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Raises botocore's NoCredentialsError if the environment has none."""
        try:
            return ReadOnlyCredentials(
                os.environ["AWS_ACCESS_KEY_ID"],
                os.environ["AWS_SECRET_ACCESS_KEY"],
                os.environ.get("AWS_SESSION_TOKEN") or None,
            )
        except KeyError:
            raise NoCredentialsError from None


class _FromEnvironment:
    def load_credentials(self) -> EnvironmentCredentials:
        return EnvironmentCredentials()


def _moment(value: Any) -> datetime.datetime:
    """Do what botocore's parse_timestamp does; S3's format without dateutil, which takes most of a listing's time."""
    try:
        return datetime.datetime.fromisoformat(value).astimezone(tzutc())
    except (TypeError, ValueError):
        return parse_timestamp(value)  # type: ignore[no-any-return]


# A checksum of every body would cost as much as sending it, and the address of S3 is on this machine.
_CONFIG = Config(request_checksum_calculation="when_required")
_clients: dict[tuple[str, str | None], Any] = {}
_session: boto3.Session | None = None


def client(service: str) -> Any:
    """Return the client of `service` in this run's region."""
    global _session
    key = (service, os.environ.get("AWS_DEFAULT_REGION"))
    if key not in _clients:
        if _session is None:
            core = botocore.session.Session()
            core.register_component("credential_provider", _FromEnvironment())
            core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
            # A script's own boto3.client() uses this session, too, with the botocore files that it has already read.
            _session = boto3.DEFAULT_SESSION = boto3.Session(botocore_session=core)
        _clients[key] = _session.client(service, region_name=key[1], config=_CONFIG)
    return _clients[key]

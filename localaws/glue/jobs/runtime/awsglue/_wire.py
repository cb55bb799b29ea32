"""Signs and sends plain S3 requests without boto3, whose client takes more time for a request than S3 for its answer.

Errors are not handled here: `None` is returned instead, and the caller makes the same call through boto3, which retries
or raises AWS's error.

Signature: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html (UNSIGNED-PAYLOAD).
"""

from __future__ import annotations

import http.client
import threading
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from awsglue import _aws


class _Signature(S3SigV4Auth):  # type: ignore[misc]
    def _should_sha256_sign_payload(self, request: Any) -> bool:
        return False


class Wire:
    """One thread's connection to S3."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint = endpoint
        self._address = urllib.parse.urlsplit(endpoint)
        self._region = region
        self._credentials = _aws.EnvironmentCredentials()
        self._connection: http.client.HTTPConnection | None = None

    def send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Path | bytes | None = None
    ) -> http.client.HTTPResponse | None:
        """Send a request for `path` (/bucket/key, not quoted); return the response, which must be read to its end.

        Return None if the status is neither 200 nor 404, or if there is no response.
        """
        quoted = urllib.parse.quote(path, safe="/~")
        if query:
            quoted += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        try:
            response = self._send(method, quoted, body)
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        if response.status not in (200, 404):
            self.close()
            return None
        return response

    def _send(self, method: str, quoted: str, body: Path | bytes | None) -> http.client.HTTPResponse:
        request = AWSRequest(method, f"{self._address.scheme}://{self._address.netloc}{quoted}")
        _Signature(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
        connection = self._open()
        connection.putrequest(method, quoted, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        if body is None:
            connection.endheaders()
        elif isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        else:
            with body.open("rb") as content:
                connection.putheader("Content-Length", str(body.stat().st_size))
                connection.endheaders()
                connection.sock.sendfile(content)
        return connection.getresponse()

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._address.netloc, timeout=60)
            self._connection.connect()
        return self._connection

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _OfThread(threading.local):
    """A connection sends one request at a time, so each thread has its own."""

    wire: Wire | None = None


_of_thread = _OfThread()


def wire() -> Wire:
    """Return this thread's connection."""
    meta = _aws.client("s3").meta
    if _of_thread.wire is None or _of_thread.wire.endpoint != meta.endpoint_url:
        _of_thread.wire = Wire(meta.endpoint_url, meta.region_name)
    return _of_thread.wire

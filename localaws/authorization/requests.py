"""What a request says of itself: its signer's key, its operation and its parameters, without consuming its body."""

from __future__ import annotations

import io
import json
import re
import urllib.parse
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session

Environ = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/")
_FORM_FIELDS = re.compile(rb'name="([^"]+)"\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]*)')
_FORM_HEAD = 1 << 16  # bytes of an upload form that hold its fields; the file comes last
_REST_MODELS = {"lambda": "lambda"}


@dataclass(frozen=True)
class Signature:
    """Who claims to have signed; `access_key_id` is empty where nobody did."""

    access_key_id: str = ""
    token: str | None = None
    region: str = ""


@dataclass(frozen=True)
class ApiCall:
    """A call of an API: `service` as it is signed for, `operation` as AWS's model of the service names it."""

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    account_id: str


def signature(environ: Environ) -> Signature:
    """The signer, by any of the ways in which AWS takes a signature: headers, a presigned URL, an upload form."""
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
    header = environ.get("HTTP_AUTHORIZATION", "")
    if match := _CREDENTIAL.search(header):
        return Signature(match[1], token, match[2])
    if header.startswith("AWS "):  # version 2
        return Signature(header[4:].partition(":")[0], token)
    query = environ.get("QUERY_STRING", "")
    if "X-Amz-Credential" in query or "AWSAccessKeyId" in query:
        return _presigned(dict(urllib.parse.parse_qsl(query)))
    if environ.get("CONTENT_TYPE", "").startswith("multipart/form-data") and environ["REQUEST_METHOD"] == "POST":
        return _presigned(form_fields(environ))
    return Signature()


def parameters(environ: Environ) -> dict[str, Any]:
    """The parameters of a call whose body is JSON or a form (the query protocol); empty where it is neither."""
    kind = environ.get("CONTENT_TYPE", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(urllib.parse.parse_qsl(body(environ).decode(errors="replace"), keep_blank_values=True))
    if "json" in kind or environ.get("HTTP_X_AMZ_TARGET"):
        try:
            parsed = json.loads(body(environ) or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}
    return dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def body(environ: Environ) -> bytes:
    """The body, left there for who reads it next."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    content: bytes = (
        stream.read() if not length and environ.get("wsgi.input_terminated") else stream.read(int(length or 0))
    )
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def path(environ: Environ) -> str:
    """The path, decoded: WSGI hands it over as if it were Latin-1."""
    return str(environ.get("PATH_INFO", "/")).encode("latin-1").decode(errors="replace")


def form_fields(environ: Environ) -> dict[str, str]:
    """The fields before the file of an upload form."""
    head = body(environ)[:_FORM_HEAD]
    return {name.decode(): value.decode(errors="replace") for name, value in _FORM_FIELDS.findall(head)}


def rest_operation(service: str, method: str, request_path: str) -> tuple[str, dict[str, str]] | None:
    """Operation and path parameters of a call of a REST service, by AWS's own model of it."""
    for operation, its_method, pattern in _rest_operations(service):
        if its_method == method and (match := pattern.fullmatch(request_path.rstrip("/"))):
            return operation, {name: value for name, value in match.groupdict().items() if value is not None}
    return None


def _presigned(given: dict[str, str]) -> Signature:
    lower = {name.lower(): value for name, value in given.items()}
    token = lower.get("x-amz-security-token")
    if scope := lower.get("x-amz-credential"):
        parts = scope.split("/")
        return Signature(parts[0], token, parts[2] if len(parts) > 2 else "")
    return Signature(lower.get("awsaccesskeyid", ""), token)


@cache
def _rest_operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    if service not in _REST_MODELS:
        return []
    model = botocore.session.get_session().get_service_model(_REST_MODELS[service])
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        template = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", re.sub(r"[.]", r"\.", template))
        found.append((name, http["method"], re.compile(pattern)))
    # A fixed path before one that would take it for a name.
    return sorted(found, key=lambda item: item[2].groups)

"""Requests before they are sent: built by botocore's serializers, in parts that can be changed, and then signed."""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
from botocore.auth import S3SigV4Auth, S3SigV4PostAuth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

from tests.localaws.server.enclosure import Request
from tests.localaws.server.wire import FORM

Pairs = list[tuple[str, Any]]
HOST = "localhost:4566"
BOUNDARY = "the-boundary"


@cache
def model_of(service: str) -> Any:
    """botocore's model."""
    return botocore.session.get_session().get_service_model(service)


@dataclass
class Draft:
    """A request in parts. Names may be there twice; a body is one of `form`, `document`, `upload` and `content`."""

    service: str
    operation: str
    method: str = "POST"
    path: str = "/"
    query: Pairs = field(default_factory=list)
    headers: Pairs = field(default_factory=list)
    form: Pairs | None = None
    """The query protocol's parameters."""
    document: Pairs | None = None
    """A JSON object's members."""
    upload: Pairs | None = None
    """The fields of an upload form to S3."""
    content: bytes = b""

    @property
    def parameters(self) -> Pairs | None:
        """Where a disturbance finds parameters by name."""
        return next((each for each in (self.form, self.document, self.upload, self.query) if each), None)

    def body(self) -> bytes:
        """The body as bytes."""
        if self.form is not None:
            return urllib.parse.urlencode(self.form).encode()
        if self.document is not None:
            members = (f"{json.dumps(name)}:{json.dumps(value, default=str)}" for name, value in self.document)
            return f"{{{','.join(members)}}}".encode()
        if self.upload is not None:
            parts = [
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
                + ('; filename="a"' if name == "file" else "")
                + f"\r\n\r\n{value}\r\n"
                for name, value in self.upload
            ]
            return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode()
        return self.content

    def target(self) -> str:
        """Path and query."""
        query = "&".join(
            f"{_quoted(name)}={_quoted(str(value))}" if value != "" else _quoted(name) for name, value in self.query
        )
        return f"{self.path}?{query}" if query else self.path

    def replace_header(self, name: str, value: str) -> None:
        """Have this header once."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()] + [(name, value)]


def draft_of(service: str, operation: str, parameters: dict[str, Any], protocol: str = "") -> Draft:
    """The request that botocore makes."""
    model = model_of(service)
    protocol = protocol or model.metadata["protocol"]
    made = create_serializer(protocol, include_validation=False).serialize_to_request(
        parameters, model.operation_model(operation)
    )
    path, _, fixed = made["url_path"].partition("?")
    query: Pairs = urllib.parse.parse_qsl(fixed, keep_blank_values=True)
    given = made["query_string"]
    for name, value in given.items() if isinstance(given, dict) else given:
        query += [(name, each) for each in value] if isinstance(value, list) else [(name, str(value))]
    headers: Pairs = [(name, str(value)) for name, value in made["headers"].items()]
    draft = Draft(model.signing_name, operation, made["method"], path, query, headers)
    body = made["body"]
    if protocol in ("query", "ec2"):
        draft.form = list(body.items())
        draft.replace_header("Content-Type", FORM)
    elif protocol in ("json", "rest-json") and body and body[:1] in (b"{", "{"):
        draft.document = list(json.loads(body).items())
    else:
        draft.content = body.encode() if isinstance(body, str) else bytes(body or b"")
    return draft


@dataclass(frozen=True)
class Signer:
    """A key, and how it is used: "header", "query", or "not"."""

    key: str
    secret: str
    way: str = "header"


def upload_of(bucket: str, key: str, signer: Signer) -> Draft:
    """An upload form, whose policy `signer` signed."""
    fields: dict[str, str] = {"key": key}
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    policy = {"expiration": soon, "conditions": [{"bucket": bucket}, ["starts-with", "$key", ""]]}
    request = AWSRequest("POST", f"http://{HOST}/{bucket}")
    request.context |= {"s3-presign-post-fields": fields, "s3-presign-post-policy": policy}
    S3SigV4PostAuth(Credentials(signer.key, signer.secret), "s3", "us-east-1").add_auth(request)
    assert base64.b64decode(fields["policy"])
    draft = Draft("s3", "PostObject", "POST", f"/{bucket}", upload=[*fields.items(), ("file", "uploaded")])
    draft.replace_header("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    return draft


def signed(draft: Draft, signer: Signer) -> Request:
    """The request as `signer` signs it: rightly, whatever it is."""
    body, target = draft.body(), draft.target()
    headers = draft.headers if any(name.lower() == "host" for name, _ in draft.headers) else [
        ("Host", HOST), *draft.headers
    ]  # fmt: skip
    if draft.upload is not None or signer.way == "not":
        return Request(draft.method, target, tuple(headers), body)
    host = next(value for name, value in headers if name.lower() == "host")
    s3 = draft.service == "s3"
    in_query = signer.way == "query" and (s3 or not body)
    # A presigned URL says nothing of the body, and botocore would take it for parameters.
    request = AWSRequest(draft.method, f"http://{host}{target}", data=b"" if in_query else body)
    for name, value in headers:
        request.headers.add_header(name, value)
    credentials = Credentials(signer.key, signer.secret)
    if in_query:
        (S3SigV4QueryAuth if s3 else SigV4QueryAuth)(credentials, draft.service, "us-east-1", 600).add_auth(request)
        parts = urllib.parse.urlsplit(request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
    else:
        (S3SigV4Auth if s3 else SigV4Auth)(credentials, draft.service, "us-east-1").add_auth(request)
    return Request(draft.method, target, tuple((name, str(value)) for name, value in request.headers.items()), body)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~/")

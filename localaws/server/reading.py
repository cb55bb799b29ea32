"""Parse a request once, into service, operation and parameters, and rebuild the request for moto from that.

After this, everything uses the `Call`. moto parses the request once more, so it gets a rebuilt one, in which it can't
find anything else: a second operation, a parameter of another operation, or a header that it would take for a
parameter.
"""

from __future__ import annotations

import io
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from localaws.core.call import REGION, Call, S3Call
from localaws.core.context import ACCOUNT_ID
from localaws.core.errors import UnsupportedOperation
from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from localaws.iam.refusals import Refused, unclear, unsigned
from localaws.server import forms, jsons, models, query, rest, s3
from localaws.server.claims import Claim, claim_of
from localaws.server.envelope import HEADERS, Envelope, Environ

_TARGET = "x-amz-target"
_FOR_ANYBODY = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
"""Calls of STS that are proved by an external identity, not by a signature."""
_OURS = frozenset({
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "authorization", "expect",
    "connection", "x-amz-security-token", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer",
    "x-amz-target", "x-moto-account-id", "user-agent",
})  # fmt: skip
"""Headers that are not copied: the rebuilt request has them from the parsed values, or not at all."""
_REGION_IN_AGENT = re.compile(r"region/", re.IGNORECASE)


@dataclass
class Reading:
    """A parsed request: its claimed signature, its call, and what the request for moto is made of."""

    call: Call
    claim: Claim | None
    envelope: Envelope
    path: str
    """Percent-encoded."""
    query: dict[str, str]
    body: bytes | None
    """None: the body as it came."""
    kind: str
    headers: dict[str, str]
    form: forms.Form | None = None
    target: str = ""
    """The header X-Amz-Target, if there is one."""

    def environ(self) -> Environ:
        """Return the request for moto, with the rebuilt body or, if there is none, the original one."""
        given = self.envelope.environ
        # If the query has any parameter, moto looks for none in the body or the headers.
        text = urllib.parse.urlencode({**self.query, "x-id": self.call.operation}, quote_via=urllib.parse.quote)
        path = self.path if self.call.service == "s3" else urllib.parse.unquote(self.path).encode().decode("latin-1")
        made: Environ = {
            name: value
            for name, value in given.items()
            if not name.startswith("HTTP_") and name not in ("CONTENT_TYPE", "CONTENT_LENGTH", HEADERS)
        }
        made |= {
            "PATH_INFO": path,
            "QUERY_STRING": text,
            "RAW_URI": f"{self.path}?{text}",
            "REQUEST_URI": f"{self.path}?{text}",
            "HTTP_HOST": self.envelope.host,
            "HTTP_USER_AGENT": _REGION_IN_AGENT.sub("region-", self.envelope.headers.get("user-agent", "")),
        }
        for name, value in self.headers.items():
            if name not in _OURS:
                made[_key(name)] = value
        if self.kind:
            made["CONTENT_TYPE"] = self.kind
        if self.target:
            made["HTTP_X_AMZ_TARGET"] = self.target
        # The Content-Type of an object may be a form's, as curl and urllib set it. The object has no call's parameters.
        if self.kind == query.FORM and self.call.service != "s3":
            made["REQUEST_METHOD"] = "POST"
        if self.call.service == "s3" and "content-encoding" in self.headers:
            made["HTTP_CONTENT_ENCODING"] = self.headers["content-encoding"]
        if self.body is not None:
            made["wsgi.input"], made["CONTENT_LENGTH"] = io.BytesIO(self.body), str(len(self.body))
            made.pop("wsgi.input_terminated", None)
        elif given.get("CONTENT_LENGTH"):
            made["CONTENT_LENGTH"] = given["CONTENT_LENGTH"]
        if self.claim is not None:
            made["HTTP_AUTHORIZATION"] = self._authorization(self.claim)
        return made

    def _authorization(self, claim: Claim) -> str:
        """Return the header from which moto takes the region and the access key."""
        date = claim.date or "20000101"
        scope = f"{claim.access_key_id}/{date}/{self.call.region}/{self.call.service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"


def service_of(environ: Environ) -> str:
    """Return the service that an unreadable request seems to be for. The refusal has the format of that service."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if match := re.search(r"Credential=[^/,]+/\d{8}/[^/,]+/([a-z0-9-]+)/aws4_request", header):
        return match[1]
    if environ["REQUEST_METHOD"] == "POST" and str(environ.get("CONTENT_TYPE", "")).startswith(query.FORM):
        return "sts"  # the only service with forms that has unsigned calls
    return "unsigned" if environ.get("HTTP_X_AMZ_TARGET") else "s3"


def read(environ: Environ) -> Reading:
    """Read a request.

    Raises:
        Refused: the request is ambiguous or malformed.
        UnsupportedOperation: the request asks for something that is not supported.
    """
    envelope = Envelope.of(environ)
    claim = claim_of(envelope)
    if claim is None and _TARGET in envelope.headers:
        raise unsigned(service_of(environ))
    if claim is None and (envelope.method, envelope.kind()) == ("POST", query.FORM):
        action = query.parameters("sts", envelope).get("Action")
        if action in _FOR_ANYBODY:
            raise UnsupportedOperation(action)
        raise unsigned("sts")
    service = claim.service if claim is not None else "s3"
    if service == "s3":
        return _of_s3(envelope, claim)
    assert claim is not None
    if envelope.bucket:
        raise unclear(service, f"Only S3 accepts a name before the host's: {envelope.headers['host']}")
    if "content-encoding" in envelope.headers:
        raise UnsupportedOperation(f"Content-Encoding {envelope.headers['content-encoding']}")
    if envelope.headers.get("smithy-protocol") == models.CBOR:
        raise UnsupportedOperation(f"{envelope.path.rpartition('/')[2]} in CBOR")
    if service == "sqs":
        return _of_sqs(envelope, claim)
    known = models.models_of(service)
    if not known:
        raise UnsupportedOperation("any operation")
    spoken = {protocol for model in known for protocol in models.protocols(model)}
    if _TARGET in envelope.headers:
        if "json" not in spoken:
            raise unclear(service, f"Calls of {service} can't have the header X-Amz-Target.")
        return _of_json(service, envelope, claim)
    if spoken & {"query", "ec2"}:
        return _of_query(service, envelope, claim)
    if "json" in spoken:
        raise Refused(400, "UnknownOperationException", f"A call of {service} must have the header X-Amz-Target.")
    return _of_rest(service, envelope, claim)


def _call(service: str, operation: str, parameters: dict[str, Any], claim: Claim) -> Call:
    return Call(service, operation, parameters, claim.region, ACCOUNT_ID, _reads(service, operation))


def _reads(service: str, operation: str) -> bool:
    return vouching.table(service).effect(operation) is Effect.READS


def _of_json(service: str, envelope: Envelope, claim: Claim) -> Reading:
    _must(service, envelope, "POST")
    target = envelope.headers[_TARGET]
    model, operation = jsons.operation_of(service, target)
    given = jsons.parameters(service, envelope)
    shape = model.operation_model(operation).input_shape
    jsons.check(service, operation, shape, given)
    jsons.require(shape, given)
    return Reading(
        _call(service, operation, given, claim), claim, envelope, "/", {}, jsons.rebuilt(given),
        f"application/x-amz-json-{model.metadata['jsonVersion']}", envelope.headers, target=target,
    )  # fmt: skip


def _of_query(service: str, envelope: Envelope, claim: Claim) -> Reading:
    if envelope.method not in ("GET", "POST"):
        raise unclear(service, f"A call of {service} must be a GET or a POST, not a {envelope.method}.")
    if envelope.path != "/":
        raise unclear(service, f"A call of {service} must have the path /, not {envelope.path}")
    given = query.parameters(service, envelope)
    model, operation = query.operation_of(service, given)
    query.check(service, model, operation, given)
    return Reading(
        _call(service, operation, given, claim),
        claim,
        envelope,
        "/",
        {},
        query.rebuilt(given),
        query.FORM,
        envelope.headers,
    )


def _of_sqs(envelope: Envelope, claim: Claim) -> Reading:
    """Read a call of SQS: in JSON or, from older clients, in the query protocol, on the path of the queue's URL."""
    if _TARGET in envelope.headers:
        return _of_json("sqs", envelope, claim)
    given = query.parameters("sqs", envelope)
    if envelope.path != "/":
        parts = envelope.path.strip("/").split("/")
        url = given.setdefault("QueueUrl", f"http://{envelope.host}{envelope.path}")
        if len(parts) != 2 or url.rstrip("/").split("/")[-2:] != parts:
            raise unclear("sqs", f"QueueUrl is {url}, and the path {envelope.path}: they must name the same queue.")
    model, operation = query.operation_of("sqs", given)
    query.check("sqs", model, operation, given)
    return Reading(
        _call("sqs", operation, given, claim),
        claim,
        envelope,
        "/",
        {},
        query.rebuilt(given),
        query.FORM,
        envelope.headers,
    )


def _of_rest(service: str, envelope: Envelope, claim: Claim) -> Reading:
    found = rest.read(service, envelope)
    return Reading(
        _call(service, found.operation, found.parameters, claim), claim, envelope, found.path, found.query, found.body,
        found.kind, envelope.headers,
    )  # fmt: skip


def _of_s3(envelope: Envelope, claim: Claim | None) -> Reading:
    if _TARGET in envelope.headers:
        raise unclear("s3", "Requests to S3 can't have the header X-Amz-Target.")
    found = s3.read(envelope)
    form = None
    kind, body = envelope.headers.get("content-type", ""), found.body
    if found.operation == s3.POST_OBJECT:
        if claim is not None:
            raise Refused(400, "InvalidArgument", "An upload form is signed by its policy, not by the request.")
        form = forms.form_of(envelope)
        claim, found.key = form.claim(), form.key
        kind, body = form.rebuilt()
    elif found.operation == s3.PREFLIGHT and claim is not None:
        raise Refused(400, "InvalidArgument", "A preflight request must not be signed.")
    call = S3Call(
        service="s3",
        operation=found.operation,
        parameters=found.query,
        region=(claim.region if claim else "") or REGION,
        account_id=ACCOUNT_ID,
        reads=_reads("s3", found.operation),
        method=envelope.method,
        bucket=found.bucket,
        key=found.key,
        headers=found.headers if form is None else {**found.headers, **form.asks()},
        source=found.source,
        deleted=found.deleted,
    )
    path = f"/{urllib.parse.quote(found.bucket, safe='')}" if form is not None else found.path
    return Reading(call, claim, envelope, path, found.query, body, kind, found.headers, form)


def _must(service: str, envelope: Envelope, method: str) -> None:
    if envelope.method != method:
        raise unclear(service, f"A call of {service} must be a {method}, not a {envelope.method}.")
    if envelope.path != "/" or envelope.query_string:
        raise unclear(service, f"A call of {service} must have the path /, and nothing after it.")


def _key(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"

"""One reading of a request: service, operation and parameters; and the request that moto is given, rebuilt from it.

Whoever looks at a request after this looks at the `Call`. What moto parses once more has been written anew, so that it
can find nothing else there: no second operation, no parameter of another one, no header that it would take for one.
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
"""Calls of STS that an identity of somebody else's proves, and no signature."""
_OURS = frozenset({
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "authorization", "expect",
    "connection", "x-amz-security-token", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer",
    "x-amz-target", "x-moto-account-id", "user-agent",
})  # fmt: skip
"""Headers that the rebuilt request has from the reading, or not at all."""
_REGION_IN_AGENT = re.compile(r"region/", re.IGNORECASE)


@dataclass
class Reading:
    """A request that was read: who says that they signed it, what it asks for, and what moto is given of it."""

    call: Call
    claim: Claim | None
    envelope: Envelope
    path: str
    """Percent-encoded."""
    query: dict[str, str]
    body: bytes | None
    """None: as it came."""
    kind: str
    headers: dict[str, str]
    form: forms.Form | None = None
    target: str = ""
    """The header X-Amz-Target, where there is one."""

    def environ(self) -> Environ:
        """The request for moto, with the body as far as it was read."""
        given = self.envelope.environ
        # With any parameter there, moto looks for none in the body or among the headers.
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
        # An object that is PUT may say that it is a form, as curl and urllib have it: that is no call's parameters.
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
        """By which moto finds the region and the access key."""
        date = claim.date or "20000101"
        scope = f"{claim.access_key_id}/{date}/{self.call.region}/{self.call.service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"


def service_of(environ: Environ) -> str:
    """The service that a request which could not be read seems to be for: in its words, the refusal is said."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if match := re.search(r"Credential=[^/,]+/\d{8}/[^/,]+/([a-z0-9-]+)/aws4_request", header):
        return match[1]
    if environ["REQUEST_METHOD"] == "POST" and str(environ.get("CONTENT_TYPE", "")).startswith(query.FORM):
        return "sts"  # the one service of forms that some calls reach unsigned
    return "unsigned" if environ.get("HTTP_X_AMZ_TARGET") else "s3"


def read(environ: Environ) -> Reading:
    """Read a request.

    Raises:
        Refused: it can be read in two ways, or in none.
        UnsupportedOperation: it asks for what is not there.
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
        raise unclear(service, f"Only S3 has names before the host's: {envelope.headers['host']}")
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
            raise unclear(service, f"Calls of {service} have no header X-Amz-Target.")
        return _of_json(service, envelope, claim)
    if spoken & {"query", "ec2"}:
        return _of_query(service, envelope, claim)
    if "json" in spoken:
        raise Refused(400, "UnknownOperationException", f"A call of {service} has a header X-Amz-Target.")
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
        raise unclear(service, f"A call of {service} is a GET or a POST, not a {envelope.method}.")
    if envelope.path != "/":
        raise unclear(service, f"A call of {service} has the path /, not {envelope.path}")
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
    """SQS speaks JSON, and to older clients the query protocol, on the path of the queue's URL."""
    if _TARGET in envelope.headers:
        return _of_json("sqs", envelope, claim)
    given = query.parameters("sqs", envelope)
    if envelope.path != "/":
        parts = envelope.path.strip("/").split("/")
        url = given.setdefault("QueueUrl", f"http://{envelope.host}{envelope.path}")
        if len(parts) != 2 or url.rstrip("/").split("/")[-2:] != parts:
            raise unclear("sqs", f"QueueUrl is {url}, and the path {envelope.path}: they must name one queue.")
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
        raise unclear("s3", "Requests to S3 have no header X-Amz-Target.")
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
        raise Refused(400, "InvalidArgument", "A preflight request is not signed.")
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
        raise unclear(service, f"A call of {service} is a {method}, not a {envelope.method}.")
    if envelope.path != "/" or envelope.query_string:
        raise unclear(service, f"A call of {service} has the path /, and nothing behind it.")


def _key(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"

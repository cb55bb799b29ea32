"""Former ways around the checks; each is put back while its context is open, and the fuzzer must find it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from localaws.core.call import Call, S3Object
from localaws.core.context import ACCOUNT_ID
from localaws.core.operations import vouching
from localaws.iam.gate import Gate
from localaws.iam.principals import ROOT
from localaws.iam.refusals import Refused
from localaws.s3 import documents, responses
from localaws.server import application, bodies, claims, envelope, forms, jsons, query, reading, rest, s3
from localaws.server.claims import Claim, claim_of
from localaws.server.envelope import Envelope, Environ, decoded
from localaws.server.reading import Reading
from tests.localaws.server.enclosure import ROOT_KEY
from tests.localaws.server.wire import FORM, JSON

Hole = Callable[[], AbstractContextManager[Any]]
_TARGET = "x-amz-target"


def _as_it_came(found: Reading) -> Reading:
    """A reading of which moto is given the request itself."""

    def environ() -> Environ:
        return {**found.envelope.environ, "wsgi.input": io.BytesIO(found.envelope.body())}

    found.environ = environ  # type: ignore[method-assign]
    return found


def _claimed(environ: Environ) -> tuple[Envelope, Claim | None]:
    given = Envelope.of(environ)
    return given, claim_of(given)


@contextmanager
def _reading_as(read: Callable[[Envelope, Claim], Reading | None]) -> Iterator[None]:
    """Let `read` read what it can; the rest is read as ever."""
    original = application.read

    def either(environ: Environ) -> Reading:
        given, claim = _claimed(environ)
        found = read(given, claim) if claim is not None else None
        return found if found is not None else original(environ)

    with patch.object(application, "read", either):
        yield


@contextmanager
def methods_pass() -> Iterator[None]:
    """OPTIONS, and methods that nobody knows, are answered without a look."""

    def read(given: Envelope, claim: Claim) -> Reading | None:
        if given.method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            return None
        call = Call(claim.service, "PreflightObject", {}, claim.region, ACCOUNT_ID)
        return _as_it_came(Reading(call, claim, given, given.path, {}, None, "", given.headers))

    table = vouching.table

    def vouching_for_it(service: str) -> vouching.Table:
        found = table(service)
        return replace(found, works={**found.works, s3.PREFLIGHT: ""})

    with patch.object(vouching, "table", vouching_for_it), _reading_as(read):
        yield


@contextmanager
def unknown_signers_pass() -> Iterator[None]:
    """A key that nobody has may do everything."""
    principal, authenticate = Gate.principal, application.Application._authenticate

    def anybody(gate: Gate, key: str | None, token: str | None, service: str) -> Any:
        try:
            return principal(gate, key, token, service)
        except Refused:
            return ROOT

    def not_unknown(served: Any, found: Reading) -> str | None:
        known = found.claim is None or "NOBODY" not in found.claim.access_key_id
        return authenticate(served, found) if known else None

    with patch.object(Gate, "principal", anybody), patch.object(
        application.Application, "_authenticate", not_unknown
    ):  # fmt: skip
        yield


@contextmanager
def unsigned_passes() -> Iterator[None]:
    """Who doesn't sign may do everything."""
    principal = Gate.principal

    def anybody(gate: Gate, key: str | None, token: str | None, service: str) -> Any:
        return ROOT if key is None else principal(gate, key, token, service)

    with patch.object(Gate, "principal", anybody):
        yield


def sts_by_its_target() -> AbstractContextManager[Any]:
    """The gate takes the operation of STS from a header, moto from the body."""

    def read(given: Envelope, claim: Claim) -> Reading | None:
        if claim.service != "sts" or _TARGET not in given.headers:
            return None
        found = reading._of_query("sts", given, claim)
        found.call = replace(found.call, operation=given.headers[_TARGET].rpartition(".")[2])
        return found

    return _reading_as(read)


def action_beside_a_target() -> AbstractContextManager[Any]:
    """A call with a target may have a query, which moto sees too."""

    def read(given: Envelope, claim: Claim) -> Reading | None:
        if claim.service != "glue" or _TARGET not in given.headers or not given.query_string:
            return None
        found = reading._of_json("glue", replace(given, query_string="", query={}), claim)
        found.envelope = given
        return _as_it_came(found)

    return _reading_as(read)


def json_as_a_form() -> AbstractContextManager[Any]:
    """A body may be JSON of any type, and moto looks for an action in the body and among the headers."""

    def read(given: Envelope, claim: Claim) -> Reading | None:
        if claim.service != "glue" or _TARGET not in given.headers or given.query_string:
            return None
        found = reading._of_json("glue", replace(given, headers={**given.headers, "content-type": JSON}), claim)
        found.envelope = given
        return _as_it_came(found)

    return _reading_as(read)


@contextmanager
def two_names_of_a_queue() -> Iterator[None]:
    """SQS takes parameters of other operations: QueueName beside QueueUrl."""

    def anything(*_: Any) -> None:
        return

    with patch.object(jsons, "check", anything), patch.object(query, "check", anything):
        yield


@contextmanager
def parameters_twice() -> Iterator[None]:
    """The gate takes the last of two, moto the first."""
    original = application.read

    def read(environ: Environ) -> Reading:
        found = original(environ)
        return _as_it_came(found) if found.kind == FORM else found

    with patch.object(envelope, "unique", dict), patch.object(application, "read", read):
        yield


@contextmanager
def a_policy_for_two() -> Iterator[None]:
    """IAM takes parameters of other operations: a role's name beside a user's."""
    original = query.check

    def check(service: str, model: Any, operation: str, given: dict[str, str]) -> None:
        if service != "iam":
            original(service, model, operation, given)

    with patch.object(query, "check", check):
        yield


@contextmanager
def bodies_of_another_type() -> Iterator[None]:
    """The gate reads bodies that say that they are JSON, moto reads all."""
    original = rest._read_body

    def read_body(service: str, given: Envelope, found: Any, shape: Any) -> None:
        if given.kind() == "application/json" or not given.body():
            original(service, given, found, shape)
        else:
            found.kind = given.kind()

    with patch.object(rest, "_read_body", read_body):
        yield


@contextmanager
def sub_resources_of_another_method() -> Iterator[None]:
    """A GET of an object with ?uploads or ?restore is let through as what these are, and answered with the object."""
    original = s3._operation

    def operation(method: str, kind: str, given: Any, copies: bool) -> tuple[str, dict[str, str]]:
        if method == "GET" and kind == "object" and {"uploads", "restore"} & set(given):
            return "ListParts", dict(given)
        return original(method, kind, given, copies)

    with patch.object(s3, "_operation", operation):
        yield


@contextmanager
def two_sub_resources() -> Iterator[None]:
    """Of two sub-resources, the gate looks at the first, and moto at the one that it knows best."""
    original = s3._operation

    def operation(method: str, kind: str, given: Any, copies: bool) -> tuple[str, dict[str, str]]:
        if method == "PUT" and kind == "bucket" and len(given) > 1:
            return original(method, kind, dict(list(given.items())[:1]), copies)[0], dict(given)
        return original(method, kind, given, copies)

    read_document = documents.read

    def read_any(name: str, body: bytes) -> documents.Document:
        for each in (name, "PutBucketVersioning", "PutBucketTagging"):
            try:
                return read_document(each, body)
            except Refused:
                continue
        return documents.Document(body=body)

    with patch.object(s3, "_operation", operation), patch.object(documents, "read", read_any):
        yield


@contextmanager
def sources_as_they_came() -> Iterator[None]:
    """The gate takes all of a copy's source for a key; moto, which parses a URL, only what is before ;, # or ?."""
    original = s3.read

    def source(text: str) -> S3Object:
        bucket, _, key = decoded(text).removeprefix("/").partition("/")
        return S3Object(bucket, key)

    def read(given: Envelope) -> s3.S3Reading:
        found = original(given)
        if found.source is not None:
            found.headers["x-amz-copy-source"] = given.headers["x-amz-copy-source"]
        return found

    with patch.object(s3, "_source", source), patch.object(s3, "read", read):
        yield


@contextmanager
def two_keys_of_a_form() -> Iterator[None]:
    """The gate takes the last key of an upload form, moto the first."""
    take, form_of = forms._take, forms.form_of

    def take_any(form: forms.Form, part: Any, content: bytes) -> None:
        form.fields.pop(part.name.lower(), None)
        take(form, part, content)

    def as_it_came(given: Envelope) -> forms.Form:
        form, content = form_of(given), (given.headers["content-type"], given.body())
        form.rebuilt = lambda: content  # type: ignore[method-assign]
        return form

    with patch.object(forms, "_take", take_any), patch.object(forms, "form_of", as_it_came):
        yield


@contextmanager
def two_credentials() -> Iterator[None]:
    """Signed with one credential, and let through for the other."""
    in_header, signer = claims._in_header, application._signer
    root = f"Credential={ROOT_KEY}/"

    def without_root(header: str, token: str | None, headers: Any) -> Claim:
        way, _, fields = header.partition(" ")
        kept = [field.strip() for field in fields.split(",") if not field.strip().startswith(root)]
        return in_header(f"{way} {', '.join(kept)}", token, headers)

    def any_of_both(found: Reading) -> tuple[str | None, str | None]:
        return (ROOT_KEY, None) if root in found.envelope.headers.get("authorization", "") else signer(found)

    with patch.object(claims, "_in_header", without_root), patch.object(application, "_signer", any_of_both):
        yield


@contextmanager
def signatures_not_verified() -> Iterator[None]:
    """Whoever knows a key's id is taken for its owner."""

    def verify(*_: Any) -> None:
        return

    with patch.object(bodies, "verify", verify):
        yield


@contextmanager
def forms_are_posted() -> Iterator[None]:
    """Whatever says that it is a form reaches moto as a POST, whatever the gate has checked."""
    original = Reading.environ

    def environ(found: Reading) -> Environ:
        made = original(found)
        return {**made, "REQUEST_METHOD": "POST"} if found.kind == FORM else made

    def is_form(request: Any) -> bool:
        return bool(request.method == "POST")

    with patch.object(Reading, "environ", environ), patch.object(responses, "_is_upload_form", is_form):
        yield


HOLES: dict[str, tuple[Hole, tuple[str, ...]]] = {
    "methods pass": (methods_pass, ("secrets",)),
    "unknown signers pass": (unknown_signers_pass, ("secrets",)),
    "unsigned passes": (unsigned_passes, ("get", "parts")),
    "sts by its target": (sts_by_its_target, ("caller",)),
    "action beside a target": (action_beside_a_target, ("databases",)),
    "json as a form": (json_as_a_form, ("databases",)),
    "two names of a queue": (two_names_of_a_queue, ("queue",)),
    "parameters twice": (parameters_twice, ("queue",)),
    "a policy for two": (a_policy_for_two, ("policies",)),
    "bodies of another type": (bodies_of_another_type, ("functions",)),
    "sub-resources of another method": (sub_resources_of_another_method, ("parts",)),
    "two sub-resources": (two_sub_resources, ("configure",)),
    "sources as they came": (sources_as_they_came, ("copy",)),
    "two keys of a form": (two_keys_of_a_form, ("put",)),
    "forms are posted": (forms_are_posted, ("get",)),
    "two credentials": (two_credentials, ("secrets",)),
    "signatures not verified": (signatures_not_verified, ("secrets",)),
}
"""Each with the right that its user has while it is searched for."""

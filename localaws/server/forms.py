"""S3's upload forms (POST Object): their fields, without duplicates, and the policy that limits them.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData, Preamble

from localaws.iam.refusals import Refused, bad_signature
from localaws.server.claims import ALGORITHM, Claim, scope_of
from localaws.server.envelope import Envelope
from localaws.server.signatures import same, signature_2_of, signature_of

_LONGEST = 20_000  # bytes of the fields, without the file
_NOT_IN_A_POLICY = frozenset({"x-amz-signature", "signature", "policy", "awsaccesskeyid", "file"})
_SIGNS = ("x-amz-signature", "signature", "x-amz-credential", "awsaccesskeyid", "policy", "x-amz-algorithm")


@dataclass
class Form:
    """An upload form. The fields' names are in lower case."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None
    file_name: str = ""
    file_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The key of the object."""
        return self.fields["key"].replace("${filename}", self.file_name.replace("\\", "/").rpartition("/")[2])

    def asks(self) -> dict[str, str]:
        """Return the fields that would be headers of a PUT: they need the same permissions and have the same effect."""
        asked = {name: value for name, value in self.fields.items() if name.startswith("x-amz-")}
        named = {"acl": "x-amz-acl", "tagging": "x-amz-tagging"}
        return asked | {header: self.fields[name] for name, header in named.items() if name in self.fields}

    def claim(self) -> Claim | None:
        """Return the signature of the form's policy; None if there is none.

        Raises:
            Refused: the signature is incomplete.
        """
        given = self.fields
        if not any(name in given for name in _SIGNS):
            return None
        token = given.get("x-amz-security-token")
        if "x-amz-signature" in given and "signature" not in given:
            missing = [n for n in ("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date") if n not in given]
            if missing or given["x-amz-algorithm"] != ALGORITHM:
                raise _invalid(f"Bucket POST must contain a field named '{(missing or ['x-amz-algorithm'])[0]}'.")
            scope = scope_of(given["x-amz-credential"])
            return Claim(
                "form", scope["key"], given["x-amz-signature"], token,
                scope["date"], scope["region"], scope["service"], (), given["x-amz-date"],
            )  # fmt: skip
        if "x-amz-credential" in given or not {"signature", "awsaccesskeyid", "policy"} <= set(given):
            raise _invalid("Bucket POST must contain a field named 'policy', and the fields of one signature.")
        return Claim("form-2", given["awsaccesskeyid"], given["signature"], token)

    def verify(self, claim: Claim, secret: str) -> None:
        """Check that the form's policy was signed with `secret`.

        Raises:
            Refused: it was not.
        """
        policy = self.fields["policy"]
        expected = signature_2_of(policy, secret) if claim.way == "form-2" else signature_of(policy, claim, secret)
        if not same(expected, claim.signature):
            raise bad_signature("s3")

    def check_policy(self, bucket: str) -> None:
        """Check that the form follows its policy.

        Raises:
            Refused: the policy is malformed or has expired, or it doesn't allow a field or the file's size.
        """
        try:
            policy = json.loads(base64.b64decode(self.fields["policy"], validate=True))
            expiration = _moment(policy)
            conditions = _conditions(policy)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(400, "InvalidPolicyDocument", f"Invalid Policy: {error}") from error
        if expiration.replace(tzinfo=expiration.tzinfo or UTC) < datetime.now(UTC):
            raise _not_allowed("Policy expired.")
        given = {**self.fields, "bucket": bucket}
        for kind, name, value in conditions:
            if not self._holds(kind, name, value, given):
                raise _not_allowed(f"Policy Condition failed: {json.dumps([kind, f'${name}', value])}")
        covered = {name for _, name, _ in conditions}
        extra = [
            name
            for name in self.fields
            if name not in covered and name not in _NOT_IN_A_POLICY and not name.startswith("x-ignore-")
        ]
        if extra:
            raise _not_allowed(f"Extra input fields: {', '.join(sorted(extra))}")

    def _holds(self, kind: str, name: str, value: Any, given: Mapping[str, str]) -> bool:
        if kind == "content-length-range":
            size, (least, most) = len(self.file or b""), value
            if size < least:
                about = {"ProposedSize": size, "MinSizeAllowed": least}
                text = "Your proposed upload is smaller than the minimum allowed size"
                raise Refused(400, "EntityTooSmall", text, about)
            if size > most:
                about = {"ProposedSize": size, "MaxSizeAllowed": most}
                raise Refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", about)
            return True
        if kind == "eq":
            return bool(given.get(name) == value)
        return given.get(name, "").startswith(str(value))

    def rebuilt(self) -> tuple[str, bytes]:
        """Return the content type and body of a form with just these fields and the file."""
        boundary = f"form-{secrets.token_hex(16)}"
        parts = []
        for name, value in {**self.fields, "key": self.key}.items():
            parts.append(_part(boundary, [f'form-data; name="{_escaped(name)}"'], value.encode()))
        disposition = f'form-data; name="file"; filename="{_escaped(self.file_name or "file")}"'
        kind = next((value for name, value in self.file_headers if name.lower() == "content-type"), "")
        parts.append(_part(boundary, [disposition, kind], self.file or b""))
        return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


def form_of(envelope: Envelope) -> Form:
    """Read an upload form.

    Raises:
        Refused: it is malformed, a field occurs twice, or the key or the file is missing.
    """
    _, options = parse_options_header(envelope.headers.get("content-type", ""))
    if not options.get("boundary"):
        raise _malformed()
    form = Form()
    try:
        _read(envelope.body(), options["boundary"].encode("latin-1"), form)
    except Refused:
        raise
    except (ValueError, UnicodeError) as error:
        raise _malformed() from error
    if "key" not in form.fields or form.file is None:
        name = "key" if "key" not in form.fields else "file"
        raise _invalid(
            f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
            "fields."
        )
    return form


def _read(body: bytes, boundary: bytes, form: Form) -> None:
    decoder = MultipartDecoder(boundary)
    decoder.receive_data(body)
    decoder.receive_data(None)
    content = b""
    now: Field | File | None = None
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            if form.file is not None:
                return  # AWS ignores what comes after the file
            now, content = event, b""
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data and now is not None:
                _take(form, now, content)
        elif isinstance(event, NeedData):
            raise _malformed()
        else:
            assert isinstance(event, Preamble)


def _take(form: Form, part: Field | File, content: bytes) -> None:
    name = part.name.lower()
    if name == "file":
        form.file, form.file_headers = content, list(part.headers)
        form.file_name = part.filename if isinstance(part, File) else ""
        return
    if isinstance(part, File):
        raise _invalid("POST requires exactly one file upload per request.")
    if name in form.fields:
        raise Refused(400, "InvalidArgument", f"The field {part.name} is given more than once.")
    form.fields[name] = content.decode()
    if sum(map(len, form.fields.values())) > _LONGEST:
        raise Refused(
            400, "MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large."
        )


def _moment(policy: Any) -> datetime:
    if not isinstance(policy, dict):
        raise ValueError("Invalid JSON.")
    given = policy.get("expiration")
    if given is None:
        raise ValueError("Policy missing expiration.")
    try:
        return datetime.fromisoformat(given)
    except (ValueError, TypeError):
        raise ValueError(f"Invalid 'expiration' value: '{given}'") from None


def _conditions(policy: dict[str, Any]) -> list[tuple[str, str, Any]]:
    given = policy.get("conditions")
    if given is None:
        raise ValueError("Policy missing conditions.")
    if not isinstance(given, list):
        raise ValueError("Invalid 'conditions' value: must be a List.")
    return [condition for each in given for condition in _of(each)]


def _of(given: Any) -> list[tuple[str, str, Any]]:
    """Return kind, field and value of each condition in `given`. An object has one for each of its members."""
    if isinstance(given, dict):
        if not given or not all(isinstance(value, str) for value in given.values()):
            raise ValueError(f"Invalid Simple-Condition: {json.dumps(given)}")
        return [("eq", name.lower(), value) for name, value in given.items()]
    if not isinstance(given, list) or len(given) != 3:
        raise ValueError(f"Invalid Condition: {json.dumps(given)}")
    kind, name, value = str(given[0]).lower(), given[1], given[2]
    if kind == "content-length-range":
        least, most = int(name), int(value)
        if not 0 <= least <= most:
            raise ValueError(f"Invalid content-length-range: {json.dumps(given)}")
        return [(kind, "", (least, most))]
    if kind not in ("eq", "starts-with") or not str(name).startswith("$") or not isinstance(value, str):
        raise ValueError(f"Invalid Condition: {json.dumps(given)}")
    return [(kind, str(name)[1:].lower(), value)]


def _part(boundary: str, lines: list[str], content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: {lines[0]}\r\n"
    if lines[1:] and lines[1]:
        head += f"Content-Type: {lines[1]}\r\n"
    return f"{head}\r\n".encode() + content + b"\r\n"


def _escaped(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise _malformed()
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _malformed() -> Refused:
    return Refused(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")


def _invalid(message: str) -> Refused:
    return Refused(400, "InvalidArgument", message)


def _not_allowed(reason: str) -> Refused:
    return Refused(403, "AccessDenied", f"Invalid according to Policy: {reason}")

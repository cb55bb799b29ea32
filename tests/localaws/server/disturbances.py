"""Changes to a request that could make two readers understand it differently."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.localaws.server.drafts import HOST, Draft
from tests.localaws.server.wire import FORM, JSON

Draw = Any
_VALUES = (
    "victim-user", "own-other", "victim-role", "victim-queue", "own-queue", "victim_db", "own_db", "victim-secret",
    "own-secret", "private/plan.txt", "own/new", "x",
)  # fmt: skip
_PAIRED = {
    "QueueUrl": ("http://127.0.0.1:4566/123456789012/own-queue", "http://127.0.0.1:4566/123456789012/victim-queue"),
    "UserName": ("own-other", "victim-user"), "RoleName": ("own-other", "victim-role"),
    "QueueName": ("own-queue", "victim-queue"), "Name": ("victim_db", "own_db"),
    "DatabaseName": ("victim_db", "own_db"),
    "SecretId": ("victim-secret", "own-secret"), "key": ("private/plan.txt", "own/new"),
    "FunctionName": ("victim-function", "own-function"), "logGroupName": ("victim-group", "own-group"),
}  # fmt: skip
_TWINS = {
    "sqs": ("QueueName", "QueueUrl"), "iam": ("RoleName", "UserName", "RoleName", "UserName", "GroupName"),
    "s3": ("key",), "logs": ("logGroupName", "logGroupIdentifier", "logStreamName"),
    "lambda": ("FunctionName", "Role", "Qualifier"), "secretsmanager": ("SecretId", "Name", "VersionId"),
}  # fmt: skip
_KINDS = (FORM, JSON, "application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x", "")
_METHODS = ("OPTIONS", "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "TRACE", "options", "FOO")
_ACTIONS = {
    "sts": ("AssumeRole", "GetCallerIdentity"), "glue": ("DeleteDatabase", "DeleteDatabase", "GetTables"),
    "sqs": ("PurgeQueue", "ReceiveMessage", "GetQueueUrl"), "iam": ("PutUserPolicy", "GetUser", "CreateAccessKey"),
    "secretsmanager": ("GetSecretValue", "DescribeSecret"), "logs": ("GetLogEvents", "DeleteLogGroup"),
    "ec2": ("CreateVpc", "DescribeVpcs"), "redshift": ("DescribeTags", "CreateTags"),
    "lambda": ("CreateFunction", "ListFunctions"), "s3": ("GetObject", "PutObject"),
}  # fmt: skip
_TARGETS = {
    "sts": "AWSSecurityTokenServiceV20110615", "glue": "AWSGlue", "sqs": "AmazonSQS", "iam": "IAM",
    "secretsmanager": "secretsmanager", "logs": "Logs_20140328", "lambda": "AWSLambda", "s3": "AmazonS3",
}  # fmt: skip
_SUBS = (
    "uploads", "restore", "policy", "tagging", "acl", "cors", "versioning", "delete", "torrent", "select", "attributes",
    "uploadId", "versions", "location", "lifecycle", "notification", "x-id", "versionId", "website", "logging",
)  # fmt: skip


def disturb(draw: Draw, draft: Draft) -> str:
    """Disturb `draft` in one way; the way's name."""
    own = _OF_FORMS if draft.upload is not None else _OF_SERVICE.get(draft.service, _OF_ALL)
    way = draw(st.sampled_from(own if draw(st.integers(0, 2)) else _OF_ALL))
    way(draw, draft)
    return way.__name__.strip("_")


def _pick(draw: Draw, pairs: list[Any]) -> int:
    return int(draw(st.integers(0, len(pairs) - 1)))


def _value_for(draw: Draw, name: str) -> str:
    return str(draw(st.sampled_from(_PAIRED.get(name, _VALUES))))


def _duplicate(draw: Draw, draft: Draft) -> None:
    """A parameter once more, of another value, before or after the first."""
    if (pairs := draft.parameters) is None:
        return
    named = [name for name, _ in pairs if name in _PAIRED]
    name = draw(st.sampled_from(named)) if named and draw(st.integers(0, 3)) else pairs[_pick(draw, pairs)][0]
    others = [each for each in _PAIRED.get(name, _VALUES) if (name, each) not in pairs]
    more = (name, _action(draw, draft) if name == "Action" else draw(st.sampled_from(others or ["x"])))
    pairs.insert(0 if draw(st.booleans()) else len(pairs) - (draft.upload is not None), more)


def _of_another(draw: Draw, draft: Draft) -> None:
    """A parameter of another operation: most often one that names what this one names otherwise."""
    name = draw(st.sampled_from(_TWINS.get(draft.service, tuple(sorted(_PAIRED)))))
    pairs = draft.parameters if draft.parameters is not None else draft.query
    pairs.insert(0 if draw(st.booleans()) else len(pairs), (name, _value_for(draw, name)))


def _move(draw: Draw, draft: Draft) -> None:
    """A parameter from where it is to the query, the headers or a form."""
    if (pairs := draft.parameters) is None:
        return
    name, value = pairs.pop(_pick(draw, pairs))
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    where = draw(st.sampled_from(("query", "header", "form")))
    if where == "header" and name.replace("-", "").isalnum():
        draft.headers.append((name, _one_line(text)))
    elif where == "form" and draft.form is None and draft.upload is None:
        draft.form = [(name, text), *((n, str(v)) for n, v in draft.document or ())]
    else:
        draft.query.append((name, text))


def _rename(draw: Draw, draft: Draft) -> None:
    if (pairs := draft.parameters) is None:
        return
    place = _pick(draw, pairs)
    name, value = pairs[place]
    written = (
        name.lower(),
        name.upper(),
        name.swapcase(),
        f" {name}",
        f"{name} ",
        f"{name}.1",
        f"{name}[]",
        f"{name}\0",
    )
    pairs[place] = (draw(st.sampled_from(written)), value)


def _retype(draw: Draw, draft: Draft) -> None:
    """Another type of JSON, or text that is a form as well."""
    if (pairs := draft.parameters) is None:
        return
    place = _pick(draw, pairs)
    name, value = pairs[place]
    action = _action(draw, draft)
    as_form = f"{value}&Action={action}&x=", f"&Action={action}&Name=victim_db&x="
    others = (*as_form, [value], {"x": value}, None, 1, True, "", f"{value}\n", [value, "victim-secret"])
    pairs[place] = (name, draw(st.sampled_from(others if draft.document is not None else (*as_form, "", f"{value}\n"))))


def _catalog(draw: Draw, draft: Draft) -> None:
    """A second action, in a parameter that nobody looks at."""
    text = f"x&Action={_action(draw, draft)}&x="
    pairs = draft.parameters if draft.parameters is not None else draft.query
    pairs.append((draw(st.sampled_from(("CatalogId", "ClientRequestToken", "VersionId", "NextToken"))), text))


def _action(draw: Draw, draft: Draft) -> str:
    return str(draw(st.sampled_from(_ACTIONS[draft.service])))


def _second_action(draw: Draw, draft: Draft) -> None:
    pair = ("Action", _action(draw, draft))
    where = draw(st.sampled_from(("query", "query", "form", "target", "header")))
    if where == "form" and draft.form is not None:
        draft.form.insert(0 if draw(st.booleans()) else len(draft.form), pair)
    elif where == "target":
        target = f"{_TARGETS.get(draft.service, draft.service)}.{pair[1]}"
        if draw(st.booleans()):
            draft.replace_header("X-Amz-Target", target)
        else:
            draft.headers.append(("X-Amz-Target", target))
    elif where == "header":
        draft.headers.append(pair)
    else:
        draft.query.append(pair)


def _method(draw: Draw, draft: Draft) -> None:
    draft.method = draw(st.sampled_from(_METHODS))


def _host(draw: Draw, draft: Draft) -> None:
    names = ("victim-bucket.localhost", "own-bucket.localhost:4566", "127.0.0.1", "s3.amazonaws.com", "LOCALHOST",
             f"glue.{HOST}", "iam.amazonaws.com", "[::1]:4566", "own-bucket.127.0.0.1")  # fmt: skip
    draft.headers.append(("Host", draw(st.sampled_from(names))))


def _path(draw: Draw, draft: Draft) -> None:
    changed = (
        f"/{draft.path}", f"{draft.path}/", draft.path.replace("/", "%2F"),
        f"{draft.path}/../../victim-bucket/private/plan.txt",
        "/", "/123456789012/victim-queue", f"/victim-bucket{draft.path}", f"{draft.path}%00", f"{draft.path};x",
        f"{draft.path}%3Facl", "/2015-03-31/functions/", "/moto-api/data.json", "/_localaws/health", "/x/../",
        draft.path.replace("own", "%6fwn"), draft.path.replace("/own-bucket", "/own-bucket/..%2Fvictim-bucket"),
    )  # fmt: skip
    draft.path = draw(st.sampled_from(changed)) or "/"


def _content_type(draw: Draw, draft: Draft) -> None:
    kind = draw(st.sampled_from(_KINDS))
    draft.replace_header("Content-Type", kind)
    if kind == "":
        draft.headers.pop()


def _content_encoding(draw: Draw, draft: Draft) -> None:
    draft.headers.append(("Content-Encoding", draw(st.sampled_from(("gzip", "aws-chunked", "identity", "deflate")))))


def _header(draw: Draw, draft: Draft) -> None:
    """A header that moto, or Flask, makes something of."""
    more = (
        ("Action", _action(draw, draft)), ("policy", "x"), ("X-Moto-Account-Id", "111111111111"),
        ("acl", "public-read"),
        ("User-Agent", "x region/eu-west-1"), ("X-HTTP-Method-Override", "DELETE"),
        ("X-Forwarded-Host", "victim-bucket.localhost"),
        ("x-amz-acl", "public-read"), ("x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/global/AllUsers"),
        ("x-amz-copy-source", "victim-bucket/private/plan.txt"), ("Range", "bytes=0-100"), ("x-amz-tagging", "a=b"),
        ("x-amz-meta-x", "y"), ("Key", "private/plan.txt"), ("Bucket", "victim-bucket"), ("Name", "victim_db"),
        ("X-Amz-Security-Token", "x"), ("Origin", "http://x"), ("Access-Control-Request-Method", "GET"),
        ("X-Amz-Invocation-Type", "Event"), ("x-amz-expected-bucket-owner", "111111111111"),
        ("X_Amz_Target", "AWSGlue.DeleteDatabase"),
        ("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-website-redirect-location", "/x"), ("Uploads", ""),
    )  # fmt: skip
    draft.headers.append(draw(st.sampled_from(more)))


def _body_too(draw: Draw, draft: Draft) -> None:
    """A body where there is none, or another one."""
    bodies = (b"policy=x", b"acl=&tagging=", b"key=private%2Fplan.txt", b"Action=DeleteDatabase&Name=victim_db", b"{}",
              b"\xff",
              b"Action=ListUsers&Version=2010-05-08", b"<Tagging/>", b"")  # fmt: skip
    draft.form = draft.document = draft.upload = None
    draft.content = draw(st.sampled_from(bodies))


def _as_a_form(draw: Draw, draft: Draft) -> None:
    """A body that names a key, and says that it is a form."""
    draft.content = draw(st.sampled_from((b"key=private%2Fplan.txt&file=x", b"key=mine&file=x", b"policy=x")))
    draft.replace_header("Content-Type", FORM)


def _signed_for(draw: Draw, draft: Draft) -> None:
    draft.service = draw(
        st.sampled_from(("s3", "sqs", "iam", "glue", "lambda", "secretsmanager", "logs", "sts", "ec2"))
    )


def _sub_resource(draw: Draw, draft: Draft) -> None:
    pair = (
        draw(st.sampled_from(draw(st.sampled_from((_SUBS[:2], _SUBS[:5], _SUBS))))),
        draw(st.sampled_from(("", "", "", "x", "null"))),
    )
    place = 0 if draw(st.booleans()) else len(draft.query)
    draft.query.insert(place, pair)


def _two_sub_resources(draw: Draw, draft: Draft) -> None:
    """What a policy's document is sent for, and what else."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::own-bucket/*"}
    draft.content = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    draft.headers = [each for each in draft.headers if each[0].lower() != "content-md5"]
    draft.query.append((draw(st.sampled_from(("policy", "policy", "acl", "cors"))), ""))


def _copy_source(draw: Draw, draft: Draft) -> None:
    source = draw(
        st.sampled_from(("victim-bucket/private/plan.txt", "/victim-bucket/private/plan.txt", "own-bucket/mine"))
    )
    end = draw(st.sampled_from((";.own", "#.own", "?.own", "?x=.own", ";/../../own-bucket/mine", "#/../own-bucket/mine",
                                "?versionId=null", "%3Fx", "?versionId=", "/../mine", "%2F..", "")))  # fmt: skip
    draft.replace_header("x-amz-copy-source", source + end)


def _another_key(draw: Draw, draft: Draft) -> None:
    """Where the bucket and the key are is the victim's, or one's own."""
    old, new = draw(st.sampled_from((("own-bucket", "victim-bucket"), ("victim-bucket", "own-bucket"),
                                     ("mine", "..%2Fvictim-bucket%2Fprivate%2Fplan.txt"))))  # fmt: skip
    draft.path = draft.path.replace(old, new)


def _one_line(text: str) -> str:
    return urllib.parse.quote(text, safe=' {}":,&=/')


_Way = Callable[[Draw, Draft], None]
_OF_ALL: tuple[_Way, ...] = (
    _duplicate, _duplicate, _of_another, _move, _rename, _retype, _catalog, _second_action, _second_action, _method,
    _host, _path, _content_type, _content_type, _content_encoding, _header, _header, _body_too, _signed_for,
)  # fmt: skip
_OF_JSON: tuple[_Way, ...] = (_second_action, _second_action, _catalog, _header, _content_type, _method, _duplicate)
_OF_FORMS: tuple[_Way, ...] = (_duplicate, _duplicate, _of_another, _rename, _another_key, _content_type)
_OF_SERVICE: dict[str, tuple[_Way, ...]] = {
    "s3": (_sub_resource, _sub_resource, _two_sub_resources, _copy_source, _copy_source, _another_key, _as_a_form),
    "sqs": (_duplicate, _duplicate, _of_another, _of_another, _path, _second_action),
    "iam": (_duplicate, _of_another, _of_another, _second_action),
    "sts": (_second_action, _content_type, _duplicate),
    "glue": _OF_JSON,
    "secretsmanager": _OF_JSON,
    "logs": _OF_JSON,
    "lambda": (_content_type, _content_type, _second_action, _path, _header, _body_too),
}

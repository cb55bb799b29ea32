"""Requests that no SDK sends: built from botocore's models, changed, and signed by a user with one permission."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.localaws.server.disturbances import disturb
from tests.localaws.server.drafts import Draft, Signer, draft_of, model_of, signed, upload_of
from tests.localaws.server.enclosure import ROOT_KEY, Request
from tests.localaws.server.world import ACCOUNT, QUEUES, REGION, RIGHTS, ZIP, Right, trusting

Draw = Any
_ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_ALL_OF_BUCKET = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::own-bucket/*"}]})  # fmt: skip
_TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
# What somebody wants who has no right to it: asked for most.
WANTED = {
    "s3": ("GetObject", "PutObject", "CopyObject", "DeleteObject", "PutBucketPolicy", "PutObjectAcl", "PutBucketAcl",
           "GetBucketPolicy", "PostObject", "ListObjectsV2", "DeleteObjects"),
    "sqs": ("ReceiveMessage", "SendMessage", "PurgeQueue", "DeleteQueue", "SetQueueAttributes", "CreateQueue"),
    "iam": ("PutUserPolicy", "PutRolePolicy", "CreateAccessKey", "AttachUserPolicy", "CreateUser", "GetUserPolicy"),
    "sts": ("AssumeRole", "GetSessionToken", "GetFederationToken"),
    "glue": ("DeleteDatabase", "DeleteTable", "GetTables", "GetTable", "CreateDatabase", "UpdateDatabase"),
    "lambda": ("CreateFunction", "GetFunction", "ListFunctions", "DeleteFunction", "UpdateFunctionConfiguration",
               "AddPermission"),
    "secretsmanager": ("GetSecretValue", "PutSecretValue", "DeleteSecret", "BatchGetSecretValue", "CreateSecret"),
    "logs": ("GetLogEvents", "FilterLogEvents", "DeleteLogGroup", "CreateLogGroup", "PutLogEvents"),
    "ec2": ("CreateVpc", "DeleteVpc", "CreateSecurityGroup", "CreateTags"),
    "redshift": ("CreateClusterSubnetGroup", "DeleteClusterSubnetGroup", "CreateTags"),
}  # fmt: skip
_ROLE = f"arn:aws:iam::{ACCOUNT}:role"
# What is somebody's own, and the victim's, by the names of parameters.
_NAMED: dict[str, tuple[Any, ...]] = {
    "Bucket": ("own-bucket", "victim-bucket"), "Key": ("mine", "private/plan.txt", "own/new"),
    "CopySource": ("victim-bucket/private/plan.txt", "own-bucket/mine"),
    "QueueUrl": (f"{QUEUES}/own-queue", f"{QUEUES}/victim-queue"), "QueueName": ("own-queue", "victim-queue", "new"),
    "MessageBody": ("x",), "UserName": ("own-other", "victim-user"), "RoleName": ("own-other", "victim-role"),
    "PolicyName": ("new",), "PolicyArn": ("arn:aws:iam::aws:policy/AdministratorAccess",),
    "RoleArn": (f"{_ROLE}/victim-role", f"{_ROLE}/own-other"), "Role": (f"{_ROLE}/victim-role",),
    "RoleSessionName": ("session",), "DatabaseName": ("own_db", "victim_db"), "TableName": ("people",),
    "DatabaseInput": ({"Name": "own_db"}, {"Name": "victim_db"}, {"Name": "new_db"}),
    "TableInput": ({"Name": "people"}, {"Name": "new"}), "FunctionName": ("own-function", "victim-function"),
    "SecretId": ("own-secret", "victim-secret"), "SecretString": ("x",), "SecretIdList": (["victim-secret"],),
    "logGroupName": ("own-group", "victim-group"), "logStreamName": ("stream",), "Runtime": ("python3.11",),
    "logEvents": ([{"timestamp": 1_700_000_000_001, "message": "x"}],), "Handler": ("x.y",),
    "Code": ({"ZipFile": ZIP},), "Resource": ("*",), "ClusterSubnetGroupName": ("own", "victim"),
    "VpcId": ("vpc-1",), "CidrBlock": ("10.8.0.0/16",), "CatalogId": (ACCOUNT, "x"), "AssumeRolePolicyDocument": (
        trusting({"AWS": "*"}),),
    "Delete": ({"Objects": [{"Key": "private/plan.txt"}]}, {"Objects": [{"Key": "mine"}]}),
    "ACL": ("public-read",), "Action": ("lambda:InvokeFunction",), "Principal": ("*",), "StatementId": ("x",),
    "Tagging": ({"TagSet": [{"Key": "a", "Value": "b"}]},), "PolicyDocument": (_ALLOW_ALL,),
    "Policy": (_ALL_OF_BUCKET,), "Body": (b"new",), "Environment": ({"Variables": {}},),
    "VersioningConfiguration": ({"Status": "Enabled"},), "UploadId": ("x",), "VersionId": ("null",),
}  # fmt: skip
_BY_SERVICE: dict[tuple[str, str], tuple[Any, ...]] = {
    ("glue", "Name"): ("victim_db", "own_db", "people"),
    ("secretsmanager", "Name"): ("own-secret", "new"),
    ("s3", "Tagging"): ("a=b", {"TagSet": [{"Key": "a", "Value": "b"}]}),
}
_OPTIONAL = ("ACL", "Tagging", "QueueName", "VersionId", "UserName", "RoleName", "CatalogId", "SecretId", "Environment")
_PROTOCOLS = {"sqs": ("json", "query")}


@dataclass
class Shot:
    """One request, and whose right it was sent with."""

    right: Right
    draft: Draft
    signer: str
    disturbed: tuple[str, ...]
    request: Request

    def __repr__(self) -> str:
        return f"{self.right.name}, signed {self.signer}, {self.draft.operation} {self.disturbed}: {self.request}"


@st.composite
def shots(draw: Draw, rights: tuple[str, ...] = ()) -> Shot:
    """A request of somebody's; `rights` are the names of those that they may have, all by default."""
    right = draw(st.sampled_from([each for each in RIGHTS if not rights or each.name in rights]))
    how = draw(st.sampled_from(_SIGNERS))
    signer = _signer(how, right.signer)
    draft = _made(draw, right, signer)
    disturbed = [disturb(draw, draft) for _ in range(draw(st.sampled_from((0, 0, 1, 1, 1, 1, 1, 2, 2, 3))))]
    request = signed(draft, signer)
    if how == "two":
        request = _with_two(draw, request)
    return Shot(right, draft, how, tuple(disturbed), request)


_SIGNERS = ("own",) * 13 + ("presigned", "wrong secret", "root's key", "unknown", "not", "two", "two")


def _signer(how: str, key: Signer) -> Signer:
    return {
        "presigned": Signer(key.key, key.secret, "query"),
        "wrong secret": Signer(key.key, "wrong"),
        "root's key": Signer(ROOT_KEY, "wrong"),
        "unknown": Signer("AKIANOBODYNOBODYNOBO", "wrong"),
        "not": Signer("", "", "not"),
    }.get(how, key)


def _with_two(draw: Draw, request: Request) -> Request:
    """With root's credential beside one's own."""
    claim, headers = f"Credential={ROOT_KEY}/20260101/{REGION}/s3/aws4_request", []
    first = draw(st.booleans())
    for name, value in request.headers:
        if name == "Authorization":
            way, _, rest = value.partition(" ")
            value = f"{way} {claim}, {rest}" if first else f"{value}, {claim}"
        headers.append((name, value))
    return Request(request.method, request.target, tuple(headers), request.body)


def _made(draw: Draw, right: Right, signer: Signer) -> Draft:
    service, allowed = right.service, right.operations or right.actions
    if not allowed:
        service = draw(st.sampled_from(sorted(WANTED)))
    model = model_of(service)
    of = draw(st.sampled_from(("allowed",) * 5 + ("wanted",) * 3 + ("any",) if allowed else ("wanted", "any")))
    names = {"allowed": allowed, "wanted": WANTED[service], "any": tuple(model.operation_names)}[of]
    operation = draw(st.sampled_from(names))
    if operation == "PostObject":
        bucket = draw(st.sampled_from(("own-bucket", "victim-bucket")))
        return upload_of(bucket, draw(st.sampled_from(("own/new", "private/plan.txt"))), signer)
    given = _parameters(draw, service, model.operation_model(operation).input_shape)
    protocol = draw(st.sampled_from(_PROTOCOLS.get(service, (model.metadata["protocol"],))))
    return draft_of(service, operation, given, protocol)


def _parameters(draw: Draw, service: str, shape: Any) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, member in shape.members.items() if shape is not None else ():
        wanted = name in shape.required_members
        if wanted or (name in _OPTIONAL and draw(st.integers(0, 5)) == 0) or (not wanted and name in _USUALLY):
            given[name] = _value(draw, service, name, member)
    if service == "s3" and given.get("Bucket") == "victim-bucket" and "Key" in given and draw(st.integers(0, 3)):
        given["Key"] = "private/plan.txt"
    return given


_USUALLY = ("Code", "SecretString", "Body", "Name", "FunctionName", "DatabaseName", "Runtime", "Handler")


def _value(draw: Draw, service: str, name: str, shape: Any) -> Any:
    kind = shape.type_name
    choices = _BY_SERVICE.get((service, name)) or _NAMED.get(name) or ()
    fitting = [each for each in choices if _fits(each, kind)]
    if fitting:
        return draw(st.sampled_from(fitting))
    if kind == "structure":
        return {n: _value(draw, service, n, m) for n, m in shape.members.items() if n in shape.required_members}
    if kind == "list":
        return [_value(draw, service, name, shape.member)]
    if kind == "map":
        return {}
    if kind == "string":
        return draw(st.sampled_from([*shape.enum[:2], "victim", "x"]))
    return {"boolean": True, "blob": b"x", "timestamp": 0}.get(kind, 1)


def _fits(value: Any, kind: str) -> bool:
    kinds: dict[str, Any] = {"structure": dict, "list": list, "map": dict, "string": str, "blob": bytes}
    return kind in kinds and isinstance(value, kinds[kind])

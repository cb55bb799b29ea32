"""The resources to attack and the permissions: users with one permission each, and a victim's resources."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend

from localaws.core.state import _dump
from localaws.s3.models import backend as s3_backend
from tests.localaws.server.drafts import Draft, Signer, draft_of, signed
from tests.localaws.server.enclosure import ROOT_KEY, ROOT_SECRET, Enclosure

ACCOUNT, REGION = "123456789012", "us-east-1"
MARKER = "what-only-the-victim-may-see"
ROOT = Signer(ROOT_KEY, ROOT_SECRET)
_HERE = f"{REGION}:{ACCOUNT}"
QUEUES = f"http://127.0.0.1:4566/{ACCOUNT}"


@dataclass(frozen=True)
class Right:
    """What one user may do."""

    name: str
    service: str
    actions: tuple[str, ...]
    """As operations, which are asked for most."""
    resources: tuple[str, ...] = ("*",)
    changes: str = "nothing"
    """A pattern of what of the state they may change (`Enclosure.state`)."""
    more: tuple[tuple[str, str], ...] = ()
    """Further actions and their resources."""
    operations: tuple[str, ...] = ()
    """The operations that the actions are for, where they have other names."""

    @property
    def user(self) -> str:
        return f"own-user-{self.name}"

    @property
    def signer(self) -> Signer:
        """The user's key: the same in each run, so that a seed finds the same requests."""
        return Signer(f"AKIA{self.name.upper():O<16}", f"the-secret-of-{self.name}")

    def document(self) -> str:
        """The user's policy."""
        prefix = self.service
        statements = [
            {
                "Effect": "Allow",
                "Action": [f"{prefix}:{each}" for each in self.actions],
                "Resource": list(self.resources),
            },
            *({"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in self.more),
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})


_S3 = "arn:aws:s3:::"
RIGHTS = (
    Right("nothing", "ec2", ()),
    Right("get", "s3", ("GetObject", "ListBucket"), (f"{_S3}own-bucket", f"{_S3}own-bucket/*"),
          operations=("GetObject", "HeadObject", "ListObjectsV2")),
    Right("put", "s3", ("PutObject",), (f"{_S3}own-bucket/*", f"{_S3}victim-bucket/own/*"),
          r"s3/(own-bucket/.*|victim-bucket/own/.*)|s3/(own|victim)-bucket\?multiparts",
          operations=("PutObject", "PostObject", "CreateMultipartUpload")),
    Right("parts", "s3", ("ListMultipartUploadParts", "GetObjectTagging", "GetObjectAcl"), (f"{_S3}victim-bucket/*",),
          operations=("GetObject", "GetObject", "GetObjectTagging", "ListParts")),
    Right("configure", "s3", ("PutBucketTagging",), (f"{_S3}own-bucket",), "s3/.*/tags/arn:aws:s3:::own-bucket",
          operations=("PutBucketTagging", "PutBucketVersioning")),
    Right("copy", "s3", ("GetObject",), (f"{_S3}victim-bucket/*.own", f"{_S3}own-bucket/*"),
          r"s3/own-bucket/.*", (("s3:PutObject", f"{_S3}own-bucket/*"),), ("CopyObject",)),
    Right("delete", "s3", ("DeleteObject",), (f"{_S3}own-bucket/mine",), r"s3/own-bucket/mine",
          operations=("DeleteObject", "DeleteObjects")),
    Right("queue", "sqs", ("SendMessage", "ReceiveMessage", "PurgeQueue", "GetQueueUrl", "GetQueueAttributes"),
          (f"arn:aws:sqs:{_HERE}:own-queue",), "sqs/.*/own-queue"),
    Right("policies", "iam", ("PutUserPolicy", "PutRolePolicy", "GetUser", "GetRole"),
          (f"arn:aws:iam::{ACCOUNT}:user/own-other", f"arn:aws:iam::{ACCOUNT}:role/own-other"),
          "iam/.*/(users|roles)/own-other"),
    Right("caller", "sts", ("GetCallerIdentity",)),
    Right("databases", "glue", ("GetDatabase",),
          tuple(f"arn:aws:glue:{_HERE}:{each}" for each in ("catalog", "database/*"))),
    Right("tables", "glue", ("GetTable", "CreateTable", "DeleteTable"),
          tuple(f"arn:aws:glue:{_HERE}:{each}" for each in ("catalog", "database/own_db", "table/own_db/*")),
          "glue/.*/own_db"),
    Right("functions", "lambda", ("CreateFunction", "GetPolicy")),
    Right("secrets", "secretsmanager", ("GetSecretValue", "DescribeSecret"),
          (f"arn:aws:secretsmanager:{_HERE}:secret:own-secret-??????",), "secretsmanager/.*/own-secret"),
    Right("logs", "logs", ("GetLogEvents", "PutLogEvents", "DescribeLogStreams"),
          (f"arn:aws:logs:{_HERE}:log-group:own-group:*",), "logs/.*own-group"),
    Right("network", "ec2", ("DescribeVpcs", "DescribeSubnets")),
    Right("subnets", "redshift", ("DescribeClusterSubnetGroups", "DescribeTags")),
)  # fmt: skip


def trusting(who: dict[str, str], sid: str = "x") -> str:
    """A trust policy."""
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "Sid": sid}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("x.py"), "def y(event, context):\n    return 1\n")
    return stream.getvalue()


ZIP = _zip()


@dataclass
class World:
    """The things, which can be put back as they were."""

    enclosure: Enclosure
    _saved: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in ("iam", "s3", "sqs", "glue", "lambda", "secretsmanager", "logs", "ec2", "redshift", "sts"):
            self.restore(service)
        self.before = self.enclosure.state()

    def restore(self, service: str) -> None:
        """Have a service's things as they were."""
        backends: Any = get_backend(service)  # type: ignore[call-overload]
        place = ACCOUNT, "aws" if service in ("s3", "iam", "sts") else REGION
        for account, region, backend in list(backends.iter_backends()):
            if (account, region) != place and service != "s3":
                backend.reset()
        backend = backends[place[0]][place[1]]
        if service in self._saved:
            # Others refer to it: it stays the one that it is.
            backend.__dict__.clear()
            backend.__dict__.update(pickle.loads(self._saved[service])[place])
            return
        if service == "s3":
            self._empty_s3()
        else:
            for queue in list(backend.queues) if service == "sqs" else ():
                backend.delete_queue(queue)  # with its messages, which are in a file
            backend.reset()
        getattr(self, f"_make_{service}", lambda: None)()
        if service not in ("s3", "sqs", "logs"):  # which have more than moto's backends
            self._saved[service] = _dump(backends)

    def check(self, right: Right) -> list[str]:
        """What of the state is not as `right` allows it, in words; all is put back then, as after any change."""
        now = self.enclosure.state()
        changed = {label for label in {*now, *self.before} if now.get(label) != self.before.get(label)}
        found = [
            f"changed: {label}{_difference(self.before.get(label, ''), now.get(label, ''))}"
            for label in changed
            if not re.fullmatch(right.changes, label, re.DOTALL)
        ]
        found += [f"shown: {label}" for label in changed if "own" in label and MARKER in now.get(label, "")]
        for service in sorted({label.partition("/")[0] for label in changed}):
            self.restore(service)
        if changed:
            self.before = self.enclosure.state()
        return sorted(found)

    def call(self, service: str, operation: str, **parameters: Any) -> str:
        """Have root call."""
        return self.send(draft_of(service, operation, parameters))

    def send(self, draft: Draft) -> str:
        answer = self.enclosure.send(signed(draft, ROOT))
        assert answer.status < 300, (draft, answer)
        return answer.text

    def _empty_s3(self) -> None:
        store = s3_backend(ACCOUNT)
        for bucket in list(store.buckets.values()):
            for key, _ in list(bucket.keys.lists()):
                bucket.keys.pop(key)
                store.touched.objects.add((bucket.name, key))
            store.touched.buckets.add(bucket.name)
        store.buckets.clear()
        store.tagger.tags.clear()
        get_backend("s3").bucket_accounts.clear()  # type: ignore[attr-defined]
        store.save()

    def _make_s3(self) -> None:
        for bucket in ("own-bucket", "victim-bucket"):
            self.call("s3", "CreateBucket", Bucket=bucket)
        self.call("s3", "PutObject", Bucket="own-bucket", Key="mine", Body=b"mine")
        self.call("s3", "PutObject", Bucket="victim-bucket", Key="private/plan.txt", Body=MARKER.encode(),
                  Tagging="a=b")  # fmt: skip

    def _make_sqs(self) -> None:
        for queue, text in (("own-queue", "mine"), ("victim-queue", MARKER)):
            self.call("sqs", "CreateQueue", QueueName=queue)
            self.call("sqs", "SendMessage", QueueUrl=f"{QUEUES}/{queue}", MessageBody=text)

    def _make_iam(self) -> None:
        for name in ("own-other", "victim-user"):
            self.call("iam", "CreateUser", UserName=name)
        victim = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": MARKER.replace("-", ""), "Effect": "Allow", "Action": "*", "Resource": "*"}]})  # fmt: skip
        self.call("iam", "PutUserPolicy", UserName="victim-user", PolicyName="all", PolicyDocument=victim)
        for name, sid in (("own-other", "x"), ("victim-role", MARKER.replace("-", ""))):
            trust = trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": "lambda.amazonaws.com"}, sid)
            self.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
        backend: Any = get_backend("iam")[ACCOUNT]["aws"]
        users, known = backend.users, backend.access_keys
        for right in RIGHTS:
            self.call("iam", "CreateUser", UserName=right.user)
            self.call("iam", "CreateAccessKey", UserName=right.user)
            (key,) = users[right.user].access_keys
            del known[key.access_key_id]
            key.access_key_id, key.secret_access_key = right.signer.key, right.signer.secret
            known[key.access_key_id] = key
            if right.actions:
                self.call(
                    "iam", "PutUserPolicy", UserName=right.user, PolicyName="own", PolicyDocument=right.document()
                )

    def _make_glue(self) -> None:
        for database in ("own_db", "victim_db"):
            self.call("glue", "CreateDatabase", DatabaseInput={"Name": database})
            parameters = {"about": MARKER if database == "victim_db" else "mine"}
            self.call(
                "glue", "CreateTable", DatabaseName=database, TableInput={"Name": "people", "Parameters": parameters}
            )

    def _make_lambda(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/victim-role"
        self.call("lambda", "CreateFunction", FunctionName="victim-function", Runtime="python3.11", Role=role,
                  Handler="x.y", Code={"ZipFile": ZIP}, Environment={"Variables": {"WHAT": MARKER}})  # fmt: skip

    def _make_secretsmanager(self) -> None:
        for name, text in (("own-secret", "mine"), ("victim-secret", MARKER)):
            self.call("secretsmanager", "CreateSecret", Name=name, SecretString=text)

    def _make_logs(self) -> None:
        for group, text in (("own-group", "mine"), ("victim-group", MARKER)):
            self.call("logs", "CreateLogGroup", logGroupName=group)
            self.call("logs", "CreateLogStream", logGroupName=group, logStreamName="stream")
            events = [{"timestamp": 1_700_000_000_000, "message": text}]
            self.call("logs", "PutLogEvents", logGroupName=group, logStreamName="stream", logEvents=events)

    def _make_ec2(self) -> None:
        self.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")


def _difference(old: str, new: str) -> str:
    place = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    begin = max(0, place - 30)
    return f" from …{old[begin : place + 50]}… to …{new[begin : place + 50]}…"

"""A participant on AWS: an IAM user with the policies of docs/on-aws.md, for whom the embedded AWS stands in for AWS.

The lab runs with `LABKIT_TARGET=aws`. botocore is led to the embedded AWS by AWS_ENDPOINT_URL, and each call of the
participant is recorded. So these are the calls of the target AWS, made by a user whom IAM limits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import localaws
from localaws.core.call import S3Call
from localaws.iam import actions
from localaws.iam.actions import s3
from localaws.iam.decision import Access
from localaws.server.models import models_of, protocols
from localaws.server.reading import read
from tests.localaws.server.drafts import draft_of, signed
from tests.localaws.server.world import ROOT as SIGNER

PREFIX, REGION, ACCOUNT = "alice", "us-east-1", "111122223333"
"""The participant, the region and the account in docs/on-aws.md."""
HERE = "123456789012"
"""The account of the embedded AWS."""
AS_ON_AWS = {
    "LABKIT_TARGET": "aws", "LABKIT_PREFIX": PREFIX, "LABKIT_ASK_BEFORE_CREATE": "false",
    # What the embedded AWS has no answer for, and shorter waits.
    "LABKIT_NODE_TYPE": "dc2.large", "LABKIT_CHECK_NODE_TYPE": "false", "LABKIT_ENCRYPTED": "false",
    "LABKIT_POLL_SECONDS": "0.1", "LABKIT_WAIT_MINUTES": "3", "LABKIT_RETRY_SECONDS": "1",
}  # fmt: skip
RECORDER = """
import json, os

from botocore.client import BaseClient

def record(self, operation, parameters, _call=BaseClient._make_api_call):
    with open(os.environ["LABKIT_RECORDED_CALLS"], "a") as file:
        service = self.meta.service_model.service_name
        file.write(json.dumps([service, operation, parameters], default=lambda value: "x") + "\\n")
    return _call(self, operation, parameters)

BaseClient._make_api_call = record
"""


class Participant:
    """Runs commands as an IAM user of the embedded AWS `home`. Its calls are in `recorded`."""

    def __init__(self, status: localaws.Status, key: str, secret: str, directory: Path) -> None:
        self.recorded = directory / "calls"
        hook = directory / "sitecustomize.py"
        hook.write_text(RECORDER.replace("LABKIT_RECORDED_CALLS", "RECORDED_CALLS"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LABKIT_"))}
        self.environment = kept | AS_ON_AWS | {
            "LABKIT_HOME": str(directory / "home"), "LABKIT_RUNS": str(directory / "runs"),
            "AWS_ENDPOINT_URL": status.endpoint_url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "RECORDED_CALLS": str(self.recorded), "PYTHONPATH": str(directory),
        }  # fmt: skip

    def run(self, *command: str) -> str:
        """Run a labkit command, and return what it prints. Settings such as "LABKIT_RUNTIME=x" may come before it.

        Raises:
            AssertionError: it failed.
        """
        settings = dict(word.split("=", 1) for word in command if word.startswith("LABKIT_"))
        words = [word for word in command if not word.startswith("LABKIT_")]
        done = subprocess.run(
            [sys.executable, "-m", "labkit", *words],
            env=self.environment | settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"labkit {' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each call that was made: service, operation, parameters."""
        for line in self.recorded.read_text().splitlines():
            service, operation, parameters = json.loads(line)
            yield service, operation, parameters

    def accesses(self) -> set[tuple[str, str, str]]:
        """What the calls needed, as (action, resource, service that a role is passed to)."""
        seen = {json.dumps(call, sort_keys=True): call for call in self.calls()}
        return {_plain(access) for call in seen.values() for access in accesses(*call)}


@contextlib.contextmanager
def participant(
    status: localaws.Status, iam: Any, directory: Path, policies: Sequence[Mapping[str, Any]]
) -> Iterator[Participant]:
    """An IAM user with these policies."""
    iam.create_user(UserName=PREFIX)
    arns = []
    for number, policy in enumerate(policies):
        made = iam.create_policy(PolicyName=f"participant-{number}", PolicyDocument=json.dumps(policy))
        arns.append(made["Policy"]["Arn"])
        iam.attach_user_policy(UserName=PREFIX, PolicyArn=arns[-1])
    key = iam.create_access_key(UserName=PREFIX)["AccessKey"]
    try:
        yield Participant(status, key["AccessKeyId"], key["SecretAccessKey"], directory)
    finally:
        iam.delete_access_key(UserName=PREFIX, AccessKeyId=key["AccessKeyId"])
        for arn in arns:
            iam.detach_user_policy(UserName=PREFIX, PolicyArn=arn)
            iam.delete_policy(PolicyArn=arn)
        iam.delete_user(UserName=PREFIX)


def accesses(service: str, operation: str, parameters: dict[str, Any]) -> Iterable[Access]:
    """What a call needs: it is serialized by botocore, and read as the embedded AWS reads it."""
    model = models_of(_signing_name(service))[0]
    protocol = "json" if "json" in protocols(model) else ""
    draft = draft_of(service, operation, parameters, protocol)
    call = read(signed(draft, SIGNER).environ()).call
    return s3.accesses(call) if isinstance(call, S3Call) else actions.accesses(call)


def _signing_name(service: str) -> str:
    return {"resourcegroupstaggingapi": "tagging"}.get(service, service)


def _plain(access: Access) -> tuple[str, str, str]:
    passed = access.keys.get("iam:passedtoservice") or ""
    resource = access.resource.replace(HERE, ACCOUNT)
    return access.action, re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "*", resource), str(passed)

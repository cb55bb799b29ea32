"""Which of a principal's policies decide, and what the refusal says; no server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from localaws.iam import decision
from localaws.iam.decision import NEVER_DENIED, Access, Origin, refusal
from localaws.iam.policy import Caller
from localaws.iam.principals import ANONYMOUS, ROOT, Principal

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/etl"
READ = Access("s3:GetObject", "arn:aws:s3:::tolls/a.json")
HERE = Origin("us-east-1")
ETL = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/etl/run", ACCOUNT, "AssumedRole", Caller((ROLE,), ACCOUNT))


def policy(effect: str, **elements: Any) -> str:
    return json.dumps({"Statement": {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **elements}})


ALLOW, DENY = policy("Allow"), policy("Deny")
ALLOW_ROLE = policy("Allow", Principal={"AWS": ROLE})
ALLOW_ACCOUNT = policy("Allow", Principal={"AWS": ACCOUNT})
DENY_ROLE = policy("Deny", Principal={"AWS": ROLE})
ALLOW_ALL, DENY_ALL = policy("Allow", Principal="*"), policy("Deny", Principal="*")


@pytest.fixture
def on_the_bucket(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`on_the_bucket(document, …)` are the policies of the bucket."""

    def put(*documents: str) -> None:
        monkeypatch.setattr(decision, "policies_of", lambda _arn, _account: documents)

    put()
    return put


@pytest.mark.parametrize(
    ("identity", "boundary", "session", "bucket", "denied_by"),
    [
        # One allow is enough, of the identity or of the resource.
        ([ALLOW], None, None, [], None),
        ([], None, None, [ALLOW_ROLE], None),
        ([], None, None, [ALLOW_ACCOUNT], "no identity-based policy"),
        ([ALLOW], None, None, [ALLOW_ACCOUNT], None),
        ([], None, None, [], "no identity-based policy"),
        # An explicit deny wins, wherever it is and whoever allows.
        ([ALLOW, DENY], None, None, [], "explicit deny in an identity-based policy"),
        ([DENY], None, None, [ALLOW_ROLE], "explicit deny in an identity-based policy"),
        ([ALLOW], None, None, [DENY_ROLE], "explicit deny in a resource-based policy"),
        ([ALLOW], [ALLOW, DENY], None, [], "explicit deny in a permissions boundary"),
        ([ALLOW], [DENY], None, [ALLOW_ROLE], "explicit deny in a permissions boundary"),
        ([ALLOW], None, [ALLOW, DENY], [], "explicit deny in a session policy"),
        ([ALLOW], None, [DENY], [ALLOW_ROLE], "explicit deny in a session policy"),
        # A boundary and a session's policy limit: each must allow, too.
        ([ALLOW], [ALLOW], [ALLOW], [], None),
        ([ALLOW], [], [ALLOW], [], "no permissions boundary"),
        ([ALLOW], [ALLOW], [], [], "no session policy"),
        ([], [ALLOW], [ALLOW], [], "no identity-based policy"),
    ],
)
def test_identity_boundary_session_and_resource_policies_decide_together(
    on_the_bucket: Any,
    identity: list[str],
    boundary: list[str] | None,
    session: list[str] | None,
    bucket: list[str],
    denied_by: str | None,
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    on_the_bucket(*bucket)
    limits = {"boundary": boundary, "session_policy": session}
    given = {name: tuple(documents) for name, documents in limits.items() if documents is not None}
    refused = refusal(replace(ETL, identity=tuple(identity), **given), READ, HERE)
    if denied_by is None:
        assert refused is None
        return
    assert refused is not None
    assert denied_by in refused.text
    assert refused.is_explicit is denied_by.startswith("explicit deny")
    assert refused.can_be_lifted is (denied_by == "no identity-based policy")


def test_the_account_s_own_key_is_limited_only_by_a_bucket_policy_that_denies(on_the_bucket: Any) -> None:
    assert refusal(ROOT, READ, HERE) is None
    on_the_bucket(DENY_ROLE)
    assert refusal(ROOT, READ, HERE) is None
    on_the_bucket(DENY_ALL)
    refused = refusal(ROOT, READ, HERE)
    assert refused is not None
    assert refused.is_explicit


@pytest.mark.parametrize(
    ("bucket", "refused", "can_be_lifted"),
    [
        ([ALLOW_ALL], False, False),
        ([], True, True),
        ([ALLOW_ROLE], True, True),
        ([ALLOW_ALL, DENY_ALL], True, False),
    ],
)
def test_an_unsigned_request_is_decided_by_the_bucket_policy_alone(
    on_the_bucket: Any, bucket: list[str], refused: bool, can_be_lifted: bool
) -> None:
    on_the_bucket(*bucket)
    found = refusal(ANONYMOUS, READ, HERE)
    assert (found is not None) is refused
    assert found is None or found.can_be_lifted is can_be_lifted


def test_GetCallerIdentity_is_allowed_in_spite_of_a_deny(on_the_bucket: Any) -> None:
    deny = json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    assert refusal(replace(ETL, identity=(deny,)), Access(NEVER_DENIED), HERE) is None


def test_a_refusal_names_the_caller_the_action_the_resource_and_the_reason(on_the_bucket: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    refused = refusal(ETL, READ, HERE)
    assert refused is not None
    assert refused.text == (
        f"User: {ETL.arn} is not authorized to perform: s3:GetObject on resource: "
        '"arn:aws:s3:::tolls/a.json" because no identity-based policy allows the s3:GetObject action'
    )


@pytest.mark.parametrize(
    ("condition", "allows"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"StringLike": {"aws:UserAgent": "aws-cli/*"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:PrincipalArn": ROLE}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "tolls"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "other"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/absent": "x"}}, False),
        ({"Null": {"aws:PrincipalTag/absent": "true"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"NumericLessThan": {"aws:EpochTime": "1577836800"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": "1577836800"}}, True),
        ({"Bool": {"aws:ViaAWSService": "false"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"StringEquals": {"s3:prefix": "in/"}}, True),
        ({"StringEquals": {"s3:prefix": "out/"}}, False),
    ],
)
def test_conditions_can_use_the_context_keys_of_the_request(
    on_the_bucket: Any, condition: dict[str, Any], allows: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    who = replace(ETL, identity=(policy("Allow", Condition=condition),), tags={"team": "tolls"})
    access = replace(READ, keys={"s3:prefix": "in/"})
    assert (refusal(who, access, Origin("us-east-1", user_agent="aws-cli/2.1")) is None) is allows


def test_the_PrincipalArn_of_a_session_is_the_ARN_of_its_role(on_the_bucket: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn"""
    session = replace(ETL, caller=Caller((ETL.arn, ROLE), ACCOUNT))
    for arn, allows in ((ROLE, True), (ETL.arn, False)):
        who = replace(session, identity=(policy("Allow", Condition={"ArnEquals": {"aws:PrincipalArn": arn}}),))
        assert (refusal(who, READ, HERE) is None) is allows


def test_a_session_has_the_MultiFactorAuthPresent_key_and_a_user_s_key_does_not(on_the_bucket: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent"""
    for kind, is_there in (("AssumedRole", True), ("User", False)):
        identity = (policy("Allow", Condition={"Null": {"aws:MultiFactorAuthPresent": "false"}}),)
        assert (refusal(replace(ETL, kind=kind, identity=identity), READ, HERE) is None) is is_there

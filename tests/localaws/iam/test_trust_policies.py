"""Who can assume a role by its trust policy; IAM's state is moto's, in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.models import iam_backends

from localaws.iam.policy import Caller, Verdict
from localaws.iam.trust import trust, trusts_service

ACCOUNT = "555566667777"  # of these tests alone
ROLE = f"arn:aws:iam::{ACCOUNT}:role/etl"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
LAMBDA, GLUE = "lambda.amazonaws.com", "glue.amazonaws.com"


def statement(principal: Any, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **elements}


def trusting(*statements: Any) -> None:
    """The role `etl` has a trust policy of these statements."""
    made(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def made(document: Any) -> None:
    backend = iam_backends[ACCOUNT]["aws"]
    backend.roles.clear()
    role = backend.create_role("etl", "{}", "/", None, "", [], "3600")
    role.assume_role_policy_document = document


def test_a_service_can_assume_a_role_that_trusts_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    trusting(statement({"Service": [LAMBDA, GLUE]}))
    for role in (ROLE, "etl"):
        assert trusts_service(role, ACCOUNT, LAMBDA)
        assert trusts_service(role, ACCOUNT, GLUE, FUNCTION)
        assert not trusts_service(role, ACCOUNT, "redshift.amazonaws.com")
    assert not trusts_service("nobody", ACCOUNT, LAMBDA)


@pytest.mark.parametrize(
    "statements",
    [
        [statement({"AWS": "*"})],
        [statement({"Service": LAMBDA}, Action="sts:TagSession")],
        [statement({"Service": LAMBDA}), statement({"Service": LAMBDA}, "Deny")],
        [statement({"Service": LAMBDA}, "Deny")],
        [],
    ],
)
def test_a_service_that_is_not_trusted_cannot_assume_the_role(statements: list[Any]) -> None:
    trusting(*statements)
    assert not trusts_service(ROLE, ACCOUNT, LAMBDA)


@pytest.mark.parametrize(
    ("condition", "for_it", "for_anything"),
    [
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{ACCOUNT}:function:f"}}, True, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{ACCOUNT}:function:g"}}, False, True),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True, True),
        ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, False, True),
    ],
)
def test_a_condition_on_the_source_applies_only_if_the_source_is_known(
    condition: dict[str, Any], for_it: bool, for_anything: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""
    trusting(statement({"Service": LAMBDA}, Condition=condition))
    assert trusts_service(ROLE, ACCOUNT, LAMBDA, FUNCTION) is for_it
    assert trusts_service(ROLE, ACCOUNT, LAMBDA) is for_anything


@pytest.mark.parametrize("document", ["", "{", "[]", "{}", '{"Statement": ["text"]}', '{"Statement": 1}'])
def test_a_malformed_trust_policy_trusts_no_one(document: str) -> None:
    made(document)
    assert not trusts_service(ROLE, ACCOUNT, LAMBDA)


def test_a_trust_policy_may_be_stored_as_an_object() -> None:
    made({"Statement": statement({"Service": LAMBDA})})
    assert trusts_service(ROLE, ACCOUNT, LAMBDA)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([statement({"AWS": ANN})], Verdict(allowed=True)),
        ([statement({"AWS": ACCOUNT})], Verdict(to_account=True)),
        ([statement({"AWS": ANN}), statement({"AWS": ACCOUNT}, "Deny")], Verdict(allowed=True, denied=True)),
        ([statement({"AWS": ROLE})], Verdict()),
        ([statement({"AWS": ANN}, Action="sts:TagSession")], Verdict()),
        ([statement({"AWS": ANN}, Condition={"StringEquals": {"sts:ExternalId": "x"}})], Verdict(allowed=True)),
        ([statement({"AWS": ANN}, Condition={"StringEquals": {"sts:ExternalId": "y"}})], Verdict()),
    ],
)
def test_a_trust_policy_decides_who_can_assume_the_role(statements: list[Any], expected: Verdict) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html for the external ID"""
    trusting(*statements)
    assert trust(ROLE, ACCOUNT, Caller((ANN,), ACCOUNT), {"sts:externalid": "x"}) == expected


def test_a_missing_role_trusts_no_one() -> None:
    trusting(statement("*"))
    assert trust(f"{ROLE}2", ACCOUNT, Caller((ANN,), ACCOUNT), {}) is None

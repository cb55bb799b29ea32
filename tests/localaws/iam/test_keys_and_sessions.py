"""Whose key signs a request, and which policies that principal has; IAM's state is moto's, in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from localaws.iam.policy import Caller
from localaws.iam.principals import (
    ANONYMOUS,
    ROOT,
    ExpiredToken,
    UnknownKey,
    WrongToken,
    find_role,
    of_key,
    of_session,
    secret_of,
)

ACCOUNT = "444455556666"  # of these tests alone


def policy(action: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


OWN, ATTACHED, OF_GROUP, LIMIT = policy("s3:*"), policy("sqs:*"), policy("glue:*"), policy("s3:Get*")


@pytest.fixture
def iam() -> Any:
    """An account's IAM with nothing in it."""
    for backends in (iam_backends, sts_backends):
        backends[ACCOUNT]["aws"].reset()
    return iam_backends[ACCOUNT]["aws"]


def managed(iam: Any, name: str, document: str) -> str:
    """The ARN of a new managed policy."""
    return str(iam.create_policy("", "/", document, name, []).arn)


def role(iam: Any, name: str = "etl", path: str = "/", boundary: str | None = None, **tags: str) -> Any:
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    return iam.create_role(name, policy("sts:AssumeRole"), path, boundary, "", given, "3600")


def session(role_arn: str, policy: str = "", seconds: int = 3600) -> Any:
    return sts_backends[ACCOUNT]["aws"].assume_role("us-east-1", "run", role_arn, policy, seconds, "")


def test_a_user_s_key_identifies_the_user(iam: Any) -> None:
    user = iam.create_user("us-east-1", "ann", "/", [{"Key": "team", "Value": "tolls"}])
    key = iam.create_access_key("ann")
    found = of_key(key.access_key_id, None, ACCOUNT)
    assert (found.arn, found.kind, found.user_id, found.user_name) == (user.arn, "User", user.id, "ann")
    assert found.caller == Caller((f"arn:aws:iam::{ACCOUNT}:user/ann",), ACCOUNT)
    assert found.tags == {"team": "tolls"}
    assert not found.is_anonymous
    assert secret_of(key.access_key_id, None, ACCOUNT) == key.secret_access_key


def test_a_user_has_its_own_policies_and_those_of_its_groups(iam: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html"""
    for name in ("ann", "bob"):
        iam.create_user("us-east-1", name)
    for name in ("readers", "others"):
        iam.create_group(name)
    key = iam.create_access_key("ann")
    iam.put_user_policy("ann", "own", OWN)
    iam.attach_user_policy(managed(iam, "attached", ATTACHED), "ann")
    iam.put_group_policy("readers", "of-group", OF_GROUP)
    iam.put_group_policy("others", "of-others", LIMIT)
    iam.add_user_to_group("readers", "ann")
    iam.add_user_to_group("others", "bob")
    found = of_key(key.access_key_id, None, ACCOUNT)
    assert sorted(found.identity) == sorted([OWN, ATTACHED, OF_GROUP])
    assert (found.boundary, found.session_policy) == (None, None)


def test_a_managed_policy_applies_in_its_default_version(iam: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"""
    iam.create_user("us-east-1", "ann")
    key = iam.create_access_key("ann")
    arn = managed(iam, "attached", OWN)
    iam.attach_user_policy(arn, "ann")
    iam.create_policy_version(arn, ATTACHED, False)
    assert of_key(key.access_key_id, None, ACCOUNT).identity == (OWN,)
    iam.set_default_policy_version(arn, "v2")
    assert of_key(key.access_key_id, None, ACCOUNT).identity == (ATTACHED,)


def test_an_inactive_or_unowned_key_is_unknown(iam: Any) -> None:
    iam.create_user("us-east-1", "ann")
    key = iam.create_access_key("ann")
    iam.update_access_key("ann", key.access_key_id, "Inactive")
    temporary = iam.create_temp_access_key()  # as moto gives them: they are of no user
    for nobody in (key.access_key_id, temporary.access_key_id, "AKIANOBODY", "ASIANOBODY", ""):
        for look in (of_key, secret_of):
            with pytest.raises(UnknownKey):
                look(nobody, None, ACCOUNT)


def test_the_key_of_a_deleted_user_is_unknown(iam: Any) -> None:
    iam.create_user("us-east-1", "ann")
    key = iam.create_access_key("ann")
    del iam.users["ann"]
    with pytest.raises(UnknownKey):
        of_key(key.access_key_id, None, ACCOUNT)


def test_a_user_s_key_with_a_session_token_is_refused(iam: Any) -> None:
    """Tokens are of sessions: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html"""
    iam.create_user("us-east-1", "ann")
    key = iam.create_access_key("ann")
    for token in ("token", ""):
        for look in (of_key, secret_of):
            with pytest.raises(WrongToken):
                look(key.access_key_id, token, ACCOUNT)


def test_a_session_s_key_identifies_the_role_session(iam: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html for the user's id"""
    made = role(iam, path="/team/", team="tolls")
    iam.put_role_policy("etl", "own", OWN)
    iam.attach_role_policy(managed(iam, "attached", ATTACHED), "etl")
    given = session(made.arn)
    found = of_key(given.access_key_id, given.session_token, ACCOUNT)
    # The path of the role is in its ARN, not in those of its sessions.
    assert found.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/etl/run"
    assert found.caller == Caller((found.arn, f"arn:aws:iam::{ACCOUNT}:role/team/etl"), ACCOUNT)
    assert (found.kind, found.user_id, found.user_name) == ("AssumedRole", f"{made.id}:run", "")
    assert found.identity == (OWN, ATTACHED)
    assert (found.boundary, found.session_policy) == (None, None)
    assert found.tags == {"team": "tolls"}
    assert secret_of(given.access_key_id, given.session_token, ACCOUNT) == given.secret_access_key


def test_one_session_of_several_is_found_by_its_key(iam: Any) -> None:
    arn = role(iam).arn
    several = [session(arn, policy=each) for each in ("", OWN, LIMIT)]
    found = [of_key(each.access_key_id, each.session_token, ACCOUNT).session_policy for each in several]
    assert found == [None, (OWN,), (LIMIT,)]


def test_a_session_s_key_without_its_session_token_is_refused(iam: Any) -> None:
    given = session(role(iam).arn)
    for token in (None, "", "another", f"{given.session_token}x", "é"):
        for look in (of_key, secret_of):
            with pytest.raises(WrongToken):
                look(given.access_key_id, token, ACCOUNT)


def test_an_expired_session_is_refused(iam: Any) -> None:
    over = session(role(iam).arn, seconds=-1)
    for look in (of_key, secret_of):
        with pytest.raises(ExpiredToken):
            look(over.access_key_id, over.session_token, ACCOUNT)


def test_a_session_of_a_deleted_role_is_unknown(iam: Any) -> None:
    given = session(role(iam).arn)
    del iam.roles[next(iter(iam.roles))]
    with pytest.raises(UnknownKey):
        of_key(given.access_key_id, given.session_token, ACCOUNT)
    with pytest.raises(UnknownKey):
        of_session("etl", "run", ACCOUNT)


def test_a_role_s_boundary_limits_its_sessions(iam: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    arn = managed(iam, "limit", LIMIT)
    role(iam, boundary=arn)
    assert of_session("etl", "run", ACCOUNT).boundary == (LIMIT,)
    # A boundary that is gone allows nothing; it must not allow everything.
    del iam.managed_policies[arn]
    assert of_session("etl", "run", ACCOUNT).boundary == ()


def test_a_role_can_be_found_by_ARN_or_by_name(iam: Any) -> None:
    """Glue takes both: https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html"""
    other, made = role(iam, "other"), role(iam, "etl", "/team/")
    assert find_role(made.arn, ACCOUNT) is made
    assert find_role("etl", ACCOUNT) is made
    assert find_role("team/etl", ACCOUNT) is made
    assert find_role(other.arn, ACCOUNT) is other
    assert find_role("nobody", ACCOUNT) is None
    # An ARN is one role's: neither a path that is left out nor another account makes it this one's.
    assert find_role(f"arn:aws:iam::{ACCOUNT}:role/etl", ACCOUNT) is None
    assert find_role("arn:aws:iam::111122223333:role/team/etl", ACCOUNT) is None


def test_an_unsigned_request_is_anonymous_and_the_account_s_own_key_is_root() -> None:
    assert ANONYMOUS.is_anonymous
    assert not ROOT.is_anonymous
    assert (ROOT.kind, ROOT.caller.names) == ("Account", ("arn:aws:iam::123456789012:root",))

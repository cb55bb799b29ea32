"""Which passwords CREATE USER and ALTER USER accept.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def pat(session: Connection) -> Iterator[str]:
    """A user whose password is changed."""
    session.execute("create user pat password 'Pat-Passw0rd'")
    yield "pat"
    session.execute("drop user pat")


def logs_in(parameters: dict[str, Any], password: str) -> bool:
    try:
        psycopg.connect(**{**parameters, "user": "pat", "password": password}).close()
    except psycopg.OperationalError:
        return False
    return True


def literal(password: str) -> str:
    return "'" + password.replace("\\", "\\\\").replace("'", "''") + "'"


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    "password", ["Abcdefg1", "A1" + "a" * 62, "!#$%&()*+,-.Aa1", ":;<=>?[]^_`{|}~Aa1", "sha256Abc", "md5Abcde1"]
)
def test_a_valid_password_is_accepted(session: Connection, psycopg_parameters: Any, pat: str, password: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html"""
    session.execute(f"alter user pat password {literal(password)}".encode())
    assert logs_in(psycopg_parameters, password)


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Abcdef1", "8 to 64 characters"),
        ("", "8 to 64 characters"),
        ("A1" + "a" * 63, "8 to 64 characters"),
        ("abcdefg1", "an uppercase letter"),
        ("ABCDEFG1", "a lowercase letter"),
        ("Abcdefgh", "a number"),
        ("Ünïcöde1", "an uppercase letter"),
        *((f"Abcdef1{sign}", "printable ASCII") for sign in "'\"\\/@ \tÜ"),
        ("Abcdef1\x7f", "printable ASCII"),
        ("SCRAM-SHA-256$4096:c2FsdA==$" + "a" * 44 + ":" + "b" * 44, "8 to 64 characters"),
        ("md5" + "A" * 32, "invalid MD5 password hash"),
    ],
)
def test_an_invalid_password_is_refused(
    session: Connection, psycopg_parameters: Any, pat: str, password: str, reason: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html"""
    for statement in ("create user another", "create user another with createdb", "alter user pat"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=reason):
            session.execute(f"{statement} password {literal(password)}".encode())
    assert logs_in(psycopg_parameters, "Pat-Passw0rd")


@pytest.mark.parametrize(
    "written",
    [
        "'Abc''\n'defg1'",
        "E'short'",
        "$$short$$",
        "$q$short$q$",
        "'Abc' /* and */ \n 'def'",
        "N'short'",
        "E'Abcdefg\\x31'",
    ],
)
def test_the_password_rules_apply_to_every_way_of_writing_a_string(session: Connection, pat: str, written: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        session.execute(f"alter user pat password {written}".encode())
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        session.execute(f"alter user pat encrypted password {written}".encode())


def test_adjacent_strings_are_joined_to_one_password(session: Connection, psycopg_parameters: Any, pat: str) -> None:
    session.execute("alter user pat password 'Abcd'\n'efg1'")
    assert logs_in(psycopg_parameters, "Abcdefg1")


@pytest.mark.as_on_aws("Redshift")
def test_an_md5_hash_is_accepted_as_the_password(session: Connection, psycopg_parameters: Any, pat: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html: of the password and the user's name."""
    session.execute(f"alter user pat password 'md5{hashlib.md5(b'weakpat').hexdigest()}'".encode())
    assert logs_in(psycopg_parameters, "weak")


@pytest.mark.as_on_aws("Redshift")
def test_PASSWORD_DISABLE_removes_the_password(session: Connection, psycopg_parameters: Any, pat: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html"""
    session.execute("alter user pat password disable")
    assert not logs_in(psycopg_parameters, "Pat-Passw0rd")
    assert not logs_in(psycopg_parameters, "x")
    session.execute("create user another password disable; drop user another")


@pytest.mark.refused("Redshift")
@pytest.mark.parametrize("password", ["sha256|Mypassword1", "sha256|" + "a" * 64 + "|salt"])
def test_a_sha256_password_is_refused_by_name(session: Connection, pat: str, password: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html"""
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="sha256 passwords are not supported"):
        session.execute(f"alter user pat password '{password}'".encode())


@pytest.mark.parametrize("kind", ["role", "group"])
def test_roles_and_groups_cannot_have_a_password(session: Connection, kind: str) -> None:
    with pytest.raises(psycopg.errors.SyntaxError, match='at or near "password"'):
        session.execute(f"create {kind} several login password 'x'".encode())


def test_a_user_may_be_named_password(session: Connection) -> None:
    session.execute("create user password password 'Abcdefg1'; drop user password")

"""Logins: checks passwords as md5, and temporary (IAM) passwords in clear text over TLS."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from localaws.redshift.errors import SqlError
from localaws.redshift.front import backend, temporary_passwords, wire
from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.postgres import roles

INVALID = "28000"

# The startup parameters that are passed on to PostgreSQL. Drivers send others, which Redshift accepts and PostgreSQL
# would refuse.
_KNOWN_PARAMETERS = """
application_name client_encoding client_min_messages datestyle extra_float_digits intervalstyle options
search_path standard_conforming_strings statement_timeout timezone
"""
KNOWN_PARAMETERS = frozenset(_KNOWN_PARAMETERS.split())


@dataclass(frozen=True)
class Challenge:
    """The authentication request that is sent to a user: AuthenticationMD5Password or -CleartextPassword."""

    code: int
    salt: bytes = b""

    @classmethod
    def for_user(cls, user: str) -> Challenge:
        """Return the challenge for `user`; the connection must be encrypted, as for all users."""
        if is_temporary(user):
            return cls(wire.AUTHENTICATION_CLEARTEXT)
        return cls(wire.AUTHENTICATION_MD5, secrets.token_bytes(4))

    def request(self) -> bytes:
        """Return the message to send."""
        return wire.authentication(self.code, self.salt)


def is_temporary(user: str) -> bool:
    """Whether this is a user name from GetClusterCredentials, with a prefix."""
    return user.startswith(("IAM:", "IAMA:"))


def database_user(user: str) -> str:
    """Return the database user for a login name: `ann` for `IAM:ann` and `IAMA:ann`."""
    return user.split(":", 1)[1] if is_temporary(user) else user


def authenticate(
    configuration: FrontConfiguration, user: str, database: str, challenge: Challenge, answer: str
) -> None:
    """Check the answer to the challenge; create the user if the credentials ask for it (AutoCreate).

    Raises:
        SqlError: wrong password, unknown user, expired credentials: FATAL, 28000.
    """
    refused = SqlError(INVALID, f'password authentication failed for user "{user}"', severity="FATAL")
    if challenge.code == wire.AUTHENTICATION_MD5:
        stored = _stored_password(configuration, user)
        expected = "md5" + hashlib.md5((stored or "").removeprefix("md5").encode() + challenge.salt).hexdigest()
        if stored is None or not hmac.compare_digest(expected.encode(), answer.encode()):
            raise refused
        return
    try:
        grant = temporary_passwords.check(bytes.fromhex(configuration.token_key), answer)
    except temporary_passwords.InvalidPassword as error:
        raise refused from error
    name = database_user(user)
    if grant.db_user != name or name in roles.INTERNAL or grant.auto_create != user.startswith("IAMA:"):
        raise refused
    if grant.database is not None and grant.database != database:
        raise refused
    if grant.auto_create:
        _create_user(configuration, name)


def open_session(configuration: FrontConfiguration, client: dict[str, str], user: str, database: str) -> backend.Login:
    """Open the PostgreSQL session of a user who has been authenticated.

    Raises:
        LoginRefused: PostgreSQL refused the user, the database or a parameter.
        SqlError: the session would be a superuser's.
        OSError: PostgreSQL can't be reached.
    """
    parameters = upstream_parameters(client, database_user(user), database)
    opened = backend.log_in(Path(configuration.socket_directory), parameters)
    if opened.parameters.get("is_superuser") != "off":
        opened.backend.close()
        raise SqlError(INVALID, f'password authentication failed for user "{user}"', severity="FATAL")
    return opened


def upstream_parameters(client: dict[str, str], user: str, database: str) -> dict[str, str]:
    """Return the startup parameters for PostgreSQL: the client's, without those that PostgreSQL does not know."""
    known = {name: value for name, value in client.items() if name.lower() in KNOWN_PARAMETERS}
    return {**known, "user": user, "database": database}


def _stored_password(configuration: FrontConfiguration, user: str) -> str | None:
    """Return PostgreSQL's hash `md5…`; None if there is no such user or no password, or it is no longer valid."""
    session = _own_session(configuration, roles.AUTHENTICATION)
    try:
        rows = session.query(
            "select rolpassword from pg_catalog.pg_authid where rolcanlogin and not rolsuper"
            f" and rolname = {_literal(user)} and coalesce(rolvaliduntil > pg_catalog.now(), true)"
        )
        return rows[0][0] if rows else None
    finally:
        session.close()


def _create_user(configuration: FrontConfiguration, name: str) -> None:
    session = _own_session(configuration, roles.USERS)
    try:
        if not session.query(f"select from pg_catalog.pg_roles where rolname = {_literal(name)}"):
            session.execute('create role "{}" login'.format(name.replace('"', '""')))
    except SqlError as error:
        if error.sqlstate not in ("42710", "23505"):  # another login has just created it
            raise
    finally:
        session.close()


def _own_session(configuration: FrontConfiguration, role: str) -> backend.Backend:
    """Open a session of one of the front's own roles, in the database that users can't connect to."""
    parameters = {"user": role, "database": roles.DATABASE, "application_name": "front", "options": roles.OPTIONS}
    return backend.log_in(Path(configuration.socket_directory), parameters).backend


def _literal(text: str) -> str:
    """Return SQL for an untrusted text; hexadecimal, so that quoting rules don't matter."""
    return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"

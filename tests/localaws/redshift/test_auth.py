"""Who can log in, and with which errors everyone else is refused."""

from __future__ import annotations

import gc
import subprocess
import time
import warnings
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import redshift_connector
from redshift_lab import PASSWORD, Lab

from localaws.redshift.engine import TemporaryCredentials


def login(parameters: dict[str, Any], credentials: TemporaryCredentials, **others: Any) -> str:
    """Log in with temporary credentials; who we are then."""
    settings = {**parameters, "user": credentials.user, "password": credentials.password, **others}
    with psycopg.connect(**settings) as connection:
        row = connection.execute("select current_user").fetchone()
        assert row is not None
        return str(row[0])


def refusal(driver: Callable[..., Any], **settings: Any) -> dict[str, str]:
    """What the driver is told when its login is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the driver leaves its socket open then
        try:
            driver(**settings).close()
        except redshift_connector.InterfaceError as error:
            fields: dict[str, str] = error.args[0]
        else:
            pytest.fail("the login was not refused")
        gc.collect()
    return fields


def test_a_wrong_password_is_refused_as_on_redshift(driver: Callable[..., Any]) -> None:
    fields = refusal(driver, password="wrong")
    assert fields["M"] == 'password authentication failed for user "admin"'
    assert (fields["S"], fields["C"]) == ("FATAL", "28000")


@pytest.mark.parametrize("user", ["nobody", "rdsdb", "ad'min", 'a"; drop table x; --', "postgres"])
def test_an_unknown_user_is_refused_like_a_wrong_password(driver: Callable[..., Any], user: str) -> None:
    assert refusal(driver, user=user)["M"] == f'password authentication failed for user "{user}"'


def test_an_unknown_database_is_named(psycopg_parameters: dict[str, Any]) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nowhere" does not exist'):
        psycopg.connect(**{**psycopg_parameters, "dbname": "nowhere"})


@pytest.mark.as_on_aws("Redshift")
def test_a_connection_without_tls_is_refused(psycopg_parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-ssl-support.html"""
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for host .* SSL off"):
        psycopg.connect(**{**psycopg_parameters, "sslmode": "disable"})


def test_a_user_made_with_sql_can_log_in(
    session: psycopg.Connection[Any], psycopg_parameters: dict[str, Any], driver: Callable[..., Any]
) -> None:
    session.execute("create user ann password 'Ann-Passw0rd'")
    with psycopg.connect(**{**psycopg_parameters, "user": "ann", "password": "Ann-Passw0rd"}) as connection:
        connection.execute("create table anns (a int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create user bob password 'Bob-Passw0rd'")
    driver(user="ann", password="Ann-Passw0rd").close()
    session.execute("alter user ann password 'Other-Passw0rd1'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**psycopg_parameters, "user": "ann", "password": "Ann-Passw0rd"})
    session.execute("alter user ann password 'Ann-Passw0rd' valid until '2020-01-01'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**psycopg_parameters, "user": "ann", "password": "Ann-Passw0rd"})


def test_the_master_user_can_drop_tables_of_its_users(
    session: psycopg.Connection[Any], psycopg_parameters: dict[str, Any]
) -> None:
    session.execute("create user carl password 'Carl-Passw0rd'")
    with psycopg.connect(**{**psycopg_parameters, "user": "carl", "password": "Carl-Passw0rd"}) as connection:
        connection.execute("create table carls (a int)")
    session.execute("drop table carls")


def test_the_master_user_is_not_a_superuser_of_postgresql(session: psycopg.Connection[Any]) -> None:
    for forbidden in ("select pg_read_file('postgresql.conf')", "set role rdsdb", "select * from pg_authid"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(forbidden)


def test_temporary_credentials_log_in_as_their_user(lab: Lab, psycopg_parameters: dict[str, Any]) -> None:
    credentials = lab.engine.temporary_credentials("warehouse", "admin")
    assert credentials.user == "IAM:admin"
    assert login(psycopg_parameters, credentials) == "admin"


def test_temporary_credentials_work_with_the_driver_and_psql(lab: Lab, driver: Callable[..., Any]) -> None:
    credentials = lab.engine.temporary_credentials("warehouse", "admin")
    driver(user=credentials.user, password=credentials.password).close()
    address = lab.engine.address("warehouse")
    url = f"host={address.host} port={address.port} dbname=dev user={credentials.user} sslmode=require"
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", "-c", "select current_user", url],
        env={"PGPASSWORD": credentials.password, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "admin"


@pytest.mark.as_on_aws("Redshift")
def test_temporary_credentials_create_their_user_only_with_AutoCreate(
    lab: Lab, psycopg_parameters: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html"""
    with pytest.raises(psycopg.OperationalError, match='role "dora" does not exist'):
        login(psycopg_parameters, lab.engine.temporary_credentials("warehouse", "dora"))
    credentials = lab.engine.temporary_credentials("warehouse", "dora", auto_create=True)
    assert credentials.user == "IAMA:dora"
    assert login(psycopg_parameters, credentials) == "dora"
    assert login(psycopg_parameters, lab.engine.temporary_credentials("warehouse", "dora")) == "dora"


@pytest.mark.as_on_aws("Redshift")
def test_temporary_credentials_are_valid_only_for_their_user_database_and_duration(
    lab: Lab, psycopg_parameters: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html"""
    engine = lab.engine
    ours = engine.temporary_credentials("warehouse", "admin")
    elsewhere = engine.temporary_credentials("warehouse", "admin", database="other")
    expired = engine.temporary_credentials("warehouse", "admin", duration_seconds=-1)
    tampered = TemporaryCredentials(ours.user, ours.password[:-4] + "AAAA", ours.expiration)
    for credentials in (elsewhere, expired, tampered, TemporaryCredentials("IAM:ann", ours.password, ours.expiration)):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            login(psycopg_parameters, credentials)
    assert ours.expiration.timestamp() == pytest.approx(time.time() + 900, abs=60)


def test_temporary_credentials_cannot_be_used_to_log_in_as_a_superuser(
    lab: Lab, psycopg_parameters: dict[str, Any]
) -> None:
    with pytest.raises(psycopg.OperationalError):
        login(psycopg_parameters, lab.engine.temporary_credentials("warehouse", "rdsdb"))


def test_the_master_password_can_be_changed(lab: Lab, driver: Callable[..., Any]) -> None:
    lab.engine.set_master_password("warehouse", "Other'Passw0rd\\")
    try:
        driver(password="Other'Passw0rd\\").close()
        assert refusal(driver)["C"] == "28000"
    finally:
        lab.engine.set_master_password("warehouse", PASSWORD)


def test_the_data_api_connects_through_the_front(lab: Lab) -> None:
    with psycopg.connect(**lab.engine.internal_connection_parameters("warehouse")) as connection:
        assert connection.execute("select nvl(null, current_user)").fetchone() == ("admin",)

"""The API of the catalog's connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PROPERTIES = {
    "JDBC_CONNECTION_URL": "jdbc:redshift://127.0.0.1:5439/toll_db",
    "USERNAME": "admin",
    "PASSWORD": "secret",
}


@pytest.fixture
def glue(aws: Callable[..., Any]) -> Any:
    return aws("glue")


def create(glue: Any, name: str, **changes: Any) -> None:
    glue.create_connection(
        ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": PROPERTIES, **changes}
    )


def test_a_connection_is_returned_as_it_was_created(glue: Any, unique: Callable[[str], str]) -> None:
    name = unique("conn")
    where = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "us-east-1a"}
    create(glue, name, Description="to the cluster", PhysicalConnectionRequirements=where)
    found = glue.get_connection(Name=name)["Connection"]
    assert found["ConnectionType"] == "JDBC"
    assert found["ConnectionProperties"] == PROPERTIES
    assert found["PhysicalConnectionRequirements"] == where
    assert found["Description"] == "to the cluster"
    assert found["Status"] == "READY"


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_connection_s_password_is_left_out_if_HidePassword_is_set(glue: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetConnection.html"""
    name = unique("conn")
    create(glue, name)
    one = glue.get_connection(Name=name, HidePassword=True)["Connection"]
    (listed,) = (c for c in glue.get_connections(HidePassword=True)["ConnectionList"] if c["Name"] == name)
    for found in (one, listed):
        assert set(found["ConnectionProperties"]) == {"JDBC_CONNECTION_URL", "USERNAME"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_jdbc_connection_without_credentials_is_refused(glue: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/connection-properties.html"""
    url = {"JDBC_CONNECTION_URL": PROPERTIES["JDBC_CONNECTION_URL"]}
    with pytest.raises(glue.exceptions.InvalidInputException, match="USERNAME, PASSWORD missing"):
        create(glue, unique("conn"), ConnectionProperties=url)


def test_a_second_connection_with_the_same_name_is_refused(glue: Any, unique: Callable[[str], str]) -> None:
    name = unique("conn")
    create(glue, name)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        create(glue, name)


def test_a_connection_can_be_updated(glue: Any, unique: Callable[[str], str]) -> None:
    name = unique("conn")
    create(glue, name)
    secret = {"JDBC_CONNECTION_URL": PROPERTIES["JDBC_CONNECTION_URL"], "SECRET_ID": "s"}
    glue.update_connection(
        Name=name, ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": secret}
    )
    assert glue.get_connection(Name=name)["Connection"]["ConnectionProperties"] == secret


def test_connections_can_be_deleted_one_at_a_time_or_in_a_batch(glue: Any, unique: Callable[[str], str]) -> None:
    one, two, three = unique("conn"), unique("conn"), unique("conn")
    for name in (one, two, three):
        create(glue, name)
    glue.delete_connection(ConnectionName=one)
    done = glue.batch_delete_connection(ConnectionNameList=[two, three, "nobody"])
    assert sorted(done["Succeeded"]) == sorted([two, three])
    assert done["Errors"]["nobody"]["ErrorCode"] == "EntityNotFoundException"
    for call in (glue.get_connection, lambda Name: glue.delete_connection(ConnectionName=Name)):
        with pytest.raises(glue.exceptions.EntityNotFoundException):
            call(Name=one)


def test_connections_are_listed_by_type_and_in_pages(glue: Any, unique: Callable[[str], str]) -> None:
    names = {unique("conn") for _ in range(3)}
    for name in names:
        create(glue, name, MatchCriteria=["mine"])
    pages = glue.get_paginator("get_connections").paginate(
        Filter={"ConnectionType": "JDBC", "MatchCriteria": ["mine"]}, PaginationConfig={"PageSize": 2}
    )
    assert {connection["Name"] for page in pages for connection in page["ConnectionList"]} == names
    assert glue.get_connections(Filter={"ConnectionType": "KAFKA"})["ConnectionList"] == []

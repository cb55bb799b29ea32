"""Databases, tables, their versions and partitions: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refused = Callable[..., tuple[str, str]]


def _make(glue: Any, database: str, *names: str) -> None:
    for name in names:
        glue.create_table(DatabaseName=database, TableInput={"Name": name})


@pytest.mark.as_on_aws("Glue crawlers")
def test_database_and_table_names_are_stored_in_lower_case(glue: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html: "this is folded to lowercase"."""
    name = unique("Mixed")
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_table(DatabaseName=name.upper(), TableInput={"Name": "MyTable"})
    assert glue.get_database(Name=name)["Database"]["Name"] == name.lower()
    assert glue.get_table(DatabaseName=name, Name="mYtABLE")["Table"]["Name"] == "mytable"
    glue.update_table(DatabaseName=name, TableInput={"Name": "MYTABLE", "Description": "new"})
    (table,) = glue.get_tables(DatabaseName=name)["TableList"]
    assert (table["Name"], table["Description"]) == ("mytable", "new")
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        _make(glue, name, "MYTable")
    glue.delete_table(DatabaseName=name, Name="MyTable")
    glue.delete_database(Name=name)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name=name.lower())


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("toll", ["toll"]),
        ("toll*", ["toll", "toll_a1", "toll_b2"]),
        ("*_a1", ["other_a1", "toll_a1"]),
        ("*l_*", ["toll_a1", "toll_b2"]),
        (r"toll_\w\d", ["toll_a1", "toll_b2"]),
        (r"\w*_a1", ["other_a1", "toll_a1"]),
        ("toll|other.*", ["other_a1", "toll"]),
        ("[a-z]*", ["toll"]),
        ("", ["other_a1", "toll", "toll_a1", "toll_b2"]),
    ],
)
def test_an_expression_has_to_match_the_whole_table_name(
    glue: Any, database: str, expression: str, found: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html (Expression); a star is also a wildcard, as in
    https://aws-sdk-pandas.readthedocs.io/en/stable/stubs/awswrangler.catalog.get_tables.html (name_suffix)
    """
    _make(glue, database, "toll", "toll_a1", "toll_b2", "other_a1")
    tables = glue.get_tables(DatabaseName=database, Expression=expression)["TableList"]
    assert [table["Name"] for table in tables] == found


def test_an_expression_that_is_not_a_valid_pattern_is_refused(refused: Refused, database: str) -> None:
    code, message = refused("get_tables", DatabaseName=database, Expression="(toll")
    assert (code, "(toll is not valid" in message) == ("InvalidInputException", True)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_database_can_be_updated_but_not_renamed(glue: Any, refused: Refused, database: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateDatabase.html, and for the text
    https://github.com/floci-io/floci/issues/1229
    """
    glue.update_database(Name=database, DatabaseInput={"Name": database, "Description": "new"})
    assert glue.get_database(Name=database)["Database"]["Description"] == "new"
    assert refused("update_database", Name=database, DatabaseInput={"Name": "other"}) == (
        "InvalidInputException",
        "Database cannot be renamed",
    )


@pytest.mark.as_on_aws("Glue crawlers")
def test_old_versions_of_a_table_are_kept_and_can_be_read_and_deleted(
    glue: Any, refused: Refused, database: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTableVersions.html, API_UpdateTable.html (SkipArchive)"""
    _make(glue, database, "t")
    table: dict[str, Any] = {"DatabaseName": database, "TableName": "t"}
    for number in (2, 3, 4):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Description": str(number)})
    glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Description": "5"}, SkipArchive=True)

    def versions() -> list[str]:
        found = glue.get_table_versions(**table)["TableVersions"]
        return [f"{one['VersionId']}:{one['Table'].get('Description')}" for one in found]

    assert versions() == ["5:5", "3:3", "2:2", "1:None"]
    assert glue.get_table_version(**table)["TableVersion"]["Table"]["Description"] == "5"
    assert glue.get_table_version(**table, VersionId="3")["TableVersion"]["Table"]["Description"] == "3"
    assert refused("get_table_version", **table, VersionId="4")[0] == "EntityNotFoundException"
    glue.delete_table_version(**table, VersionId="2")
    errors = glue.batch_delete_table_version(**table, VersionIds=["1", "2", "5"])["Errors"]
    assert [(one["VersionId"], one["ErrorDetail"]["ErrorCode"]) for one in errors] == [
        ("2", "EntityNotFoundException"),
        ("5", "InvalidInputException"),
    ]
    assert versions() == ["5:5", "3:3"]
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["Description"] == "5"


@pytest.mark.as_on_aws("Glue crawlers")
def test_paging_through_versions_continues_after_versions_of_the_last_page_are_deleted(
    glue: Any, database: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTableVersions.html"""
    _make(glue, database, "t")
    table: dict[str, Any] = {"DatabaseName": database, "TableName": "t"}
    for _ in range(4):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t"})
    first = glue.get_table_versions(**table, MaxResults=2)
    assert [one["VersionId"] for one in first["TableVersions"]] == ["5", "4"]
    glue.delete_table_version(**table, VersionId="4")
    second = glue.get_table_versions(**table, MaxResults=2, NextToken=first["NextToken"])
    assert [one["VersionId"] for one in second["TableVersions"]] == ["3", "2"]


def test_too_deep_expressions_and_updates_without_a_table_are_refused(refused: Refused, database: str) -> None:
    deep = "(" * 700 + "a" + ")" * 700
    assert refused("get_tables", DatabaseName=database, Expression=deep)[0] == "InvalidInputException"
    assert refused("get_tables", DatabaseName=database, Expression="a{99999999999999999999}")[0] == (
        "InvalidInputException"
    )
    assert refused("update_table", DatabaseName=database, Name="t")[0] == "NotImplemented"


@pytest.fixture
def partitioned(glue: Any, database: str) -> dict[str, str]:
    """A table with a partition key of each type that compares in a way of its own."""
    keys = {"n": "int", "d": "date", "s": "varchar(9)", "x": "decimal(10,2)"}
    listed = [{"Name": name, "Type": kind} for name, kind in keys.items()]
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "PartitionKeys": listed})
    return {"DatabaseName": database, "TableName": "t"}


ROWS = [["9", "2026-01-09", "ab", "1.50"], ["10", "2026-01-10", "b_", "10.00"]]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("n > 9", ["10"]),
        ("n between 9 and 10 and s like 'a%'", ["9"]),
        ("d >= '2026-01-10'", ["10"]),
        ("x < 2", ["9"]),
        ("s in ('ab', 'c') or n = 10", ["10", "9"]),
        ("s not like '%b'", ["10"]),
        ("n <> 9 and d is not null", ["10"]),
        (" ", ["10", "9"]),
    ],
)
def test_a_partition_expression_compares_values_by_the_types_of_the_keys(
    glue: Any, partitioned: dict[str, str], expression: str, found: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (Expression)"""
    glue.batch_create_partition(**partitioned, PartitionInputList=[{"Values": row} for row in ROWS])
    partitions = glue.get_partitions(**partitioned, Expression=expression)["Partitions"]
    assert [partition["Values"][0] for partition in partitions] == found


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nowhere = 1", "Invalid partition expression!"),
        ("n = 1 and nowhere = 1", "Invalid partition expression!"),
        ("n = 10 or n = 'ten'", '"ten" is not an integer.'),
        ("n like '1%'", "Integral data type doesn't support operation 'LIKE'"),
        ("d = '2026-02-31'", "2026-02-31 is not a date."),
        ("n =", "Unsupported expression"),
    ],
)
@pytest.mark.parametrize("empty", [True, False])
def test_an_invalid_partition_expression_is_refused_whatever_partitions_there_are(
    glue: Any, refused: Refused, partitioned: dict[str, str], expression: str, message: str, empty: bool
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (InvalidInputException), and for a column
    that is not a key https://github.com/getmoto/moto/pull/9306
    """
    if not empty:
        glue.create_partition(**partitioned, PartitionInput={"Values": ROWS[1]})
    code, told = refused("get_partitions", **partitioned, Expression=expression)
    assert (code, message in told) == ("InvalidInputException", True)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_partition_needs_one_value_for_each_partition_key(
    glue: Any, refused: Refused, partitioned: dict[str, str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreatePartition.html"""
    mismatch = "The number of partition keys do not match the number of partition values"
    short = {"Values": ["9"]}
    assert refused("create_partition", **partitioned, PartitionInput=short) == ("InvalidInputException", mismatch)
    rows = [{"Values": ROWS[0]}, short, {"Values": ROWS[0]}]
    errors = glue.batch_create_partition(**partitioned, PartitionInputList=rows)["Errors"]
    assert [(one["PartitionValues"], one["ErrorDetail"]["ErrorCode"]) for one in errors] == [
        (["9"], "InvalidInputException"),
        (ROWS[0], "AlreadyExistsException"),
    ]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_partition_cannot_be_moved_onto_another(glue: Any, refused: Refused, partitioned: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdatePartition.html and API_BatchUpdatePartition.html"""
    glue.batch_create_partition(**partitioned, PartitionInputList=[{"Values": row} for row in ROWS])
    move = {"PartitionValueList": ROWS[0], "PartitionInput": {"Values": ROWS[1]}}
    assert refused("update_partition", **partitioned, **move)[0] == "AlreadyExistsException"
    stay = {"PartitionValueList": ROWS[1], "PartitionInput": {"Values": ROWS[1], "Parameters": {"a": "1"}}}
    lost = {"PartitionValueList": ["1", "2026-01-01", "a", "1"], "PartitionInput": {"Values": ROWS[1]}}
    errors = glue.batch_update_partition(**partitioned, Entries=[move, stay, lost])["Errors"]
    assert [one["ErrorDetail"]["ErrorCode"] for one in errors] == ["AlreadyExistsException", "EntityNotFoundException"]
    partitions = glue.get_partitions(**partitioned)["Partitions"]
    assert [(one["Values"], one.get("Parameters")) for one in partitions] == [(ROWS[1], {"a": "1"}), (ROWS[0], None)]
    glue.update_partition(**partitioned, PartitionValueList=ROWS[0], PartitionInput={"Values": ["11", *ROWS[0][1:]]})
    asked = [{"Values": ["11", *ROWS[0][1:]]}, {"Values": ROWS[0]}]
    found = glue.batch_get_partition(**partitioned, PartitionsToGet=asked)["Partitions"]
    assert [one["Values"][0] for one in found] == ["11"]
    glue.delete_partition(**partitioned, PartitionValues=asked[0]["Values"])
    errors = glue.batch_delete_partition(**partitioned, PartitionsToDelete=[{"Values": ROWS[1]}, asked[0]])["Errors"]
    assert [one["ErrorDetail"]["ErrorCode"] for one in errors] == ["EntityNotFoundException"]
    assert glue.get_partitions(**partitioned)["Partitions"] == []


def test_BatchDeleteTable_deletes_several_tables_and_names_the_missing_ones(glue: Any, database: str) -> None:
    _make(glue, database, "a", "b")
    errors = glue.batch_delete_table(DatabaseName=database, TablesToDelete=["a", "none"])["Errors"]
    assert [(one["TableName"], one["ErrorDetail"]["ErrorCode"]) for one in errors] == [
        ("none", "EntityNotFoundException")
    ]
    assert [table["Name"] for table in glue.get_tables(DatabaseName=database)["TableList"]] == ["b"]


@pytest.mark.as_on_aws("Glue jobs")
def test_only_existing_resources_can_have_tags(glue: Any, refused: Refused, database: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_TagResource.html (EntityNotFoundException)"""
    arn = f"arn:aws:glue:us-east-1:123456789012:database/{database}"
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"a": "1", "b": "2"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["a"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"b": "2"}
    for wrong in (f"{arn}x", arn.replace("database/", "job/"), arn.replace("us-east-1", "us-east-2")):
        for operation, more in (
            ("tag_resource", {"TagsToAdd": {"a": "1"}}),
            ("untag_resource", {"TagsToRemove": ["a"]}),
            ("get_tags", {}),
        ):
            assert refused(operation, ResourceArn=wrong, **more)[0] == "EntityNotFoundException"


@pytest.mark.refused("Glue jobs")
@pytest.mark.parametrize(
    "without_effect",
    [
        {"SecurityConfiguration": "secret"},
        {"NotificationProperty": {"NotifyDelayAfter": 5}},
        {"CodeGenConfigurationNodes": {"node-1": {"S3JsonSource": {"Name": "s", "Paths": ["s3://b/k"]}}}},
    ],
)
def test_job_settings_without_an_effect_are_refused_in_every_call(
    glue: Any, refused: Refused, role: str, unique: Callable[[str], str], without_effect: dict[str, Any]
) -> None:
    job = {"Role": role, "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}}
    name, (member,) = unique("job"), without_effect
    glue.create_job(Name=name, **job, NotificationProperty={})
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_job", {"Name": "other", **job, **without_effect}),
        ("update_job", {"JobName": name, "JobUpdate": {**job, **without_effect}}),
    ]
    if member != "CodeGenConfigurationNodes":
        calls += [
            ("start_job_run", {"JobName": name, **without_effect}),
            ("create_trigger", {"Name": name, "Type": "ON_DEMAND", "Actions": [{"JobName": name, **without_effect}]}),
        ]
    for operation, arguments in calls:
        code, message = refused(operation, **arguments)
        assert (code, f"{member} is not supported by the embedded AWS" in message) == ("InvalidInputException", True)


@pytest.mark.refused("Glue crawlers")
def test_resource_links_views_and_schema_references_are_refused(glue: Any, refused: Refused, database: str) -> None:
    link = {"Name": "link", "TargetDatabase": {"CatalogId": "123456789012", "DatabaseName": database}}
    told = [refused("create_database", DatabaseInput=link)]
    told.append(refused("update_database", Name=database, DatabaseInput={**link, "Name": database}))
    _make(glue, database, "t")
    for more in (
        {"TargetTable": {"DatabaseName": database, "Name": "t"}},
        {"ViewDefinition": {"IsProtected": True}},
        {"StorageDescriptor": {"SchemaReference": {"SchemaVersionNumber": 1}}},
    ):
        told.append(refused("create_table", DatabaseName=database, TableInput={"Name": "u", **more}))
        told.append(refused("update_table", DatabaseName=database, TableInput={"Name": "t", **more}))
    assert {code for code, _ in told} == {"InvalidInputException"}
    assert all("The embedded AWS does not support" in message for _, message in told)


@pytest.mark.refused("Glue crawlers")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_crawler", {"Name": "c", "Role": "r", "Targets": {}}),
        ("test_connection", {"ConnectionName": "c"}),
        ("batch_delete_table_version", {"DatabaseName": "d", "TableName": "t", "VersionIds": ["1"]}),
    ],
)
def test_the_catalog_of_another_account_is_refused(refused: Refused, operation: str, arguments: dict[str, Any]) -> None:
    code, message = refused(operation, **arguments, CatalogId="999999999999")
    assert (code, "another account's CatalogId" in message) == ("NotImplemented", True)


@pytest.mark.refused("Glue crawlers")
def test_SparkProperties_and_AuthenticationConfiguration_of_a_connection_are_refused(refused: Refused) -> None:
    url = {"JDBC_CONNECTION_URL": "jdbc:redshift://h:1/d", "USERNAME": "u", "PASSWORD": "p"}
    definition = {"Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": url}
    for more in ({"SparkProperties": url}, {"AuthenticationConfiguration": {"AuthenticationType": "BASIC"}}):
        code, message = refused("create_connection", ConnectionInput={**definition, **more})
        assert (code, next(iter(more)) in message) == ("InvalidInputException", True)
    assert refused("get_connections", Filter={"ConnectionSchemaVersion": 1})[0] == "InvalidInputException"

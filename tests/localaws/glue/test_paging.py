"""Lists in pages, of all operations of Glue that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name
from moto.core.utils import get_service_model

from localaws.core.operations import vouching

MODEL = get_service_model("glue")
VOUCHED = vouching.table("glue")
LISTS = sorted(
    operation
    for operation in [*VOUCHED.works, *VOUCHED.state_only]
    if "NextToken" in MODEL.operation_model(operation).input_shape.members
)


@pytest.fixture(scope="module")
def owners(aws: Callable[..., Any], glue: Any, role: str) -> dict[str, str]:
    """One of each thing that a list may be asked of, by the parameter that names it."""
    aws("s3").create_bucket(Bucket="pages-of-glue")
    glue.create_database(DatabaseInput={"Name": "pages"})
    glue.create_table(DatabaseName="pages", TableInput={"Name": "pages"})
    glue.create_job(Name="pages", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://b/k"})
    glue.create_crawler(Name="pages", Role=role, Targets={"S3Targets": [{"Path": "s3://pages-of-glue/"}]})
    glue.create_workflow(Name="pages")
    return dict.fromkeys(("DatabaseName", "TableName", "JobName", "CrawlerName", "Name"), "pages")


def _arguments(operation: str, owners: dict[str, str]) -> dict[str, str]:
    return {name: owners[name] for name in MODEL.operation_model(operation).input_shape.required_members}


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("operation", LISTS)
def test_a_token_from_another_list_is_refused(
    refused: Callable[..., tuple[str, str]], owners: dict[str, str], operation: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html (NextToken)"""
    for token in ("2", "abc", "bnVsbA=="):
        code, message = refused(xform_name(operation), **_arguments(operation, owners), NextToken=token)
        assert (code, token in message) == ("InvalidInputException", True)


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("operation", LISTS)
def test_a_page_size_outside_of_the_operation_s_range_is_refused(
    refused: Callable[..., tuple[str, str]], owners: dict[str, str], operation: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html (MaxResults)"""
    most = MODEL.operation_model(operation).input_shape.members["MaxResults"].metadata["max"]
    for size, reason in ((0, "greater than or equal to 1"), (most + 1, f"less than or equal to {most}")):
        assert refused(xform_name(operation), **_arguments(operation, owners), MaxResults=size) == (
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: "
            f"Member must have value {reason}",
        )


@pytest.mark.as_on_aws("Glue crawlers")
def test_paging_continues_correctly_while_entries_are_created_and_deleted(glue: Any, database: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html"""

    def make(*names: str) -> None:
        for name in names:
            glue.create_table(DatabaseName=database, TableInput={"Name": name})

    def page(token: str | None = None) -> tuple[list[str], str | None]:
        more = {"NextToken": token} if token else {}
        answer = glue.get_tables(DatabaseName=database, MaxResults=2, **more)
        return [table["Name"] for table in answer["TableList"]], answer.get("NextToken")

    make("a", "c", "e", "g", "i")
    first, token = page()
    glue.delete_table(DatabaseName=database, Name="c")
    make("b", "d")
    second, token = page(token)
    last, none = page(token)
    assert (first, second, last, none) == (["a", "c"], ["d", "e"], ["g", "i"], None)


@pytest.mark.as_on_aws("Glue crawlers")
def test_databases_tables_and_versions_come_in_pages_of_100(
    glue: Any, database: str, refused: Callable[..., tuple[str, str]], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html, API_GetTableVersions.html and
    API_GetDatabases.html: at most 100 of them.
    """
    stem = unique("many")
    for number in range(101):
        glue.create_database(DatabaseInput={"Name": f"{stem}{number}"})
        glue.create_table(DatabaseName=database, TableInput={"Name": f"t{number}"})
    for number in range(101):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t0", "Description": str(number)})
    assert len(glue.get_databases()["DatabaseList"]) == 100
    page = glue.get_tables(DatabaseName=database)
    assert len(page["TableList"]) == 100
    code, _ = refused("get_tables", DatabaseName=database, Expression="t1*", NextToken=page["NextToken"])
    assert code == "InvalidInputException"  # a token belongs to what was asked
    names = {
        t["Name"] for p in glue.get_paginator("get_tables").paginate(DatabaseName=database) for t in p["TableList"]
    }
    assert len(names) == 101
    pages = list(glue.get_paginator("get_table_versions").paginate(DatabaseName=database, TableName="t0"))
    versions = [int(version["VersionId"]) for page in pages for version in page["TableVersions"]]
    assert ([len(page["TableVersions"]) for page in pages], versions) == ([100, 2], list(range(102, 0, -1)))
    found = [d["Name"] for p in glue.get_paginator("get_databases").paginate() for d in p["DatabaseList"]]
    assert len([name for name in found if name.startswith(stem)]) == 101
    for number in range(101):
        glue.delete_database(Name=f"{stem}{number}")


@pytest.mark.as_on_aws("Glue jobs")
def test_pages_of_names_list_each_name_once_and_can_be_filtered_by_tags(
    glue: Any, role: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ListJobs.html"""
    stem = unique("tagged")
    for number in range(5):
        tags = {"stem": stem, "odd": str(number % 2)}
        command = {"Name": "glueetl", "ScriptLocation": "s3://b/k"}
        glue.create_job(Name=f"{stem}{number}", Role=role, Command=command, Tags=tags)
        glue.create_trigger(
            Name=f"{stem}{number}", Type="ON_DEMAND", Actions=[{"JobName": f"{stem}{number}"}], Tags=tags
        )
    for operation, member in (("list_jobs", "JobNames"), ("list_triggers", "TriggerNames")):
        names, token = [], ""
        while token is not None:
            more = {"NextToken": token} if token else {}
            page = getattr(glue, operation)(Tags={"stem": stem, "odd": "0"}, MaxResults=2, **more)
            names += page[member]
            token = page.get("NextToken")
        assert names == [f"{stem}0", f"{stem}2", f"{stem}4"]
    one = glue.get_triggers(DependentJobName=f"{stem}3", MaxResults=1)
    assert ([trigger["Name"] for trigger in one["Triggers"]], "NextToken" in one) == ([f"{stem}3"], False)


@pytest.mark.as_on_aws("Glue crawlers")
def test_all_values_that_violate_the_model_are_reported_in_one_error(refused: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html (ValidationError)"""
    code, message = refused("create_database", DatabaseInput={"Name": "x" * 256, "LocationUri": ""})
    assert (code, message.partition(": Value")[0]) == ("ValidationException", "2 validation errors detected")
    assert "at 'databaseInput.name' failed to satisfy constraint: Member must have length less than or equal" in message
    assert "at 'databaseInput.locationUri' failed to satisfy constraint: Member must have length greater" in message
    assert "at 'names.1.member' failed" in refused("batch_get_workflows", Names=[""])[1]
    assert (
        "Member must satisfy enum value set: [SCRIPT, VISUAL, NOTEBOOK]"
        in refused("create_job", Name="j", Role="r", Command={}, JobMode="TEXT")[1]
    )

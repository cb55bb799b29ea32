"""getResolvedOptions: which names a script may request, what it gets, and which ones are refused.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html, and the
behaviour of AWS's own Python layer of Glue 5.1 where the page is silent.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("awsglue")

# What Glue passes to every run.
GIVEN = ["script.py", "--JOB_NAME", "job", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_1", "--job-bookmark-option",
         "job-bookmark-disable"]  # fmt: skip


@pytest.fixture
def resolve(awsglue: None) -> Callable[..., dict[str, Any]]:
    """`resolve(options, *arguments)`: what getResolvedOptions gives in a run with these arguments beside Glue's own."""
    utils = importlib.import_module("awsglue.utils")
    return lambda options, *arguments: utils.getResolvedOptions([*GIVEN, *arguments], options)


def missing_argument() -> type[Exception]:
    """GlueArgumentError, which exists only while ``awsglue`` can be imported."""
    error: type[Exception] = importlib.import_module("awsglue.utils").GlueArgumentError
    return error


@pytest.mark.as_on_aws("awsglue")
def test_glue_s_own_arguments_are_in_the_result_without_being_requested(resolve: Callable[..., dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    assert resolve(["JOB_NAME"], "--other", "x") == {
        "JOB_NAME": "job",
        "JOB_ID": "j_1",
        "JOB_RUN_ID": "jr_1",
        "SECURITY_CONFIGURATION": None,
        "job_bookmark_option": "job-bookmark-disable",
        "job_bookmark_from": None,
        "job_bookmark_to": None,
        "encryption_type": None,
        "enable_data_lineage": None,
        "TempDir": None,
        "RedshiftTempDir": None,
    }
    assert "JOB_NAME" not in resolve([])


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.parametrize(
    "name", ["JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "encryption-type", "enable-data-lineage", "help"]
)
def test_requesting_a_reserved_name_conflicts_with_the_existing_option(
    resolve: Callable[..., dict[str, Any]], name: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    with pytest.raises(argparse.ArgumentError, match=f"argument --{name}: conflicting option string: --{name}$"):
        resolve(["JOB_NAME", name])


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("job-bookmark-option", "job-bookmark-option"),
        ("continuation-option", "continuation-option"),
        ("job-bookmark-from", "--job-bookmark-from"),
        ("job-bookmark-to", "--job-bookmark-to"),
        ("--JOB_RUN_ID", "--JOB_RUN_ID"),
        ("--encryption-type", "--encryption-type"),
    ],
)
def test_requesting_a_job_bookmark_option_is_refused(
    resolve: Callable[..., dict[str, Any]], name: str, shown: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    with pytest.raises(RuntimeError) as refusal:
        resolve(["JOB_NAME", name])
    assert str(refusal.value) == f"Using reserved arguments {shown}"


@pytest.mark.as_on_aws("awsglue")
def test_the_temporary_directory_may_be_requested_and_is_never_required(
    resolve: Callable[..., dict[str, Any]],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html (--TempDir)"""
    for asked in ([], ["TempDir"], ["RedshiftTempDir", "TempDir"]):
        assert resolve(asked)["TempDir"] is None
        for given in ("--TempDir", "--RedshiftTempDir"):
            found = resolve(asked, given, "s3://b/temp/")
            assert (found["TempDir"], found["RedshiftTempDir"]) == ("s3://b/temp/", "s3://b/temp/")


@pytest.mark.as_on_aws("awsglue")
def test_missing_arguments_and_invalid_values_are_named_in_the_error(
    resolve: Callable[..., dict[str, Any]],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    for options, arguments, message in (
        (["weight", "size"], (), "the following arguments are required: --weight, --size"),
        (["--weight"], ("--weight", "1"), "the following arguments are required: ----weight"),
        (["weight"], ("--weight",), "argument --weight: expected one argument"),
        (["size_a", "size_b"], ("--size", "1"), "ambiguous option: --size could match --size_a, --size_b"),
        ([], ("--encryption-type", "none"), "argument --encryption-type: invalid choice: 'none'"),
        (
            [],
            ("--job-bookmark-option", "on"),
            "argument --job-bookmark-option: invalid choice: 'on' (choose from 'job-bookmark-enable',"
            " 'job-bookmark-pause', 'job-bookmark-disable')",
        ),
    ):
        with pytest.raises(missing_argument()) as refusal:
            resolve(options, *arguments)
        assert str(refusal.value).startswith(message)


@pytest.mark.as_on_aws("awsglue")
def test_a_name_that_is_requested_twice_conflicts_with_itself(resolve: Callable[..., dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    with pytest.raises(argparse.ArgumentError, match="argument --size: conflicting option string: --size"):
        resolve(["size", "size"], "--size", "1")


@pytest.mark.as_on_aws("awsglue")
@pytest.mark.parametrize(
    ("option", "arguments", "value"),
    [
        ("color", ("--color", "red"), "red"),
        ("color", ("--color=red",), "red"),
        ("color", ("--color", "red", "--color", "blue"), "blue"),
        ("color", ("--col", "red"), "red"),
        ("expression", ("--expression", "a=b --c=d"), "a=b --c=d"),
        ("expression", ("--expression=a=b",), "a=b"),
        ("the-size", ("--the-size", "2"), "2"),
        ("size", ("--size", "-2"), "-2"),
        ("size", ("--size", ""), ""),
    ],
)
def test_values_are_parsed_as_argparse_parses_them(
    resolve: Callable[..., dict[str, Any]], option: str, arguments: tuple[str, ...], value: str
) -> None:
    """Abbreviated names (until Glue 6.0), names given twice, values with `=`, hyphens:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
    """
    assert resolve([option], *arguments)[option.replace("-", "_")] == value


@pytest.mark.as_on_aws("awsglue")
def test_the_old_continuation_option_for_bookmarks_still_works(resolve: Callable[..., dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"""
    utils = importlib.import_module("awsglue.utils")
    for old, new in (
        ("continuation-enabled", "job-bookmark-enable"),
        ("continuation-readonly", "job-bookmark-pause"),
        ("continuation-ignore", "job-bookmark-disable"),
    ):
        found = utils.getResolvedOptions(["script.py", "--continuation-option", old], [])
        assert found["job_bookmark_option"] == new
        assert "continuation_option" not in found
    assert resolve([], "--continuation-option", "continuation-enabled")["job_bookmark_option"] == "job-bookmark-disable"
    assert utils.getResolvedOptions(["script.py"], [])["job_bookmark_option"] == "job-bookmark-disable"


@pytest.mark.as_on_aws("awsglue")
def test_a_bookmark_range_needs_a_paused_bookmark_and_both_ends(resolve: Callable[..., dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"""
    first, last = ("--job-bookmark-from", "jr_0"), ("--job-bookmark-to", "jr_9")
    pause = ("--job-bookmark-option", "job-bookmark-pause")
    assert resolve([], *pause, *first, *last)["job_bookmark_to"] == "jr_9"
    with pytest.raises(RuntimeError, match=r"^Missing option or value for --job-bookmark-to$"):
        resolve([], *pause, *first)
    with pytest.raises(RuntimeError, match=r"^Invalid option\(s\)--job-bookmark-from --job-bookmark-to$"):
        resolve([], *first, *last)


@pytest.mark.as_on_aws("awsglue")
def test_a_job_that_requests_its_run_id_as_an_option_fails_but_gets_it_without_requesting_it(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html"""
    script = """
        import sys
        from awsglue.utils import getResolvedOptions
        args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir", *{asked}])
        print(args["JOB_RUN_ID"].startswith("jr_"), args["TempDir"][:5])
    """
    asking = jobs.run(jobs.make(script.replace("{asked}", '["JOB_RUN_ID"]')))
    assert asking["JobRunState"] == "FAILED"
    assert asking["ErrorMessage"] == "ArgumentError: argument --JOB_RUN_ID: conflicting option string: --JOB_RUN_ID"
    assert jobs.succeed(jobs.make(script.replace("{asked}", "[]"))) == ["True s3://"]

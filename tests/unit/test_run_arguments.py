"""`lab.job.run(…)` passes arguments that the job knows, and refuses others, which Glue would ignore silently."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.job_arguments import job_arguments

DEFAULTS = {"--SOURCE_TABLE": "landing_bucket", "--TempDir": "s3://staging/temp/", "--job-bookmark-option": "x"}


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({}, {}),
        ({"SOURCE_TABLE": "other"}, {"--SOURCE_TABLE": "other"}),
        ({"--SOURCE_TABLE": "other"}, {"--SOURCE_TABLE": "other"}),
        ({"TempDir": "s3://b/t/"}, {"--TempDir": "s3://b/t/"}),
        ({"bookmark": "disable"}, {"--job-bookmark-option": "job-bookmark-disable"}),
        ({"enable_metrics": "true"}, {"--enable-metrics": "true"}),
        ({"job-bookmark-option": "job-bookmark-pause"}, {"--job-bookmark-option": "job-bookmark-pause"}),
        ({"conf": "spark.a=1"}, {"--conf": "spark.a=1"}),
    ],
)
def test_arguments_that_the_job_or_glue_knows_are_passed_on(given: dict[str, str], passed: dict[str, str]) -> None:
    assert job_arguments("loader", given, DEFAULTS) == passed


@pytest.mark.parametrize("name", ["nonsense", "source_table", "--nonsense", "JOB_NAME", "JOB_RUN_ID"])
def test_an_unknown_argument_is_refused_with_a_list_of_the_known_names(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        job_arguments("loader", {name: "x"}, DEFAULTS)
    for said in (f"'{name}'", "loader", "SOURCE_TABLE", "bookmark (enable, disable, pause)", "enable-metrics"):
        assert said in str(caught.value)


@pytest.mark.parametrize("given", [{"bookmark": "off"}, {"SOURCE_TABLE": 5}, {"conf": None}, {"bookmark": True}])
def test_an_invalid_argument_value_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Nothing was started"):
        job_arguments("loader", given, DEFAULTS)

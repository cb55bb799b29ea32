"""Job bookmarks: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

COUNT = """
source = glueContext.create_dynamic_frame.from_options(
    connection_type="s3", connection_options={{"paths": ["s3://{bucket}/{prefix}/"], "recurse": True}},
    format="json", transformation_ctx="{context}",
)
print(source.count())
"""
COMMIT = "job.commit()\n"
ENABLED = {"--job-bookmark-option": "job-bookmark-enable"}


@pytest.fixture
def landing(jobs: Any) -> str:
    """A prefix of its own."""
    return str(jobs.unique("landing"))


@pytest.fixture
def land(jobs: Any, landing: str, json_lines: Callable[..., str]) -> Callable[[str, int], None]:
    """`land("a.json", 3)` puts three rows."""

    def put(name: str, rows: int) -> None:
        jobs.put(f"{landing}/{name}", json_lines({"id": number} for number in range(rows)))

    return put


@pytest.fixture
def script(jobs: Any, landing: str, preamble: str) -> str:
    return preamble + COUNT.format(bucket=jobs.bucket, prefix=landing, context="source")


@pytest.mark.as_on_aws("Glue jobs")
def test_with_a_bookmark_each_object_is_read_once_and_again_only_if_it_is_overwritten(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """It is recognised by its last-modified time; a run with the bookmark disabled reads everything:
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    name = jobs.make(script + COMMIT, arguments=ENABLED)
    land("a.json", 3)
    land("deep/er/b c+d.json", 4)
    assert jobs.succeed(name) == ["7"]
    assert jobs.succeed(name) == ["0"]
    land("a.json", 5)
    assert jobs.succeed(name) == ["5"]
    land("late.json", 1)
    assert jobs.succeed(name) == ["1"]
    assert jobs.succeed(name, job_bookmark_option="job-bookmark-disable") == ["10"]
    assert jobs.succeed(name) == ["0"]


@pytest.mark.as_on_aws("Glue jobs")
def test_a_run_that_does_not_commit_leaves_the_bookmark_unchanged(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/programming-etl-connect-bookmarks.html"""
    name = jobs.make(script + "raise ValueError('too early')\n" + COMMIT, arguments=ENABLED)
    land("a.json", 3)
    assert jobs.run(name)["JobRunState"] == "FAILED"
    jobs.rewrite(name, script)  # no commit at all
    assert jobs.succeed(name) == ["3"]
    jobs.rewrite(name, script + COMMIT)
    assert jobs.succeed(name) == ["3"]
    assert jobs.succeed(name) == ["0"]


@pytest.mark.nightly
@pytest.mark.as_on_aws("Glue jobs")
def test_a_paused_bookmark_reads_new_objects_or_a_range_of_runs_and_stays_unchanged(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """--job-bookmark-from and -to name runs: read is what the runs after the first, up to the last, had read:
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    name = jobs.make(script + COMMIT, arguments=ENABLED)
    runs = []
    for file, rows in (("a.json", 1), ("b.json", 2), ("c.json", 4)):
        land(file, rows)
        runs.append(jobs.run(name)["Id"])
    land("d.json", 8)
    pause = {"job_bookmark_option": "job-bookmark-pause"}
    assert jobs.succeed(name, **pause, job_bookmark_from=runs[0], job_bookmark_to=runs[1]) == ["2"]
    assert jobs.succeed(name, **pause, job_bookmark_from=runs[0], job_bookmark_to=runs[2]) == ["6"]
    assert jobs.succeed(name, **pause) == ["8"]
    assert jobs.succeed(name) == ["8"]
    run = jobs.run(name, **pause, job_bookmark_from="jr_none", job_bookmark_to=runs[1])
    assert run["ErrorMessage"] == "InvalidInputException: Job run jr_none left no bookmark"


@pytest.mark.as_on_aws("Glue jobs")
def test_a_source_without_a_transformation_ctx_is_not_bookmarked(
    jobs: Any, land: Callable[[str, int], None], landing: str, preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/programming-etl-connect-bookmarks.html"""
    script = preamble + COUNT.format(bucket=jobs.bucket, prefix=landing, context="") + COMMIT
    name = jobs.make(script, arguments=ENABLED)
    land("a.json", 3)
    assert jobs.succeed(name) == ["3"]
    assert jobs.succeed(name) == ["3"]


@pytest.mark.simplified(
    "Glue jobs", "the states of the last 20 runs are kept for rewinding; the text of JobBookmark is not AWS's"
)
def test_a_bookmark_can_be_shown_reset_and_rewound_to_a_run(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ResetJobBookmark.html; rewinding "to any previous job run":
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    glue = jobs.aws("glue")
    name = jobs.make(script + COMMIT, arguments=ENABLED)
    with pytest.raises(ClientError, match=f"Continuation for job {name} not found"):
        glue.get_job_bookmark(JobName=name)
    land("a.json", 1)
    first = jobs.run(name)["Id"]
    land("b.json", 2)
    second = jobs.run(name)["Id"]
    entry = glue.get_job_bookmark(JobName=name)["JobBookmarkEntry"]
    assert (entry["JobName"], entry["Version"], entry["Run"], entry["Attempt"]) == (name, 2, 2, 0)
    assert (entry["RunId"], entry["PreviousRunId"]) == (second, first)
    assert "b.json" in json.dumps(json.loads(entry["JobBookmark"]))

    glue.reset_job_bookmark(JobName=name, RunId=first)
    assert jobs.succeed(name) == ["2"]
    entry = glue.reset_job_bookmark(JobName=name)["JobBookmarkEntry"]
    assert entry["JobBookmark"] == "{}"
    assert jobs.succeed(name) == ["3"]


@pytest.mark.as_on_aws("Glue jobs")
def test_the_commit_of_a_run_fails_if_the_bookmark_was_reset_during_the_run(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """It fails as after another run's commit: https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    reset = "import boto3; boto3.client('glue').reset_job_bookmark(JobName=args['JOB_NAME'])\n"
    name = jobs.make(script + COMMIT, arguments=ENABLED)
    land("a.json", 1)
    assert jobs.succeed(name) == ["1"]
    jobs.rewrite(name, script + reset + COMMIT)
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert "version mismatch. Expected version 1 but found version 2" in run["ErrorMessage"]


def test_the_second_commit_of_a_run_fails_if_the_bookmark_was_rewound_after_the_first(
    jobs: Any, land: Callable[[str, int], None], script: str
) -> None:
    """The service can't know whether a rewind was meant to undo the run's own commit, so the rewind stays in effect."""
    name = jobs.make(script + COMMIT + COMMIT, arguments=ENABLED)
    land("a.json", 1)
    first = jobs.run(name)["Id"]
    rewind = f"import boto3; boto3.client('glue').reset_job_bookmark(JobName=args['JOB_NAME'], RunId='{first}')\n"
    land("b.json", 2)
    jobs.rewrite(name, script + COMMIT + rewind + COMMIT)
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert "version mismatch. Expected version 3 but found version 4" in run["ErrorMessage"]
    jobs.rewrite(name, script + COMMIT)
    assert jobs.succeed(name) == ["2"]

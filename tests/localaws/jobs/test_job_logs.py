"""Where a run's output goes: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html"""

from __future__ import annotations

import json
from typing import Any

import pytest

SAY = """
import sys
print("to stdout")
print("to stderr", file=sys.stderr)
glueContext.get_logger().info("to the logger")
def load():
    raise ValueError("no such booth")
load()
"""


@pytest.mark.as_on_aws("Glue jobs")
def test_output_goes_to_the_output_log_and_logger_messages_and_tracebacks_to_the_error_log(
    jobs: Any, preamble: str
) -> None:
    """In real time, as since Glue 5.0: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html"""
    run = jobs.run(jobs.make(preamble + SAY))
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: no such booth")
    assert jobs.log(run["Id"]) == ["to stdout", "to stderr"]
    error_log = jobs.log(run["Id"], "error")
    assert error_log[0].endswith("INFO GlueLogger: to the logger")
    assert error_log[1] == "Traceback (most recent call last):"
    assert "in load" in "".join(error_log)
    assert error_log[-1] == "ValueError: no such booth"
    assert "worker.py" not in "".join(error_log)


@pytest.mark.as_on_aws("Glue jobs")
def test_a_job_can_set_the_prefixes_of_its_log_groups_and_streams(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html"""
    group = f"/{jobs.unique('mine')}"
    arguments = {"--custom-logGroup-prefix": group, "--custom-logStream-prefix": "stream"}
    run = jobs.run(jobs.make(preamble + SAY, arguments=arguments))
    logs = jobs.aws("logs")
    for kind, word in (("output", "to stdout"), ("error", "to the logger")):
        events = logs.get_log_events(logGroupName=f"{group}/{kind}", logStreamName="stream-driver")["events"]
        assert word in events[0]["message"]
    assert jobs.log(run["Id"]) == []


def test_a_job_whose_log_group_name_is_invalid_runs_without_a_log(jobs: Any, preamble: str) -> None:
    run = jobs.run(jobs.make(preamble + "print(1)", arguments={"--custom-logGroup-prefix": "no blanks"}))
    assert run["JobRunState"] == "SUCCEEDED"


@pytest.mark.simplified("Glue jobs", "only the exception and its line in the script, without Spark events and advice")
def test_job_run_insights_give_the_line_at_which_a_script_failed(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/monitor-job-insights.html: a run that succeeded has none."""
    name = jobs.make("print(1)\n\nprint(nobody)\n")
    run = jobs.run(name)
    stream = f"{run['Id']}-job-insights-rca-driver"
    (event,) = jobs.aws("logs").get_log_events(logGroupName="/aws-glue/jobs/error", logStreamName=stream)["events"]
    insight = json.loads(event["message"].removeprefix("[Glue Exception Analysis] "))
    assert (insight["Event"], insight["Last Executed Line number"]) == ("GlueETLJobExceptionEvent", 3)
    assert insight["Failure Reason"].endswith("NameError: name 'nobody' is not defined\n")
    quiet = jobs.run(name, enable_job_insights="false")
    streams = jobs.aws("logs").describe_log_streams(
        logGroupName="/aws-glue/jobs/error", logStreamNamePrefix=quiet["Id"]
    )["logStreams"]
    assert [found["logStreamName"] for found in streams] == [quiet["Id"]]

"""The arguments of one run of a Glue job: the job's own, and those that Glue defines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labkit.errors import UsageError

BOOKMARKS = ("enable", "disable", "pause")

GLUE_ARGUMENTS = (
    "--additional-python-modules",
    "--auto-scale-within-microbatch",
    "--class",
    "--conf",
    "--continuous-log-conversionPattern",
    "--continuous-log-logGroup",
    "--continuous-log-logStreamPrefix",
    "--custom-logGroup-prefix",
    "--custom-logStream-prefix",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--datalake-formats",
    "--disable-proxy-v2",
    "--enable-auto-scaling",
    "--enable-continuous-cloudwatch-log",
    "--enable-continuous-log-filter",
    "--enable-glue-datacatalog",
    "--enable-job-insights",
    "--enable-lakeformation-fine-grained-access",
    "--enable-metrics",
    "--enable-observability-metrics",
    "--enable-rename-algorithm-v2",
    "--enable-s3-parquet-optimized-committer",
    "--enable-spark-ui",
    "--executor-cores",
    "--extra-files",
    "--extra-jars",
    "--extra-py-files",
    "--job-bookmark-from",
    "--job-bookmark-option",
    "--job-bookmark-to",
    "--job-language",
    "--python-modules-installer-option",
    "--scriptLocation",
    "--spark-event-logs-path",
    "--TempDir",
    "--use-postgres-driver",
    "--user-jars-first",
    "--write-shuffle-files-to-s3",
    "--write-shuffle-spills-to-s3",
)
"""Arguments that Glue reads: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""


def job_arguments(job: str, given: Mapping[str, str], defaults: Iterable[str]) -> dict[str, str]:
    """Convert a run's arguments to the form that StartJobRun expects.

    Args:
        job: the job's name, for the messages.
        given: `SOURCE_TABLE="x"` is passed as `--SOURCE_TABLE x`, `enable_metrics="true"` as `--enable-metrics true`,
            and `bookmark="disable"` as `--job-bookmark-option job-bookmark-disable`.
        defaults: the names in the job's DefaultArguments.

    Raises:
        UsageError: a value is not text, or the job does not know an argument (AWS would silently ignore it).
    """
    known = {_plain(name): name for name in (*GLUE_ARGUMENTS, *defaults)}
    arguments = {}
    for name, value in given.items():
        if not isinstance(value, str):
            raise UsageError(f"Nothing was started. {name} is {value!r}: a job's arguments must be text.")
        if name == "bookmark":
            arguments["--job-bookmark-option"] = f"job-bookmark-{_bookmark(value)}"
        elif _plain(name) in known:
            arguments[known[_plain(name)]] = value
        else:
            own = sorted(name.removeprefix("--") for name in {*defaults} - {*GLUE_ARGUMENTS})
            glue_s = [name.removeprefix("--") for name in GLUE_ARGUMENTS]
            raise UsageError(
                f"Nothing was started. Job {job} does not know the argument {name!r}.",
                where=f"Its own arguments: {', '.join(own) or 'none'}; and bookmark ({', '.join(BOOKMARKS)}).",
                fix=f"Glue's own arguments: {', '.join(glue_s)}.",
            )
    return arguments


def _plain(name: str) -> str:
    """The name as a Python identifier. Glue's own names contain dashes."""
    return name.removeprefix("--").replace("-", "_")


def _bookmark(value: str) -> str:
    if value not in BOOKMARKS:
        raise UsageError(f"Nothing was started. bookmark is {value!r}.", fix=f"Allowed: {', '.join(BOOKMARKS)}.")
    return value

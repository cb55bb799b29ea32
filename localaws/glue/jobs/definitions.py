"""Checks the requests of CreateJob and UpdateJob, and completes them with AWS's defaults.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html. Settings that the embedded AWS can't follow are
refused by name, rather than accepted and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.glue.exceptions import InvalidInputException
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from localaws.core.runtimes import job_packages
from localaws.glue.roles import can_assume, not_assumed

_MEMBERS = (
    "JobMode", "Description", "LogUri", "Role", "ExecutionProperty", "Command", "DefaultArguments",
    "NonOverridableArguments", "Connections", "MaxRetries", "AllocatedCapacity", "Timeout", "MaxCapacity",
    "SecurityConfiguration", "NotificationProperty", "GlueVersion", "NumberOfWorkers", "WorkerType",
    "CodeGenConfigurationNodes", "ExecutionClass", "SourceControlDetails", "JobRunQueuingEnabled",
)  # fmt: skip

# Spark 3.5 on Python 3.11 and Java 17: what runs here. https://docs.aws.amazon.com/glue/latest/dg/release-notes.html
GLUE_VERSIONS = ("5.1", "5.0")
# Not among these: --class, which is for Scala, and --enable-glue-datacatalog, which only changes Spark's own catalog.
# Glue Studio sets it for every job, so it is refused only when a script uses it (runtime/awsglue/_spark_catalog.py).
_UNSUPPORTED_ARGUMENTS = (
    "--extra-jars", "--user-jars-first", "--python-modules-installer-option", "--datalake-formats",
    "--customer-driver-env-vars", "--customer-executor-env-vars",
)  # fmt: skip
# What AWS acts on and the embedded AWS does not, with what is supported instead.
_WITHOUT_EFFECT = {
    "SecurityConfiguration": "data without encryption by Glue",
    "NotificationProperty": "waiting for the run, because there is no EventBridge to report its delay",
    "CodeGenConfigurationNodes": "the script that Glue Studio generates from them",
}
# Data processing units of one worker: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
WORKER_DPUS = {
    "G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "G.12X": 12, "G.16X": 16,
    "R.1X": 1, "R.2X": 2, "R.4X": 4, "R.8X": 8,
}  # fmt: skip
DEFAULT_TIMEOUT = 480  # minutes; the default for jobs of Glue 5.0 and later
LONGEST_TIMEOUT = 7 * 24 * 60
MOST_RETRIES = 10
LONGEST_ARGUMENTS = 260 * 1024  # bytes, all of them together
LONGEST_LOG_PREFIX = 400  # characters


def checked_definition(request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    """Return the definition that `request` asks for, with defaults, in the API's own shape.

    Raises:
        InvalidInputException: the request is not valid, or asks for something that is not supported.
    """
    definition = {member: request[member] for member in _MEMBERS if request.get(member) is not None}
    if not definition.get("Role"):
        raise invalid("Role should not be null or empty")
    if not can_assume(definition["Role"], account_id):
        raise invalid(not_assumed(definition["Role"]))
    definition["Command"] = _checked_command(definition.get("Command") or {})
    version = definition.setdefault("GlueVersion", GLUE_VERSIONS[0])
    if version not in GLUE_VERSIONS:
        raise _unsupported(f"GlueVersion {version}", f"{' and '.join(GLUE_VERSIONS)} (Spark 3.5)")
    if request.get("MaintenanceWindow"):
        raise _unsupported("MaintenanceWindow (streaming jobs)", "glueetl (Spark)")
    definition.setdefault("ExecutionClass", "STANDARD")
    refuse_without_effect(definition)
    execution = definition.setdefault("ExecutionProperty", {})
    if execution.setdefault("MaxConcurrentRuns", 1) < 1:
        raise invalid("MaxConcurrentRuns must be at least 1")
    if not 0 <= definition.setdefault("MaxRetries", 0) <= MOST_RETRIES:
        raise invalid(f"MaxRetries must be between 0 and {MOST_RETRIES}")
    check_queuing(definition)
    definition["Timeout"] = checked_timeout(definition.get("Timeout", DEFAULT_TIMEOUT))
    definition.update(checked_capacity(definition))
    for member in ("DefaultArguments", "NonOverridableArguments"):
        checked_arguments(definition.setdefault(member, {}))
    if not definition["NonOverridableArguments"]:
        del definition["NonOverridableArguments"]
    return definition


def refuse_without_effect(request: Mapping[str, Any]) -> None:
    """Refuse members of a job, a run or a trigger's action that AWS acts on and the embedded AWS does not."""
    for member, supported in _WITHOUT_EFFECT.items():
        if request.get(member):
            raise _unsupported(member, supported)


def checked_timeout(minutes: int) -> int:
    """Return `minutes` if it is a valid timeout; otherwise raise InvalidInputException."""
    if not 1 <= minutes <= LONGEST_TIMEOUT:
        raise invalid(f"Timeout must be between 1 and {LONGEST_TIMEOUT} minutes, not {minutes}")
    return minutes


def checked_capacity(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return WorkerType, NumberOfWorkers and the resulting capacities, from either form of a request."""
    kind, number, capacity = (request.get(name) for name in ("WorkerType", "NumberOfWorkers", "MaxCapacity"))
    if capacity is None and kind is None and number is None and request.get("AllocatedCapacity"):
        capacity = float(request["AllocatedCapacity"])
    if capacity is not None and (kind is not None or number is not None):
        raise invalid("Please do not set Max Capacity if using Worker Type and Number of Workers.")
    if capacity is not None:
        return {"MaxCapacity": float(capacity), "AllocatedCapacity": int(capacity)}
    if (kind is None) != (number is None):
        raise invalid("Please set both Worker Type and Number of Workers.")
    if kind is None:
        return {"MaxCapacity": 10.0, "AllocatedCapacity": 10}
    if kind not in WORKER_DPUS:
        raise invalid(f"Worker Type {kind} is not one of {', '.join(WORKER_DPUS)}")
    if number is None or number < 2:
        raise invalid("Number of Workers must be at least 2: one runs the driver")
    dpus = WORKER_DPUS[kind] * number
    return {"WorkerType": kind, "NumberOfWorkers": number, "MaxCapacity": float(dpus), "AllocatedCapacity": int(dpus)}


def check_queuing(settings: Mapping[str, Any]) -> None:
    """Refuse queuing unless AWS supports it: for "jobs that have not been configured to retry" and are not FLEX.

    https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
    """
    if not settings.get("JobRunQueuingEnabled"):
        return
    if settings.get("MaxRetries"):
        raise invalid("Job run queuing is not supported for jobs with MaxRetries greater than 0.")
    if settings.get("ExecutionClass") == "FLEX":
        raise invalid("Job run queuing is not supported for jobs of the execution class FLEX.")


def checked_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that are not valid, or not supported here.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    if sum(len(f"{name}{value}".encode()) for name, value in arguments.items()) > LONGEST_ARGUMENTS:
        raise invalid("The job's arguments take more than 260 KB")
    language = arguments.get("--job-language", "python")
    if language != "python":
        raise _unsupported(f"--job-language {language}", "python")
    for name in _UNSUPPORTED_ARGUMENTS:
        if arguments.get(name):
            raise _unsupported(f"The job argument {name}", "--extra-py-files, --extra-files and --conf")
    name = "--enable-lakeformation-fine-grained-access"
    if str(arguments.get(name)).lower() == "true":
        raise _unsupported(f"The job argument {name}", "the permissions of the job's role")
    _check_modules(arguments.get("--additional-python-modules") or "")
    for address in (arguments.get("--extra-py-files") or "").split(","):
        # These are in AWS's own buckets: gs_derived.py, gs_split.py and so on.
        if address.strip().startswith("s3://aws-glue-studio-transforms-"):
            raise _unsupported(f"Glue Studio's transform {address.strip()}", "awsglue.transforms and Spark's functions")
    for name in ("--custom-logGroup-prefix", "--custom-logStream-prefix"):
        prefix = arguments.get(name) or ""
        if len(prefix) > LONGEST_LOG_PREFIX or not re.fullmatch(r"[^:*]*", prefix):
            raise invalid(f"{name} takes at most {LONGEST_LOG_PREFIX} characters, and neither ':' nor '*'")
    spark_properties(arguments)
    _check_bookmark_options(arguments)


def spark_properties(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the Spark configuration in ``--conf``: ``spark.a=1 --conf spark.b=2``.

    Raises:
        InvalidInputException: the argument is not of this form.
    """
    words = str(arguments.get("--conf") or "").replace("--conf", " ").split()
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not name.startswith("spark.") or not equals:
            raise invalid(
                f"--conf takes spark.name=value, and further properties as ' --conf spark.other=value', not {name!r}"
            )
    return {name: value for name, _, value in pairs}


def _check_bookmark_options(arguments: Mapping[str, Any]) -> None:
    option = arguments.get("--job-bookmark-option")
    options = ("job-bookmark-enable", "job-bookmark-disable", "job-bookmark-pause")
    if option is not None and option not in options:
        raise invalid(f"--job-bookmark-option must be one of {', '.join(options)}, not {option}")
    if bool(arguments.get("--job-bookmark-from")) != bool(arguments.get("--job-bookmark-to")):
        raise invalid("--job-bookmark-from and --job-bookmark-to must be given together")


def _check_modules(listed: str) -> None:
    """Refuse modules that pip would have to install: there is no pip here, only what Glue has by itself."""
    for entry in filter(None, (word.strip() for word in listed.split(","))):
        try:
            wanted = Requirement(entry)
        except InvalidRequirement:
            wanted = None
        version = job_packages().get(canonicalize_name(wanted.name)) if wanted else None
        if wanted is None or version is None or not wanted.specifier.contains(version, prereleases=True):
            raise _unsupported(
                f"The job argument --additional-python-modules {entry}",
                "modules that come with Glue, and --extra-py-files for pure Python modules",
            )


def _checked_command(command: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(command)
    kind = checked.get("Name")
    if kind != "glueetl":
        raise _unsupported(f"A job with the command {kind!r}", "glueetl (Spark)")
    if not str(checked.get("ScriptLocation") or "").startswith("s3://"):
        raise invalid("Command.ScriptLocation must be an s3:// address of a script")
    if checked.setdefault("PythonVersion", "3") != "3":
        raise _unsupported(f"PythonVersion {checked['PythonVersion']}", "3")
    return checked


def invalid(message: str) -> InvalidInputException:
    """Return AWS's error for a request that is not valid."""
    return InvalidInputException("", message)


def _unsupported(what: str, supported: str) -> InvalidInputException:
    return invalid(f"{what} is not supported by the embedded AWS. Supported here: {supported}.")

"""Which step makes what: for errors that say that something is not there.

AWS often does not say what is missing ("Entity Not Found"). So a failed call is explained by what it asked for,
and a failed run by looking which of the things that it needs is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labkit.errors import NAMING, LabError, MissingStep
from labkit.steps.base import Step, found

if TYPE_CHECKING:
    from labkit.lab import Lab

CRAWL = "crawl"
"""Not a step: the crawl of what has landed."""

MADE_BY = {
    "landing_bucket": "buckets",
    "staging_bucket": "buckets",
    "glue_role": "roles",
    "generator_role": "roles",
    "start_role": "roles",
    "copy_role": "roles",
    "generator_function": "functions",
    "start_function": "functions",
    "vpc": "network",
    "security_group": "network",
    "subnet_group": "redshift",
    "cluster_identifier": "redshift",
    "secret": "redshift",
    "connection": "secrets",
    "glue_database": "crawlers",
    "redshift_crawler": "crawlers",
    "target_table": "crawlers",
    "s3_crawler": "crawlers",
    "s3_crawler_workflow": "crawlers",
    "s3_crawler_trigger": "crawlers",
    "source_table": CRAWL,
    "job": "job",
    "workflow": "workflow",
    "start_trigger": "workflow",
    "event_trigger": "workflow",
    "notification": "notification",
    "exactly_once_job": "reliability",
    "exactly_once_workflow": "reliability",
    "exactly_once_start_trigger": "reliability",
    "exactly_once_event_trigger": "reliability",
    "reliable_start_function": "reliability",
    "reliable_start_role": "reliability",
    "retry_queue": "reliability",
    "dead_letter_queue": "reliability",
    "ledger": "reliability",
}
"""Each of `Names` → the step that makes it."""

LOOKUPS = {
    "landing_bucket": ("s3", "head_bucket", "Bucket"),
    "staging_bucket": ("s3", "head_bucket", "Bucket"),
    "glue_role": ("iam", "get_role", "RoleName"),
    "copy_role": ("iam", "get_role", "RoleName"),
    "secret": ("secretsmanager", "describe_secret", "SecretId"),
    "cluster_identifier": ("redshift", "describe_clusters", "ClusterIdentifier"),
    "connection": ("glue", "get_connection", "Name"),
    "glue_database": ("glue", "get_database", "Name"),
    "target_table": ("glue", "get_table", "Name"),
    "source_table": ("glue", "get_table", "Name"),
    "workflow": ("glue", "get_workflow", "Name"),
    "exactly_once_workflow": ("glue", "get_workflow", "Name"),
    "retry_queue": ("sqs", "get_queue_url", "QueueName"),
}
"""How to see whether it is there: service, operation, parameter."""

# What comes first is needed by what follows.
S3_CRAWL_NEEDS = ("landing_bucket", "glue_role", "glue_database")
REDSHIFT_CRAWL_NEEDS = ("glue_role", "secret", "cluster_identifier", "connection", "glue_database")
JOB_NEEDS = (
    "landing_bucket", "staging_bucket", "glue_role", "copy_role", "secret", "cluster_identifier", "connection",
    "glue_database", "target_table", "source_table",
)  # fmt: skip
FUNCTION_NEEDS = {
    "generator_function": ("landing_bucket",),
    "start_function": ("workflow",),
    "reliable_start_function": ("staging_bucket", "retry_queue", "exactly_once_workflow"),
}


def of_a_call(lab: Lab, asked: Mapping[str, Any], message: str) -> str:
    """What to do about a call that found something missing; empty if that is not a thing of the lab.

    Args:
        lab: the lab.
        asked: the call's parameters.
        message: AWS's words. Where they name one of the things asked for, that one is missing, else the last.
    """
    if "Key" in asked:  # an object of a bucket: no step makes it
        return ""
    try:
        fields = {getattr(lab.names, field): field for field in MADE_BY}
    except LabError:  # without the account the names are not known
        return ""
    naming = [value for name, value in asked.items() if name.endswith(NAMING) and isinstance(value, str)]
    texts = [value.rpartition("/")[2].rpartition(":")[2] for value in naming]  # of an ARN, or a queue's URL, the name
    for missing_one in ([text for text in texts if text in message] or texts)[-1:]:
        if missing_one in fields:
            return how_to_make(lab, fields[missing_one])
    return ""


def of_a_run(lab: Lab, needs: tuple[str, ...]) -> str:
    """What to do about a run that failed: how the first of its needs that is not there is made; empty if all are."""
    for field in needs:
        service, operation, parameter = LOOKUPS[field]
        asked = {parameter: getattr(lab.names, field)}
        if operation == "get_table":
            asked["DatabaseName"] = lab.names.glue_database
        try:
            missing = found(getattr(lab.session.client(service), operation), **asked) is None
        except LabError:
            continue  # it can't be seen; the run's own error says more
        if missing:
            return how_to_make(lab, field)
    return ""


def of_a_job(lab: Lab) -> str:
    """The same for a run of one of the lab's jobs, which needs a table in Redshift, too."""
    advice = of_a_run(lab, JOB_NEEDS)
    if advice:
        return advice
    try:
        lab.query.describe()
    except MissingStep as error:
        return error.fix
    except LabError:
        return ""
    return ""


def of_a_function(lab: Lab, function: str) -> str:
    """The same for a function of the lab that raised."""
    for field, needs in FUNCTION_NEEDS.items():
        if getattr(lab.names, field) == function:
            return of_a_run(lab, needs)
    return ""


def of_a_statement(lab: Lab, message: str) -> str:
    """What to do about a statement that Redshift refused because a table of the lab does not exist."""
    if "does not exist" in message:
        ledger_schema, _, ledger = lab.names.ledger.partition(".")
        if f'"{lab.config.redshift_table}"' in message or f'"public.{lab.config.redshift_table}"' in message:
            return _by_step(lab, f"the table {lab.config.redshift_table}", "redshift")
        if any(f'"{name}"' in message for name in (lab.names.ledger, ledger, ledger_schema)):
            return _by_step(lab, f"the ledger {lab.names.ledger}", "reliability")
    return ""


def missing(step: Step[Any], what: str, name: str) -> MissingStep:
    """The error for a thing that is not there: it names the step that makes it, which may be another than `step`."""
    lab = step.lab
    field = next((field for field in MADE_BY if getattr(lab.names, field) == name), None)
    if field is None:
        return step.missing(f"{what} {name}")
    if MADE_BY[field] == CRAWL:
        return step.missing(f"{what} {name}", fix=how_to_make(lab, field))
    (maker,) = lab.chosen([MADE_BY[field]])
    return maker.missing(f"{what} {name}")


def how_to_make(lab: Lab, field: str) -> str:
    """What makes the thing of this name: the step, its notebook, and the command."""
    name, step = getattr(lab.names, field), MADE_BY[field]
    if step == CRAWL:
        crawlers = lab.crawlers
        return (
            f"Crawling what has landed makes the table {name}. Land a file if there is none (lab.send(), labkit send), "
            f"then crawl: lab.crawlers.crawl_s3(), as notebook {crawlers.notebook} does."
        )
    return _by_step(lab, name, step)


def _by_step(lab: Lab, what: str, name: str) -> str:
    (step,) = lab.chosen([name])
    return f"Step {name!r} makes {what}: run notebook {step.notebook} first, or: labkit deploy {name}"

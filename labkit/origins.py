"""Which step creates which resource, for errors about missing resources.

AWS often does not say what is missing ("Entity Not Found"). So the call's parameters explain a failed call. For a
failed run, the lab looks up which of the resources that the run needs is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labkit.errors import NAMING, LabError, MissingStep
from labkit.steps.base import Step, found

if TYPE_CHECKING:
    from labkit.lab import Lab

CRAWL = "crawl"
"""Stands for the crawl of the landing bucket, which is not a step."""

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
"""Field of `Names` → the step that creates the resource."""

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
"""How to look up whether a resource exists: service, operation, parameter."""

# In the order in which the resources depend on each other.
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
    """Return what to do about a call that found something missing; empty if it is not one of the lab's resources.

    Args:
        lab: the lab.
        asked: the call's parameters.
        message: AWS's error message. If it names a resource in the parameters, that one is missing, otherwise the last
            one.
    """
    if "Key" in asked:  # an object in a bucket: no step creates it
        return ""
    try:
        fields = {getattr(lab.names, field): field for field in MADE_BY}
    except LabError:  # without the account the names are not known
        return ""
    naming = [value for name, value in asked.items() if name.endswith(NAMING) and isinstance(value, str)]
    texts = [value.rpartition("/")[2].rpartition(":")[2] for value in naming]  # the name in an ARN or a queue's URL
    for missing_one in ([text for text in texts if text in message] or texts)[-1:]:
        if missing_one in fields:
            return how_to_make(lab, fields[missing_one])
    return ""


def of_a_run(lab: Lab, needs: tuple[str, ...]) -> str:
    """Return what to do about a failed run: how to create the first missing resource that it needs.

    Empty if none of them is missing.
    """
    for field in needs:
        service, operation, parameter = LOOKUPS[field]
        asked = {parameter: getattr(lab.names, field)}
        if operation == "get_table":
            asked["DatabaseName"] = lab.names.glue_database
        try:
            missing = found(getattr(lab.session.client(service), operation), **asked) is None
        except LabError:
            continue  # it can't be looked up; the run's own error says more
        if missing:
            return how_to_make(lab, field)
    return ""


def of_a_job(lab: Lab) -> str:
    """Like `of_a_run`, for a run of one of the lab's jobs. It also needs the table in Redshift."""
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
    """Like `of_a_run`, for a function of the lab that raised."""
    for field, needs in FUNCTION_NEEDS.items():
        if getattr(lab.names, field) == function:
            return of_a_run(lab, needs)
    return ""


def of_a_statement(lab: Lab, message: str) -> str:
    """Return what to do about a statement that failed because one of the lab's tables does not exist."""
    if "does not exist" in message:
        ledger_schema, _, ledger = lab.names.ledger.partition(".")
        if f'"{lab.config.redshift_table}"' in message or f'"public.{lab.config.redshift_table}"' in message:
            return _by_step(lab, f"the table {lab.config.redshift_table}", "redshift")
        if any(f'"{name}"' in message for name in (lab.names.ledger, ledger, ledger_schema)):
            return _by_step(lab, f"the ledger {lab.names.ledger}", "reliability")
    return ""


def missing(step: Step[Any], what: str, name: str) -> MissingStep:
    """The error for a missing resource. It names the step that creates it, which may not be `step`."""
    lab = step.lab
    field = next((field for field in MADE_BY if getattr(lab.names, field) == name), None)
    if field is None:
        return step.missing(f"{what} {name}")
    if MADE_BY[field] == CRAWL:
        return step.missing(f"{what} {name}", fix=how_to_make(lab, field))
    (maker,) = lab.chosen([MADE_BY[field]])
    return maker.missing(f"{what} {name}")


def how_to_make(lab: Lab, field: str) -> str:
    """How to create the resource with this name: the step, its notebook, and the command."""
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

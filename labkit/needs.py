"""What the crawls, jobs and functions need, and what to do about a failed run: how to create what is missing."""

from __future__ import annotations

from labkit import origins
from labkit.calls import found
from labkit.data import table
from labkit.errors import LabError, MissingStep
from labkit.session import Session

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


def of_a_run(session: Session, needs: tuple[str, ...]) -> str:
    """Return what to do about a failed run: how to create the first missing resource that it needs.

    Empty if none of them is missing.
    """
    names = session.names
    for field in needs:
        service, operation, parameter = LOOKUPS[field]
        asked = {parameter: getattr(names, field)}
        if operation == "get_table":
            asked["DatabaseName"] = names.glue_database
        try:
            missing = found(getattr(session.client(service), operation), **asked) is None
        except LabError:
            continue  # it can't be looked up; the run's own error says more
        if missing:
            return origins.how_to_make(names, field)
    return ""


def of_a_job(session: Session) -> str:
    """Like `of_a_run`, for a run of one of the lab's jobs. It also needs the table in Redshift."""
    advice = of_a_run(session, JOB_NEEDS)
    if advice:
        return advice
    try:
        table.columns(session)
    except MissingStep as error:
        return error.fix
    except LabError:
        return ""
    return ""


def of_a_function(session: Session, function: str) -> str:
    """Like `of_a_run`, for a function of the lab that raised."""
    for field, needs in FUNCTION_NEEDS.items():
        if getattr(session.names, field) == function:
            return of_a_run(session, needs)
    return ""

"""Which step creates which resource, for errors about missing resources.

AWS often does not say what is missing ("Entity Not Found"), but the call's parameters do. `labkit.needs` looks up what
a failed run needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.errors import NAMING, MissingStep
from labkit.names import Names

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

NOTEBOOKS = {
    "buckets": "00_start",
    "roles": "00_start",
    "functions": "00_start",
    "network": "01_network",
    "redshift": "02_redshift",
    "secrets": "03_secrets",
    "crawlers": "04_crawlers",
    "job": "05_job",
    "workflow": "06_workflow",
    "notification": "07_notification",
    "query": "08_query",
    "reliability": "09_reliability",
}
"""Step → the notebook that teaches it."""


def of_a_call(names: Names, asked: Mapping[str, Any], message: str) -> str:
    """Return what to do about a call that found something missing; empty if it is not one of the lab's resources.

    Args:
        names: the lab's names.
        asked: the call's parameters.
        message: AWS's error message. If it names a resource in the parameters, that one is missing, otherwise the last
            one.
    """
    if "Key" in asked:  # an object in a bucket: no step creates it
        return ""
    fields = {getattr(names, field): field for field in MADE_BY}
    naming = [value for name, value in asked.items() if name.endswith(NAMING) and isinstance(value, str)]
    texts = [value.rpartition("/")[2].rpartition(":")[2] for value in naming]  # the name in an ARN or a queue's URL
    for missing_one in ([text for text in texts if text in message] or texts)[-1:]:
        if missing_one in fields:
            return how_to_make(names, fields[missing_one])
    return ""


def of_a_statement(names: Names, table: str, message: str) -> str:
    """Return what to do about a statement that failed because `table` or the ledger does not exist."""
    if "does not exist" in message:
        ledger_schema, _, ledger = names.ledger.partition(".")
        if f'"{table}"' in message or f'"public.{table}"' in message:
            return _by_step(f"the table {table}", "redshift")
        if any(f'"{name}"' in message for name in (names.ledger, ledger, ledger_schema)):
            return _by_step(f"the ledger {names.ledger}", "reliability")
    return ""


def missing(names: Names, what: str, name: str, asking: str = "") -> MissingStep:
    """The error for a missing resource. It names the step that creates it.

    Args:
        names: the lab's names.
        what: the kind of resource.
        name: its name.
        asking: the step to name for a resource that no step creates.
    """
    field = next((field for field in MADE_BY if getattr(names, field) == name), None)
    step = CRAWL if field is None else MADE_BY[field]
    if step != CRAWL:
        return missing_part(step, f"{what} {name}")
    return missing_part(asking, f"{what} {name}", fix=how_to_make(names, field) if field else "")


def missing_part(step: str, what: str, *, fix: str = "") -> MissingStep:
    """The error for a missing part of a step. Pass `fix` if the part is not made by the step's `create`."""
    return MissingStep(what, step=step, notebook=NOTEBOOKS[step], fix=fix)


def how_to_make(names: Names, field: str) -> str:
    """How to create the resource with this name: the step, its notebook, and the command."""
    name, step = getattr(names, field), MADE_BY[field]
    if step == CRAWL:
        return (
            f"Crawling what has landed makes the table {name}. Land a file if there is none (lab.send(), labkit send), "
            f"then crawl: lab.crawlers.crawl_s3(), as notebook {NOTEBOOKS['crawlers']} does."
        )
    return _by_step(name, step)


def _by_step(what: str, step: str) -> str:
    return f"Step {step!r} makes {what}: run notebook {NOTEBOOKS[step]} first, or: labkit deploy {step}"

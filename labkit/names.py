"""The names of the resources on the target: the description's names with the participant's prefix.

With an empty prefix they are exactly the description's. In bucket names the prefix comes after the name, so the table
that the crawler makes from `landing-bucket-alice` is `landing_bucket_alice`. Everything else is `alice-<name>`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from labkit.config import LabConfig
from labkit.tables import SCROLLS, html_table, text_table


@dataclass(frozen=True)
class Names:
    """All names of one participant's lab."""

    landing_bucket: str
    staging_bucket: str
    glue_role: str
    generator_role: str
    start_role: str
    copy_role: str
    generator_function: str
    start_function: str
    cluster_identifier: str
    secret: str
    connection: str
    glue_database: str
    source_table: str
    target_table: str
    s3_crawler: str
    redshift_crawler: str
    s3_crawler_workflow: str
    s3_crawler_trigger: str
    job: str
    workflow: str
    start_trigger: str
    event_trigger: str
    notification: str
    exactly_once_job: str
    exactly_once_workflow: str
    exactly_once_start_trigger: str
    exactly_once_event_trigger: str
    reliable_start_function: str
    reliable_start_role: str
    retry_queue: str
    dead_letter_queue: str
    ledger: str
    vpc: str
    security_group: str
    subnet_group: str

    def __str__(self) -> str:
        return text_table(self._rows())

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f'<div style="{SCROLLS}">{html_table(self._rows(), ("lab.names.", "name"))}</div>'

    def _rows(self) -> list[tuple[str, str]]:
        return [(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)]

    @classmethod
    def of(cls, config: LabConfig, account_id: str) -> Names:
        """The names for `config`; `account_id` (12 digits) makes bucket names unique on AWS."""

        def own(name: str) -> str:
            return f"{config.prefix}-{name}" if config.prefix else name

        def bucket(name: str) -> str:
            parts = [name, config.prefix, account_id if config.account_in_bucket_names else ""]
            return "-".join(part for part in parts if part)

        landing = bucket(config.landing_bucket)
        return cls(
            landing_bucket=landing,
            staging_bucket=bucket(config.staging_bucket),
            glue_role=own(config.glue_role),
            generator_role=own("TollPlazaApplicationRole"),
            start_role=own("StartWorkflowFunctionRole"),
            copy_role=own("RedshiftCopyRole"),
            generator_function=own(config.generator_function),
            start_function=own(config.start_function),
            cluster_identifier=own(config.cluster_identifier),
            secret=own(config.secret),
            connection=own(config.connection),
            glue_database=own(config.glue_database),
            source_table=crawled_table(landing),
            target_table=crawled_table(f"{config.redshift_database}_public_{config.redshift_table}"),
            s3_crawler=own(config.s3_crawler),
            redshift_crawler=own(config.redshift_crawler),
            s3_crawler_workflow=own("s3_workflow"),
            s3_crawler_trigger=own("s3-workflow-start"),
            job=own(config.job),
            workflow=own(config.workflow),
            start_trigger=own("redshift-workflows-start"),
            event_trigger=own("s3-crawler-event"),
            notification="s3Events",
            exactly_once_job=own(config.exactly_once_job),
            exactly_once_workflow=own(config.exactly_once_workflow),
            exactly_once_start_trigger=own("exactly-once-start"),
            exactly_once_event_trigger=own("exactly-once-event"),
            reliable_start_function=own(config.reliable_start_function),
            reliable_start_role=own("StartWorkflowReliablyRole"),
            retry_queue=own("start-workflow-retries"),
            dead_letter_queue=own("start-workflow-dead-letters"),
            ledger="etl.toll_ledger",
            vpc=own("toll-vpc"),
            security_group=own("redshift-sg"),
            subnet_group=own("toll-subnet-group"),
        )


def crawled_table(name: str) -> str:
    """The table name that a Glue crawler makes from the path of a bucket or a JDBC table."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())

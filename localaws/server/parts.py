"""The parts of one server: how they are made and connected, what starts and resumes, and in which order.

This is the only list of them. A service never starts or resumes another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from localaws.core.context import Context
from localaws.core.ports import Ports
from localaws.glue.crawlers.engine import CrawlerEngine
from localaws.glue.jobs.engine import JobsEngine
from localaws.glue.workflows.engine import WorkflowEngine
from localaws.iam import service_roles
from localaws.lambda_ import ports as lambda_ports
from localaws.lambda_.invocations.engine import FunctionsEngine
from localaws.logs.models import load_streams
from localaws.redshift.data_api.models import end_interrupted
from localaws.redshift.engine import RedshiftEngine
from localaws.s3 import ports as s3_ports
from localaws.s3.models import deliver_waiting, open_store
from localaws.secretsmanager import ports as secrets_ports
from localaws.sns import ports as sns_ports
from localaws.sqs import ports as sqs_ports
from localaws.sqs.messages import MessageStore
from localaws.sqs.models import resume_moves


class Engine(Protocol):
    """A part that starts and stops with the server."""

    def start(self) -> None:
        """Continue what an earlier server left."""

    def stop(self) -> None:
        """End everything that runs."""


@dataclass(frozen=True)
class Parts:
    """The engines of a server, in the order in which they start."""

    redshift: RedshiftEngine
    functions: FunctionsEngine
    crawler: CrawlerEngine
    jobs: JobsEngine
    workflow: WorkflowEngine

    def start(self) -> None:
        """Start and resume everything. Return when everything that the lab had before answers again."""
        for engine in self._engines():
            engine.start()
        self.redshift.wait_until_started()
        # From here on functions run, and they call all other services.
        self.functions.resume()
        deliver_waiting()
        self.functions.poll_queues()
        resume_moves()

    def stop(self) -> None:
        """Stop all engines, the last first."""
        for engine in reversed(self._engines()):
            engine.stop()

    def _engines(self) -> tuple[Engine, ...]:
        return (self.redshift, self.functions, self.crawler, self.jobs, self.workflow)


def load(context: Context) -> None:
    """Load the state that the services had when the last server of this home ended.

    Raises:
        StateRefused: the state is of another version.
        StateDamaged: a file is not what was written.
    """
    open_store(context.home)
    context.state.load()
    service_roles.forget_left_over()
    end_interrupted()
    load_streams(context.home)
    context.add(MessageStore(context.home.state / "sqs-messages.sqlite"))


def make(context: Context) -> Parts:
    """Make the engines, and connect all parts. Call it after `load`."""
    parts = Parts(
        redshift=RedshiftEngine(context),
        functions=FunctionsEngine(context),
        crawler=CrawlerEngine(context),
        jobs=JobsEngine(context),
        workflow=WorkflowEngine(context),
    )
    context.add(
        Ports(
            objects=s3_ports.StoredObjects(),
            buckets=s3_ports.BucketFacts(),
            queues=sqs_ports.StandardQueues(context.part(MessageStore)),
            functions=parts.functions,
            clusters=parts.redshift,
            crawls=parts.crawler,
            jobs=parts.jobs,
            workflows=parts.workflow,
            secret_value=secrets_ports.value,
            policies={
                "s3": s3_ports.policy_of,
                "sqs": sqs_ports.policy_of,
                "sns": sns_ports.policy_of,
                "lambda": lambda_ports.policy_of,
                "secretsmanager": secrets_ports.policy_of,
            },
        )
    )
    return parts

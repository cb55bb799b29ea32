"""The exactly-once delivery: no row is lost or loaded twice, and rejected rows are kept with their reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit import policies
from labkit.data import landing, ledger, rejects, table
from labkit.delivery import Delivery
from labkit.errors import RunFailed
from labkit.show.display import Described, Fact, Removed
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step
from labkit.steps.exactly_once import ExactlyOnceJob, ExactlyOnceWorkflow
from labkit.steps.functions import FunctionSpec
from labkit.steps.queues import DeadLetters, Queues

if TYPE_CHECKING:
    import pandas as pd

    from labkit.steps.lab_steps import LabSteps

POLICY_NAME = "toll-etl-exactly-once"
"""The policy that adds the exactly-once job's permissions to the Glue role."""
MARKERS = "landed/"
"""The prefix in the staging bucket under which the start function keeps its markers."""


@dataclass(frozen=True)
class ReliabilityMade(Described):
    """The exactly-once delivery's own resources."""

    start_function: str
    queue: str
    dead_letter_queue: str
    workflow: str
    job: str
    ledger: str
    table: str


class Reliability(Step[ReliabilityMade]):
    """A second set of resources beside the described one: start function, queues, workflow, job and ledger.

    `create` puts it into use, and rebuilds the table from the landing bucket. `lab.restart()` goes back.
    """

    name = "reliability"
    notebook = "09_reliability"
    makes = "the exactly-once delivery: queues, ledger, workflow and job"

    def __init__(self, lab: LabSteps) -> None:
        super().__init__(lab)
        self.job = ExactlyOnceJob(lab)
        self.workflow = ExactlyOnceWorkflow(lab)

    @property
    def queues(self) -> Queues:
        """The two queues behind the start function."""
        return Queues(self.lab)

    @names_all_missing
    def create(self) -> ReliabilityMade:
        """Create the resources. If this delivery is not in use yet, rebuild the table and point s3Events here.

        It can be interrupted and run again, because it creates the notification last.
        """
        self.lab.consent(self.name)
        self.lab.workflow.describe()
        names, roles = self.names, self.lab.roles
        roles.create_role(names.reliable_start_role, "lambda.amazonaws.com")
        for role, (policy_name, policy) in self._policies().items():
            roles.put_policy(role, policy_name, policy)
        self.lab.functions.deploy(names.reliable_start_function, self._function())
        self.queues.create()
        self.job.create()
        self.workflow.create()
        if self.lab.delivery is Delivery.EXACTLY_ONCE and self.lab.owner is Delivery.EXACTLY_ONCE:
            self.lab.notification.point_to(Delivery.EXACTLY_ONCE)
        else:
            self.rebuild()
        return self.describe()

    def rebuild(self) -> None:
        """Empty the table and the ledger, load every landed file once, and point s3Events to this delivery.

        The landing bucket keeps everything, so the table can always be rebuilt.
        """
        self.lab.notification.destroy()  # from here on, nothing starts by itself
        self.lab.workflow.pause()
        for workflow in (self.lab.workflow, self.workflow):
            workflow.wait_until_idle()
        self.lab.job.wait_until_idle()
        self.queues.empty()
        self.lab.buckets.empty(self.names.staging_bucket, MARKERS, rejects.REJECTS)
        table.empty(self.lab.session, [f"drop table if exists {self.names.ledger}", *ledger.create_statements()])
        self.workflow.resume()
        self._load_what_is_missing()
        self.lab.notification.point_to(Delivery.EXACTLY_ONCE)
        self._load_what_is_missing()  # what landed while there was no notification

    def pause(self) -> None:
        """Make this delivery load nothing, even if late events arrive, because the other delivery is in use."""
        if self.queues.exist():
            self.queues.pause()
        self.workflow.pause()

    def unread(self) -> tuple[str, ...]:
        """The keys of the landed files whose current version is not loaded."""
        loaded = ledger.loaded(self.lab.session)
        current = (one for one in landing.data_files(self.lab.session) if one.is_current)
        return tuple(one.key for one in current if (one.key, one.version) not in loaded)

    def rejects(self) -> pd.DataFrame:
        """The rows that the job could not load: file, line, reason, and the row as it is in the file."""
        import pandas as pd  # here, because pandas is slow to import, and most commands don't need it

        rows = [(reject.file, reject.line, reject.reason, reject.row) for reject in rejects.read(self.lab.session)]
        return pd.DataFrame(rows, columns=["file", "line", "reason", "row"])

    def dead_letters(self, most: int = 100) -> DeadLetters:
        """The events that were given up, up to `most` of them. They stay in their queue."""
        return self.queues.dead_letters(most)

    def redrive(self) -> DeadLetters:
        """Send the events that were given up back to the first queue, to start from the beginning."""
        self.describe()
        return self.queues.redrive()

    def waiting(self) -> int:
        """The approximate number of events that are not done yet."""
        return self.queues.waiting()

    def describe(self) -> ReliabilityMade:
        """The resources' names, and whose rows are in the table."""
        names = self.names
        self.lab.roles.arn(names.reliable_start_role)
        if not self.queues.exist():
            raise self.missing(f"Queue {names.retry_queue}, or its mapping to function {names.reliable_start_function}")
        self.job.describe()
        self.workflow.describe()
        owner = self.lab.owner
        return ReliabilityMade(
            start_function=names.reliable_start_function,
            queue=names.retry_queue,
            dead_letter_queue=names.dead_letter_queue,
            workflow=names.exactly_once_workflow,
            job=names.exactly_once_job,
            ledger=names.ledger if owner is Delivery.EXACTLY_ONCE else "none: this delivery is not in use",
            table=f"holds the rows of the {owner} delivery",
        )

    def facts(self) -> Iterator[Fact]:
        """Every part is as it should be, and no event was given up if the delivery is in use."""
        if not self._exists() and self.lab.delivery is Delivery.AS_DESCRIBED:
            yield Fact(
                True, "it does not exist: the described delivery is in use (labkit deploy reliability creates it)"
            )
            return
        for role, (policy_name, policy) in self._policies().items():
            same = self.lab.roles.has_policy(role, policy_name, policy)
            yield Fact(same, f"role {role} may do what the exactly-once delivery needs", self.fix)
        yield from self.lab.functions.facts_of(self.names.reliable_start_function, self._function(), self.fix)
        yield from self.job.facts()
        yield from self.workflow.facts()
        if self.lab.owner is Delivery.AS_DESCRIBED:
            yield Fact(True, "it is not in use: s3Events points to the described delivery")
            return
        yield from self.queues.facts(self.fix)

    def destroy(self) -> Removed:
        """Delete what `create` made, and s3Events if it points here. The table's rows and the ledger stay."""
        gone: list[str] = []
        if self.lab.delivery is Delivery.EXACTLY_ONCE:
            gone += self.lab.notification.destroy().removed
        gone += self.queues.destroy()
        gone += self.workflow.destroy().removed
        gone += self.job.destroy().removed
        gone += self.lab.functions.delete(self.names.reliable_start_function)
        if self.lab.roles.delete_role(self.names.reliable_start_role):
            gone.append(f"role {self.names.reliable_start_role}")
        if self.lab.roles.delete_policy(self.names.glue_role, POLICY_NAME):
            gone.append(f"policy {POLICY_NAME} of role {self.names.glue_role}")
        return Removed(self.name, tuple(gone))

    def _exists(self) -> bool:
        """Whether the role, the job or the workflow of this delivery exists."""
        role = self.lab.roles.exists(self.names.reliable_start_role)
        return role or self.job.exists() or self.workflow.exists()

    def _load_what_is_missing(self) -> None:
        """Load the landed files that are not in the ledger. Files that the job refuses as a whole stay unloaded.

        Raises:
            RunFailed: something else failed.
        """
        if not self.unread():
            return
        try:
            self.workflow.load()
        except RunFailed:
            refused = {reject.file for reject in rejects.read(self.lab.session)}
            if not refused.issuperset(self.unread()):
                raise

    def _policies(self) -> dict[str, tuple[str, policies.Policy]]:
        """Role → (policy name, policy)."""
        names, region, account = self.names, self.config.region, self.lab.session.account_id
        return {
            names.reliable_start_role: (POLICY_NAME, policies.start_reliably(names, region, account)),
            names.glue_role: (POLICY_NAME, policies.exactly_once_job(names, region, account)),
        }

    def _function(self) -> FunctionSpec:
        names, config = self.names, self.config
        return FunctionSpec(
            "start_workflow_reliably", names.reliable_start_role, 128, self.queues.timeout,
            {
                "WORKFLOW_NAME": names.exactly_once_workflow, "CRAWLER_NAME": names.s3_crawler,
                "JOB_NAME": names.exactly_once_job, "STAGING_BUCKET": names.staging_bucket,
                "QUEUE_NAME": names.retry_queue, "DEAD_LETTER_QUEUE_NAME": names.dead_letter_queue,
                "POLL_SECONDS": f"{config.poll_seconds:g}", "WAIT_SECONDS": f"{2 * config.retry_seconds:g}",
                "RETRY_SECONDS": f"{config.retry_seconds:g}", "TRIES": str(config.event_tries),
            },
        )  # fmt: skip

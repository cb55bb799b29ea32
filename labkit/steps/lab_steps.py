"""`LabSteps`: the steps of a lab, which know each other through it, and what decides between the two deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labkit.config import EXPIRES, LabConfig, load
from labkit.data import ledger
from labkit.delivery import Delivery, in_use
from labkit.errors import ConsentNeeded, UsageError, WrongDelivery
from labkit.names import Names
from labkit.session import Session
from labkit.show.display import show
from labkit.steps.base import Step
from labkit.steps.buckets import Buckets
from labkit.steps.crawlers import Crawlers
from labkit.steps.functions import Functions
from labkit.steps.job import Job
from labkit.steps.network import Network
from labkit.steps.notification import Notification
from labkit.steps.plan import Plan, plan
from labkit.steps.query import Query
from labkit.steps.redshift import Redshift
from labkit.steps.reliability import Reliability
from labkit.steps.roles import Roles
from labkit.steps.secrets import Secrets
from labkit.steps.workflow import Run, Workflow


class LabSteps:
    """A lab's configuration, session and steps. `Lab` adds what a participant does with them."""

    def __init__(self, **settings: Any) -> None:
        """Take settings of `labkit.config` as arguments. They override the config file and the LABKIT_* variables.

        Raises:
            ConfigError: a setting is unknown or has a value that is not allowed.
        """
        self.config: LabConfig = load(**settings)
        self.session = Session(self.config)
        self._agreed = not self.config.ask_before_create  # whether the answer to every question is yes, in advance
        self._consented: set[str] = set()  # the steps whose resources may be created
        self.buckets = Buckets(self)
        self.roles = Roles(self)
        self.functions = Functions(self)
        self.network = Network(self)
        self.redshift = Redshift(self)
        self.secrets = Secrets(self)
        self.crawlers = Crawlers(self)
        self.job = Job(self)
        self.workflow = Workflow(self)
        self.notification = Notification(self)
        self.query = Query(self)
        self.reliability = Reliability(self)

    @property
    def names(self) -> Names:
        """The names of everything on the target."""
        return self.session.names

    @property
    def steps(self) -> tuple[Step[Any], ...]:
        """All steps, in the order in which `deploy` creates them.

        `reliability` comes before `notification`, so that the notification points to the exactly-once delivery from the
        start.
        """
        return (
            self.buckets, self.roles, self.functions, self.network, self.redshift, self.secrets,
            self.crawlers, self.job, self.workflow, self.reliability, self.notification, self.query,
        )  # fmt: skip

    @property
    def delivery(self) -> Delivery | None:
        """The delivery in use: the one whose start function s3Events invokes. None without s3Events."""
        return in_use(self.session)

    @property
    def owner(self) -> Delivery:
        """The delivery whose rows are in the table: the exactly-once delivery while there is a ledger."""
        return ledger.owner(self.session)

    def require(self, delivery: Delivery | str, what: str = "This notebook") -> None:
        """Raise an error if the other delivery is in use, or if its rows are in the table.

        Args:
            delivery: "as-described" or "exactly-once".
            what: what needs this delivery, for the error message.

        Raises:
            WrongDelivery: the other delivery is in use, or its rows are in the table. The message says how to switch.
        """
        wanted = Delivery(delivery)
        if self.owner is wanted and self.delivery in (wanted, None):
            return
        if wanted is Delivery.AS_DESCRIBED:
            raise WrongDelivery(
                f"{what} works with the described delivery, but the exactly-once delivery is in use here.",
                fix="Go back with lab.restart() (labkit restart): it empties the landing bucket, the table and the "
                "queues. Or go on with the exactly-once delivery: notebook 09_reliability, lab.load(), labkit load.",
            )
        raise WrongDelivery(
            f"{what} works with the exactly-once delivery, but the described delivery is in use here.",
            fix="Put it into use with lab.reliability.create() (labkit deploy reliability): it rebuilds the table from "
            "the landing bucket.",
        )

    def workflow_of(self, delivery: Delivery) -> Workflow:
        """The workflow of a delivery."""
        return self.workflow if delivery is Delivery.AS_DESCRIBED else self.reliability.workflow

    def load(self) -> Run:
        """Start the workflow of the delivery in use by hand. It loads the landed files that no run has read yet.

        Raises:
            RunFailed: its crawl or its job did not succeed.
        """
        return self.workflow_of(self.owner).run()

    def unread_files(self) -> tuple[str, ...]:
        """The keys of the landed files that no run has read yet. `load` loads them."""
        return self.reliability.unread() if self.owner is Delivery.EXACTLY_ONCE else self.workflow.unread()

    def agree(self) -> None:
        """Answer yes in advance to everything that `consent` and `restart` would ask."""
        self._agreed = True

    def plan(self, *steps: str) -> Plan:
        """What these steps create on AWS, or all steps if none is given, and how AWS charges for it.

        Raises:
            UsageError: there is no step of that name.
        """
        last_day = self.config.new_tags.get(EXPIRES)
        names = [step.name for step in self.chosen(steps)]
        return plan(self.config, self.names, names, self.session.account_id, last_day)

    def consent(self, *steps: str) -> None:
        """On AWS, show what these steps will create, and ask once before it is created.

        If one step is given, this is about all steps of its notebook.

        Raises:
            ConsentNeeded: the answer was not the one asked for, or nobody was there to answer.
        """
        if self._agreed or self._consented.issuperset(steps):
            return
        if len(steps) == 1:
            (asking,) = self.chosen(steps)
            steps = tuple(step.name for step in self.steps if step.notebook == asking.notebook)
        planned = self.plan(*steps)
        if planned.parts:
            show(planned)
            word = self.config.prefix or "yes"
            self._ask(
                f"To create them, type {word}:",
                word,
                f"Nothing was created: this would create {planned.count} resources in {planned.place}.",
            )
        self._consented |= set(steps)

    def _ask(self, question: str, word: str, otherwise: str) -> None:
        try:
            answer = input(f"{question} ")
        except (EOFError, RuntimeError):  # no terminal; ipykernel's StdinNotImplementedError is a RuntimeError
            answer = ""
        if answer.strip().lower() != word:
            raise ConsentNeeded(otherwise, word)

    def chosen(self, names: Sequence[str]) -> tuple[Step[Any], ...]:
        """The steps with these names, in the lab's order, or all steps if no name is given.

        Raises:
            UsageError: there is no step of that name.
        """
        known = [step.name for step in self.steps]
        for name in names:
            if name not in known:
                raise UsageError(f"There is no step {name!r}.", fix=f"Steps: {', '.join(known)}.")
        return tuple(step for step in self.steps if not names or step.name in names)

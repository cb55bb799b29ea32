"""`Lab`: the one object that a notebook needs."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from labkit import origins
from labkit.config import LabConfig, load
from labkit.data import counts, ledger
from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.data.event_status import EventStatus
from labkit.data.landing import Landed
from labkit.delivery import Delivery
from labkit.errors import ConsentNeeded, MissingStep, UsageError, WrongDelivery
from labkit.names import Names
from labkit.session import Session, Stopped, TargetStatus
from labkit.show.display import Check, Checks, Deployed, Destroyed, Removed
from labkit.show.waiting import wait_for
from labkit.steps.base import Step
from labkit.steps.buckets import Buckets
from labkit.steps.crawlers import Crawlers
from labkit.steps.functions import Functions
from labkit.steps.job import Job
from labkit.steps.network import Network
from labkit.steps.notification import Notification
from labkit.steps.query import Query
from labkit.steps.redshift import Redshift
from labkit.steps.reliability import Reliability
from labkit.steps.roles import Roles
from labkit.steps.secrets import Secrets
from labkit.steps.workflow import Run, Workflow
from labkit.tools import restart, sending
from labkit.tools.catch_up import CaughtUp, catch_up
from labkit.tools.leftovers import Leftovers, find_leftovers
from labkit.tools.restart import Restarted


class Lab:
    """A participant's lab on its target.

    >>> lab = Lab()
    >>> lab.up()
    >>> lab.deploy()
    >>> lab.send(rows=100)
    >>> lab.query("select count(*) from toll_table")

    The steps, in the order of the notebooks: `buckets`, `roles`, `functions`, `network`, `redshift`, `secrets`,
    `crawlers`, `job`, `workflow`, `notification`, `query`, `reliability`. Each has `create`, `check`, `describe`,
    `destroy`.
    """

    def __init__(self, **settings: Any) -> None:
        """Args are settings, as in `labkit.config`; they win over the file and the LABKIT_* variables.

        Raises:
            ConfigError: a setting is unknown or has a value that is not allowed.
        """
        self.config: LabConfig = load(**settings)
        self.session = Session(self.config, lambda asked, words: origins.of_a_call(self, asked, words))
        self._agreed = not self.config.ask_before_create  # to everything, beforehand
        self._consented = self._agreed  # to what is created
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

        `reliability` comes before `notification` here, which then points to the exactly-once delivery at once.
        """
        return (
            self.buckets, self.roles, self.functions, self.network, self.redshift, self.secrets,
            self.crawlers, self.job, self.workflow, self.reliability, self.notification, self.query,
        )  # fmt: skip

    @property
    def delivery(self) -> Delivery | None:
        """The delivery in use: the one whose start function s3Events invokes. None without s3Events."""
        return self.notification.delivery()

    @property
    def owner(self) -> Delivery:
        """The delivery whose rows are in the table: the exactly-once one as long as there is a ledger."""
        try:
            return Delivery.EXACTLY_ONCE if ledger.exists(self) else Delivery.AS_DESCRIBED
        except MissingStep:  # no cluster, so no rows
            return Delivery.AS_DESCRIBED

    def require(self, delivery: Delivery | str, what: str = "This notebook") -> None:
        """Refuse to go on if the other delivery is in use, or its rows are in the table.

        Args:
            delivery: "as-described" or "exactly-once".
            what: what needs it, for the message.

        Raises:
            WrongDelivery: it is the other one; the message says how to change that.
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

    def restart(self, say: Callable[[str], None] = print) -> Restarted:
        """Empty the lab and go back to the described delivery.

        Removes the landed files, the table's rows, the ledger, the queues' messages, rejected rows, staged files and
        the job's bookmark, and points s3Events back to `start_workflow_function`. All steps stay. On AWS it asks first.

        Args:
            say: is told what is going to be removed, before it is.

        Raises:
            ConsentNeeded: on AWS, nobody said yes.
        """
        found = restart.to_be_removed(self)
        if found and not self._agreed:
            what, account = ", ".join(found), self.session.account_id
            self._ask(
                f"Remove {what} from AWS account {account}?",
                f"Nothing was removed: a restart removes {what} from AWS account {account}.",
            )
        if found:
            say(f"Removing: {', '.join(found)}")
        return restart.restart(self, found)

    def load(self) -> Run:
        """Start the workflow of the delivery in use by hand: it loads what has landed and no run has read.

        Raises:
            RunFailed: its crawl or its job did not succeed.
        """
        return self.workflow_of(self.owner).run()

    def unread_files(self) -> tuple[str, ...]:
        """The keys of the landed files that no run has read: for a run by hand, `load`."""
        return self.reliability.unread() if self.owner is Delivery.EXACTLY_ONCE else self.workflow.unread()

    def up(self) -> TargetStatus:
        """Bring the target up: start the local AWS, and start again what of it had failed. On AWS, do nothing.

        Raises:
            StartError: it did not come up.
            NotAllWorks: it is up, and something that was deployed does not work.
        """
        return self.session.start()

    def down(self, *, wipe: bool = False) -> Stopped:
        """Stop the local AWS, and what an earlier start left of it; with `wipe` forget its data.

        What it returns says what was ended; it is false where nothing ran.
        """
        return self.session.stop(wipe=wipe)

    def deploy(
        self, *names: str, as_described: bool = False, on_step: Callable[[str], None] = lambda _: None
    ) -> Deployed:
        """Create the steps of these names (all of them without).

        Args:
            names: steps; they are created in the lab's order.
            as_described: leave out `reliability`, so that the described delivery is in use.
            on_step: is called with the name of each step that is done.

        Raises:
            UsageError: there is no step of that name.
            WrongDelivery: the exactly-once delivery is in use, and `as_described` is asked for.
        """
        steps = self.chosen(names)
        if as_described:
            if self.reliability.name in names:
                raise UsageError("The step reliability is not part of the described delivery.", fix="Leave it out.")
            self.require(Delivery.AS_DESCRIBED, "labkit deploy --as-described")
            steps = tuple(step for step in steps if step is not self.reliability)
        made = []
        for step in steps:
            made.append((step.name, step.create()))
            on_step(step.name)
        return Deployed(tuple(made))

    def catch_up(self, notebook: str | int) -> CaughtUp:
        """For people who join late: make all that the notebooks before this one make, their data included.

        `lab.catch_up("05")` makes what notebooks 00 to 04 make, and leaves alone what is there already.

        Raises:
            UsageError: there is no such notebook.
            WrongDelivery: the notebook works with the described delivery, and the other one is in use.
        """
        return catch_up(self, notebook)

    def check(self, *names: str) -> Checks:
        """What holds on the target of the steps of these names (all of them without), and what to do where it doesn't.

        Raises:
            UsageError: there is no step of that name.
        """
        return Checks(tuple(step.check() for step in self.chosen(names)))

    def status(self) -> tuple[Check, ...]:
        """What holds on the target, step by step."""
        return self.check().checks

    def event_status(self) -> EventStatus:
        """What waits, what was given up and what was rejected."""
        return EventStatus.of(self)

    def destroy(self, *names: str, on_step: Callable[[Removed], None] = lambda _: None) -> Destroyed:
        """Destroy the steps of these names (all of them without), the last first.

        Args:
            names: steps.
            on_step: is called with what went of each step.

        Raises:
            UsageError: there is no step of that name.
        """
        gone = []
        for step in reversed(self.chosen(names)):
            gone.append(step.destroy())
            on_step(gone[-1])
        return Destroyed(tuple(gone))

    def leftovers(self) -> Leftovers:
        """What of this lab is still on the target, found by its tag and by its names."""
        return find_leftovers(self)

    def send(
        self,
        *files: Path | str,
        rows: int | None = None,
        count: int | None = None,
        seed: int | None = None,
        until: date | str | None = None,
    ) -> Landed:
        """Land data: `files` from this machine, or else `count` files of `rows` rows made by the generator function.

        Args:
            files: files to put into the landing bucket under their own names.
            rows: rows a file; 100 by default.
            count: how many files; 1 by default.
            seed: the same seed and `until` give the same rows; the second file takes seed + 1, and so on.
            until: the last day of the transactions; today by default.

        Raises:
            UsageError: a file can't be sent, or a value makes no sense. Nothing has landed.
            FunctionFailed: the generator raised.
            SendStopped: something failed when some of the files had landed.
        """
        if files:
            return sending.upload(self, files, rows=rows, count=count, seed=seed, until=until)
        return sending.generate(self, rows=rows, count=count, seed=seed, until=until)

    def follow(self, landed: Landed | str | Sequence[str]) -> Run:
        """Wait for the workflow run that landing these files caused, until it has ended.

        Args:
            landed: what `send` returned, or keys in the landing bucket.

        Raises:
            UsageError: a key is not there, or no run reads it.
            LabError: there is no notification.
            RunFailed: it ended, and did not succeed.
            WaitTimeout: no such run came.
        """
        return self.workflow_of(self.delivery or self.owner).follow(sending.landed_keys(self, landed))

    def counts(self, landed: Landed | Sequence[str] | None = None) -> Counts | ExactlyOnceCounts:
        """Rows landed, loaded, rejected and queried, each counted from its own source (`labkit.data.counts`).

        With `landed`, only these files' records count as landed. Counts can be subtracted:
        `lab.counts(landed) - before` is what came since.
        """
        return counts.count(self, landed.keys if isinstance(landed, Landed) else landed)

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds.

        Args:
            what: what is waited for, as in "Waiting for …".
            condition: is asked again every `poll_seconds`.

        Raises:
            WaitTimeout: it does not hold within `wait_minutes`.
        """
        look = lambda: ("not yet", True if condition() else None)  # noqa: E731
        wait_for(what, look, config=self.config, go_on="Run the cell again.")

    def agree(self) -> None:
        """Say yes, beforehand, to all that `consent` and `restart` would ask."""
        self._agreed = self._consented = True

    def consent(self, step: str) -> None:
        """Ask once, on AWS, before anything is created there.

        Raises:
            ConsentNeeded: the answer was not yes, or nobody was there to answer.
        """
        if self._consented:
            return
        account = self.session.account_id
        self._ask(
            f"Create resources in AWS account {account}, {self.config.region}? Some cost money.",
            f"Nothing was created: step {step!r} makes resources in AWS account {account}, some of which cost money.",
        )
        self._consented = True

    def _ask(self, question: str, otherwise: str) -> None:
        try:
            answer = input(f"{question} [y/N] ")
        except (EOFError, RuntimeError):  # no terminal; ipykernel's StdinNotImplementedError is a RuntimeError
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise ConsentNeeded(otherwise)

    def chosen(self, names: Sequence[str]) -> tuple[Step[Any], ...]:
        """The steps of these names, in the lab's order; all of them without names.

        Raises:
            UsageError: there is no step of that name.
        """
        known = [step.name for step in self.steps]
        for name in names:
            if name not in known:
                raise UsageError(f"There is no step {name!r}.", fix=f"Steps: {', '.join(known)}.")
        return tuple(step for step in self.steps if not names or step.name in names)

    def __repr__(self) -> str:
        prefix = self.config.prefix or "none"
        story = " → ".join(step.name for step in self.steps)
        return f"Lab on {self.config.target}, region {self.config.region}, prefix {prefix}\n{story}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        title, story = repr(self).split("\n")
        return f"<div><strong>{html.escape(title)}</strong><br>{html.escape(story)}</div>"

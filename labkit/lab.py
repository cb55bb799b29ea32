"""`Lab`: the one object that a notebook needs."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from labkit.data import counts, logs
from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.data.landing import Landed
from labkit.delivery import Delivery
from labkit.errors import UsageError
from labkit.session import Stopped, TargetStatus
from labkit.show.display import Check, Checks, Deployed, Destroyed, Removed
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all
from labkit.steps.lab_steps import LabSteps
from labkit.steps.workflow import Run
from labkit.tools import restart, sending
from labkit.tools.catch_up import CaughtUp, catch_up
from labkit.tools.event_status import EventStatus
from labkit.tools.leftovers import Leftovers, find_leftovers, wait_until_gone
from labkit.tools.restart import Restarted


@names_all
class Lab(LabSteps):
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

    def restart(self, say: Callable[[str], None] = print) -> Restarted:
        """Empty the lab and go back to the described delivery.

        Removes the landed files, the table's rows, the ledger, the queues' messages, rejected rows, staged files and
        the job's bookmark, and points s3Events back to `start_workflow_function`. All steps stay. On AWS it asks first.

        Args:
            say: called with a text that lists what will be removed, before anything is removed.

        Raises:
            ConsentNeeded: on AWS, the answer was not yes, or nobody was there to answer.
        """
        found = restart.to_be_removed(self)
        if found and not self._agreed:
            what, account = ", ".join(found), self.session.account_id
            self._ask(
                f"To remove {what} from AWS account {account}, type yes:",
                "yes",
                f"Nothing was removed: a restart removes {what} from AWS account {account}.",
            )
        if found:
            say(f"Removing: {', '.join(found)}")
        return restart.restart(self, found)

    def up(self) -> TargetStatus:
        """Start the local AWS, and restart its parts that have failed. On AWS, do nothing.

        Raises:
            StartError: the local AWS did not start.
            NotAllWorks: the local AWS is up, but something that was deployed does not work.
        """
        return self.session.start()

    def down(self, *, wipe: bool = False) -> Stopped:
        """Stop the local AWS and any processes left over from an earlier start. With `wipe`, also delete its data.

        Returns what was stopped; it is false if nothing was running.
        """
        return self.session.stop(wipe=wipe)

    def deploy(
        self, *names: str, as_described: bool = False, on_step: Callable[[str], None] = lambda _: None
    ) -> Deployed:
        """Create the steps with these names, or all steps if no name is given.

        Args:
            names: the names of steps. The steps are created in the lab's order.
            as_described: leave out `reliability`, so that the described delivery is in use.
            on_step: called with the name of each step after the step is created.

        Raises:
            UsageError: there is no step of that name.
            WrongDelivery: the exactly-once delivery is in use, and `as_described` is True.
        """
        steps = self.chosen(names)
        if as_described:
            if self.reliability.name in names:
                raise UsageError("The step reliability is not part of the described delivery.", fix="Leave it out.")
            self.require(Delivery.AS_DESCRIBED, "labkit deploy --as-described")
            steps = tuple(step for step in steps if step is not self.reliability)
        self.consent(*(step.name for step in steps))
        made = []
        for step in steps:
            made.append((step.name, step.create()))
            on_step(step.name)
        return Deployed(tuple(made))

    def catch_up(self, notebook: str | int) -> CaughtUp:
        """Create everything that the notebooks before this one create, including their data. For people who join late.

        `lab.catch_up("05")` creates what notebooks 00 to 04 create, and leaves alone what is there already.

        Raises:
            UsageError: there is no such notebook.
            WrongDelivery: the notebook works with the described delivery, and the other one is in use.
        """
        return catch_up(self, notebook)

    def check(self, *names: str) -> Checks:
        """Check the steps with these names on the target, or all steps if no name is given.

        Each failed check says how to fix it.

        Raises:
            UsageError: there is no step of that name.
        """
        return Checks(tuple(step.check() for step in self.chosen(names)))

    def status(self) -> tuple[Check, ...]:
        """The result of each step's check."""
        return self.check().checks

    def event_status(self) -> EventStatus:
        """The events that are waiting, the events that were given up, and the rejected rows."""
        return EventStatus.of(self)

    def destroy(self, *names: str, on_step: Callable[[Removed], None] = lambda _: None) -> Destroyed:
        """Destroy the steps with these names, or all steps if no name is given. The last step goes first.

        Without names, it also waits until AWS finds nothing more of this lab; `leftovers` says what is left.

        Args:
            names: the names of steps.
            on_step: called after each step with what was removed.

        Raises:
            UsageError: there is no step of that name.
        """
        gone = []
        for step in reversed(self.chosen(names)):
            gone.append(step.destroy())
            on_step(gone[-1])
        if not names:
            wait_until_gone(self)
        return Destroyed(tuple(gone))

    def leftovers(self) -> Leftovers:
        """The resources of this lab that are still on the target, found by tag and by name."""
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
            rows: the number of rows in each file; 100 by default.
            count: the number of files; 1 by default.
            seed: the same seed and `until` give the same rows; the second file takes seed + 1, and so on.
            until: the last day of the transactions; today by default.

        Raises:
            UsageError: a file can't be sent, or a value is invalid. Nothing has landed.
            FunctionFailed: the generator raised.
            SendStopped: something failed after some of the files had landed.
        """
        if files:
            return sending.upload(self, files, rows=rows, count=count, seed=seed, until=until)
        return sending.generate(self, rows=rows, count=count, seed=seed, until=until)

    def follow(self, landed: Landed | str | Sequence[str]) -> Run:
        """Wait until the workflow run that these files started has ended, and return it.

        Args:
            landed: what `send` returned, or keys in the landing bucket.

        Raises:
            UsageError: there is no object with this key, or it is not a file that runs read.
            LabError: there is no notification.
            RunFailed: the run ended without success.
            WaitTimeout: no such run ended within `wait_minutes`.
        """
        return self.workflow_of(self.delivery or self.owner).follow(sending.landed_keys(self, landed))

    def counts(self, landed: Landed | Sequence[str] | None = None) -> Counts | ExactlyOnceCounts:
        """Rows landed, loaded, rejected and queried, each counted from its own source (`labkit.data.counts`).

        With `landed`, only these files' records count as landed. Counts can be subtracted:
        `lab.counts(landed) - before` is what was added since.
        """
        return counts.count(self.session, landed.keys if isinstance(landed, Landed) else landed)

    def logs(self, what: str, lines: int = 100) -> list[str]:
        """The last lines of a part's log, oldest first: `labkit.data.logs.read`.

        Raises:
            LabError: there is no such log; the message lists the known ones, or says what writes it.
        """
        return logs.read(self.session, what, lines)

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds.

        Args:
            what: what is waited for, as in "Waiting for …".
            condition: called every `poll_seconds`.

        Raises:
            WaitTimeout: it does not hold within `wait_minutes`.
        """
        look = lambda: ("not yet", True if condition() else None)  # noqa: E731
        wait_for(what, look, config=self.config, go_on="Run the cell again.")

    def __repr__(self) -> str:
        prefix = self.config.prefix or "none"
        story = " → ".join(step.name for step in self.steps)
        return f"Lab on {self.config.target}, region {self.config.region}, prefix {prefix}\n{story}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        title, story = repr(self).split("\n")
        return f"<div><strong>{html.escape(title)}</strong><br>{html.escape(story)}</div>"

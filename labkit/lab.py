"""`Lab`: the one object that a notebook needs."""

from __future__ import annotations

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
from labkit.shell import running_shell
from labkit.show.display import Checks, Deployed, Destroyed, Removed
from labkit.show.lines import Lines
from labkit.show.made_calls import MadeCalls
from labkit.show.members import public_members
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all_missing
from labkit.steps.lab_steps import LabSteps
from labkit.steps.workflow import Run
from labkit.tables import escaped, html_table, text_table
from labkit.tasks import record, registry
from labkit.tasks.progress import Progress
from labkit.tools import completion, restart, sending, sql_magic
from labkit.tools.catch_up import CaughtUp, catch_up
from labkit.tools.event_status import EventStatus
from labkit.tools.leftovers import Leftovers, find_leftovers, wait_until_gone
from labkit.tools.restart import Restarted

STORY = ("buckets", "roles", "functions", "network", "redshift", "secrets", "crawlers", "job", "workflow",
         "notification", "query", "reliability")  # fmt: skip
"""The steps in the notebooks' order."""

VERBS = ("up", "send", "follow", "load", "counts", "calls", "logs", "check", "status", "progress", "event_status",
         "deploy", "catch_up", "restart", "destroy", "leftovers", "down")  # fmt: skip
"""What a participant does with a lab, the usual things first."""

THINGS = ("config", "names", "session", "delivery", "steps", "require", "wait_until")
INTERNAL = frozenset({"agree", "chosen", "consent", "owner", "unread_files", "workflow_of"})
"""Names that are for the lab's own code. They can be used, but completion does not show them."""


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

    def __init__(self, **settings: Any) -> None:
        """Take settings of `labkit.config` as arguments. They override the config file and the LABKIT_* variables.

        In a notebook, this also registers the cell magic `%%redshift` and the completion of `lab.`.

        Raises:
            ConfigError: a setting is unknown or has a value that is not allowed.
        """
        super().__init__(**settings)
        if shell := running_shell():
            sql_magic.register(self, shell)
            completion.register(shell)

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

    def up(self, *, warm_jobs: bool = False) -> TargetStatus:
        """Start the local AWS, and restart its parts that have failed. On AWS, do nothing.

        Args:
            warm_jobs: begin to start Spark now, in the background. Otherwise the Glue connection starts it.

        Raises:
            StartError: the local AWS did not start.
            NotAllWorks: the local AWS is up, but something that was deployed does not work.
        """
        return self.session.start(warm_jobs=warm_jobs)

    def down(self, *, wipe: bool = False) -> Stopped:
        """Stop the local AWS and any processes left over from an earlier start.

        With `wipe`, also delete its data, and the record of the tasks that are done.

        Returns what was stopped; it is false if nothing was running.
        """
        stopped = self.session.stop(wipe=wipe)
        if wipe:
            record.forget(self.config.home)
        return stopped

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

    def status(self) -> Checks:
        """The result of each step's check, as a table: which steps are ok, and what is wrong with the others."""
        return self.check()

    def progress(self) -> Progress:
        """Which of the notebooks' tasks are done in this lab. `labkit progress` shows the same.

        Raises:
            LabError: the record of the tasks is damaged.
        """
        return Progress.of(self.config)

    def event_status(self) -> EventStatus:
        """The events that are waiting, the events that were given up, and the rejected rows."""
        return EventStatus.of(self)

    def destroy(self, *names: str, on_step: Callable[[Removed], None] = lambda _: None) -> Destroyed:
        """Destroy the steps with these names, or all steps if no name is given. The last step goes first.

        Without names, it also removes what unfinished tasks have left, and waits until AWS finds nothing more of this
        lab; `leftovers` says what is left.

        Args:
            names: the names of steps.
            on_step: called after each step with what was removed.

        Raises:
            UsageError: there is no step of that name.
        """
        steps, gone = self.chosen(names), []
        if not names and (remains := registry.remove_remains(self)):
            gone.append(Removed("tasks", remains))
            on_step(gone[-1])
        for step in reversed(steps):
            gone.append(step.destroy())
            on_step(gone[-1])
        if not names:
            wait_until_gone(self)
        return Destroyed(tuple(gone))

    def leftovers(self) -> Leftovers:
        """The resources of this lab that are still on the target, found by tag and by name."""
        return find_leftovers(self)

    @names_all_missing
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

    @names_all_missing
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
        records = landed.rows if isinstance(landed, Landed) else None
        return self.workflow_of(self.delivery or self.owner).follow(sending.landed_keys(self, landed), records)

    @names_all_missing
    def counts(self, landed: Landed | Sequence[str] | None = None) -> Counts | ExactlyOnceCounts:
        """Rows landed, loaded, rejected and queried, each counted from its own source (`labkit.data.counts`).

        With `landed`, only these files' records count as landed. Counts can be subtracted:
        `lab.counts(landed) - before` is what was added since.
        """
        return counts.count(self.session, landed.keys if isinstance(landed, Landed) else landed)

    def calls(self) -> MadeCalls:
        """The AWS calls that the last step made, in order, as a table and as AWS CLI commands.

        In a notebook, a step is a cell: these are the calls of the last cell that made any. Elsewhere they are the
        calls since the previous `lab.calls()`. Calls that functions, crawlers and jobs make are not among them. Secrets
        are hidden.

        Ids make the display differ from run to run: tag such a cell `nbval-ignore-output`.
        """
        return MadeCalls.of(self.session.recorder.last_step())

    def logs(self, what: str, lines: int = 100) -> Lines:
        """The last lines of a part's log, oldest first: `labkit.data.logs.read`. It is a list, shown line by line.

        Raises:
            LabError: there is no such log; the message lists the known ones, or says what writes it.
        """
        return Lines(logs.read(self.session, what, lines))

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds.

        Args:
            what: what is waited for, as in "Waiting for …".
            condition: called often at first, then every `poll_seconds`.

        Raises:
            WaitTimeout: it does not hold within `wait_minutes`.
        """
        look = lambda: ("not yet", True if condition() else None)  # noqa: E731
        wait_for(what, look, config=self.config, go_on="Run the cell again.")

    def __dir__(self) -> list[str]:
        """What participants use: the steps in the notebooks' order, then the verbs. Completion shows it."""
        return public_members(self, (*STORY, *VERBS, *THINGS), INTERNAL)

    def __repr__(self) -> str:
        return f"{self._title}\n{text_table(self._story(), longest=120)}\nAll that it can do: lab. and the Tab key"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        title, steps = escaped(self._title), html_table(self._story(), ("step", "notebook", "makes"))
        more = "<div>All that it can do: <code>lab.</code> and the Tab key</div>"
        return f"<div><strong>{title}</strong></div>{steps}{more}"

    @property
    def _title(self) -> str:
        prefix = f"prefix {self.config.prefix}" if self.config.prefix else "no prefix"
        return f"Lab on {self.config.target}, region {self.config.region}, {prefix}"

    def _story(self) -> list[tuple[str, str, str]]:
        steps = [getattr(self, name) for name in STORY]
        return [(f"lab.{step.name}", step.notebook, step.makes) for step in steps]

"""`Lab`: the one object that a notebook needs."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from labkit import landing
from labkit.config import LabConfig, load
from labkit.display import Check, Described, Removed
from labkit.errors import ConsentNeeded, UsageError
from labkit.happened import Happened
from labkit.landing import Counts, Landed
from labkit.leftovers import Leftovers, find_leftovers
from labkit.names import Names
from labkit.session import Session, TargetStatus, explained
from labkit.steps.base import Step
from labkit.steps.buckets import Buckets
from labkit.steps.crawlers import Crawlers
from labkit.steps.functions import Functions
from labkit.steps.job import Job
from labkit.steps.network import Network
from labkit.steps.notification import Notification
from labkit.steps.query import Query
from labkit.steps.redshift import Redshift
from labkit.steps.retries import Retries
from labkit.steps.roles import Roles
from labkit.steps.secrets import Secrets
from labkit.steps.workflow import Run, Workflow


class Lab:
    """A participant's lab on its target.

    >>> lab = Lab()
    >>> lab.up()
    >>> lab.deploy()
    >>> lab.send(rows=100)
    >>> lab.query("select count(*) from toll_table")

    The steps, in the order of the notebooks: `buckets`, `roles`, `functions`, `network`, `redshift`, `secrets`,
    `crawlers`, `job`, `workflow`, `retries`, `notification`, `query`. Each has `create`, `check`, `describe`,
    `destroy`.
    """

    def __init__(self, **settings: Any) -> None:
        """Args are settings, as in `labkit.config`; they win over the file and the LABKIT_* variables.

        Raises:
            ConfigError: a setting is unknown or has a value that is not allowed.
        """
        self.config: LabConfig = load(**settings)
        self.session = Session(self.config)
        self._consented = not self.config.ask_before_create
        self.buckets = Buckets(self)
        self.roles = Roles(self)
        self.functions = Functions(self)
        self.network = Network(self)
        self.redshift = Redshift(self)
        self.secrets = Secrets(self)
        self.crawlers = Crawlers(self)
        self.job = Job(self)
        self.workflow = Workflow(self)
        self.retries = Retries(self)
        self.notification = Notification(self)
        self.query = Query(self)

    @property
    def names(self) -> Names:
        """The names of everything on the target."""
        return self.session.names

    @property
    def steps(self) -> tuple[Step[Any], ...]:
        """All steps, in the order in which they build on each other."""
        return (
            self.buckets, self.roles, self.functions, self.network, self.redshift, self.secrets,
            self.crawlers, self.job, self.workflow, self.retries, self.notification, self.query,
        )  # fmt: skip

    def up(self) -> TargetStatus:
        """Bring the target up: start the local AWS, or do nothing where it runs already (and on AWS)."""
        return self.session.start()

    def down(self, *, wipe: bool = False) -> bool:
        """Stop the local AWS; with `wipe` forget its data. False where nothing ran."""
        return self.session.stop(wipe=wipe)

    def deploy(self, *names: str) -> Iterator[tuple[str, Described]]:
        """Create the steps of these names (all of them without), yielding (name, result) as they are done."""
        for step in self.chosen(names):
            with explained(self.config):
                yield step.name, step.create()

    def status(self) -> tuple[Check, ...]:
        """What holds on the target, step by step."""
        with explained(self.config):
            return tuple(step.check() for step in self.steps)

    def happened(self) -> Happened:
        """What waits, what was given up and what was rejected."""
        with explained(self.config):
            return Happened.of(self)

    def destroy(self, *names: str) -> Iterator[Removed]:
        """Destroy the steps of these names (all of them without), the last first, yielding what went."""
        for step in reversed(self.chosen(names)):
            with explained(self.config):
                yield step.destroy()

    def leftovers(self) -> Leftovers:
        """What of this lab is still on the target, found by its tag and by its names."""
        with explained(self.config):
            return find_leftovers(self)

    def send(
        self,
        *files: Path | str,
        rows: int = 100,
        count: int = 1,
        seed: int | None = None,
        until: date | str | None = None,
    ) -> Landed:
        """Land data: `files` from this machine, or else `count` files of `rows` rows made by the generator function.

        Args:
            files: files to put into the landing bucket under their own names.
            rows: rows a file.
            count: how many files.
            seed: the same seed and `until` give the same rows; the second file takes seed + 1, and so on.
            until: the last day of the transactions; today by default.

        Raises:
            FunctionFailed: the generator raised.
            UsageError: a file can't be read.
        """
        with explained(self.config):
            if files:
                return landing.upload(self, [Path(file) for file in files])
            return landing.generate(self, rows=rows, count=count, seed=seed, until=until)

    def follow(self, landed: Landed | Sequence[str]) -> Run:
        """Wait for the workflow run that landing these files caused, until it has ended.

        Raises:
            RunFailed: it ended, and not well.
            WaitTimeout: no such run came.
        """
        with explained(self.config):
            return self.workflow.follow(landed.keys if isinstance(landed, Landed) else landed)

    def counts(self, landed: Landed | Sequence[str] | None = None) -> Counts:
        """Rows landed, loaded and queried: counted from the S3 objects, from Redshift's load history, and by SQL.

        With `landed`, only those files count as landed. Counts can be subtracted:
        `lab.counts(landed) - before` is what came since.
        """
        keys = landed.keys if isinstance(landed, Landed) else landed
        with explained(self.config):
            return Counts(self.rows_landed(keys), self.rows_loaded(), self.rows_queried())

    def rows_landed(self, keys: Iterable[str] | None = None) -> int:
        """Rows in these objects of the landing bucket (all without `keys`), counted by reading them."""
        with explained(self.config):
            return landing.count_rows(self, keys)

    def rows_loaded(self) -> int:
        """Rows that COPY loaded into the table, as Redshift's own load history has it."""
        with explained(self.config):
            return self.query.loaded()

    def rows_queried(self) -> int:
        """Rows in the table, by SQL."""
        with explained(self.config):
            return self.query.count()

    def agree(self) -> None:
        """Say yes, beforehand, to what `consent` would ask."""
        self._consented = True

    def consent(self, step: str) -> None:
        """Ask once, on AWS, before anything is created there.

        Raises:
            ConsentNeeded: the answer was not yes, or nobody was there to answer.
        """
        if self._consented:
            return
        account = self.session.account_id
        question = f"Create resources in AWS account {account}, {self.config.region}? Some cost money. [y/N] "
        try:
            answer = input(question)
        except (EOFError, RuntimeError):  # no terminal; ipykernel's StdinNotImplementedError is a RuntimeError
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise ConsentNeeded(step, account)
        self._consented = True

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

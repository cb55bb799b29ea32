"""The Glue workflow: crawl what has landed, then load it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from labkit import needs
from labkit.calls import found, is_missing
from labkit.data import failures, function_log, landing, loads
from labkit.delivery import Delivery, DeliveryNames
from labkit.errors import AwsRefused, LabError, RunFailed, UsageError
from labkit.show.display import Described, Fact, Removed
from labkit.show.pipeline import Pipeline
from labkit.show.waiting import show_failure, wait_for
from labkit.steps import triggers
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step
from labkit.steps.job import Job
from labkit.steps.runs import BY_EVENT, BY_HAND, ENDED, Followed, Loaded, Run, Runs, before_the_run, graph_of

__all__ = ["Run", "Workflow", "WorkflowMade"]

TRIES = 5
EARLIER_RUN = "a run that began before the files landed is under way"
SETTLED = 5
"""After more than this number of polls without a run under way, no waiting invocation will start one."""


@dataclass(frozen=True)
class WorkflowMade(Described):
    """The workflow and its two triggers."""

    workflow: str
    max_concurrency: int
    start_trigger: str
    starts: str
    event_trigger: str
    then: str


class Workflow(Step[WorkflowMade]):
    """Two triggers: one starts the crawler, on demand; the other starts the job when the crawl has succeeded."""

    name = "workflow"
    notebook = "06_workflow"
    makes = "a Glue workflow and its two triggers"
    delivery = Delivery.AS_DESCRIBED
    path = "lab.workflow"
    """How a notebook accesses this workflow."""

    @names_all_missing
    def create(self) -> WorkflowMade:
        """Create the workflow and its triggers."""
        self.lab.consent(self.name)
        self.lab.crawlers.describe()
        self.job.describe()
        glue, workflow = self.aws("glue"), self.own.workflow
        if self._workflow() is None:
            glue.create_workflow(
                Name=workflow, MaxConcurrentRuns=self.config.workflow_max_runs, Tags=self.config.new_tags
            )
        else:
            glue.update_workflow(Name=workflow, MaxConcurrentRuns=self.config.workflow_max_runs)
        for trigger, wanted in self._triggers().items():
            there = self._trigger(trigger)
            if there is None:
                conditional = wanted["Type"] == "CONDITIONAL"
                active = {"StartOnCreation": True} if conditional else {}
                glue.create_trigger(Name=trigger, WorkflowName=workflow, Tags=self.config.new_tags, **active, **wanted)
            elif triggers.differs(there, wanted):
                update = {key: value for key, value in wanted.items() if key != "Type"}
                glue.update_trigger(Name=trigger, TriggerUpdate={"Name": trigger, **update})
        return self.describe()

    @property
    def own(self) -> DeliveryNames:
        """The names of this workflow, its triggers and its job on the target."""
        return DeliveryNames.of(self.delivery, self.names)

    @property
    def job(self) -> Job:
        """The job that the workflow runs."""
        return self.lab.job

    def run(self) -> Run:
        """Start the workflow by hand, wait until the run has ended, and return it.

        It first waits for a run that is under way, because the job runs once at a time. If an event starts another run
        at the same time, so that this run can't start its crawler or its job, the workflow is started again.

        Raises:
            RunFailed: its crawl or its job did not succeed.
            WrongDelivery: the other delivery is in use, or its rows are in the table: this run would load them again.
        """
        self.describe()
        self.lab.require(self.delivery, f"Workflow {self.own.workflow}")
        return self.load()

    def load(self) -> Run:
        """Like `run`, without checking which delivery is in use."""
        for _ in range(TRIES):
            self.wait_until_idle()
            self.job.wait_until_idle()  # it may run without the workflow, or be retried after a failure
            run = self._wait(self.aws("glue").start_workflow_run(Name=self.own.workflow)["RunId"])
            if run.succeeded or not self._met_another(run):
                break
        return self._checked(replace(run, look_up=self._look_up))

    def follow(self, keys: Sequence[str], records: int | None = None) -> Run:
        """Wait until a run has loaded the landed files `keys`, and return it.

        Files that land together may be loaded by several runs; then the last of these runs is returned.

        Args:
            keys: of the files in the landing bucket.
            records: the number of their records, if it is known. It is only shown.

        Raises:
            LabError: there is no notification that could start a run, or one of the files is not there.
            RunFailed: the run ended without success.
            WaitTimeout: no such run ended within `wait_minutes`.
        """
        self.describe()
        self.lab.notification.describe()
        landed = self._landed_at(keys)
        followed = Followed(len(set(keys)), records)
        function = function_log.StartFunctionLog(self.lab.session, self.own.start_function, keys, landed)
        quiet = 0

        def shown(run: Run) -> Pipeline:
            run = replace(run, followed=followed)
            return run.pipeline(function=None if run.started_by else function.in_run(run.run_id))

        def look() -> tuple[Pipeline, Run | None]:
            nonlocal quiet
            runs = self._read_runs()
            under_way = next((run for run in runs if not run.is_over), None)
            if under_way:
                quiet = 0
                if under_way.started >= landed:
                    return shown(under_way), None
                return before_the_run(self.own.workflow, followed, function.before_a_run(), EARLIER_RUN), None
            if run := self.run_that_loaded(keys, landed, runs):
                return run.pipeline(), run
            if failed := [run for run in runs if run.started >= landed and not run.succeeded]:
                quiet += 1
                return shown(failed[0]), failed[0] if quiet > SETTLED else None
            return before_the_run(self.own.workflow, followed, function.before_a_run()), None

        go_on = (
            f"lab.notification.check() says whether S3 invokes the function; labkit logs {self.own.start_function} "
            "shows what it did."
        )
        run = wait_for("the run that the event starts", look, config=self.config, go_on=go_on)
        return self._checked(replace(run, followed=followed, look_up=self._look_up))

    def run_that_loaded(self, keys: Sequence[str], landed: datetime, runs: Sequence[Run]) -> Run | None:
        """The run that has loaded these files; None if no run has. `landed` is when the last of them landed.

        In the described delivery, nothing records which run loads which file. A run that began after the files landed,
        and succeeded, must have loaded them.
        """
        # Two runs may have started at the same time: then one run's job is refused, and the other's reads everything.
        return next((run for run in runs if run.started >= landed and run.succeeded), None)

    def unread(self) -> tuple[str, ...]:
        """The keys of the landed files that no run has read: those that landed since the job's last good run began."""
        began = self.job.last_success()
        files = (one for one in landing.data_files(self.lab.session) if one.is_current)
        return tuple(one.key for one in files if began is None or one.landed_at >= began)

    def pause(self) -> None:
        """Deactivate the trigger that starts the job, so that a run that a late event starts loads nothing."""
        if (self._trigger(self.own.event_trigger) or {}).get("State") == "ACTIVATED":
            self.aws("glue").stop_trigger(Name=self.own.event_trigger)

    def resume(self) -> None:
        """Activate the trigger that starts the job."""
        if (self._trigger(self.own.event_trigger) or {}).get("State") in ("CREATED", "DEACTIVATED"):
            self.aws("glue").start_trigger(Name=self.own.event_trigger)

    def runs(self) -> Runs:
        """The workflow's last 25 runs, newest first. Shown as a table."""
        return Runs(self._read_runs(), self._look_up)

    def graph(self, run: Run | str | None = None) -> Pipeline:
        """Glue's own graph of a run: its triggers, its crawler and its job, with their states.

        Args:
            run: the run, or its id; the last one by default.

        Raises:
            LabError: the workflow has not run yet, or has no such run.
        """
        run_id = run.run_id if isinstance(run, Run) else run or next((one.run_id for one in self._read_runs()), "")
        if not run_id:
            raise LabError(f"Workflow {self.own.workflow} has not run yet.", fix="Land a file: lab.send()")
        answer = found(self.aws("glue").get_workflow_run, Name=self.own.workflow, RunId=run_id, IncludeGraph=True)
        if answer is None:
            raise LabError(f"Workflow {self.own.workflow} has no run {run_id}.", fix=f"Its runs: {self.path}.runs()")
        return graph_of(answer["Run"])

    def exists(self) -> bool:
        """Whether the workflow exists."""
        return self._workflow() is not None

    def wait_until_idle(self) -> None:
        """Wait while a run of the workflow is under way."""

        def look() -> tuple[str, bool | None]:
            going = [run["Status"] for run in self._raw_runs() if run["Status"] not in ENDED]
            return f"{len(going)} under way", None if going else True

        go_on = f"The run goes on by itself; {self.path}.runs() shows it."
        wait_for(f"workflow {self.own.workflow}", look, config=self.config, go_on=go_on, quiet=True)

    def describe(self) -> WorkflowMade:
        """The workflow and its triggers as Glue has them."""
        workflow = self._workflow()
        start, event = self._trigger(self.own.start_trigger), self._trigger(self.own.event_trigger)
        if workflow is None or start is None or event is None:
            raise self.missing(f"Workflow {self.own.workflow}")
        return WorkflowMade(
            workflow=workflow["Name"],
            max_concurrency=workflow["MaxConcurrentRuns"],
            start_trigger=f"{start['Name']} ({start['Type']})",
            starts=triggers.what_it_starts(start),
            event_trigger=f"{event['Name']} ({triggers.what_it_waits_for(event)})",
            then=triggers.what_it_starts(event),
        )

    def facts(self) -> Iterator[Fact]:
        """The workflow's limit, and its triggers' actions, conditions and states."""
        self.describe()
        workflow = self._workflow() or {}
        limit = self.config.workflow_max_runs
        yield Fact(workflow.get("MaxConcurrentRuns") == limit, f"at most {limit} runs at a time", self.fix)
        for name, wanted in self._triggers().items():
            there = self._trigger(name) or {}
            yield Fact(not triggers.differs(there, wanted), f"trigger {name} starts what it should", self.fix)
        state = (self._trigger(self.own.event_trigger) or {}).get("State")
        if self.lab.owner is self.delivery:
            yield Fact(state == "ACTIVATED", f"trigger {self.own.event_trigger} is active",
                       f"aws glue start-trigger --name {self.own.event_trigger}")  # fmt: skip
        else:
            yield Fact(state == "DEACTIVATED",
                       f"trigger {self.own.event_trigger} is deactivated: the other delivery is in use",
                       f"aws glue stop-trigger --name {self.own.event_trigger}")  # fmt: skip

    def destroy(self) -> Removed:
        """Delete the triggers and the workflow."""
        glue, gone = self.aws("glue"), []
        if self._workflow() is not None:
            self.wait_until_idle()
        for trigger in (self.own.event_trigger, self.own.start_trigger):
            if self._trigger(trigger) is not None:
                glue.delete_trigger(Name=trigger)
                gone.append(f"trigger {trigger}")
        if self._workflow() is not None:
            glue.delete_workflow(Name=self.own.workflow)
            gone.append(f"workflow {self.own.workflow}")
        return Removed(self.name, tuple(gone))

    def _triggers(self) -> dict[str, dict[str, Any]]:
        names = self.names
        crawled = {"LogicalOperator": "EQUALS", "CrawlerName": names.s3_crawler, "CrawlState": "SUCCEEDED"}
        return {
            self.own.start_trigger: {"Type": "ON_DEMAND", "Actions": [{"CrawlerName": names.s3_crawler}]},
            self.own.event_trigger: {
                "Type": "CONDITIONAL",
                "Predicate": {"Logical": "ANY", "Conditions": [crawled]},
                "Actions": [{"JobName": self.own.job}],
            },
        }

    def _wait(self, run_id: str) -> Run:
        def look() -> tuple[Pipeline, Run | None]:
            raw = self.aws("glue").get_workflow_run(Name=self.own.workflow, RunId=run_id, IncludeGraph=True)["Run"]
            run = replace(Run.of(raw), started_by=BY_HAND)
            return run.pipeline(), run if run.is_over else None

        go_on = f"The run goes on by itself; {self.path}.runs() shows it."
        return wait_for(f"workflow {self.own.workflow}", look, config=self.config, go_on=go_on)

    def _met_another(self, run: Run) -> bool:
        """Whether another run was under way at the same time."""
        return any(
            raw["StartedOn"] <= run.ended and raw.get("CompletedOn", run.ended) >= run.started
            for raw in self._raw_runs()
            if raw["WorkflowRunId"] != run.run_id
        )

    def _checked(self, run: Run) -> Run:
        if run.succeeded:
            return run
        session, crawler = self.lab.session, self.names.s3_crawler
        if run.crawl == "SUCCEEDED":
            part, advice = "job", needs.of_a_job(session)
            lines = failures.of_a_job(session, run.job_run_id, self.job.file_names) if run.job_run_id else ()
        else:
            part, advice = "crawl", needs.of_a_run(session, needs.S3_CRAWL_NEEDS)
            lines = failures.of_a_crawl(session, crawler, run.started)
        fix = advice or failures.fix_of(run.message)
        show_failure(run.known().pipeline(lines, fix), self.config)
        where = self.job.log_advice(run.job_run_id) if run.job_run_id else f"labkit logs {crawler}"
        state = f"{run.status}, its crawl {run.crawl} and its job {run.job}"
        where = f"The {part} failed. {where}"
        raise RunFailed(f"Workflow {run.workflow}", state, run.message, where=where, fix=fix, lines=lines)

    def _look_up(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        """Add what started the runs and how many rows they have loaded, as far as it can be looked up."""
        if not runs:
            return runs
        since = min(run.started for run in runs)
        session, started, loaded = self.lab.session, dict[str, str](), dict[str, Loaded]()
        by_hand = ""
        with contextlib.suppress(LabError):  # no right to read the log
            started = function_log.started_runs(session, self.own.start_function, since)
            by_hand = BY_HAND
        with contextlib.suppress(LabError):  # no cluster, or no table
            loaded = self.rows_loaded([run for run in runs if run.succeeded])
        return tuple(
            replace(
                run,
                started_by=run.started_by or (BY_EVENT if run.run_id in started else by_hand if run.is_over else ""),
                landed_key=run.landed_key or started.get(run.run_id, ""),
                loaded=loaded.get(run.run_id),
            )
            for run in runs
        )

    def rows_loaded(self, runs: Sequence[Run]) -> dict[str, Loaded]:
        """Run → the rows that Redshift's history says were loaded while its job ran."""
        if not runs:
            return {}
        history = loads.history(self.lab.session, min(run.started for run in runs))
        return {run.run_id: Loaded(sum(rows for start, rows in history if run.had_its_job_at(start))) for run in runs}

    def _read_runs(self) -> tuple[Run, ...]:
        return tuple(Run.of(raw) for raw in self._raw_runs(graph=True))

    def _raw_runs(self, *, graph: bool = False) -> list[dict[str, Any]]:
        try:
            runs: list[dict[str, Any]] = self.aws("glue").get_workflow_runs(
                Name=self.own.workflow, IncludeGraph=graph, MaxResults=25
            )["Runs"]
        except AwsRefused as error:
            if is_missing(error):
                raise self.missing(f"Workflow {self.own.workflow}") from None
            raise
        return sorted(runs, key=lambda run: run["StartedOn"], reverse=True)

    def _landed_at(self, keys: Sequence[str]) -> datetime:
        """When the last of the files landed. S3 rounds the time down to whole seconds."""
        s3, bucket = self.aws("s3"), self.names.landing_bucket
        landed: list[datetime] = []
        for key in keys:
            answer = found(s3.head_object, Bucket=bucket, Key=key)
            if answer is None:
                raise LabError(f"There is no file {key} in bucket {bucket}.", fix="Land it first: lab.send(…)")
            landed.append(answer["LastModified"])
        if not landed:
            raise UsageError("There is no file to follow.", fix="Name the keys, or pass what lab.send() returned.")
        return max(landed)

    def _workflow(self) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_workflow, Name=self.own.workflow)
        return answer["Workflow"] if answer else None

    def _trigger(self, name: str) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_trigger, Name=name)
        return answer["Trigger"] if answer else None

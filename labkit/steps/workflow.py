"""The Glue workflow: crawl what has landed, then load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labkit import needs
from labkit.calls import found, is_missing
from labkit.data import landing
from labkit.delivery import Delivery, DeliveryNames
from labkit.errors import AwsRefused, LabError, RunFailed, UsageError
from labkit.show.display import Described, Fact, Removed, hidden
from labkit.show.waiting import wait_for
from labkit.steps.base import Step
from labkit.steps.job import Job

ENDED = {"COMPLETED", "STOPPED", "ERROR"}
TRIES = 5
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


@dataclass(frozen=True)
class Run(Described):
    """A run of the workflow, with the states of its crawl and its job."""

    workflow: str
    status: str
    crawl: str
    job: str
    run_id: str = hidden()
    started: datetime = hidden()  # noqa: RUF009 - a dataclasses.field
    ended: datetime = hidden()  # noqa: RUF009 - a dataclasses.field
    job_run_id: str = hidden(default="")
    message: str = hidden(default="")
    landed_key: str = hidden(default="")
    """The key of the file that the run was started for, if an event started it."""

    @property
    def succeeded(self) -> bool:
        """Whether the crawl and the job succeeded. A run whose job failed is COMPLETED as well."""
        return (self.status, self.crawl, self.job) == ("COMPLETED", "SUCCEEDED", "SUCCEEDED")


class Workflow(Step[WorkflowMade]):
    """Two triggers: one starts the crawler, on demand; the other starts the job when the crawl has succeeded."""

    name = "workflow"
    notebook = "06_workflow"
    delivery = Delivery.AS_DESCRIBED
    path = "lab.workflow"
    """How a notebook accesses this workflow."""

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
            elif _differs(there, wanted):
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
        return self._checked(run)

    def follow(self, keys: Sequence[str]) -> Run:
        """Wait until a run has loaded the landed files `keys`, and return it.

        Files that land together may be loaded by several runs; then the last of these runs is returned.

        Raises:
            LabError: there is no notification that could start a run, or one of the files is not there.
            RunFailed: the run ended without success.
            WaitTimeout: no such run ended within `wait_minutes`.
        """
        self.describe()
        self.lab.notification.describe()
        landed = self._landed_at(keys)
        quiet = 0

        def look() -> tuple[str, Run | None]:
            nonlocal quiet
            runs = self.runs()
            under_way = next((run for run in runs if run.status not in ENDED), None)
            if under_way:
                quiet = 0
                return f"crawl {under_way.crawl}, job {under_way.job}", None
            if run := self.run_that_loaded(keys, landed, runs):
                return "loaded", run
            failed = [run for run in runs if run.started >= landed and not run.succeeded]
            quiet += bool(failed)
            return "waiting for the event", failed[0] if quiet > SETTLED else None

        go_on = (
            f"lab.notification.check() says whether S3 invokes the function; labkit logs {self.own.start_function} "
            "shows what it did."
        )
        return self._checked(wait_for("the run that the event starts", look, config=self.config, go_on=go_on))

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
        if (self._trigger(self.own.event_trigger) or {}).get("State") == "DEACTIVATED":
            self.aws("glue").start_trigger(Name=self.own.event_trigger)

    def runs(self) -> tuple[Run, ...]:
        """The workflow's last 25 runs, newest first."""
        return tuple(self._run(run) for run in self._raw_runs(graph=True))

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
        condition = event["Predicate"]["Conditions"][0]
        return WorkflowMade(
            workflow=workflow["Name"],
            max_concurrency=workflow["MaxConcurrentRuns"],
            start_trigger=f"{start['Name']} ({start['Type']})",
            starts=", ".join(action["CrawlerName"] for action in start["Actions"]),
            event_trigger=f"{event['Name']} ({event['Predicate'].get('Logical', 'ANY')}: "
            f"{condition['CrawlerName']} {condition['CrawlState']})",
            then=", ".join(action["JobName"] for action in event["Actions"]),
        )

    def facts(self) -> Iterator[Fact]:
        """The workflow's limit, and its triggers' actions, conditions and states."""
        self.describe()
        workflow = self._workflow() or {}
        limit = self.config.workflow_max_runs
        yield Fact(workflow.get("MaxConcurrentRuns") == limit, f"at most {limit} runs at a time", self.fix)
        for name, wanted in self._triggers().items():
            there = self._trigger(name) or {}
            yield Fact(not _differs(there, wanted), f"trigger {name} starts what it should", self.fix)
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
        def look() -> tuple[str, Run | None]:
            raw = self.aws("glue").get_workflow_run(Name=self.own.workflow, RunId=run_id, IncludeGraph=True)["Run"]
            run = self._run(raw)
            return f"crawl {run.crawl}, job {run.job}", run if run.status in ENDED else None

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
        part = "job" if run.crawl == "SUCCEEDED" else "crawl"
        where = self.job.log_advice(run.job_run_id) if run.job_run_id else f"labkit logs {self.names.s3_crawler}"
        state = f"{run.status}, its crawl {run.crawl} and its job {run.job}"
        session = self.lab.session
        advice = needs.of_a_job(session) if part == "job" else needs.of_a_run(session, needs.S3_CRAWL_NEEDS)
        raise RunFailed(f"Workflow {run.workflow}", state, run.message, where=f"The {part} failed. {where}", fix=advice)

    def _run(self, raw: dict[str, Any]) -> Run:
        crawl, job, job_run_id, message = "not started", "not started", "", ""
        for node in raw.get("Graph", {}).get("Nodes", []):
            for attempt in node.get("CrawlerDetails", {}).get("Crawls", []):
                crawl, message = attempt["State"], attempt.get("ErrorMessage", message)
            attempts = node.get("JobDetails", {}).get("JobRuns", [])
            # The last attempt decides: each retry is a new attempt.
            for attempt in sorted(attempts, key=lambda attempt: attempt.get("Attempt", 0)):
                job, job_run_id = attempt["JobRunState"], attempt.get("Id", "")
                message = attempt.get("ErrorMessage", message)
        return Run(
            workflow=raw["Name"],
            status=raw["Status"],
            crawl=crawl,
            job=job,
            run_id=raw["WorkflowRunId"],
            started=raw["StartedOn"],
            ended=raw.get("CompletedOn", datetime.max.replace(tzinfo=UTC)),
            job_run_id=job_run_id,
            message=raw.get("ErrorMessage", message),
            landed_key=raw.get("WorkflowRunProperties", {}).get("landed_key", ""),
        )

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


def _differs(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a trigger lacks anything that it should have. AWS adds fields of its own, which don't count."""
    return any(not _contains(there.get(key), value) for key, value in wanted.items())


def _contains(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_contains(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_contains, there, wanted))
    return bool(there == wanted)

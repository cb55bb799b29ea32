"""The Glue workflow: crawl what has landed, then load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from labkit import ledger
from labkit.display import Described, Fact, Removed, hidden
from labkit.errors import RunFailed
from labkit.steps.base import Step, found, is_missing
from labkit.waiting import wait_for

ENDED = {"COMPLETED", "STOPPED", "ERROR"}
TRIES = 5
SETTLED = 5
"""So many looks without a run under way mean that no waiting invocation is going to start one."""


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
    """A run of the workflow: what its crawl and its job came to."""

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
    """The file that the run was started for, if an event started it."""

    @property
    def succeeded(self) -> bool:
        """Did the crawl and the job succeed? A run whose job failed is COMPLETED, too."""
        return (self.status, self.crawl, self.job) == ("COMPLETED", "SUCCEEDED", "SUCCEEDED")


class Workflow(Step[WorkflowMade]):
    """Two triggers: one starts the crawler, on demand; the other starts the job when the crawl has succeeded."""

    name = "workflow"
    notebook = "06_workflow"

    def create(self) -> WorkflowMade:
        """Make the workflow and its triggers."""
        self.lab.consent(self.name)
        self.lab.crawlers.describe()
        self.lab.job.describe()
        glue, workflow = self.aws("glue"), self.names.workflow
        if self._workflow() is None:
            glue.create_workflow(Name=workflow, MaxConcurrentRuns=self.config.workflow_max_runs, Tags=self.config.tags)
        else:
            glue.update_workflow(Name=workflow, MaxConcurrentRuns=self.config.workflow_max_runs)
        for trigger, wanted in self._triggers().items():
            there = self._trigger(trigger)
            if there is None:
                conditional = wanted["Type"] == "CONDITIONAL"
                active = {"StartOnCreation": True} if conditional else {}
                glue.create_trigger(Name=trigger, WorkflowName=workflow, Tags=self.config.tags, **active, **wanted)
            elif _differs(there, wanted):
                update = {key: value for key, value in wanted.items() if key != "Type"}
                glue.update_trigger(Name=trigger, TriggerUpdate={"Name": trigger, **update})
        return self.describe()

    def run(self) -> Run:
        """Start the workflow by hand, wait until it has ended, and return how.

        A run that is under way is waited for first: the job runs once at a time. If an event started one at the same
        moment, and this one was refused its crawler or its job for that, it is started again.

        Raises:
            RunFailed: its crawl or its job did not succeed.
        """
        self.describe()
        for _ in range(TRIES):
            self.wait_until_idle()
            run = self._wait(self.aws("glue").start_workflow_run(Name=self.names.workflow)["RunId"])
            if run.succeeded or not self._met_another(run):
                break
        return self._checked(run)

    def follow(self, keys: Sequence[str]) -> Run:
        """Wait until a run that landing `keys` caused has read them, and return it.

        Files that landed together share runs: then it is the last of those that read them.

        Raises:
            RunFailed: it ended, and not well. The queue has it tried again, `event_tries` times in all.
            WaitTimeout: no such run came.
        """
        self.describe()
        landed = self._landed_at(keys)
        quiet = 0

        def look() -> tuple[str, Run | None]:
            nonlocal quiet
            runs = self.runs()
            under_way = next((run for run in runs if run.status not in ENDED), None)
            if under_way:
                quiet = 0
                return f"crawl {under_way.crawl}, job {under_way.job}", None
            mine = [run for run in runs if run.started >= landed]
            # Two runs may have started at once; the job of one of them is refused, the other's reads everything.
            run = next((run for run in mine if run.succeeded), None)
            if run and self.config.ledger:
                return "waiting for the rest of the events", run if ledger.are_loaded(self.lab, keys) else None
            quiet += bool(mine)
            return "waiting for the event", run or mine[0] if quiet > SETTLED else None

        go_on = "lab.notification.check() says whether S3 tells the function; labkit logs start shows what it did."
        return self._checked(wait_for("the run that the event starts", look, config=self.config, go_on=go_on))

    def runs(self) -> tuple[Run, ...]:
        """The workflow's runs, the newest first."""
        return tuple(self._run(run) for run in self._raw_runs(graph=True))

    def wait_until_idle(self) -> None:
        """Wait while a run of the workflow is under way."""

        def look() -> tuple[str, bool | None]:
            going = [run["Status"] for run in self._raw_runs() if run["Status"] not in ENDED]
            return f"{len(going)} under way", None if going else True

        go_on = "The run goes on by itself; lab.workflow.runs() shows it."
        wait_for(f"workflow {self.names.workflow}", look, config=self.config, go_on=go_on, quiet=True)

    def describe(self) -> WorkflowMade:
        """The workflow and its triggers as Glue has them."""
        workflow = self._workflow()
        start, event = self._trigger(self.names.start_trigger), self._trigger(self.names.event_trigger)
        if workflow is None or start is None or event is None:
            raise self.missing(f"Workflow {self.names.workflow}")
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
        event = self._trigger(self.names.event_trigger) or {}
        yield Fact(event.get("State") == "ACTIVATED", f"trigger {self.names.event_trigger} is active",
                   f"aws glue start-trigger --name {self.names.event_trigger}")  # fmt: skip

    def destroy(self) -> Removed:
        """Delete the triggers and the workflow."""
        glue, gone = self.aws("glue"), []
        if self._workflow() is not None:
            self.wait_until_idle()
        for trigger in (self.names.event_trigger, self.names.start_trigger):
            if self._trigger(trigger) is not None:
                glue.delete_trigger(Name=trigger)
                gone.append(f"trigger {trigger}")
        if self._workflow() is not None:
            glue.delete_workflow(Name=self.names.workflow)
            gone.append(f"workflow {self.names.workflow}")
        return Removed(self.name, tuple(gone))

    def _triggers(self) -> dict[str, dict[str, Any]]:
        names = self.names
        crawled = {"LogicalOperator": "EQUALS", "CrawlerName": names.s3_crawler, "CrawlState": "SUCCEEDED"}
        return {
            names.start_trigger: {"Type": "ON_DEMAND", "Actions": [{"CrawlerName": names.s3_crawler}]},
            names.event_trigger: {
                "Type": "CONDITIONAL",
                "Predicate": {"Logical": "ANY", "Conditions": [crawled]},
                "Actions": [{"JobName": names.job}],
            },
        }

    def _wait(self, run_id: str) -> Run:
        def look() -> tuple[str, Run | None]:
            raw = self.aws("glue").get_workflow_run(Name=self.names.workflow, RunId=run_id, IncludeGraph=True)["Run"]
            run = self._run(raw)
            return f"crawl {run.crawl}, job {run.job}", run if run.status in ENDED else None

        go_on = "The run goes on by itself; lab.workflow.runs() shows it."
        return wait_for(f"workflow {self.names.workflow}", look, config=self.config, go_on=go_on)

    def _met_another(self, run: Run) -> bool:
        """Was another run under way at the same time?"""
        return any(
            raw["StartedOn"] <= run.ended and raw.get("CompletedOn", run.ended) >= run.started
            for raw in self._raw_runs()
            if raw["WorkflowRunId"] != run.run_id
        )

    def _checked(self, run: Run) -> Run:
        if run.succeeded:
            return run
        part = "job" if run.crawl == "SUCCEEDED" else "crawl"
        where = self.lab.job.log_advice(run.job_run_id) if run.job_run_id else "labkit logs crawler"
        state = f"{run.status}, its crawl {run.crawl} and its job {run.job}"
        raise RunFailed(f"Workflow {run.workflow}", state, run.message, where=f"The {part} failed. {where}")

    def _run(self, raw: dict[str, Any]) -> Run:
        crawl, job, job_run_id, message = "not started", "not started", "", ""
        for node in raw.get("Graph", {}).get("Nodes", []):
            for attempt in node.get("CrawlerDetails", {}).get("Crawls", []):
                crawl, message = attempt["State"], attempt.get("ErrorMessage", message)
            attempts = node.get("JobDetails", {}).get("JobRuns", [])
            # The last attempt decides: a retry is a new one.
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
                Name=self.names.workflow, IncludeGraph=graph, MaxResults=25
            )["Runs"]
        except ClientError as error:
            if is_missing(error):
                raise self.missing(f"Workflow {self.names.workflow}") from None
            raise
        return sorted(runs, key=lambda run: run["StartedOn"], reverse=True)

    def _landed_at(self, keys: Sequence[str]) -> datetime:
        """When the last of the files landed, rounded down: S3 gives whole seconds."""
        s3, bucket = self.aws("s3"), self.names.landing_bucket
        landed: list[datetime] = [s3.head_object(Bucket=bucket, Key=key)["LastModified"] for key in keys]
        return max(landed)

    def _workflow(self) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_workflow, Name=self.names.workflow)
        return answer["Workflow"] if answer else None

    def _trigger(self, name: str) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_trigger, Name=name)
        return answer["Trigger"] if answer else None


def _differs(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Does a trigger lack anything of what it should have? AWS adds fields of its own."""
    return any(not _contains(there.get(key), value) for key, value in wanted.items())


def _contains(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_contains(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_contains, there, wanted))
    return bool(there == wanted)

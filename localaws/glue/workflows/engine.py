"""The workflow engine: fires triggers, and follows the crawls and job runs that they start.

Events on the bus report how crawls and job runs end; the engine never polls. Its state is kept on the Glue backend, so
a server that was killed resumes from its last saved state: actions that had not been started are started then, and
actions that had been started take on the state of their crawl or job run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    GlueClientError,
    InvalidInputException,
)
from moto.glue.models import glue_backends

from localaws.core.context import Context
from localaws.core.events import CrawlFinished, CrawlStarted, JobRunFinished, JobRunStarted, Predecessors, WorkflowRef
from localaws.glue.workflows.runs import ActionRun, RunStatus, Workflow, WorkflowRun, is_final, node_id
from localaws.glue.workflows.timetable import Timetable
from localaws.glue.workflows.trigger_definitions import (
    NodeType,
    Target,
    Trigger,
    TriggerState,
    TriggerType,
)
from localaws.glue.workflows.triggers import WorkflowOperations

log = logging.getLogger(__name__)


class IllegalWorkflowState(GlueClientError):
    """IllegalWorkflowStateException: the run is not in a state in which this can be done."""

    def __init__(self, message: str) -> None:
        super().__init__("IllegalWorkflowStateException", message)


class WorkflowEngine:
    """Runs the workflows and triggers of every region."""

    def __init__(self, context: Context, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._context = context
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        # Events about the previous server's runs that arrive before this engine is started; None from then on.
        self._early: list[tuple[str, Target, str, str, WorkflowRef | None]] | None = []
        self._timetable = Timetable(clock, lambda key: context.bus.after_response(lambda: self._on_time(*key)))
        context.bus.subscribe(CrawlStarted, self._on_crawl_started)
        context.bus.subscribe(CrawlFinished, self._on_crawl_finished)
        context.bus.subscribe(JobRunStarted, self._on_job_started)
        context.bus.subscribe(JobRunFinished, self._on_job_finished)

    def start(self) -> None:
        """Resume the runs that were under way when the server ended, and schedule the triggers."""
        with self._lock:
            self._stopped.clear()
            for _, region, _ in list(glue_backends.iter_backends()):
                backend = self._backend(region)
                for name in list(backend.triggers):
                    self.schedule(region, name)
                workflows: list[Any] = list(backend.workflows.values())
                for workflow in workflows:
                    for run in workflow.runs.under_way():
                        self._recover(region, run)
            early, self._early = self._early or [], None
        for told in early:
            self._on_finished(*told)

    def stop(self) -> None:
        """Stop firing triggers. The next `start` handles crawls and job runs that end from now on."""
        self._stopped.set()
        self._timetable.clear()

    def start_run(self, region: str, name: str, properties: Mapping[str, str]) -> str:
        """Begin a run of workflow `name` and return its id; its actions start after the call is answered.

        Raises:
            EntityNotFoundException: there is no such workflow.
            InvalidInputException: it has no start trigger.
            ConcurrentRunsExceededException: it has MaxConcurrentRuns runs already.
        """
        with self._lock:
            workflow = self._backend(region).find_workflow(name)
            run = self._new_run(region, workflow, properties)
            if workflow.is_full():
                raise ConcurrentRunsExceededException(_too_many(name))
            workflow.runs.add(run)
        self._context.bus.after_response(lambda: self._advance(region, run))
        return run.workflow_run_id

    def resume_run(self, region: str, name: str, run_id: str, node_ids: list[str]) -> tuple[str, list[str]]:
        """Begin a new run that repeats nodes of a completed run and everything downstream of them.

        Return the new run's id, and the ids of the nodes it begins with.

        https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html

        Raises:
            EntityNotFoundException: there is no such workflow or run.
            IllegalWorkflowState: the run is not COMPLETED.
            InvalidInputException: a node is not a job or crawler that the run attempted.
            ConcurrentRunsExceededException: the workflow has MaxConcurrentRuns runs already.
        """
        with self._lock:
            backend = self._backend(region)
            workflow, original = backend.find_workflow(name), backend.find_workflow_run(name, run_id)
            if original.status is not RunStatus.COMPLETED:
                raise IllegalWorkflowState(
                    f"Workflow run {run_id} is {original.status}: only a COMPLETED run can resume."
                )
            run, first = original.resumed(_attempted(original, node_ids))
            if workflow.is_full():
                raise ConcurrentRunsExceededException(_too_many(name))
            # They are added before the call is answered, so that nobody sees the new run empty.
            run.actions.extend(first)
            workflow.runs.add(run)
        self._context.bus.after_response(lambda: self._advance(region, run))
        return run.workflow_run_id, [node_id(name, action.target.type, action.target.name) for action in first]

    def stop_run(self, region: str, name: str, run_id: str) -> None:
        """Stop a run: actions that are running are stopped, and no others start.

        Raises:
            EntityNotFoundException: there is no such workflow or run.
            IllegalWorkflowState: the run is not RUNNING.
        """
        with self._lock:
            run = self._backend(region).find_workflow_run(name, run_id)
            if run.status is not RunStatus.RUNNING:
                raise IllegalWorkflowState(f"Workflow run {run_id} is {run.status}: only a RUNNING run can be stopped.")
            run.status = RunStatus.STOPPING
            for action in run.unfinished():
                self._stop(region, action)
            run.settle()

    def fire(self, region: str, trigger: Trigger, predecessors: Predecessors = ()) -> None:
        """Start all actions of a trigger outside workflows; `predecessors` are the job runs that it waited for.

        Raises:
            JsonRESTError: an action could not be started (the first such error); the other actions are started.
        """
        errors = []
        for action in trigger.actions:
            try:
                ref = WorkflowRef("", "", trigger.name)
                self._start(region, action.target, ref, action.request, predecessors)
            except (JsonRESTError, ServiceException) as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def schedule(self, region: str, name: str) -> None:
        """Put trigger `name` on the timetable if it is scheduled and activated; otherwise take it off."""
        trigger: Any = self._backend(region).triggers.get(name)
        due = trigger is not None and trigger.type is TriggerType.SCHEDULED and trigger.state is TriggerState.ACTIVATED
        self._timetable.put((region, name), trigger.schedule if due else None)

    def _on_time(self, region: str, name: str) -> None:
        trigger: Any = self._backend(region).triggers.get(name)
        if self._stopped.is_set() or trigger is None or trigger.state is not TriggerState.ACTIVATED:
            return  # the trigger was stopped or deleted while this call waited
        if trigger.workflow_name is None:
            self._fire_unasked(region, trigger)
            return
        with self._lock:
            workflow = self._backend(region).find_workflow(trigger.workflow_name)
            run = self._new_run(region, workflow, {})
            if workflow.is_full():
                run.refuse(_too_many(workflow.name))
            workflow.runs.add(run)
        self._advance(region, run)

    def _fire_unasked(self, region: str, trigger: Trigger, predecessors: Predecessors = ()) -> None:
        try:
            self.fire(region, trigger, predecessors)
        except (JsonRESTError, ServiceException) as error:
            log.warning("Trigger %s fired, but could not start all its actions: %s", trigger.name, error)
        self._context.state.save("glue")

    def _new_run(self, region: str, workflow: Workflow, properties: Mapping[str, str]) -> WorkflowRun:
        triggers = self._backend(region).triggers_of(workflow.name)
        if not any(trigger.starts_workflow for trigger in triggers):
            raise InvalidInputException("StartWorkflowRun", f"Workflow {workflow.name} has no start trigger.")
        return WorkflowRun(workflow.name, triggers, {**workflow.default_run_properties, **properties})

    def _advance(self, region: str, run: WorkflowRun) -> None:
        """Start all due actions of `run`; end the run if nothing is under way any more."""
        if self._stopped.is_set():
            return
        with self._lock:
            if run.status is RunStatus.RUNNING:
                self._begin(region, run, [action for action in run.unfinished() if not action.run_ids])
            while due := run.due():
                run.fired.update(trigger.name for trigger in due)
                begun = [ActionRun(trigger.name, action.target) for trigger in due for action in trigger.actions]
                run.actions.extend(begun)
                self._begin(region, run, begun)
            run.settle()
        self._context.state.save("glue")

    def _begin(self, region: str, run: WorkflowRun, actions: Iterable[ActionRun]) -> None:
        for action in actions:
            ref = WorkflowRef(run.workflow_name, run.workflow_run_id, action.trigger)
            try:
                before = run.predecessors_of(action)
                run_id = self._start(region, action.target, ref, run.request_of(action), before)
            except EntityNotFoundException as error:
                # "ERROR: A workflow … attempted to run a deleted job":
                # https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
                action.finish("ERROR", error.message)
            except (JsonRESTError, ServiceException) as error:
                # "FAILED: The job exceeded its maximum allowed concurrent runs", on the same page. AWS does not
                # document what happens if a crawler is already running: it is treated the same way here.
                action.run_ids = self._backend(region).runs_begun_for(action.target, ref)
                action.finish("FAILED", error.message)
            except Exception as error:
                log.exception("%s could not be started by trigger %s", action.target, action.trigger)
                action.finish("FAILED", f"{type(error).__name__}: {error}")
            else:
                self._note_start(region, action, run_id)

    def _start(
        self,
        region: str,
        target: Target,
        ref: WorkflowRef,
        request: Mapping[str, Any],
        predecessors: Predecessors = (),
    ) -> str:
        ports = self._context.ports
        if target.type is NodeType.CRAWLER:
            crawl_id: str = ports.crawls.start_crawl(region, target.name, workflow=ref)
            return crawl_id
        asked = {name: value for name, value in request.items() if name != "JobName"}
        run_id: str = ports.jobs.start_requested(region, target.name, asked, workflow=ref, predecessors=predecessors)
        return run_id

    def _stop(self, region: str, action: ActionRun) -> None:
        if not action.run_ids:
            action.finish("STOPPED" if action.target.type is NodeType.JOB else "CANCELLED")
            return
        try:
            if action.target.type is NodeType.CRAWLER:
                self._context.ports.crawls.stop_crawl(region, action.target.name)
            else:
                self._context.ports.jobs.stop_run(region, action.run_ids[-1])
        except (JsonRESTError, ServiceException):
            # It has just ended: its event is on the way, and will settle the run.
            log.info("%s had ended when its workflow run was stopped", action.target)

    def _recover(self, region: str, run: WorkflowRun) -> None:
        backend = self._backend(region)
        with self._lock:
            for action in run.unfinished():
                ref = WorkflowRef(run.workflow_name, run.workflow_run_id, action.trigger)
                for run_id in backend.runs_begun_for(action.target, ref):
                    action.started_as(run_id)
                if action.run_ids:
                    self._note(action, backend.state_of_run(action.target, action.run_ids[-1]))
                elif run.status is RunStatus.STOPPING:
                    self._stop(region, action)
            self._advance(region, run)

    def _on_crawl_started(self, event: CrawlStarted) -> None:
        self._on_started(event.region, Target(NodeType.CRAWLER, event.crawler), event.crawl_id, event.workflow)

    def _on_job_started(self, event: JobRunStarted) -> None:
        self._on_started(event.region, Target(NodeType.JOB, event.job), event.run_id, event.workflow)

    def _on_crawl_finished(self, event: CrawlFinished) -> None:
        target = Target(NodeType.CRAWLER, event.crawler)
        self._on_finished(event.region, target, event.crawl_id, event.state, event.workflow)

    def _on_job_finished(self, event: JobRunFinished) -> None:
        if event.final:
            target = Target(NodeType.JOB, event.job)
            self._on_finished(event.region, target, event.run_id, event.state, event.workflow)

    def _on_started(self, region: str, target: Target, run_id: str, ref: WorkflowRef | None) -> None:
        """Note a start. Each retry of a job is a separate job run: the action follows the newest."""
        run = self._run_of(region, ref)
        with self._lock:
            action = run.action(ref.trigger, target) if run and ref else None
            if action is not None and not action.is_over:
                self._note_start(region, action, run_id)

    def _on_finished(self, region: str, target: Target, run_id: str, state: str, ref: WorkflowRef | None) -> None:
        with self._lock:
            if self._early is not None:
                self._early.append((region, target, run_id, state, ref))
                return
        if ref is None or self._stopped.is_set():
            return  # "dependent jobs or crawlers are only started if what completes was started by a trigger"
        if not ref.run_id:
            self._react(region, target, run_id, state)
            return
        run = self._run_of(region, ref)
        if run is None:
            return  # the workflow was deleted meanwhile
        with self._lock:
            action = run.action(ref.trigger, target)
            # Any other id belongs to an earlier attempt, or to a run from before a restart of the server.
            if action is not None and action.run_ids[-1:] == [run_id]:
                self._note(action, state)
        self._advance(region, run)

    def _note_start(self, region: str, action: ActionRun, run_id: str) -> None:
        action.started_as(run_id)
        if self._backend(region).state_of_run(action.target, run_id) == "WAITING":
            action.state = "WAITING"  # the job run is queued; another event follows when it starts

    def _note(self, action: ActionRun, state: str | None) -> None:
        if action.is_over:
            return
        if state is None:
            action.finish("ERROR", f"{action.target} is gone.")
        elif is_final(state):
            action.finish(state)
        elif state == "WAITING":
            action.state = state

    def _react(self, region: str, target: Target, run_id: str, state: str) -> None:
        """Fire the conditional triggers outside workflows whose predicates hold now that this run has ended."""
        backend = self._backend(region)
        triggers: list[Any] = list(backend.triggers.values())
        for trigger in triggers:
            if trigger.workflow_name or trigger.starts_workflow or trigger.state is not TriggerState.ACTIVATED:
                continue
            with self._lock:
                met = backend.runs_that_met.setdefault(trigger.name, {})
                for number, condition in enumerate(trigger.conditions):
                    if condition.target == target:
                        met.pop(number, None)
                        met |= {number: run_id} if condition.state == state else {}
                fires = any(c.target == target for c in trigger.conditions) and trigger.is_met(met)
                predecessors = trigger.predecessors(met)
                if fires:
                    met.clear()
            if fires:
                self._fire_unasked(region, trigger, predecessors)
        self._context.state.save("glue")

    def _run_of(self, region: str, ref: WorkflowRef | None) -> WorkflowRun | None:
        if ref is None or not ref.run_id:
            return None
        workflow: Any = self._backend(region).workflows.get(ref.name)
        return None if workflow is None else workflow.runs.get(ref.run_id)

    def _backend(self, region: str) -> WorkflowOperations:
        return cast("WorkflowOperations", glue_backends[self._context.account_id][region])


def _too_many(workflow: str) -> str:
    # AWS's sentence, from WorkflowRun's ErrorMessage in its API reference.
    return f"Concurrent runs exceeded for workflow: {workflow}."


def _attempted(run: WorkflowRun, node_ids: list[str]) -> list[Target]:
    """The jobs and crawlers that the nodes stand for."""
    known = {node_id(run.workflow_name, a.target.type, a.target.name): a.target for a in run.actions}
    if not node_ids:
        raise InvalidInputException("ResumeWorkflowRun", "NodeIds cannot be null or empty")
    for one in node_ids:
        if one not in known:
            raise InvalidInputException(
                "ResumeWorkflowRun", f"Node {one} is not a job or crawler that run {run.workflow_run_id} attempted."
            )
    return [known[one] for one in node_ids]

"""The jobs engine: carries out job runs from start to end."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any, cast

from moto.core.exceptions import JsonRESTError
from moto.glue.exceptions import EntityNotFoundException, JobRunNotFoundException
from moto.glue.models import glue_backends

from localaws.core.context import Context
from localaws.core.events import JobRunFinished, JobRunStarted, Predecessors, WorkflowRef
from localaws.glue.connections.network import require_connection, require_network
from localaws.glue.jobs.backend import JobOperations, JobRunNotRunning
from localaws.glue.jobs.definitions import invalid, spark_properties
from localaws.glue.jobs.job import Job
from localaws.glue.jobs.logs import RunLog
from localaws.glue.jobs.pool import Pool, PoolStopped
from localaws.glue.jobs.runs import JobRun, JobRunState
from localaws.glue.jobs.script import Log, RunRequest, RunTimedOut, SparkFailed
from localaws.glue.jobs.spark import Spark
from localaws.glue.roles import can_assume, not_assumed
from localaws.iam import AccessDenied
from localaws.iam.service_roles import ServiceRole

log = logging.getLogger(__name__)

_SESSION = "GlueJobRunnerSession"  # the session name with which Glue assumes a job's role
_LONGEST_MESSAGE = 4000  # characters; the error log has the full message
# "AWS Glue will retry for a maximum of 15 minutes": https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
_LONGEST_WAIT = 15 * 60.0


class VersionMismatch(Exception):
    """The bookmark changed under a run: it was reset, or another run committed."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"Continuation update failed due to version mismatch. Expected version {expected} but found version {found}"
        )


@dataclass
class _Active:
    """A run under way in this process."""

    region: str
    job: Job
    run: JobRun
    stop: threading.Event = field(default_factory=threading.Event)
    spark: Spark | None = None
    bookmark_version: int = 0  # of the bookmark that the run read, or that its last commit made


class JobsEngine:
    """Runs Glue jobs on warm Sparks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pool = Pool(context)
        self._lock = threading.RLock()
        self._active: dict[str, _Active] = {}
        self._stopping = False

    def start(self) -> None:
        """End the runs that the last server left under way, begin retries and waiting runs, and warm up for jobs.

        An interrupted run is FAILED, like a run whose workers AWS lost, and is retried if its job says so.
        """
        jobs = [
            (region, job)
            for region, backend in list(glue_backends[self._context.account_id].items())
            for job in list(cast(JobOperations, backend).local_jobs.values())
        ]
        for region, job in jobs:
            for run in [run for run in job.job_runs if run.is_running]:
                message = "The embedded AWS was stopped while this run was under way."
                self._end(region, job, run, JobRunState.FAILED, message)
            for run in job.take_waiting():
                self._begin(region, job, run)
            for run in job.job_runs:
                if run.state is JobRunState.WAITING:
                    self._limit_wait(region, job, run)
        if jobs:
            self.prepare()

    def prepare(self) -> None:
        """Warm up a Spark in the background, if there is none: a job will need it soon."""
        self._pool.warm()

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return bool(self._active)

    def failure(self) -> str:
        """Return why jobs can't run; empty if they can, or if no Spark has been started yet."""
        said = [line.strip() for line in str(self._pool.failure or "").splitlines()]
        # Of a Java error, the first lines have the cause; the others are the stack trace.
        return " ".join(said[:2])[:400]

    def heal(self) -> None:
        """If the last Spark did not start, warm up another one, and wait for it."""
        if self._pool.failure is not None:
            self._pool.retry()

    def stop(self) -> None:
        """Stop the engine. Its next start ends runs that are under way now as FAILED."""
        self._stopping = True
        self._pool.stop()

    def start_requested(
        self,
        region: str,
        job_name: str,
        request: dict[str, Any],
        *,
        workflow: WorkflowRef | None = None,
        predecessors: Predecessors = (),
    ) -> str:
        """Begin the run that a StartJobRun request asks for; return its id.

        Raises:
            EntityNotFoundException: there is no such job.
            ConcurrentRunsExceededException: MaxConcurrentRuns runs of it are under way, and queuing is off.
            InvalidInputException: the request is not valid.
        """
        with self._lock:
            job = self._backend(region).find_job(job_name)
            run = job.new_run(request, workflow, predecessors)
        self._context.state.save("glue")
        self._begin(region, job, run)
        return run.job_run_id

    def stop_run(self, region: str, run_id: str, *, job_name: str | None = None) -> None:
        """Stop a run: STOPPING now, STOPPED when its processes are gone.

        Raises:
            EntityNotFoundException: no job has such a run, or not the job `job_name`.
            JobRunNotRunning: it has ended.
        """
        with self._lock:
            job, run = self._find(region, run_id, job_name)
            if not run.under_way:
                raise JobRunNotRunning(run)
            waited = run.state is JobRunState.WAITING
            if not waited:
                run.move_to(JobRunState.STOPPING)
        if waited:
            self._end(region, job, run, JobRunState.STOPPED, "")
        else:
            self._end_processes(run_id)

    def abandon(self, region: str, job: Job, run: JobRun) -> None:
        """Stop a run whose job is being deleted."""
        if run.state is JobRunState.WAITING:
            self._end(region, job, run, JobRunState.STOPPED, "")
        elif run.under_way:
            run.move_to(JobRunState.STOPPING)
            self._end_processes(run.job_run_id)

    def _end_processes(self, run_id: str) -> None:
        active = self._active.get(run_id)
        if active is None:
            return
        active.stop.set()
        self._pool.wake()
        if active.spark is not None:
            self._pool.discard(active.spark)

    def _find(self, region: str, run_id: str, job_name: str | None) -> tuple[Job, JobRun]:
        for job in list(self._backend(region).local_jobs.values()):
            if job_name in (None, job.name):
                for run in job.job_runs:
                    if run.job_run_id == run_id:
                        return job, run
        raise JobRunNotFoundException(run_id)

    def _begin(self, region: str, job: Job, run: JobRun) -> None:
        if run.state is JobRunState.WAITING:
            self._context.bus.publish(JobRunStarted(region, run.job_name, run.job_run_id, run.workflow))
            self._limit_wait(region, job, run)
            return
        active = _Active(region, job, run)
        self._active[run.job_run_id] = active
        self._context.bus.publish(JobRunStarted(region, run.job_name, run.job_run_id, run.workflow))
        threading.Thread(target=self._carry_out, args=(active,), name=f"job-{run.job_name}", daemon=True).start()

    def _carry_out(self, active: _Active) -> None:
        """Carry out one run from start to end, in its own thread."""
        run = active.run
        try:
            state, message = self._attempt(active)
        except PoolStopped:
            return  # the next start of the server ends the run
        except JsonRESTError as refusal:
            state, message = JobRunState.FAILED, f"{refusal.error_type}: {refusal.message}"
        except Exception as error:
            log.exception("Run %s of %s broke", run.job_run_id, run.job_name)
            state, message = JobRunState.FAILED, f"{type(error).__name__}: {error}"
        if self._stopping and state is not JobRunState.SUCCEEDED:
            return
        del self._active[run.job_run_id]
        self._end(active.region, active.job, run, state, message)

    def _end(self, region: str, job: Job, run: JobRun, state: JobRunState, message: str) -> None:
        """Note how a run ended, and begin what follows: another attempt, or runs that were waiting."""
        with self._lock:
            if not run.under_way:
                return  # it was waiting, and was stopped just as its wait ended
            if run.state is JobRunState.STOPPING:
                state, message = JobRunState.STOPPED, ""
            run.error_message = message[:_LONGEST_MESSAGE]
            run.move_to(state)
            kept = self._backend(region).local_jobs.get(run.job_name) is job
            # "Jobs that reach the timeout limit are not restarted", nor are those that somebody stopped.
            again = kept and state is JobRunState.FAILED and run.attempt < job.definition["MaxRetries"]
            retry = job.new_attempt(run) if again else None
            waiting = job.take_waiting() if kept and not self._stopping else []
        self._context.state.save("glue")
        for following in [retry, *waiting] if retry else waiting:
            self._begin(region, job, following)
        self._publish_end(region, run, final=retry is None)

    def _limit_wait(self, region: str, job: Job, run: JobRun) -> None:
        """Fail `run` if it is still waiting after `_LONGEST_WAIT`."""

        def give_up() -> None:
            if run.state is JobRunState.WAITING and not self._stopping:
                self._end(region, job, run, JobRunState.FAILED, run.state_detail)

        timer = threading.Timer(_LONGEST_WAIT, give_up)
        timer.daemon = True
        timer.start()

    def _attempt(self, active: _Active) -> tuple[JobRunState, str]:
        job, run = active.job, active.run
        role = ServiceRole(job.definition["Role"], _SESSION, active.region, self._context.account_id)
        if not can_assume(role.role, role.account_id, job.arn):
            which = f"JobName:{run.job_name} and JobRunId:{run.job_run_id}"
            return JobRunState.FAILED, f"{which} failed to execute with exception {not_assumed(role.role)}"
        try:
            self._check_connections(active, role)
        except AccessDenied as denied:
            return JobRunState.FAILED, str(denied)
        with role.credentials() as credentials:
            return self._attempt_as(active, role, self._request(active, credentials))

    def _attempt_as(self, active: _Active, role: ServiceRole, request: RunRequest) -> tuple[JobRunState, str]:
        run = active.run
        # After a restart, a retry must not fail because a cluster has not been started again yet.
        self._context.ports.clusters.wait_until_started()
        try:
            spark = self._pool.acquire(active.stop)
        except PoolStopped:
            raise
        except Exception as error:
            log.exception("Run %s got no Spark", run.job_run_id)
            return JobRunState.FAILED, f"{type(error).__name__}: {error}"
        if spark is None:
            return JobRunState.STOPPED, ""
        with self._lock:
            active.spark = spark
            if active.stop.is_set():
                self._pool.release(spark)
                return JobRunState.STOPPED, ""
            run.move_to(JobRunState.RUNNING)
        run_log = RunLog(self._context.client("logs", active.region), run.job_run_id, request.arguments, role.may_log)
        began = time.monotonic()
        try:
            return self._follow(active, spark, request, run_log)
        finally:
            run.execution_seconds = time.monotonic() - began
            active.spark = None
            run_log.close()

    def _check_connections(self, active: _Active, role: ServiceRole) -> None:
        """Check that the run can use the connections that its job names, and their subnets.

        Raises:
            EntityNotFoundException: a connection does not exist.
            AccessDenied: the job's role may not read a connection, or not put an interface into its subnet.
        """
        known: dict[str, Any] = self._backend(active.region).connections
        for name in (active.job.definition.get("Connections") or {}).get("Connections") or []:
            require_connection(role, name)
            if name not in known:
                raise EntityNotFoundException(f"Connection {name} not found.")
            require_network(role, known[name].definition.get("PhysicalConnectionRequirements") or {})

    def _follow(self, active: _Active, spark: Spark, request: RunRequest, run_log: RunLog) -> tuple[JobRunState, str]:
        run = active.run
        try:
            outcome = spark.run(
                request,
                run_log.write,
                lambda state: self._commit_bookmark(active, state),
                run.settings["Timeout"] * 60,
            )
        except RunTimedOut:
            self._pool.discard(spark)
            message = f"The job run timed out after {run.settings['Timeout']} minutes."
            run_log.write(Log.ERROR, message)
            return JobRunState.TIMEOUT, message
        except SparkFailed as error:
            self._pool.discard(spark)
            run_log.write(Log.ERROR, str(error))
            return JobRunState.FAILED, str(error)
        except BaseException:
            self._pool.discard(spark)  # else its place in the pool would stay taken
            raise
        self._pool.release(spark)
        if outcome.error is None:
            return JobRunState.SUCCEEDED, ""
        if outcome.insight is not None and request.arguments.get("--enable-job-insights", "true") == "true":
            run_log.explain(outcome.insight)
        return JobRunState.FAILED, outcome.error

    def _request(self, active: _Active, credentials: dict[str, str]) -> RunRequest:
        run, command = active.run, active.job.definition["Command"]
        arguments = {"--JOB_NAME": run.job_name, "--JOB_ID": f"j_{_stable_id(active.job.arn)}"}
        arguments["--JOB_RUN_ID"] = run.job_run_id
        if run.workflow is not None and run.workflow.run_id:
            arguments["--WORKFLOW_NAME"] = run.workflow.name
            arguments["--WORKFLOW_RUN_ID"] = run.workflow.run_id
        arguments = {**run.arguments, **arguments}
        arguments.setdefault("--job-bookmark-option", "job-bookmark-disable")
        with self._lock:
            active.bookmark_version = active.job.bookmark.version
            bookmark, limit = _bookmark_for(active.job, arguments)
        return RunRequest(
            job_name=run.job_name,
            run_id=run.job_run_id,
            argv=[word for pair in arguments.items() for word in pair],
            arguments=arguments,
            script=arguments.get("--scriptLocation") or command["ScriptLocation"],
            environment={**self._context.environment(active.region), **credentials},
            bookmark=bookmark,
            bookmark_to=limit,
            extra_py_files=_listed(arguments.get("--extra-py-files", "")),
            extra_files=_listed(arguments.get("--extra-files", "")),
            spark_properties=spark_properties(arguments),
        )

    def _commit_bookmark(self, active: _Active, state: dict[str, Any]) -> None:
        """Save what the run has read, for job.commit(): durable before it returns to the script."""
        with self._lock:
            bookmark = active.job.bookmark
            if active.stop.is_set() or bookmark.version != active.bookmark_version:
                raise VersionMismatch(active.bookmark_version, bookmark.version)
            bookmark.commit(active.run, state)
            active.bookmark_version = bookmark.version
        self._context.state.save("glue")

    def _publish_end(self, region: str, run: JobRun, *, final: bool) -> None:
        self._context.bus.publish(
            JobRunFinished(region, run.job_name, run.job_run_id, str(run.state), final, run.workflow)
        )

    def _backend(self, region: str) -> JobOperations:
        return cast(JobOperations, glue_backends[self._context.account_id][region])


def _bookmark_for(job: Job, arguments: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the bookmark state after which a run with these arguments reads, and the one up to which (None: now).

    Raises:
        InvalidInputException: --job-bookmark-from or --job-bookmark-to is not a run whose bookmark is known.
    """
    first, last = arguments.get("--job-bookmark-from"), arguments.get("--job-bookmark-to")
    if not first or not last or arguments["--job-bookmark-option"] != "job-bookmark-pause":
        return job.bookmark.state, None
    try:
        return job.bookmark.range(first, last, job.job_runs)
    except KeyError as unknown:
        raise invalid(f"Job run {unknown.args[0]} left no bookmark") from None


def _listed(argument: str) -> list[str]:
    return [word.strip() for word in argument.split(",") if word.strip()]


def _stable_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

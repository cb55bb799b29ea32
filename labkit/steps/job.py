"""The Glue job: it reads the landed files, converts the columns to their types, and loads the rows into Redshift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from labkit import needs, project
from labkit.calls import found, is_missing
from labkit.delivery import Delivery, DeliveryNames
from labkit.errors import AwsRefused, RunFailed
from labkit.job_arguments import job_arguments
from labkit.show.display import Described, Fact, Removed, hidden
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step

ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}


@dataclass(frozen=True)
class JobMade(Described):
    """The job's definition."""

    job: str
    source: str
    target: str
    staging: str
    glue_version: str
    workers: str
    bookmarks: bool
    retries: int
    timeout_minutes: int


@dataclass(frozen=True)
class JobRun(Described):
    """One run of the job."""

    job: str
    state: str
    message: str
    run_id: str = hidden()


class Job(Step[JobMade]):
    """The job that the console's visual editor generates for "S3 → Change Schema → Amazon Redshift"."""

    name = "job"
    notebook = "05_job"
    makes = "a Glue job that loads S3 into Redshift"
    delivery = Delivery.AS_DESCRIBED
    script = "s3_to_redshift_job.py"
    modules: ClassVar[tuple[str, ...]] = ()
    """The modules in `glue/` that the script imports."""
    path = "lab.job"
    """How a notebook accesses this job."""

    @names_all_missing
    def create(self) -> JobMade:
        """Upload the script and its modules, and create the job."""
        self.lab.consent(self.name)
        self.lab.buckets.describe()
        self.lab.crawlers.table(self.names.target_table)
        glue, s3 = self.aws("glue"), self.aws("s3")
        for key, file in self._files.items():
            s3.put_object(Bucket=self.names.staging_bucket, Key=key, Body=file.read_bytes())
        if self._job() is None:
            glue.create_job(Name=self.job, Tags=self.config.new_tags, **self._definition())
        else:
            glue.update_job(JobName=self.job, JobUpdate=self._definition())
        return self.describe()

    @property
    def job(self) -> str:
        """The job's name on the target."""
        return DeliveryNames.of(self.delivery, self.names).job

    def run(self, **arguments: str) -> JobRun:
        """Start the job, wait until it has ended, and return the run.

        The arguments apply to this run only: see `job_arguments`.

        Raises:
            UsageError: the job does not know one of the arguments.
            RunFailed: the run did not succeed.
            WrongDelivery: the other delivery is in use, or its rows are in the table: this job would load them again.
        """
        self.describe()
        self.lab.require(self.delivery, f"Job {self.job}")
        defaults = (self._job() or {}).get("DefaultArguments", {})
        run = self._wait(self._start(job_arguments(self.job, arguments, defaults)))
        if run.state != "SUCCEEDED":
            advice = needs.of_a_job(self.lab.session)
            raise RunFailed(f"Job {run.job}", run.state, run.message, where=self.log_advice(run.run_id), fix=advice)
        return run

    def runs(self) -> tuple[JobRun, ...]:
        """The job's runs, the newest first."""
        try:
            runs = self.aws("glue").get_job_runs(JobName=self.job)["JobRuns"]
        except AwsRefused as error:
            if is_missing(error):
                raise self.missing(f"Job {self.job}") from None
            raise
        return tuple(self._run(run) for run in sorted(runs, key=lambda run: run["StartedOn"], reverse=True))

    def last_success(self) -> datetime | None:
        """The start time of the last run that succeeded; None if no run has."""
        runs = self.aws("glue").get_job_runs(JobName=self.job)["JobRuns"]
        return max((run["StartedOn"] for run in runs if run["JobRunState"] == "SUCCEEDED"), default=None)

    def log(self, run: JobRun | str, *, errors: bool = False) -> list[str]:
        """The lines that a run wrote to stdout, or with `errors` to stderr."""
        group = "/aws-glue/jobs/error" if errors else "/aws-glue/jobs/output"
        stream = run if isinstance(run, str) else run.run_id
        asked = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
        lines: list[str] = []
        # An answer holds at most 1 MB. After the last event, the token no longer changes.
        while page := found(self.aws("logs").get_log_events, **asked):
            lines += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == asked.get("nextToken"):
                break
            asked["nextToken"] = page["nextForwardToken"]
        return lines

    def forget(self) -> None:
        """Reset the job's bookmark, so that the next run reads every landed file again. The table stays as it is."""
        self.describe()
        try:
            self.aws("glue").reset_job_bookmark(JobName=self.job)
        except AwsRefused as error:
            if not is_missing(error):  # the job never ran, so it has no bookmark
                raise

    def has_bookmark(self) -> bool:
        """Whether Glue remembers what the job has read. After a reset, the bookmark belongs to no run."""
        answer = found(self.aws("glue").get_job_bookmark, JobName=self.job)
        return answer is not None and answer["JobBookmarkEntry"].get("Run", 0) > 0

    def exists(self) -> bool:
        """Whether the job exists."""
        return self._job() is not None

    def wait_until_idle(self) -> None:
        """Wait while a run of the job is under way: at most one can run at a time."""

        def look() -> tuple[str, bool | None]:
            going = [run.state for run in self.runs() if run.state not in ENDED]
            return ", ".join(going), None if going else True

        wait_for(f"job {self.job}", look, config=self.config, go_on="The run goes on by itself.", quiet=True)

    def describe(self) -> JobMade:
        """The job as Glue has it."""
        job = self._job()
        if job is None:
            raise self.missing(f"Job {self.job}")
        arguments = job["DefaultArguments"]
        return JobMade(
            job=job["Name"],
            source=arguments["--SOURCE_TABLE"],
            target=arguments["--TARGET_TABLE"],
            staging=arguments["--TempDir"],
            glue_version=job["GlueVersion"],
            workers=f"{job['NumberOfWorkers']} x {job['WorkerType']}",
            bookmarks=arguments.get("--job-bookmark-option") == "job-bookmark-enable",
            retries=job["MaxRetries"],
            timeout_minutes=job["Timeout"],
        )

    def facts(self) -> Iterator[Fact]:
        """The job is defined as it should be, and its script is the one in `glue/`."""
        job = self._job()
        if job is None:
            raise self.missing(f"Job {self.job}")
        yield Fact(True, f"job {self.job} exists")
        wanted = self._definition()
        yield Fact(job["Role"] == wanted["Role"], f"it runs as {self.names.glue_role}", self.fix)
        for part in ("GlueVersion", "WorkerType", "NumberOfWorkers", "MaxRetries", "Timeout"):
            yield Fact(job.get(part) == wanted[part], f"its {part} is {wanted[part]}", self.fix)
        yield Fact(job["DefaultArguments"] == wanted["DefaultArguments"], "its arguments are the lab's", self.fix)
        for key, file in self._files.items():
            uploaded = found(self.aws("s3").get_object, Bucket=self.names.staging_bucket, Key=key)
            same = uploaded is not None and uploaded["Body"].read() == file.read_bytes()
            how = "its script is" if file.name == self.script else "it imports"
            yield Fact(same, f"{how} glue/{file.name}", self.fix)

    def destroy(self) -> Removed:
        """Delete the job, with its bookmark and history."""
        if self._job() is None:
            return Removed(self.name, ())
        self.wait_until_idle()
        self.aws("glue").delete_job(JobName=self.job)
        return Removed(self.name, (f"job {self.job}",))

    def log_advice(self, run_id: str) -> str:
        """Where to read a run's log."""
        return f"Its log: labkit logs {self.job} (CloudWatch Logs group /aws-glue/jobs/error, stream {run_id})."

    def _start(self, arguments: dict[str, str]) -> str:
        """Wait until no run is under way, then start the job. An event may start it at the same moment."""
        glue = self.aws("glue")
        while True:
            self.wait_until_idle()
            try:
                return str(glue.start_job_run(JobName=self.job, Arguments=arguments)["JobRunId"])
            except glue.exceptions.ConcurrentRunsExceededException:
                continue

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the script and its modules, as they are in a traceback."""
        return tuple({self._script_key.rpartition("/")[2], self.script, *self.modules})

    @property
    def _script_key(self) -> str:
        return f"scripts/{self.job}.py"

    @property
    def _module_keys(self) -> list[str]:
        # In the job's own folder, because each file must have the name that the script imports.
        return [f"scripts/{self.job}/{module}" for module in self.modules]

    @property
    def _files(self) -> dict[str, Path]:
        """Key in the staging bucket → file."""
        keys = [self._script_key, *self._module_keys]
        return {key: project.file("glue", name) for key, name in zip(keys, (self.script, *self.modules), strict=True)}

    def _definition(self) -> dict[str, Any]:
        names = self.names
        return {
            "Role": self.lab.roles.arn(names.glue_role),
            "Command": {
                "Name": "glueetl",
                "ScriptLocation": f"s3://{names.staging_bucket}/{self._script_key}",
                "PythonVersion": "3",
            },
            "GlueVersion": self.config.glue_version,
            "WorkerType": self.config.worker_type,
            "NumberOfWorkers": self.config.workers,
            "MaxRetries": self.config.job_retries,
            "Timeout": self.config.job_timeout_minutes,
            # Bookmarks need runs that don't overlap.
            "ExecutionProperty": {"MaxConcurrentRuns": 1},
            "Connections": {"Connections": [names.connection]},
            "DefaultArguments": {
                "--TempDir": f"s3://{names.staging_bucket}/temp/",
                "--SOURCE_DATABASE": names.glue_database,
                "--SOURCE_TABLE": names.source_table,
                "--TARGET_TABLE": names.target_table,
                **self._own_arguments(),
            },
        }

    def _own_arguments(self) -> dict[str, str]:
        """What Glue Studio's "Job details" set. Of these, the description does not mention the bookmark."""
        logs = f"s3://{self.names.staging_bucket}/spark-logs/"
        return {
            "--job-language": "python",
            "--job-bookmark-option": "job-bookmark-enable",
            "--enable-job-insights": "true",
            "--enable-glue-datacatalog": "true",
            "--enable-metrics": "true",
            "--enable-observability-metrics": "true",
            "--enable-continuous-cloudwatch-log": "true",
            "--enable-spark-ui": "true",
            "--spark-event-logs-path": logs,
        }

    def _wait(self, run_id: str) -> JobRun:
        def look() -> tuple[str, JobRun | None]:
            run = self._run(self.aws("glue").get_job_run(JobName=self.job, RunId=run_id)["JobRun"])
            return run.state, run if run.state in ENDED else None

        go_on = f"The run goes on by itself; {self.path}.runs() shows it."
        return wait_for(f"job {self.job}", look, config=self.config, go_on=go_on)

    def _run(self, run: dict[str, Any]) -> JobRun:
        return JobRun(run["JobName"], run["JobRunState"], run.get("ErrorMessage", ""), run["Id"])

    def _job(self) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_job, JobName=self.job)
        return answer["Job"] if answer else None

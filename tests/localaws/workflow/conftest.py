"""A Glue API on a real port with the real workflow engine, and crawlers and jobs that end when a test ends them.

The real crawler and jobs engines need a JVM, a warehouse and seconds. The tests here prove how the workflow engine
reacts when crawls and jobs end in any way and order. test_workflow_end_to_end.py uses the real engines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    CrawlerRunningException,
    EntityNotFoundException,
)
from moto.glue.models import glue_backends
from werkzeug.serving import make_server

from localaws.core import context
from localaws.core.children import Children
from localaws.core.events import Bus, CrawlFinished, CrawlStarted, JobRunFinished, JobRunStarted, WorkflowRef
from localaws.core.home import Home
from localaws.core.ports import Ports
from localaws.core.state import State
from localaws.glue.history import History
from localaws.glue.models import LocalGlueBackend
from localaws.glue.workflows.engine import WorkflowEngine
from localaws.iam.gate import Gate
from localaws.server.application import Application
from localaws.server.parts import Parts
from localaws.server.saving import Saving

REGION = "us-east-1"

_session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


@dataclass
class Record:
    """A crawl or a job run, in the form in which the Glue backend keeps it."""

    id: str
    described: dict[str, Any]
    workflow: WorkflowRef | None

    @property
    def key(self) -> str:
        return self.id

    @property
    def is_over(self) -> bool:
        return "EndTime" in self.described

    @property
    def crawl_id(self) -> str:
        return self.id

    @property
    def job_run_id(self) -> str:
        return self.id

    def as_dict(self) -> dict[str, Any]:
        return dict(self.described)


@dataclass
class Definition:
    """A job or a crawler, with what triggers need of it."""

    name: str
    crawls: History[Record] = field(default_factory=lambda: History(1000))
    job_runs: list[Record] = field(default_factory=list)


class ByHandCrawler:
    """Crawls that run until `finish`."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    def start_crawl(self, region: str, name: str, *, workflow: WorkflowRef | None = None) -> str:
        crawler = _find(_glue().crawlers, name)
        if any(crawl.described["State"] == "RUNNING" for crawl in crawler.crawls):
            raise CrawlerRunningException(f"Crawler with name {name} has already started")
        crawl_id = f"{name}-{len(crawler.crawls)}"
        described = {"CrawlId": crawl_id, "State": "RUNNING", "StartTime": datetime.now(UTC)}
        crawler.crawls.add(Record(crawl_id, described, workflow))
        self.bus.publish(CrawlStarted(region, name, crawl_id, workflow))
        return crawl_id

    def stop_crawl(self, region: str, name: str) -> None:
        self.finish(name, "CANCELLED")

    def finish(self, name: str, state: str = "SUCCEEDED") -> None:
        crawl = _find(_glue().crawlers, name).crawls.newest
        assert crawl is not None
        crawl.described["State"] = {"SUCCEEDED": "COMPLETED", "CANCELLED": "STOPPED"}.get(state, state)
        crawl.described["EndTime"] = datetime.now(UTC)
        self.bus.publish(CrawlFinished(REGION, name, crawl.id, state, crawl.workflow))


class ByHandJobs:
    """Job runs that run until `finish`; each job has at most one at a time."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.requests: list[dict[str, Any]] = []
        self.predecessors: list[tuple[tuple[str, str], ...]] = []
        self.names: list[str] = []
        self.first_state = "RUNNING"

    def start_requested(
        self,
        region: str,
        name: str,
        request: dict[str, Any],
        *,
        workflow: WorkflowRef | None = None,
        predecessors: Sequence[tuple[str, str]] = (),
    ) -> str:
        job = _find(_glue().jobs, name)
        if any(run.described["JobRunState"] == "RUNNING" for run in job.job_runs):
            raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {name}")
        self.requests.append(request)
        self.predecessors.append(tuple(predecessors))
        self.names.append(name)
        return self.attempt(name, workflow)

    def attempt(self, name: str, workflow: WorkflowRef | None) -> str:
        job = _find(_glue().jobs, name)
        run_id = f"jr_{name}{len(job.job_runs)}"
        described = {"Id": run_id, "JobName": name, "JobRunState": self.first_state, "StartedOn": datetime.now(UTC)}
        job.job_runs.append(Record(run_id, described, workflow))
        self.bus.publish(JobRunStarted(REGION, name, run_id, workflow))
        return run_id

    def run(self, name: str) -> None:
        """Move the job's newest run, which may be waiting, to RUNNING."""
        run = _find(_glue().jobs, name).job_runs[-1]
        run.described["JobRunState"] = "RUNNING"
        self.bus.publish(JobRunStarted(REGION, name, run.id, run.workflow))

    def stop_run(self, region: str, run_id: str) -> None:
        (name,) = [name for name, job in _glue().jobs.items() if any(run.id == run_id for run in job.job_runs)]
        self.finish(name, "STOPPED")

    def finish(self, name: str, state: str = "SUCCEEDED", *, final: bool = True) -> None:
        run = _find(_glue().jobs, name).job_runs[-1]
        run.described |= {"JobRunState": state, "CompletedOn": datetime.now(UTC)}
        self.bus.publish(JobRunFinished(REGION, name, run.id, state, final, run.workflow))


class Tracked:
    """A WSGI application that counts calls under way; work that is done after the answer belongs to the call."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._changed = threading.Condition()
        self._under_way = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._changed:
            self._under_way += 1
        return Body(self._application(environ, start_response), self._over)

    def _over(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, timeout=10)


@dataclass
class Body:
    """A response's body, and what to call when it is closed."""

    content: Any
    over: Callable[[], None]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.content)

    def close(self) -> None:
        self.content.close()
        self.over()


class Lab:
    """The parts of one test's Glue, which can be killed and started again."""

    def __init__(self, root: Path) -> None:
        self.home = Home.at(root)
        self._ahead = timedelta()
        self._stands_at: datetime | None = None
        self.hold = threading.Event()
        self._running = False

    def set_clock(self, moment: datetime) -> None:
        """Stop the schedules' clock at `moment`; it runs on when `wait_for` is called."""
        self._stands_at = moment

    def now(self) -> datetime:
        return self._stands_at or datetime.now(UTC) + self._ahead

    def start(self, before: Callable[[], None] = lambda: None) -> None:
        """Start; `before` is called before the workflow engine starts, as the other engines start earlier."""
        glue_backends.clear()
        self.bus = Bus()
        self.state = State(self.home)
        self.context = context.Context(self.home, self.bus, Children(), self.state)
        context.set_current(self.context)
        self.state.load()
        self.crawler, self.jobs = ByHandCrawler(self.bus), ByHandJobs(self.bus)
        self.workflow = WorkflowEngine(self.context, self.now)
        nothing: Any = None  # stands for the ports that workflows don't use
        self.context.add(
            Ports(
                objects=nothing,
                buckets=nothing,
                queues=nothing,
                functions=nothing,
                clusters=nothing,
                crawls=self.crawler,
                jobs=self.jobs,
                workflows=self.workflow,
                secret_value=nothing,
            )
        )
        parts: Any = Parts(nothing, nothing, self.crawler, self.jobs, self.workflow)  # type: ignore[arg-type]
        gate = Gate("test", "test", self.context.account_id)
        self._calls = Tracked(Application(self.bus, Saving(self.home, self.state, parts), dict, gate, "test"))
        self._http = make_server("127.0.0.1", self.home.port("http"), self._calls, threaded=True)
        self._serving = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._serving.start()
        self.bus.start()
        before()
        self.settle()
        self.workflow.start()
        self._running = True

    def kill(self) -> None:
        """Stop without a proper shutdown, as far as this is possible within a process."""
        if self._running:
            self._running = False
            self._http.shutdown()
            self._http.server_close()
            self._serving.join()
            self.workflow.stop()
            self.bus.stop()
            self.state.close()

    def client(self) -> Any:
        return _session.client("glue", endpoint_url=self.context.endpoint_url)

    def settle(self) -> None:
        """Wait until calls are over, and the bus has delivered all events and those that follow from them."""
        self._calls.wait()
        for _ in range(20):
            delivered = threading.Event()
            self.bus.after_response(delivered.set)
            assert delivered.wait(10)

    def run(self, workflow: str, run_id: str) -> Any:
        """Return the run that the backend keeps."""
        return _glue().workflows[workflow].runs[run_id]

    def wait_for(self, holds: Callable[[], Any]) -> None:
        """Wait until `holds()` is true, for at most ten seconds."""
        if self._stands_at is not None:
            self._ahead, self._stands_at = self._stands_at - datetime.now(UTC), None
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, "it did not happen within ten seconds"
            threading.Event().wait(0.02)

    def define(self, *names: str) -> None:
        """Define jobs and crawlers with these names; a name that contains `crawler` is a crawler."""
        for name in names:
            kind: dict[str, Any] = _glue().crawlers if "crawler" in name else _glue().jobs
            kind[name] = Definition(name)
        self.state.save("glue")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(glue_backends, "backend", LocalGlueBackend)
    lab = Lab(tmp_path / "home")
    lab.start()
    yield lab
    lab.kill()
    context.set_current(None)
    glue_backends.clear()


@pytest.fixture
def glue(lab: Lab) -> Any:
    return lab.client()


def _glue() -> Any:
    return glue_backends[context.current().account_id][REGION]


def _find(known: dict[str, Any], name: str) -> Definition:
    if name not in known:
        raise EntityNotFoundException(f"{name} not found.")
    found: Definition = known[name]
    return found

"""The logs of the lab's parts: from CloudWatch Logs on both targets, and from the local AWS's own log file.

A part has three names: as on the target (`alice-s3_crawler`), without the lab's prefix (`s3_crawler`), and short
(`crawler`).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from labkit import origins
from labkit.calls import found
from labkit.delivery import Delivery, DeliveryNames, in_use
from labkit.errors import LabError
from labkit.names import Names
from labkit.session import Session

Event = tuple[int, int, str]
"""A log event: milliseconds since 1970, its position in its stream, and the line."""

CRAWLERS, OUTPUT, ERRORS = "/aws-glue/crawlers", "/aws-glue/jobs/output", "/aws-glue/jobs/error"
SHORT = ("server", "job", "crawler", "generator", "start", "workflow")
STREAMS = 10
"""How many of a function's newest log streams are read. Each worker writes to its own stream."""


def read(session: Session, what: str, lines: int) -> list[str]:
    """Return the last lines of a part's log, oldest first.

    Args:
        session: of the lab.
        what: "server" (the local AWS itself), "job", "start" and "workflow" (of the delivery in use), "crawler" (both
            of them), "generator", or the name of a crawler, a job, a function or a workflow.
        lines: the maximum number of lines.

    Raises:
        LabError: there is no such log; the message lists the known ones, or says what writes it.
    """
    if what == "server":
        return _server(session, lines)
    return [line for _, _, line in events(session, what, lines)]


def events(session: Session, what: str, lines: int) -> list[Event]:
    """Like `read`, with the time of each line. The server's log has no such times."""
    found_events: list[Event] = []
    silent: list[LabError] = []
    named = _short_names(session).get(what, (_on_the_target(session, what),))
    for name in named:
        try:
            found_events += _reader(session, name)(session, name, lines)
        except LabError as error:
            silent.append(error)
    if len(silent) == len(named):
        raise silent[0]
    return sorted(found_events)[-lines:]


def _short_names(session: Session) -> dict[str, tuple[str, ...]]:
    names, used = session.names, DeliveryNames.of(in_use(session) or Delivery.AS_DESCRIBED, session.names)
    return {
        "job": (used.job,),
        "crawler": (names.redshift_crawler, names.s3_crawler),
        "generator": (names.generator_function,),
        "start": (used.start_function,),
        "workflow": (used.workflow,),
    }


def _parts(names: Names) -> dict[str, Callable[[Session, str, int], list[Event]]]:
    """The parts that write a log: name → how to read the log."""
    return {
        names.generator_function: _function,
        names.start_function: _function,
        names.reliable_start_function: _function,
        names.redshift_crawler: _crawler,
        names.s3_crawler: _crawler,
        names.job: _job,
        names.exactly_once_job: _job,
        names.s3_crawler_workflow: _workflow,
        names.workflow: _workflow,
        names.exactly_once_workflow: _workflow,
    }


def _on_the_target(session: Session, what: str) -> str:
    """The name with the lab's prefix if the lab has a part with that name, otherwise the name as it is."""
    full = f"{session.config.prefix}-{what}"
    return full if full in _parts(session.names) else what


def _reader(session: Session, name: str) -> Callable[[Session, str, int], list[Event]]:
    """Return the function that reads the log of the part with this name.

    Raises:
        MissingStep: the part belongs to the lab, but is not there yet.
        LabError: there is no part with this name.
    """
    glue, parts = session.client("glue"), _parts(session.names)
    if found(glue.get_job, JobName=name):
        return _job
    if found(glue.get_crawler, Name=name):
        return _crawler
    if found(glue.get_workflow, Name=name):
        return _workflow
    if found(session.client("lambda").get_function_configuration, FunctionName=name):
        return _function
    if found(session.client("logs").describe_log_streams, logGroupName=f"/aws/lambda/{name}"):
        return _function  # the function is deleted, but its log is still there
    if name in parts:
        raise origins.missing(session.names, "The log of", name)
    raise LabError(f"There is no log of {name!r}.", fix=f"Logs: {', '.join([*SHORT, *parts])}.")


def _server(session: Session, lines: int) -> list[str]:
    file = session.status().log_file
    if not file:
        raise LabError("The target is AWS, which shows no server log.", fix="Name a part: labkit logs job")
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return list(deque(stream, maxlen=lines))
    except FileNotFoundError:
        raise LabError(f"There is no log {file} yet.", fix="Start the lab: labkit up") from None


def _function(session: Session, name: str, lines: int) -> list[Event]:
    """The newest events of all of a function's streams."""
    group = f"/aws/lambda/{name}"
    answer = found(
        session.client("logs").describe_log_streams, logGroupName=group, orderBy="LastEventTime", descending=True
    )
    if answer is None or not answer["logStreams"]:
        raise LabError(f"Function {name} has written no log: it was not invoked yet.", fix="Land a file: labkit send")
    streams = [stream["logStreamName"] for stream in answer["logStreams"][:STREAMS]]
    return _newest((_events(session, group, stream, lines) for stream in streams), lines)


def _crawler(session: Session, name: str, lines: int) -> list[Event]:
    events = _events(session, CRAWLERS, name, lines)
    if not events:
        raise LabError(f"Crawler {name} has written no log: it has not run yet.",
                       fix="Run it: lab.crawlers.crawl_redshift(), lab.crawlers.crawl_s3()")  # fmt: skip
    return events


def _job(session: Session, name: str, lines: int) -> list[Event]:
    """The outcome of the job's last run, and what the run wrote to stdout and stderr."""
    runs = session.client("glue").get_job_runs(JobName=name)["JobRuns"]
    if not runs:
        raise LabError(f"Job {name} has written no log: it has not run yet.", fix="Load what has landed: labkit load")
    run = max(runs, key=lambda run: run["StartedOn"])
    outcome = ": ".join(filter(None, (f"{name}, run {run['Id']}", run["JobRunState"], run.get("ErrorMessage", ""))))
    return [(_milliseconds(run["StartedOn"]), -1, outcome), *_job_run(session, run["Id"], lines - 1)]


def _job_run(session: Session, run_id: str, lines: int) -> list[Event]:
    return _newest((_events(session, group, run_id, lines) for group in (OUTPUT, ERRORS)), lines)


def _workflow(session: Session, name: str, lines: int) -> list[Event]:
    """The outcome of the workflow's last run, and the logs of its crawl and job. A workflow has no log of its own."""
    runs = session.client("glue").get_workflow_runs(Name=name, IncludeGraph=True, MaxResults=25)["Runs"]
    if not runs:
        raise LabError(f"Workflow {name} has not run yet.", fix="Load what has landed: labkit load")
    run = max(runs, key=lambda run: run["StartedOn"])
    began, parts, logs = _milliseconds(run["StartedOn"]), [], []
    for node in run["Graph"]["Nodes"]:
        for crawl in node.get("CrawlerDetails", {}).get("Crawls", []):
            parts.append(f"crawl {crawl['State']}")
            logs.append([event for event in _events(session, CRAWLERS, node["Name"], lines) if event[0] >= began])
        for attempt in node.get("JobDetails", {}).get("JobRuns", []):
            parts.append(f"job {attempt['JobRunState']}")
            logs.append(_job_run(session, attempt["Id"], lines))
    outcome = f"{name}, run {run['WorkflowRunId']}: {', '.join([run['Status'], *parts])}"
    return [(began, -1, outcome), *_newest(logs, lines - 1)]


def _newest(streams: Iterable[list[Event]], lines: int) -> list[Event]:
    return list(heapq.merge(*streams))[-lines:] if lines else []


def _events(session: Session, group: str, stream: str, lines: int) -> list[Event]:
    """The last events of a stream; empty if there is no such stream."""
    get = session.client("logs").get_log_events
    answer = found(get, logGroupName=group, logStreamName=stream, limit=max(lines, 1), startFromHead=False)
    events = answer["events"] if answer else []
    return [(event["timestamp"], place, event["message"]) for place, event in enumerate(events)]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

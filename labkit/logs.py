"""The logs of the lab's parts: CloudWatch Logs on both targets, and the local AWS's own log file."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.steps.base import found
from labkit.waiting import wait_for

if TYPE_CHECKING:
    from labkit.lab import Lab


def read(lab: Lab, what: str, lines: int) -> list[str]:
    """The last lines, the oldest first, of `what`: "server", "job", "crawler", "generator", "start", or a function.

    Raises:
        LabError: there is no such log.
    """
    if what == "server":
        return _server(lab, lines)
    if what == "job":
        runs = lab.job.runs()
        if not runs:
            raise LabError(
                f"Job {lab.names.job} has not run yet.", fix="Run it: lab.job.run(), or land a file: labkit send"
            )
        stream = runs[0].run_id
        return [
            *_stream(lab, "/aws-glue/jobs/output", stream, lines),
            *_stream(lab, "/aws-glue/jobs/error", stream, lines),
        ]
    if what == "crawler":
        return [
            line
            for crawler in (lab.names.redshift_crawler, lab.names.s3_crawler)
            for line in _stream(lab, "/aws-glue/crawlers", crawler, lines)
        ]
    function = {"generator": lab.names.generator_function, "start": lab.names.start_function}.get(what, what)
    return _function(lab, function, lines)


def wait_for_line(lab: Lab, what: str, text: str) -> str:
    """The last line of a log (as in `read`) that holds `text`, once there is one.

    Raises:
        WaitTimeout: there is none.
    """

    def look() -> tuple[str, str | None]:
        found = [line for line in read(lab, what, 200) if text in line]
        return "reading the log", found[-1] if found else None

    go_on = f"Look yourself: labkit logs {what}"
    return wait_for(f"{text!r} in the log of {what}", look, config=lab.config, go_on=go_on, quiet=True)


def _server(lab: Lab, lines: int) -> list[str]:
    file = lab.session.status().log_file
    if not file:
        raise LabError("AWS has no log of its own for you.", fix="Name a part: labkit logs job")
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return list(deque(stream, maxlen=lines))
    except FileNotFoundError:
        raise LabError(f"There is no log {file} yet.", fix="Start the lab: labkit up") from None


def _function(lab: Lab, function: str, lines: int) -> list[str]:
    """The newest events of all of a function's streams: each worker writes one of its own."""
    client, group = lab.session.client("logs"), f"/aws/lambda/{function}"
    answer = found(client.describe_log_streams, logGroupName=group, orderBy="LastEventTime", descending=True)
    if answer is None:
        raise LabError(f"There is no log {group}: the function was never invoked, or there is none of that name.",
                       fix="Logs: server, job, crawler, generator, start, or a function's name.")  # fmt: skip
    events: list[tuple[int, int, str]] = []
    for stream in answer["logStreams"][:10]:
        page = client.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], limit=lines, startFromHead=False
        )
        events.extend((event["timestamp"], number, event["message"]) for number, event in enumerate(page["events"]))
    return [message for _, _, message in sorted(events)][-lines:]


def _stream(lab: Lab, group: str, stream: str, lines: int) -> list[str]:
    answer = found(
        lab.session.client("logs").get_log_events,
        logGroupName=group,
        logStreamName=stream,
        limit=lines,
        startFromHead=False,
    )
    return [event["message"] for event in answer["events"]] if answer else []

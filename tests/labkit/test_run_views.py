"""What a run's display says, from the answers of Glue, of the start function's log and of the job's log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from IPython.lib.pretty import pretty

from labkit.config import LabConfig
from labkit.data import failures, function_log
from labkit.errors import LabError
from labkit.session import Session
from labkit.show import pipeline as shown_pipeline
from labkit.show.pipeline import State
from labkit.steps import runs as runs_module
from labkit.steps.runs import BY_EVENT, BY_HAND, Followed, Loaded, Run, Runs, before_the_run, graph_of

BEGAN = datetime(2023, 8, 31, 17, 19, 11, tzinfo=UTC)


def trigger(name: str, kind: str, state: str, unique: str) -> dict[str, Any]:
    details = {"Trigger": {"Name": name, "WorkflowName": "redshift_workflow", "Type": kind, "State": state}}
    return {"Type": "TRIGGER", "Name": name, "UniqueId": unique, "TriggerDetails": details}


def crawler(*crawls: str) -> dict[str, Any]:
    """A crawler's node, as GetWorkflowRun returns it."""
    attempts = [{"State": state, "StartedOn": BEGAN, "LogGroup": "/aws-glue/crawlers"} for state in crawls]
    if attempts and crawls[-1] != "RUNNING":
        attempts[-1]["CompletedOn"] = BEGAN + timedelta(seconds=2)
    details = {"CrawlerDetails": {"Crawls": attempts}} if attempts else {}
    return {"Type": "CRAWLER", "Name": "s3_crawler", "UniqueId": "2", **details}


def job(*states: str) -> dict[str, Any]:
    """A job's node. Glue returns its attempts in any order."""
    attempts = []
    for number, state in enumerate(states):
        attempt: dict[str, Any] = {"Id": f"jr_{number}", "Attempt": number, "JobRunState": state, "StartedOn": BEGAN}
        if state in ("SUCCEEDED", "FAILED"):
            attempt["CompletedOn"] = BEGAN + timedelta(seconds=8)
        if state == "FAILED":
            attempt["ErrorMessage"] = f"Load {number} failed."
        attempts.insert(0, attempt)
    return {"Type": "JOB", "Name": "s3_to_redshift_job", "UniqueId": "4", "JobDetails": {"JobRuns": attempts}}


def answer(status: str, *nodes: dict[str, Any], event: str = "ACTIVATED") -> dict[str, Any]:
    start, then = trigger("start", "ON_DEMAND", "CREATED", "1"), trigger("event", "CONDITIONAL", event, "3")
    ended = {} if status == "RUNNING" else {"CompletedOn": BEGAN + timedelta(seconds=10)}
    edges = [{"SourceId": str(one), "DestinationId": str(one + 1)} for one in (1, 2, 3)]
    return {
        "Name": "redshift_workflow", "WorkflowRunId": "wr_1", "WorkflowRunProperties": {}, "StartedOn": BEGAN,
        "Status": status, **ended, "Graph": {"Nodes": [start, nodes[0], then, *nodes[1:]], "Edges": edges},
    }  # fmt: skip


def states(run: Run) -> dict[str, State]:
    return {box.name: box.state for box in run.pipeline().boxes}


def reason(run: Run, name: str) -> str:
    return next(box.reason for box in run.pipeline().boxes if box.name == name)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Displays are stored and compared, as under nbval."""
    for module in (runs_module, shown_pipeline):
        monkeypatch.setattr(module, "shows_times", lambda: False)


def test_a_run_lights_box_by_box() -> None:
    seen = [
        Run.of(answer("RUNNING", crawler(), job())),
        Run.of(answer("RUNNING", crawler("RUNNING"), job())),
        Run.of(answer("RUNNING", crawler("SUCCEEDED"), job("STARTING"))),
        Run.of(answer("RUNNING", crawler("SUCCEEDED"), job("RUNNING"))),
        Run.of(answer("COMPLETED", crawler("SUCCEEDED"), job("SUCCEEDED"))),
    ]
    assert [" ".join(states(run).values()) for run in seen] == [
        "running waiting waiting waiting",
        "running running waiting waiting",
        "running done waiting waiting",
        "running done running waiting",
        "done done done done",
    ]
    assert reason(seen[2], "job") == "Spark is starting: the first run takes some seconds"
    assert [run.succeeded for run in seen] == [False] * 4 + [True]


def test_a_retried_job_shows_its_attempt_and_why_the_last_one_failed() -> None:
    run = Run.of(answer("RUNNING", crawler("SUCCEEDED"), job("FAILED", "RUNNING")))
    box = next(box for box in run.pipeline().boxes if box.name == "job")
    assert (box.state, box.what, box.reason) == (State.RUNNING, "attempt 2", "attempt 1 failed: Load 0 failed.")
    over = Run.of(answer("COMPLETED", crawler("SUCCEEDED"), job("FAILED", "SUCCEEDED")))
    assert reason(over, "job") == ""


def test_a_failed_part_says_why_and_what_comes_after_it_is_not_started() -> None:
    run = Run.of(answer("COMPLETED", crawler("SUCCEEDED"), job("FAILED", "FAILED")))
    assert (run.job_run_id, run.message) == ("jr_1", "Load 1 failed.")
    assert states(run) == {
        "workflow run": State.DONE, "crawl": State.DONE, "job": State.FAILED, "rows": State.NOT_STARTED,
    }  # fmt: skip
    assert reason(run, "job") == "Load 1 failed."
    assert "workflow run  ✓ done         10" in run.pipeline().text(times=True), "Glue calls it COMPLETED"
    crawl = Run.of(answer("COMPLETED", crawler("FAILED"), job()))
    assert list(states(crawl).values())[1:] == [State.FAILED, State.NOT_STARTED, State.NOT_STARTED]


def test_a_run_whose_second_trigger_is_deactivated_says_so() -> None:
    run = Run.of(answer("COMPLETED", crawler("SUCCEEDED"), {**job(), "JobDetails": {}}, event="DEACTIVATED"))
    assert states(run)["job"] is State.NOT_STARTED
    assert reason(run, "job") == "the trigger event is deactivated"


def done(**facts: Any) -> Run:
    run = Run.of(answer("COMPLETED", crawler("SUCCEEDED"), job("SUCCEEDED")))
    return Run(**{**vars(run), **facts})


def test_a_run_by_hand_has_no_object_and_no_function() -> None:
    text = str(done(started_by=BY_HAND, loaded=Loaded(7)))
    assert text.startswith("redshift_workflow, started by hand\n  object        – by hand\n  function      – by hand\n")
    assert text.endswith("rows          ✓ done         7 loaded")


def test_nothing_is_said_about_the_cause_of_a_run_if_it_is_not_known() -> None:
    assert list(states(done())) == ["workflow run", "crawl", "job", "rows"]


def test_a_followed_run_shows_its_files_records_and_rows() -> None:
    text = str(done(started_by=BY_EVENT, followed=Followed(1, 100), loaded=Loaded(98, 2)))
    assert "object        ✓ done         1 file, 100 records" in text
    assert "rows          ✓ done         98 loaded, 2 rejected" in text
    assert str(Followed(3)) == "3 files"


def test_ipython_shows_a_run_and_a_table_as_their_text() -> None:
    for shown in (done(started_by=BY_HAND), Runs((done(),), lambda some: some), done().pipeline()):
        assert pretty(shown) == str(shown)


def test_a_display_that_is_compared_has_no_times_and_no_count_that_depends_on_chance(compared: None) -> None:
    one = str(done(started_by=BY_EVENT, followed=Followed(1, 5), loaded=Loaded(5)))
    assert one.splitlines()[1:] == [
        "  object        ✓ done         1 file, 5 records",
        "  function      ✓ done",
        "  workflow run  ✓ done",
        "  crawl         ✓ done",
        "  job           ✓ done",
        "  rows          ✓ done         5 loaded",
    ]
    several = done(started_by=BY_EVENT, followed=Followed(20, 100), loaded=Loaded(55))
    assert "55" not in str(several)
    assert "55" not in several._repr_html_()
    assert "55" not in str(done(started_by=BY_HAND, loaded=Loaded(55)))


def test_what_the_graph_does_not_say_is_looked_up_once_and_only_when_the_run_is_shown() -> None:
    asked: list[tuple[Run, ...]] = []

    def look_up(runs: tuple[Run, ...]) -> tuple[Run, ...]:
        asked.append(runs)
        return (done(started_by=BY_HAND, loaded=Loaded(7)),)

    run = done(look_up=look_up)
    assert not asked
    assert "7 loaded" in str(run)
    assert "7 loaded" in run._repr_html_().replace("&nbsp;", " ")
    assert len(asked) == 1


def test_a_run_is_shown_also_if_the_look_up_fails() -> None:
    def refuse(_runs: tuple[Run, ...]) -> tuple[Run, ...]:
        raise LabError("The lab is down.")

    assert "job           ✓ done" in str(done(look_up=refuse))


def test_the_last_runs_are_a_tuple_that_is_shown_as_a_table() -> None:
    runs = Runs((done(), done(job="FAILED", loaded=None)), lambda some: tuple(done(landed_key="a.json") for _ in some))
    assert isinstance(runs, tuple)
    assert runs[0].succeeded
    assert isinstance(runs[:1], Runs)
    header, *lines = str(runs).splitlines()
    assert header.split() == ["started", "cause", "crawl", "job", "rows", "state", "seconds"]
    assert lines[0].split() == ["2023-08-31", "17:19:11", "a.json", "SUCCEEDED", "SUCCEEDED", "COMPLETED", "10"]
    assert runs._repr_html_().count("<tr>") == 3
    assert str(runs[:0]) == "No run yet."


def test_a_table_of_runs_shortens_long_keys_and_leaves_out_today_s_date() -> None:
    key = "toll_data-2026-11-30-17-19-08-1be7b7c9e7504654827425301e6c6416.json"
    now = datetime.now(UTC)
    _header, line = str(Runs((done(landed_key=key, started=now, ended=now),), lambda some: some)).splitlines()
    assert line.split()[:2] == [f"{now:%H:%M:%S}", "toll_data-2026-11-30-1…6416.json"]


def test_a_table_of_runs_that_is_compared_has_no_times(compared: None) -> None:
    shown = Runs((done(started_by=BY_HAND, loaded=Loaded(3)),), lambda some: some)
    assert not re.search(r"2023|17:19|seconds", str(shown) + shown._repr_html_())
    assert str(shown).splitlines()[1].split() == ["by", "hand", "SUCCEEDED", "SUCCEEDED", "3", "COMPLETED"]


def test_the_graph_is_drawn_in_the_order_of_its_edges() -> None:
    raw = answer("RUNNING", crawler("SUCCEEDED"), job("RUNNING"))
    raw["Graph"]["Nodes"].reverse()
    drawn = graph_of(raw)
    assert [(box.name, box.state, box.what) for box in drawn.boxes] == [
        ("start", State.DONE, "ON_DEMAND trigger CREATED"),
        ("s3_crawler", State.DONE, "crawler SUCCEEDED"),
        ("event", State.DONE, "CONDITIONAL trigger ACTIVATED"),
        ("s3_to_redshift_job", State.RUNNING, "job RUNNING"),
    ]
    assert drawn.title == "redshift_workflow: RUNNING"


def test_a_graph_that_branches_names_what_each_node_leads_to() -> None:
    raw = answer("COMPLETED", crawler("SUCCEEDED"), job("SUCCEEDED"))
    raw["Graph"]["Edges"].append({"SourceId": "1", "DestinationId": "4"})
    assert graph_of(raw).boxes[0].what == "ON_DEMAND trigger CREATED, to s3_crawler, s3_to_redshift_job"


def test_before_a_run_the_function_s_log_says_what_is_waited_for() -> None:
    started = "started run wr_1 for ['a.json']\n"
    refused = "refused for ['a.json']: An error occurred (ConcurrentRunsExceededException)\n"
    tries = "not done yet: 1 messages are delivered again in 2 s\n"
    cases: list[tuple[list[str], State, str]] = [
        ([], State.WAITING, "waiting for S3's event"),
        (["START RequestId: 1 Version: $LATEST\n"], State.RUNNING, ""),
        (["START RequestId: 1\n", refused], State.FAILED, refused.strip()),
        (["START RequestId: 1\n", tries], State.WAITING, tries.strip()),
        ([refused, started], State.DONE, ""),
        (["[ERROR]\t2026-11-30T17:00:00Z\t1\tAccessDenied"], State.FAILED, "AccessDenied"),
    ]
    for lines, state, why in cases:
        box = function_log.told(lines, ["a.json"])
        assert (box.state, box.reason) == (state, why), lines
    drawn = before_the_run("redshift_workflow", Followed(1), function_log.told([], ["a.json"]), "another run")
    assert [box.state for box in drawn.boxes] == [State.DONE, *[State.WAITING] * 5]
    assert "workflow run: another run" in str(drawn)


def test_a_followed_run_is_the_function_s_only_if_its_log_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(function_log, "_lines", lambda *_: list(lines))
    monkeypatch.setattr(function_log, "SECONDS_BETWEEN_LOOKS", 0)
    log = function_log.StartFunctionLog(Session(LabConfig()), "start", ["a.json"], BEGAN)
    run = Run.of(answer("RUNNING", crawler(), job()))

    def drawn() -> tuple[str, State]:
        pipeline = run.pipeline(function=log.in_run(run.run_id))
        return pipeline.title, next(box.state for box in pipeline.boxes if box.name == "function")

    lines.append("started run wr_2 for ['a.json']")
    assert drawn() == ("redshift_workflow", State.WAITING)
    lines.append("started run wr_1 for ['a.json']")
    assert drawn() == ("redshift_workflow", State.DONE)
    assert [box.name for box in done(started_by=BY_EVENT).pipeline(function=log.in_run("wr_1")).boxes].count(
        "function"
    ) == 1


def test_rows_count_for_a_run_only_if_its_own_job_ran_when_they_were_loaded() -> None:
    run = done()
    assert run.had_its_job_at(BEGAN + timedelta(seconds=8))
    assert run.ended > BEGAN + timedelta(seconds=9)
    assert not run.had_its_job_at(BEGAN + timedelta(seconds=9))
    assert not Run.of(answer("COMPLETED", crawler("FAILED"), job())).had_its_job_at(BEGAN)


TRACEBACK = """Traceback (most recent call last):
  File "/cache/redshift_connector/core.py", line 2209, in handle_messages
    raise self.error
redshift_connector.error.ProgrammingError: Load into table 'toll_table' failed.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/work/spark-1/run-1/s3_to_redshift_job.py", line 37, in <module>
    AmazonRedshift_node3 = glueContext.write_dynamic_frame.from_catalog(
                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/lib/awsglue/_redshift.py", line 119, in _write
    raise RedshiftWriteFailed(error) from error
awsglue._redshift.RedshiftWriteFailed: Load into table 'toll_table' failed."""


def test_of_a_traceback_the_job_s_own_lines_and_the_error_matter() -> None:
    assert failures.that_matter(TRACEBACK.splitlines(), ["s3_to_redshift_job.py"]) == (
        '  File "s3_to_redshift_job.py", line 37, in <module>',
        "    AmazonRedshift_node3 = glueContext.write_dynamic_frame.from_catalog(",
        "awsglue._redshift.RedshiftWriteFailed: Load into table 'toll_table' failed.",
    )
    assert failures.that_matter(["", "one", "two"], ["job.py"]) == ("one", "two")
    assert len(failures.that_matter([str(number) for number in range(99)], [])) == failures.MOST

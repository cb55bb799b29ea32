"""The tasks of notebook 06: what a run's statistics say, and triggers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from labkit.calls import found
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import drills
from labkit.tasks.answers import FUNCTION, TEXT, shown
from labkit.tasks.task import Finding, Task, not_attempted, right, trying, wrong, wrong_type

COUNTERS = ("Succeeded", "Failed", "Timeout", "Stopped", "Errored", "Running", "Waiting")


def _run(status: str, **actions: int) -> dict[str, Any]:
    counts = {f"{counter}Actions": actions.get(counter.lower(), 0) for counter in COUNTERS}
    return {"Name": "redshift_workflow", "Status": status,
            "Statistics": {"TotalActions": sum(counts.values()), **counts}}  # fmt: skip


RUNS: tuple[tuple[bool, dict[str, Any]], ...] = (
    (True, _run("COMPLETED", succeeded=2)),
    (True, _run("COMPLETED", succeeded=5)),
    (False, _run("COMPLETED", succeeded=1, failed=1)),
    (False, _run("COMPLETED", succeeded=1, timeout=1)),
    (False, _run("COMPLETED", succeeded=1, stopped=1)),
    (False, _run("COMPLETED", succeeded=1, errored=1)),
    (False, _run("COMPLETED", failed=1)),
    (False, _run("RUNNING", succeeded=1, running=1)),
    (False, _run("STOPPED", succeeded=1, stopped=1)),
    (False, _run("ERROR", errored=1)),
)
"""Whether the run has succeeded, and its description."""


def _starter(lab: LabSteps, answer: Any) -> Finding:
    triggers = lab.session.client("glue").get_triggers(DependentJobName=lab.names.job)["Triggers"]
    starters = {one["Name"] for one in triggers if one.get("WorkflowName") == lab.names.workflow}
    if answer in starters:
        return right("Right: the crawl did not start the job. It set off a trigger, and the trigger started the job.")
    if answer == lab.names.s3_crawler:
        return wrong("A crawler starts nothing by itself: between it and the job there is another node.")
    return wrong("Look for the edge that ends at the job: where does it begin?")


def _succeeded(_lab: LabSteps, answer: Any) -> Finding:
    results = [trying(answer, copy.deepcopy(run)) for _, run in RUNS]
    if all(given is None for given in results):
        return not_attempted("your function returns nothing yet.")
    for given, (expected, run) in zip(results, RUNS, strict=True):
        if not isinstance(given, bool):
            return wrong_type(
                f"For a run with status {run['Status']}, it returned {shown(given)}. Wanted: True or False."
            )
        if given is not expected:
            statistics = {name: count for name, count in run["Statistics"].items() if count}
            return wrong(f"It returned {given!r} for a run with status {run['Status']} and {statistics}.")
    return right("Right: that is what to alert on, not the status.")


def practice_trigger(lab: LabSteps) -> str:
    """The name of the trigger that task 06.3 asks for."""
    return f"{lab.names.redshift_crawler}-practice"


def remains(lab: LabSteps) -> Iterator[str]:
    """Delete the trigger of task 06.3, if it is there."""
    glue, name = lab.session.client("glue"), practice_trigger(lab)
    if found(glue.get_trigger, Name=name) is not None:
        glue.delete_trigger(Name=name)
        yield f"trigger {name}"


def _conditional(lab: LabSteps, _answer: Any) -> Finding:
    name, job, crawler = practice_trigger(lab), lab.names.job, lab.names.redshift_crawler
    answer = found(lab.session.client("glue").get_trigger, Name=name)
    if answer is None:
        return not_attempted(f"there is no trigger {name}.")
    trigger = answer["Trigger"]
    if trigger["Type"] != "CONDITIONAL":
        return wrong(f"The trigger's type is {trigger['Type']}: it doesn't wait for the job.")
    watched = [
        (one.get("JobName") or one.get("CrawlerName"), one.get("State") or one.get("CrawlState"))
        for one in trigger["Predicate"]["Conditions"]
    ]
    if watched != [(job, "SUCCEEDED")]:
        said = ", ".join(f"{name} {state}" for name, state in watched)
        return wrong(f"The trigger waits for: {said}. It should wait for nothing but the success of {job}.")
    if [one.get("CrawlerName") for one in trigger["Actions"]] != [crawler]:
        started = ", ".join(str(one.get("JobName") or one.get("CrawlerName")) for one in trigger["Actions"])
        return wrong(f"The trigger starts {started or 'nothing'}. It should start only {crawler}.")
    if trigger.get("WorkflowName"):
        return wrong(f"The trigger belongs to the workflow {trigger['WorkflowName']}. It should belong to none.")
    if trigger["State"] in ("ACTIVATING", "ACTIVATED"):
        return wrong(f"The trigger is {trigger['State']}: the next run would start a crawl, which costs money on AWS.")
    return right("Right: once somebody activates it, the catalog follows the table.")


FAILED = "FAILED"


def change_a_trigger(lab: LabSteps) -> None:
    """Change one of the workflow's triggers, for task 06.4."""
    lab.workflow.create()
    crawl = {"LogicalOperator": "EQUALS", "CrawlerName": lab.names.s3_crawler, "CrawlState": FAILED}
    lab.session.client("glue").update_trigger(
        Name=lab.names.event_trigger,
        TriggerUpdate={
            "Name": lab.names.event_trigger,
            "Predicate": {"Logical": "ANY", "Conditions": [crawl]},
            "Actions": [{"JobName": lab.names.job}],
        },
    )
    drills.begin(lab, "06.4")


def _mended(lab: LabSteps, _answer: Any) -> Finding:
    trigger = found(lab.session.client("glue").get_trigger, Name=lab.names.event_trigger)
    if trigger is None:
        return wrong(f"There is no trigger {lab.names.event_trigger} any more, so nothing starts the job.")
    facts = [fact.what for fact in lab.workflow.facts() if not fact.holds]
    if not facts:
        return right("Right: the job follows a crawl that has succeeded.")
    conditions = trigger["Trigger"].get("Predicate", {}).get("Conditions", [])
    if [one.get("CrawlState") for one in conditions] == [FAILED]:
        return not_attempted("the workflow's triggers are as that cell has left them.")
    return wrong(f"This does not hold yet: {'; '.join(facts)}.")


TASKS: list[Task] = [
    Task(
        id="06.1",
        title="What started the job?",
        text="In the run's graph, which node started the job? Write its name.",
        start="answer: str | None = None",
        hints=(
            "The graph is a list of nodes and edges. One edge ends at the job.",
            "The node before the job is one of the workflow's two triggers: the one that waits for something.",
        ),
        solution="""
starting = lab.session.client("glue").get_triggers(DependentJobName=lab.names.job)["Triggers"]
answer = next(one["Name"] for one in starting if one.get("WorkflowName") == lab.names.workflow)
""",
        judge=_starter,
        wants=TEXT,
    ),
    Task(
        id="06.2",
        title="Has the run succeeded?",
        text=(
            "Write a function that takes a run, as GetWorkflowRun returns it (its `Status`, and its `Statistics` as "
            "above), and returns `True` only if the run has ended and everything in it has succeeded. The check calls "
            "your function with runs of many kinds."
        ),
        start="""
def has_succeeded(run: dict) -> bool | None:
    return None  # instead of this line, your code


answer = has_succeeded
""",
        hints=(
            "A run that has ended is `COMPLETED`. Which of the statistics says that everything has succeeded?",
            "An action can fail, time out, be stopped, or end in an error. It is shorter to compare `SucceededActions` "
            "with `TotalActions`.",
        ),
        solution="""
def has_succeeded(run: dict) -> bool | None:
    statistics = run["Statistics"]
    return run["Status"] == "COMPLETED" and statistics["SucceededActions"] == statistics["TotalActions"]


answer = has_succeeded
""",
        judge=_succeeded,
        wants=FUNCTION,
    ),
    Task(
        id="06.3",
        title="A trigger of your own",
        text=(
            "After each load, somebody has to crawl Redshift again, so that the catalog knows the table as it is. Make "
            "a trigger for it. Its name is in `practice_trigger`, its type is `CONDITIONAL`, and it starts the crawler "
            "`lab.names.redshift_crawler` when the job `lab.names.job` has succeeded. It belongs to no workflow, and "
            "it is not activated, so that it starts nothing today."
        ),
        start="""
practice_trigger = f"{lab.names.redshift_crawler}-practice"  # the name of the trigger
# Your code
""",
        hints=(
            "The call is Glue's `create_trigger(Name=…, Type=…, Predicate=…, Actions=…)`. `get_trigger` shows how the "
            "lab's own trigger `lab.names.event_trigger` is written.",
            'A condition on a job has a `JobName` and a `State`: `{"LogicalOperator": "EQUALS", "JobName": …, "State": '
            '"SUCCEEDED"}`. The action is `{"CrawlerName": …}`. Leave out `StartOnCreation` and `WorkflowName`.',
        ),
        solution="""
practice_trigger = f"{lab.names.redshift_crawler}-practice"  # the name of the trigger
loaded = {"LogicalOperator": "EQUALS", "JobName": lab.names.job, "State": "SUCCEEDED"}
created = lab.session.client("glue").create_trigger(
    Name=practice_trigger,
    Type="CONDITIONAL",
    Predicate={"Conditions": [loaded]},
    Actions=[{"CrawlerName": lab.names.redshift_crawler}],
)
""",
        judge=_conditional,
        mends_text="The next cell deletes this trigger again. If you have not made it, the cell does nothing.",
        mends='deleted = lab.session.client("glue").delete_trigger(Name=f"{lab.names.redshift_crawler}-practice")',
    ),
    Task(
        id="06.4",
        title="The job no longer starts",
        breaks_text=(
            "Somebody changed the workflow on the canvas by mistake. The next cell makes that change, but does not "
            "show it."
        ),
        breaks="""
from labkit.tasks.workflow import change_a_trigger

change_a_trigger(lab)
""",
        text=(
            "From now on a run crawls, ends as `COMPLETED`, and loads nothing. Find out why, and put it right with "
            "Glue's `update_trigger`."
        ),
        start="# Your code",
        hints=(
            "`lab.workflow.check()` names the trigger. `get_trigger` shows what it waits for.",
            '`update_trigger(Name=…, TriggerUpdate={"Name": …, "Predicate": …, "Actions": …})` with the condition '
            'that the crawl has `SUCCEEDED`. Pass the action, too: `[{"JobName": lab.names.job}]`.',
        ),
        solution="""
crawled = {"LogicalOperator": "EQUALS", "CrawlerName": lab.names.s3_crawler, "CrawlState": "SUCCEEDED"}
updated = lab.session.client("glue").update_trigger(
    Name=lab.names.event_trigger,
    TriggerUpdate={
        "Name": lab.names.event_trigger,
        "Predicate": {"Logical": "ANY", "Conditions": [crawled]},
        "Actions": [{"JobName": lab.names.job}],
    },
)
""",
        judge=_mended,
        mends_text="The next cell puts the triggers right, whatever they are now.",
        mends="""
from labkit.tasks import drills

lab.workflow.create()
lab.workflow.resume()
drills.over(lab, "06.4")
print("The workflow is as it should be:", lab.workflow.check().ok)
""",
    ),
]

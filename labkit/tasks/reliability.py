"""The tasks of notebook 09: rejected rows, lines that can be repaired, and a queue that nobody reads."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from labkit.data import counts, data_api
from labkit.data.counts import ExactlyOnceCounts
from labkit.errors import MissingStep
from labkit.show.waiting import wait_for
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import drills
from labkit.tasks.answers import FUNCTION, NUMBER, TEXT, shown
from labkit.tasks.task import Finding, Found, Task, not_attempted, right, trying, wrong, wrong_type


def _rejected(lab: LabSteps, answer: Any) -> Finding:
    rows = counts.count(lab.session, None)
    if not isinstance(rows, ExactlyOnceCounts):
        raise MissingStep("The ledger", step="reliability", notebook="09_reliability")
    if answer == rows.rejected:
        return right("Right. `lab.counts().rejected` counts the same from the rows that the job kept.")
    if answer == rows.loaded:
        return wrong("That is how many rows were loaded.")
    return wrong("The ledger has an entry for each file version; add up all of them.")


def _worst_file(lab: LabSteps, answer: Any) -> Finding:
    entries = data_api.execute(
        lab.session, f"select object, sum(loaded_rows), sum(rejected_rows) from {lab.names.ledger} group by 1"
    ).rows
    shares = {unquote(name): rejected / (loaded + rejected) for name, loaded, rejected in entries if loaded + rejected}
    key = unquote(answer.removeprefix(f"s3://{lab.names.landing_bucket}/"))
    if key not in shares:
        return wrong("The ledger has no such file. `object` is the key of the file in the landing bucket.")
    if shares[key] == max(shares.values()):
        return right(f"Right: {shares[key]:.0%} of its rows were rejected.")
    return wrong(f"{shares[key]:.0%} of its rows were rejected. Another file has a larger share.")


GOOD = '{"transaction_id": 7, "transaction_date": "2023/08/30", "toll_booth": "golf_rd", "transaction_amount": 6.26}'
LINES: tuple[tuple[str, Any], ...] = (
    (GOOD, json.loads(GOOD)),
    (GOOD.replace("6.26", '"11.5 USD"'), {**json.loads(GOOD), "transaction_amount": 11.5}),
    (GOOD.replace("6.26", '"0.4 USD"'), {**json.loads(GOOD), "transaction_amount": 0.4}),
    (GOOD.replace("6.26", '"12"'), {**json.loads(GOOD), "transaction_amount": 12.0}),
    (GOOD.replace("6.26", '"free"'), None),
    (GOOD.replace("6.26", '"3.5 EUR"'), None),
    (GOOD[:60], None),
)
"""A line of a file, and its object after the repair; None if it can't be repaired."""


def _repair(_lab: LabSteps, answer: Any) -> Finding:
    given = [trying(answer, line) for line, _ in LINES]
    if all(result is None for result in given):
        return not_attempted("your function returns nothing yet.")
    for result, (line, expected) in zip(given, LINES, strict=True):
        if result is None and expected is None:
            continue
        if expected is None:
            return wrong(f"The line {line} can't be repaired, and it returned {shown(result)}.")
        if result is None:
            return wrong(f"It returned None for the line {line}, which is good or can be repaired.")
        if _parsed(result) != expected:
            return wrong(f"For the line {line}, it returned {shown(result)}.")
    return right("Right: what can be repaired is repaired, and nothing is guessed.")


def _parsed(line: Any) -> Any:
    """The object in a line that the function has returned."""
    if not isinstance(line, str):
        raise Found(wrong_type(f"It returned {shown(line)}. Wanted: a line of text, or None."))
    try:
        return json.loads(line)
    except ValueError:
        raise Found(wrong(f"It returned a line that is not JSON: {shown(line)}.")) from None


def change_the_delivery(lab: LabSteps) -> None:
    """Change one thing in the exactly-once delivery, for task 09.4."""
    awslambda = lab.session.client("lambda")
    for mapping in _mappings(lab):
        awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def look() -> tuple[str, bool | None]:
        states = [mapping["State"] for mapping in _mappings(lab)]
        return ", ".join(states), True if set(states) <= {"Disabled"} else None

    wait_for("the event source mapping", look, config=lab.config, go_on="Run the cell again.", quiet=True)
    drills.begin(lab, "09.4")


def _mappings(lab: LabSteps) -> list[dict[str, Any]]:
    """The event source mappings from the lab's queue to the start function."""
    queue = f"arn:aws:sqs:{lab.config.region}:{lab.session.account_id}:{lab.names.retry_queue}"
    function = lab.names.reliable_start_function
    answer = lab.session.client("lambda").list_event_source_mappings(EventSourceArn=queue, FunctionName=function)
    found: list[dict[str, Any]] = answer["EventSourceMappings"]
    return found


def _received(lab: LabSteps, _answer: Any) -> Finding:
    queue, mappings = lab.names.retry_queue, _mappings(lab)
    if not mappings:
        return wrong(f"Nothing receives messages from queue {queue}: it has no event source mapping.")
    states = [mapping["State"] for mapping in mappings]
    if not {"Enabled", "Enabling", "Creating", "Updating"} & set(states):
        return not_attempted(f"the messages in queue {queue} still wait for ever.")
    if len(mappings) > 1:
        return wrong(f"Queue {queue} has {len(mappings)} event source mappings. One is enough: delete the others.")
    if mappings[0].get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        return wrong(
            "The mapping ignores which messages have failed (`FunctionResponseTypes`), so it would lose events."
        )
    return right("Right: the events that have waited are delivered now. None was lost.")


TASKS: list[Task] = [
    Task(
        id="09.1",
        title="How many rows were rejected?",
        text=(
            "The ledger, `etl.toll_ledger`, says for each version of a file how many rows were loaded "
            "(`loaded_rows`), and how many were rejected (`rejected_rows`). How many rows were rejected in all?"
        ),
        start="answer: int | None = None",
        hints=(
            "Ask the ledger with `lab.query`.",
            "`sum(…)` adds up a column. The result may stay a table: `check` takes a table with one value.",
        ),
        solution='answer = lab.query("select sum(rejected_rows) from etl.toll_ledger")',
        judge=_rejected,
        wants=NUMBER,
    ),
    Task(
        id="09.2",
        title="The worst file",
        text=(
            "Of which file was the largest share of its rows rejected? Write its key, the ledger's `object`. If "
            "several files share the first place, write one of them."
        ),
        start="answer: str | None = None",
        hints=(
            "The share is the rejected rows divided by all rows of the file. What is one integer divided by a larger "
            "one in Redshift?",
            "Sort by `rejected_rows::float / (loaded_rows + rejected_rows)`, the largest first, and take one row. Some "
            "files may have no rows at all: leave them out.",
        ),
        solution='''
answer = lab.query("""
    select object from etl.toll_ledger where loaded_rows + rejected_rows > 0
    group by object order by sum(rejected_rows)::float / sum(loaded_rows + rejected_rows) desc limit 1
""")
''',
        judge=_worst_file,
        wants=TEXT,
    ),
    Task(
        id="09.3",
        title="Repair a line",
        text=(
            'A new till writes some amounts as text: `"transaction_amount": "6.26 USD"`, or without the currency, '
            '`"6.26"`. '
            "Write a function that takes one line of a file and returns the repaired line, with the amount "
            "as a number. A good line keeps its values. A line that can't be repaired (it is not JSON, or its amount "
            "is not in USD, or not a number) gives `None`: it is better rejected than guessed. The check calls your "
            "function with lines that it does not show."
        ),
        start="""
def repair(line: str) -> str | None:
    return None  # instead of this line, your code


answer = repair
""",
        hints=(
            "`json.loads` reads a line, and `json.dumps` writes it. Both `json.loads` and `float` raise a "
            "`ValueError` for what they can't read.",
            '`float(str(row["transaction_amount"]).removesuffix(" USD"))` takes a number, `"6.26"` and `"6.26 USD"`. '
            "Put everything into `try`, and return `None` in `except ValueError`.",
        ),
        solution="""
import json


def repair(line: str) -> str | None:
    try:
        row = json.loads(line)
        row["transaction_amount"] = float(str(row["transaction_amount"]).removesuffix(" USD"))
    except ValueError:
        return None
    return json.dumps(row)


answer = repair
""",
        judge=_repair,
        wants=FUNCTION,
    ),
    Task(
        id="09.4",
        title="Events wait, and nobody comes",
        breaks_text="The next cell changes one thing in the exactly-once delivery. It does not show what.",
        breaks="""
from labkit.tasks.reliability import change_the_delivery

change_the_delivery(lab)
""",
        text=(
            "From now on, an event whose run could not be started waits in the queue, and nothing delivers it again. "
            "Find out why, and mend it."
        ),
        start="# Your code",
        hints=(
            "`lab.reliability.check()` shows what does not hold. What connects a queue with a function is an *event "
            "source mapping*.",
            "`list_event_source_mappings(FunctionName=lab.names.reliable_start_function)` shows the mapping with its "
            "`State` and `UUID`; `update_event_source_mapping(UUID=…, Enabled=…)` changes it.",
        ),
        solution="""
client = lab.session.client("lambda")
mappings = client.list_event_source_mappings(FunctionName=lab.names.reliable_start_function)["EventSourceMappings"]
updated = client.update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=True)
""",
        judge=_received,
        mends_text="The next cell sets the queues and the mapping up as they should be, whatever you have done.",
        mends="""
from labkit.tasks import drills

lab.reliability.queues.create()
drills.over(lab, "09.4")
""",
    ),
]

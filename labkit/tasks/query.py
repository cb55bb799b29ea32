"""The tasks of notebook 08: queries, each tried on rows that the notebook does not show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from labkit.data import data_api
from labkit.errors import QueryFailed
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import SQL, shown
from labkit.tasks.task import Finding, Found, Task, right, wrong

Row = tuple[Any, ...]

COLUMNS = "transaction_id, transaction_date, toll_booth, vehicle_make, vehicle_category, transaction_amount"
TABLE = (
    "create temp table toll_table (transaction_id bigint, transaction_date varchar not null, "
    "toll_booth varchar not null, vehicle_make varchar not null, vehicle_category varchar not null, "
    "transaction_amount real)"
)
FEW: tuple[Row, ...] = (
    (1, "2024/02/01", "north", "Lada", "Sedan", 3.25),
    (2, "2024/02/01", "north", "Fiat", "Coupe", 4.5),
    (3, "2024/02/02", "north", "Lada", "Sedan", 5.25),
    (4, "2024/02/02", "south", "Fiat", "Sedan", 1.5),
    (5, "2024/02/03", "south", "Lada", "Coupe", 2.75),
    (5, "2024/02/03", "south", "Lada", "Coupe", 2.75),
    (7, "2024/02/01", "south", "Saab", "Coupe", 5.0),
    (7, "2024/02/01", "south", "Saab", "Sedan", 1.25),
)
MANY: tuple[Row, ...] = (
    *FEW,
    *(FEW[0] for _ in range(2)),
    (8, "2024/02/03", "east", "Saab", "Pickup", 25.0),
    (9, "2024/02/04", "east", "Yugo", "Pickup", 20.5),
    (10, "2024/02/04", "east", "Yugo", "Pickup", 15.0),
)


def _select(lab: LabSteps, sql: str, rows: Sequence[Row]) -> tuple[Row, ...]:
    """The query's result if toll_table has these rows. A temporary table of that name hides the real one."""
    query = sql.strip().rstrip(";").strip()
    if not re.match(r"(select|with)\b", query, re.IGNORECASE):
        raise Found(wrong("Write one query: a SELECT, or a SELECT after WITH."))
    if re.search(r"\bpublic\s*\.", query, re.IGNORECASE):
        raise Found(wrong("Write toll_table without its schema: the check runs your query on other rows."))
    values = ", ".join(str(row) for row in rows)
    try:
        return data_api.execute_together(lab.session, [TABLE, f"insert into toll_table values {values}", query]).rows
    except QueryFailed as error:
        raise Found(wrong(error.what)) from error


def _judge(expected: Callable[[Sequence[Row]], Iterable[Row]], columns: str, praise: str) -> Any:
    """A judge that compares the query's result with `expected(rows)`, in any order of rows."""

    def judge(lab: LabSteps, answer: Any) -> Finding:
        for rows in (FEW, MANY):
            result, wanted = _select(lab, answer, rows), list(expected(rows))
            width = len(wanted[0])
            if any(len(row) != width for row in result):
                return wrong(f"The result has {len(result[0])} columns. Wanted: {columns}.")
            if len(result) != len(wanted):
                return wrong(f"On {len(rows)} other rows, it returns {len(result)} rows instead of {len(wanted)}.")
            if other := list((Counter(map(_plain, result)) - Counter(map(_plain, wanted))).elements()):
                return wrong(f"On {len(rows)} other rows, this row of its result is wrong: {shown(other[0])}.")
        return right(praise)

    return judge


def _plain(row: Row) -> Row:
    """The row with its amounts in cents, because `real` and `double precision` round differently."""
    return tuple(round(float(value), 2) if isinstance(value, int | float) else value for value in row)


def _sums(rows: Sequence[Row], *columns: int) -> dict[Row, float]:
    """The sum of the amounts for each combination of these columns."""
    sums: dict[Row, float] = {}
    for row in rows:
        group = tuple(row[column] for column in columns)
        sums[group] = sums.get(group, 0.0) + row[5]
    return sums


def _best_make(rows: Sequence[Row]) -> Iterable[Row]:
    sums = _sums(rows, 3)
    return [max(sums, key=lambda make: sums[make])]


def _doubled(rows: Sequence[Row]) -> Iterable[Row]:
    return [(*row, copies) for row, copies in Counter(rows).items() if copies > 1]


def _best_days(rows: Sequence[Row]) -> Iterable[Row]:
    best: dict[str, tuple[float, str]] = {}
    for (booth, day), revenue in _sums(rows, 2, 1).items():
        best[booth] = max(best.get(booth, (0.0, "")), (revenue, day))
    return [(booth, day, revenue) for booth, (revenue, day) in best.items()]


HOW = (
    " Write the query as text, with `toll_table` without a schema: the check runs it on rows of its own. Try it first, "
    "with `lab.query(answer)`."
)

TASKS: list[Task] = [
    Task(
        id="08.1",
        title="Who paid most?",
        text="Which make of car has paid most, over all booths? Write the query that returns the make, and only it."
        + HOW,
        start="answer: str | None = None",
        hints=(
            "Add up the amounts by make, and sort by the sum, the largest first.",
            "`select vehicle_make from toll_table group by … order by … desc limit …`",
        ),
        solution='''
answer = """
    select vehicle_make from toll_table
    group by vehicle_make order by sum(transaction_amount) desc limit 1
"""
''',
        judge=_judge(_best_make, "vehicle_make", "Right: whatever the rows are, this finds the make."),
        wants=SQL,
    ),
    Task(
        id="08.2",
        title="Rows that are there twice",
        text=(
            "Write a query that finds the rows that are in the table more than once. For each it returns the six "
            "columns, in the table's order, and the number of copies. Two rows with the same `transaction_id` are the "
            "same only if all their columns are." + HOW
        ),
        start="answer: str | None = None",
        hints=(
            "Group by all six columns. A condition on a group is not written with `where`.",
            "`select transaction_id, …, count(*) from toll_table group by 1, 2, 3, 4, 5, 6 having …`",
        ),
        solution=f'''
answer = """
    select {COLUMNS}, count(*)
    from toll_table group by 1, 2, 3, 4, 5, 6 having count(*) > 1
"""
''',
        judge=_judge(
            _doubled,
            "the table's six columns and the number of copies",
            "Right. Here such rows come from several passes; notebook 09 shows other causes.",
        ),
        wants=SQL,
    ),
    Task(
        id="08.3",
        title="The best day of each booth",
        text=(
            "On which day did each booth earn most? Write a query that returns one row for each booth: `toll_booth`, "
            "`transaction_date`, and the revenue of that day." + HOW
        ),
        start="answer: str | None = None",
        hints=(
            "First the revenue by booth and day, in brackets after `from`. Then number each booth's days, the best "
            "first, with a window function.",
            "`row_number() over (partition by toll_booth order by revenue desc)` gives the best day of each booth the "
            "number 1. One more query around it keeps only these.",
        ),
        solution='''
answer = """
    select toll_booth, transaction_date, revenue from (
        select toll_booth, transaction_date, sum(transaction_amount) as revenue,
            row_number() over (partition by toll_booth order by sum(transaction_amount) desc) as place
        from toll_table group by toll_booth, transaction_date
    ) where place = 1
"""
''',
        judge=_judge(
            _best_days,
            "toll_booth, transaction_date, revenue",
            "Right: a window function looks at the rows of its group, and keeps all of them.",
        ),
        wants=SQL,
    ),
]

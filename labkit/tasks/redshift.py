"""The tasks of notebook 02: Redshift's arithmetic, a query with a parameter, and an exact type for money."""

from __future__ import annotations

from typing import Any

from labkit.data import data_api
from labkit.errors import QueryFailed
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import NUMBER, SQL, normalize, shown
from labkit.tasks.task import Finding, Task, not_attempted, right, wrong

AVERAGE = "select avg(cars) as average from (select 2 as cars union all select 5 as cars)"
DAYS = {"2023/08/13": "2023/08/12", "2024/03/01": "2024/02/29", "2023/03/01": "2023/02/28", "2023/01/01": "2022/12/31"}
PRICES = "toll_prices"


def _average(lab: LabSteps, answer: Any) -> Finding:
    ((average,),) = data_api.execute(lab.session, AVERAGE).rows
    if answer == average:
        return right("Right: in Redshift, the average of integers is a truncated integer. PostgreSQL returns 3.5.")
    return wrong("Ask Redshift: it doesn't leave the integers for that.")


def _day_before(lab: LabSteps, answer: Any) -> Finding:
    for day, before in DAYS.items():
        try:
            rows = data_api.execute(lab.session, answer, {"day": day}).rows
        except QueryFailed as refused:
            return wrong(f"{refused.what}")
        if len(rows) != 1 or len(rows[0]) != 1:
            return wrong(f"It returns {len(rows)} rows. Wanted: one row with one column.")
        given = normalize(rows[0][0])
        if given != before:
            return wrong(f"For {day} it returns {shown(given)}. Wanted: a text in the same form, the day before.")
    return right("Right: dates as text sort well, but for arithmetic they have to become dates first.")


def _prices(lab: LabSteps, _answer: Any) -> Finding:
    columns = {
        name: (kind, scale, nullable)
        for name, kind, scale, nullable in data_api.execute(
            lab.session,
            "select column_name, data_type, numeric_scale, is_nullable from information_schema.columns "
            "where table_schema = 'public' and table_name = :name",
            {"name": PRICES},
        ).rows
    }
    if not columns:
        return not_attempted(f"there is no table {PRICES} in the schema public.")
    if missing := [name for name in ("toll_booth", "price") if name not in columns]:
        return wrong(f"The table has no column {missing[0]}. Its columns: {', '.join(columns)}.")
    booth, price = columns["toll_booth"], columns["price"]
    if not booth[0].startswith("character"):
        return wrong(f"toll_booth is {booth[0]}. Wanted: text.")
    if booth[2] != "NO":
        return wrong("toll_booth may be NULL.")
    if price[0] != "numeric":
        return wrong(f"price is {price[0]}. An exact type for decimals is wanted.")
    if price[1] != 2:
        return wrong(f"price has {price[1]} digits after the point. Wanted: 2.")
    return right("Right: DECIMAL, which is the same as NUMERIC, is exact. REAL is not.")


TASKS: list[Task] = [
    Task(
        id="02.1",
        title="The average of integers",
        text=(
            "Two cars passed one booth, and five passed another. What does Redshift return as the average, `avg`, of "
            'the integers 2 and 5? Think first, then ask it with `lab.query("select …")`.'
        ),
        start="answer: float | None = None",
        hints=(
            "`select 2 as cars union all select 5 as cars` is a table with both numbers.",
            "Put that table into the brackets of `select avg(cars) from (…)`. The result's type is that of `cars`.",
        ),
        solution=f'answer = lab.query("{AVERAGE}")',
        judge=_average,
        wants=NUMBER,
    ),
    Task(
        id="02.2",
        title="The day before",
        text=(
            "The toll plaza writes dates as text, such as 2023/08/13. Write an SQL statement with the parameter "
            "`:day`, a text in this form. It returns one value: the day before, in the same form. Assign the "
            "statement to `answer` as text. The check runs it for several days, as "
            '`lab.query(answer, day="2024/03/01")` does.'
        ),
        start='answer: str | None = None  # "select …"',
        hints=(
            "`to_date(:day, 'YYYY/MM/DD')` makes a date of the text. `dateadd` adds days to it, or takes them "
            "away if the number is negative.",
            "Last, `to_char(…, 'YYYY/MM/DD')` makes a text of the date again, as in the query above.",
        ),
        solution="answer = \"select to_char(dateadd(day, -1, to_date(:day, 'YYYY/MM/DD')), 'YYYY/MM/DD')\"",
        judge=_day_before,
        wants=SQL,
    ),
    Task(
        id="02.3",
        title="A table for money",
        text=(
            f"Create a table `{PRICES}` in the schema `public`, with two columns: `toll_booth`, a text that is never "
            "NULL, and `price`, an amount of money with two digits after the point. Choose a type that stores 0.10 "
            "exactly. `lab.query` runs `create table` as well."
        ),
        start="# Your code",
        hints=(
            "`real` and `double precision` are binary fractions: 0.10 is not among them. Redshift has decimal numbers "
            "as well.",
            "`decimal(8, 2)` has eight digits, two of them after the point. `not null` comes after a column's type.",
        ),
        solution=f'lab.query("create table {PRICES} (toll_booth varchar(20) not null, price decimal(8, 2))")',
        judge=_prices,
        mends_text="The lab doesn't need this table. The next cell drops it, if it is there.",
        mends=f'dropped = lab.query("drop table if exists {PRICES}")',
    ),
]

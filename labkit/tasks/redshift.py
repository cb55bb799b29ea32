"""The tasks of notebook 02: SQL that Redshift answers differently from PostgreSQL."""

from __future__ import annotations

from typing import Any

from labkit.data import data_api
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import NUMBER
from labkit.tasks.task import Finding, Task, right, wrong

AVERAGE = "select avg(cars) as average from (select 2 as cars union all select 5 as cars)"


def _average(lab: LabSteps, answer: Any) -> Finding:
    ((average,),) = data_api.execute(lab.session, AVERAGE).rows
    if answer == average:
        return right("Right: in Redshift, the average of integers is a truncated integer. PostgreSQL returns 3.5.")
    return wrong("Ask Redshift for it: the arithmetic of school is not what it does here.")


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
]

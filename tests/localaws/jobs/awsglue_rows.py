"""Tables of behaviours of ``awsglue``: one job run checks many rows, each against what AWS documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

GUIDE = "https://docs.aws.amazon.com/glue/latest/dg/"
FRAME_PAGE = f"{GUIDE}aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html"
# The names that each row's code can use. `data` returns a frame's rows, sorted; `names` its columns.
# Small tables need neither compiled queries nor more than one partition.
_HELPERS = """
settings = {"codegen.wholeStage": "false", "codegen.factoryMode": "NO_CODEGEN", "shuffle.partitions": 1}
for setting, value in settings.items():
    spark.conf.set(f"spark.sql.{setting}", value)
import datetime, decimal, json
def plain(value):
    if isinstance(value, (datetime.date, decimal.Decimal)):
        return str(value)
    if hasattr(value, "asDict"):
        return {name: plain(inner) for name, inner in value.asDict().items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
def data(frame):
    df = frame.toDF() if isinstance(frame, DynamicFrame) else frame
    return sorted(([plain(value) for value in row] for row in df.collect()), key=str)
def names(frame):
    return frame.toDF().columns
def frame_of(rows, schema):
    return DynamicFrame.fromDF(spark.createDataFrame(rows, schema).coalesce(1), glueContext, "frame")
def evaluate(code):
    scope = dict(globals())
    try:
        try:
            return eval(compile(code, "row", "eval"), scope)
        except SyntaxError:
            exec(compile(code, "row", "exec"), scope)
            return scope["result"]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


@dataclass(frozen=True)
class Row:
    """One behaviour: the code of a script, and its expected result."""

    page: str
    """AWS's page, below the Glue developer guide."""
    code: str
    """An expression, or statements that set `result`."""
    result: Any


def check(jobs: Any, preamble: str, rows: Iterable[Row], setup: str = "") -> None:
    """Run all rows in one job, and check each result."""
    table = list(rows)
    assert all(row.page.endswith(".html") or ".html#" in row.page for row in table)
    codes = [row.code for row in table]
    script = (
        f"{preamble}{_HELPERS}{setup}\n"
        f"for number, code in enumerate({codes!r}):\n"
        "    print('ROW', json.dumps([number, plain(evaluate(code))]))\n"
        "job.commit()\n"
    )
    found = [json.loads(line[4:]) for line in jobs.succeed(jobs.make(script)) if line.startswith("ROW ")]
    assert len(found) == len(table)
    differing = [
        f"{row.page}\n  {row.code}\n  gave     {result!r}\n  expected {row.result!r}"
        for row, (_, result) in zip(table, found, strict=True)
        if not _same(result, row.result)
    ]
    assert not differing, "\n" + "\n".join(differing)


def _same(found: Any, expected: Any) -> bool:
    """Whether both are equal as JSON; if `expected` is a function, whether it accepts `found`."""
    if isinstance(expected, Callable):  # type: ignore[arg-type]
        return bool(expected(found))
    return bool(found == json.loads(json.dumps(expected)))


def contains(*texts: str) -> Callable[[Any], bool]:
    """Return a function that checks whether the result is a text that contains all of `texts`."""
    return lambda found: isinstance(found, str) and all(text in found for text in texts)

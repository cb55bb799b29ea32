"""The cell magic `%%redshift`: a notebook cell of SQL.

`lab = Lab()` registers it, if it runs in IPython. A second lab takes it over.

    %%redshift revenue
    select toll_booth, sum(transaction_amount) from toll_table
    where transaction_date >= :first_day
    group by toll_booth

The result is a DataFrame, which is displayed and, here, assigned to `revenue`. The value of `:first_day` is that of the
notebook's variable `first_day`. `%redshift select 1` is the same for one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.data import data_api
from labkit.data.data_api import Result
from labkit.data.sql_text import POSITION, Statement, statements
from labkit.errors import QueryFailed, UsageError

if TYPE_CHECKING:
    from labkit.steps.lab_steps import LabSteps

NAME = "redshift"
TRANSACTIONS = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"}


@dataclass(frozen=True)
class Done:
    """The outcome of a statement that returns no rows."""

    verb: str
    rows: int
    """How many rows it changed; -1 if Redshift does not say."""

    def __repr__(self) -> str:
        rows = "" if self.rows < 0 else ": 1 row" if self.rows == 1 else f": {self.rows} rows"
        return f"{self.verb} done{rows}"


def register(lab: LabSteps, shell: Any) -> None:
    """Make `%%redshift` run SQL in this lab's cluster."""
    from IPython.core.magic import no_var_expand

    def redshift(line: str, cell: str | None = None) -> Any:
        """Run SQL in Redshift: `%%redshift [name]` and SQL below it, or `%redshift SQL`."""
        if cell is None:
            return run(lab, line, shell.user_ns)
        name = line.strip()
        if name and not name.isidentifier():
            raise UsageError(
                f"%%{NAME} takes the name of one variable, or nothing: {name!r} is not a name.",
                fix="Write the SQL below the first line.",
            )
        result = run(lab, cell, shell.user_ns)
        if name:
            shell.user_ns[name] = result
        return result

    shell.register_magic_function(no_var_expand(redshift), magic_kind="line_cell", magic_name=NAME)


def run(lab: LabSteps, sql: str, variables: Mapping[str, Any]) -> Any:
    """Run all statements in `sql`, one after the other, and return the last one's result. Display the others'.

    Each statement is a transaction of its own. The first one that fails ends it.

    Args:
        lab: the lab in whose cluster they run.
        sql: the statements, with a semicolon between them.
        variables: the values of `:name` in them.

    Raises:
        QueryFailed: Redshift refused a statement.
        UsageError: there is no variable of a parameter's name, or its value can't be one; or a statement begins or
            ends a transaction.
    """
    found = statements(sql)
    if not found:
        print("There is no SQL statement here, so nothing was run.")
        return None
    arguments = [_checked(statement, variables) for statement in found]
    shown: Any = None
    for number, (statement, given) in enumerate(zip(found, arguments, strict=True), 1):
        if shown is not None:
            _display(shown)
        try:
            shown = _shown(statement, data_api.execute(lab.session, statement.text, given))
        except QueryFailed as error:
            raise _explained(statement, error, number, len(found)) from None
    return shown


def _checked(statement: Statement, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a statement's parameters, before any statement is run."""
    if statement.verb in TRANSACTIONS:
        raise UsageError(
            f"{statement.verb} has no effect here: %%{NAME} runs each statement in a transaction of its own.",
            fix="For a transaction over several statements: lab.query.connect().",
        )
    if unknown := [name for name in statement.parameters if name not in variables]:
        names = ", ".join(f":{name}" for name in unknown)
        raise UsageError(
            f"The statement uses {names}, but the notebook has no variable {', '.join(unknown)}.",
            fix=f"Assign it in a cell above. A cast is written with two colons: x::{unknown[0]}.",
        )
    given = {name: variables[name] for name in statement.parameters}
    for name, value in given.items():
        data_api.text_of(name, value)
    return given


def _shown(statement: Statement, result: Result) -> Any:
    import pandas as pd  # here, because pandas is slow to import, and most commands don't need it

    if not result.columns:
        return Done(statement.verb, result.count)
    return pd.DataFrame.from_records(list(result.rows), columns=list(result.columns))


def _display(result: Any) -> None:
    from IPython.display import display

    display(result)


def _explained(statement: Statement, error: QueryFailed, number: int, of: int) -> QueryFailed:
    """The error in Redshift's words, with the line that it is about."""
    place = statement.place_of_error(error.message)
    message = POSITION.sub("", error.message) if place else error.message
    which = f"Statement {number} of {of}. The statements before it took effect." if number > 1 else ""
    where = "\n".join(filter(None, (place, which)))
    return QueryFailed(statement.text, message, where=where or f"Statement: {statement.text}", fix=error.fix)

"""The preview of a table, as a query editor shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.tables import SCROLLS, html_table, text_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Preview:
    """The first rows of a table, its columns with their types, and how many rows it has."""

    table: str
    columns: tuple[tuple[str, str], ...]
    """Each column's name and type."""
    rows: tuple[tuple[Any, ...], ...]
    count: int
    """The number of rows in the table."""

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame."""
        import pandas as pd  # here, because pandas is slow to import, and most commands don't need it

        return pd.DataFrame.from_records(list(self.rows), columns=[name for name, _ in self.columns])

    @property
    def title(self) -> str:
        """The table's name and how much of it is shown."""
        total = f"{self.table}: 1 row" if self.count == 1 else f"{self.table}: {self.count} rows"
        return total if len(self.rows) == self.count else f"{total}, the first {len(self.rows)} of them"

    def __str__(self) -> str:
        heads = [name for name, _ in self.columns], [kind for _, kind in self.columns]
        return f"{self.title}\n{text_table([*heads, *self._cells()])}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        heads = [f"{name}\n{kind}" for name, kind in self.columns]
        return f'<div>{self.title}</div><div style="{SCROLLS}">{html_table(self._cells(), heads)}</div>'

    def _cells(self) -> list[list[str]]:
        return [["NULL" if value is None else str(value) for value in row] for row in self.rows]

"""Lists for programs that are shown as text, one item a line."""

from __future__ import annotations

from typing import Any

from labkit.tables import SCROLLS, escaped


class Lines(list[str]):
    """The lines of a log: a list of texts that is shown as the log itself."""

    def __str__(self) -> str:
        return "\n".join(line.rstrip("\n") for line in self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f'<pre style="{SCROLLS}">{escaped(str(self)).replace("<br>", chr(10))}</pre>'

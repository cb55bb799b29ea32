"""How a verdict looks. In a notebook it has the hints and the solution, folded, until the task is done.

The HTML takes its text colours from the page. So it is readable in both of JupyterLab's themes, and in an untrusted
notebook.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from labkit.tasks.task import Finding, Outcome, Task

MARKS = {Outcome.NOT_ATTEMPTED: "○", Outcome.RIGHT: "✓"}
WRONG = "✗"
BORDERS = {Outcome.NOT_ATTEMPTED: "#808a94", Outcome.RIGHT: "#2da44e"}


@dataclass(frozen=True)
class Verdict:
    """What the check of a task found. True in a condition if the task is done."""

    task: Task
    finding: Finding
    remark: str = ""
    """Something beside the finding: why it could not be recorded."""

    @property
    def outcome(self) -> Outcome:
        """Not attempted, wrong type, not right yet, or right."""
        return self.finding.outcome

    @property
    def mark(self) -> str:
        """○ not attempted, ✗ wrong, ✓ right."""
        return MARKS.get(self.outcome, WRONG)

    def __bool__(self) -> bool:
        return self.outcome is Outcome.RIGHT

    def __str__(self) -> str:
        return "\n".join(filter(None, (f"{self.mark} {self.task.id} {self._words()}", self.remark)))

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        remark = f"<div>{inline(self.remark)}</div>" if self.remark else ""
        folded = "" if self else self._folded()
        border = BORDERS.get(self.outcome, "#d1242f")
        return (
            f'<div style="border-left:4px solid {border};padding-left:8px">'
            f"<div>{self.mark} <strong>{self.task.id}</strong> {inline(self._words())}</div>{remark}{folded}</div>"
        )

    def _words(self) -> str:
        note = " ".join(self.finding.note.split())
        return note if self.outcome is Outcome.RIGHT else f"{self.outcome}: {note}"

    def _folded(self) -> str:
        hints = "".join(
            f"<details><summary>Hint {number}</summary><div>{inline(hint)}</div></details>"
            for number, hint in enumerate(self.task.hints, start=1)
        )
        solution = html.escape(self.task.solution.strip())
        return f"{hints}<details><summary>Solution</summary><pre><code>{solution}</code></pre></details>"


def inline(text: str) -> str:
    """The text as HTML: `code` in backticks, everything else escaped."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))

"""Exercises of the notebooks: an answer, and whether it is right, found out by asking the target.

>>> from labkit.show.exercise import judge
>>> judge(answer, lambda given: given == 3, hint="AVG of integers is an integer.")
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth. True in a condition if it is right."""

    mark: str
    text: str

    def __bool__(self) -> bool:
        return self.mark == "✓"

    def __repr__(self) -> str:
        return f"{self.mark} {self.text}"

    def _repr_html_(self) -> str:
        colour = {"✓": "#1a7f37", "✗": "#b42318"}.get(self.mark, "#57606a")
        return f'<div><span style="color:{colour}">{self.mark}</span> {html.escape(self.text)}</div>'


def judge(answer: Any, is_right: Callable[[Any], bool], *, hint: str) -> Verdict:
    """The verdict on `answer`; None means that there is none yet.

    Args:
        answer: what the participant wrote.
        is_right: says whether it is; asked only where there is an answer. If it raises, the answer is of a wrong kind.
        hint: shown with a wrong answer.
    """
    if answer is None:
        return Verdict("○", "No answer yet: put yours into the cell above and run both again.")
    try:
        right = bool(is_right(answer))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        right = False
    return Verdict("✓", "Right.") if right else Verdict("✗", f"Not yet. {hint}")

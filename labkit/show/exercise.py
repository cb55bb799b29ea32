"""The notebooks' exercises: judges an answer by asking the target.

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
    """Whether an answer is right. True in a condition if it is."""

    mark: str
    text: str

    def __bool__(self) -> bool:
        return self.mark == "✓"

    def __repr__(self) -> str:
        return f"{self.mark} {self.text}"

    def _repr_html_(self) -> str:
        return f"<div><strong>{self.mark}</strong> {html.escape(self.text)}</div>"


def judge(answer: Any, is_right: Callable[[Any], bool], *, hint: str) -> Verdict:
    """Return the verdict on `answer`. The answer None means that there is no answer yet.

    Args:
        answer: what the participant wrote.
        is_right: returns whether the answer is right; called only if there is an answer. An answer of the wrong type
            may make it raise, which counts as wrong.
        hint: shown if the answer is wrong.
    """
    if answer is None:
        return Verdict("○", "No answer yet: put yours into the cell above and run both again.")
    try:
        right = bool(is_right(answer))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        right = False
    return Verdict("✓", "Right.") if right else Verdict("✗", f"Not yet. {hint}")

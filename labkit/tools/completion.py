"""Completion in notebooks: `lab.<Tab>` lists the steps in their order, then the verbs, and no internals.

IPython's own completers sort what they find, and look at the class as well as at `__dir__`. So a lab registers a
matcher of its own, the extension point that IPython has for this: IPython.core.completer.
"""

from __future__ import annotations

import re
from typing import Any

from labkit.steps.base import Step
from labkit.steps.lab_steps import LabSteps

BEFORE_CURSOR = re.compile(r"(?<![\w.)\]'\"])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(\w*)$")


def register(shell: Any) -> None:
    """Make the shell complete the names of labs and of their steps."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    matchers = shell.Completer.custom_matchers
    if any(getattr(matcher, "matcher_identifier", "") == "labkit" for matcher in matchers):
        return

    def labkit(context: Any) -> dict[str, Any]:
        begun, names = names_at(context.text_until_cursor, shell.user_ns)
        found = [SimpleCompletion(text=name, type=kind) for name, kind in names]
        return {"completions": found, "matched_fragment": begun, "ordered": True, "suppress": bool(found)}

    matchers.append(context_matcher(identifier="labkit", priority=1000)(labkit))


def names_at(text: str, variables: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """What has been typed of the last name in `text`, and the names that it may become, with their kinds, in order."""
    match = BEFORE_CURSOR.search(text)
    if match is None:
        return "", []
    first, *rest = match.group(1).split(".")
    thing = variables.get(first)
    for name in rest:
        thing = vars(thing).get(name) if isinstance(thing, LabSteps | Step) else None  # no property is evaluated
    if not isinstance(thing, LabSteps | Step):
        return "", []
    begun = match.group(2)
    return begun, [(name, _kind(thing, name)) for name in thing.__dir__() if name.startswith(begun)]


def _kind(thing: Any, name: str) -> str:
    return "function" if callable(getattr(type(thing), name, None)) else "instance"

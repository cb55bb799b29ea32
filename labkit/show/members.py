"""The members of labs and steps that participants use, in the order in which they use them, and how a step looks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from labkit.tables import escaped, html_table, text_table


def public_members(thing: Any, first: Sequence[str], internal: Iterable[str]) -> list[str]:
    """The public names of an object: `first`, then the others of its classes, in their order.

    Args:
        thing: the object.
        first: the names that come first.
        internal: the names that are only for the lab's own code.
    """
    classes = [kind for kind in type(thing).__mro__ if kind is not object]
    others = [name for kind in classes for name in vars(kind)]
    names = dict.fromkeys([*first, *others])
    return [name for name in names if (not name.startswith("_") and name not in internal and hasattr(type(thing), name))
            or (name in vars(thing) and name in first)]  # fmt: skip


def first_sentence(thing: Any) -> str:
    """The first line of a docstring, without its backticks."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("`", "")


def describe_step(step: Any, path: str) -> tuple[str, list[tuple[str, str]]]:
    """What a step is, in a few lines, and its methods with what they do. Nothing is looked up on the target."""
    lines = [f"{path} (notebook {step.notebook})", f"Makes {step.makes}.", first_sentence(type(step))]
    methods = [(f"{path}.{name}()", first_sentence(getattr(type(step), name)))
               for name in step.__dir__() if callable(getattr(type(step), name, None))]  # fmt: skip
    if "__call__" in vars(type(step)):
        methods.insert(0, (f"{path}(…)", first_sentence(type(step).__call__)))
    return "\n".join(lines), methods


def step_as_text(step: Any, path: str) -> str:
    """A step for a terminal."""
    about, methods = describe_step(step, path)
    return f"{about}\n{text_table(methods, longest=120)}"


def step_as_html(step: Any, path: str) -> str:
    """A step for a notebook."""
    about, methods = describe_step(step, path)
    title, _, rest = about.partition("\n")
    return f"<div><strong>{escaped(title)}</strong><br>{escaped(rest)}</div>{html_table(methods)}"

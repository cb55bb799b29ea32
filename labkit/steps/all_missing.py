"""An error about one missing step names all missing notebooks, so that nobody is sent from one to the next."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from labkit.errors import LabError, MissingStep

if TYPE_CHECKING:
    from labkit.steps.base import Step
    from labkit.steps.lab_steps import LabSteps

P = ParamSpec("P")
T = TypeVar("T")

NEVER_NEEDED = ("query", "reliability")
"""Steps that no later notebook needs."""


_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether one of these methods was called by another one. Only the outermost looks up what is missing."""


def names_all_missing(method: Callable[P, T]) -> Callable[P, T]:
    """A decorator for methods of a step or of the lab: if it raises MissingStep, the error names all missing notebooks.

    It looks them up only then. Of methods that call each other, the outermost does it.
    """

    @functools.wraps(method)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        asked: Any = arguments[0]  # self
        outermost = not _INSIDE.get()
        token = _INSIDE.set(True)
        try:
            return method(*arguments, **named)
        except MissingStep as error:
            if method.__name__ == "create":  # any other method may be called in a later notebook
                error.needed_by = asked.notebook
            if outermost:
                error.name_all(missing_notebooks(getattr(asked, "lab", asked)))
            raise
        finally:
            _INSIDE.reset(token)

    return call


def missing_notebooks(lab: LabSteps) -> tuple[str, ...]:
    """The notebooks of which something is not there yet, in order."""
    return tuple(sorted({step.notebook for step in _missing(lab)}))


def _missing(lab: LabSteps) -> Iterator[Step[Any]]:
    for step in lab.steps:
        if step.name not in NEVER_NEEDED:
            try:
                step.describe()
            except MissingStep:
                yield step
            except LabError:  # it can't be looked up; the error that is on its way says more
                continue

"""An error about one missing step names all missing notebooks, so that nobody is sent from one to the next."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from labkit.errors import LabError, MissingStep

if TYPE_CHECKING:
    from labkit.steps.base import Step
    from labkit.steps.lab_steps import LabSteps

T = TypeVar("T", bound=type)

NEVER_NEEDED = ("query", "reliability")
"""Steps that no later notebook needs."""


_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether one of these methods was called by another one. Only the outermost looks up what is missing."""


def names_all(cls: T) -> T:
    """Make the public methods of a step, or of the lab, name all missing notebooks when they raise MissingStep."""
    for name, method in list(vars(cls).items()):
        public = name == "__call__" or not name.startswith("_")
        if public and inspect.isfunction(method) and not inspect.isgeneratorfunction(method):
            setattr(cls, name, _naming_all(method))
    return cls


def _naming_all(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        outermost = not _INSIDE.get()
        token = _INSIDE.set(True)
        try:
            return method(self, *arguments, **named)
        except MissingStep as error:
            if method.__name__ == "create":  # any other method may be called in a later notebook
                error.needed_by = self.notebook
            if outermost:
                error.name_all(missing_notebooks(getattr(self, "lab", self)))
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

"""The base class of all steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labkit.errors import LabError, MissingStep
from labkit.names import Names
from labkit.show.display import Check, Described, Fact, Removed
from labkit.show.members import public_members, step_as_html, step_as_text

if TYPE_CHECKING:
    from labkit.steps.lab_steps import LabSteps

D = TypeVar("D", bound=Described)

VERBS = ("create", "check", "describe", "destroy")
"""What every step can do."""

INTERNAL = frozenset({
    "aws", "config", "delivery", "facts", "fix", "lab", "missing", "name", "names", "notebook", "own", "path",
    "tag_list",
    "create_role", "delete_policy", "delete_role", "delete", "deploy", "empty", "exists", "facts_of", "file_names",
    "has_bookmark", "has_policy", "last_success", "log_advice", "makes", "pause", "point_to", "put_policy", "resume",
    "rows_loaded", "run_that_loaded", "secret_arn", "unread",
})  # fmt: skip
"""Names that are for the lab's own code. They can be used, but completion and displays don't show them."""


class Step(ABC, Generic[D]):
    """One step of the lab. It creates resources on the target, describes them, checks them and destroys them.

    The methods are the lesson: each does in plain boto3 what a person would do in the console.
    """

    name: str
    """The step's name on `lab` and on the command line."""

    notebook: str
    """The notebook that teaches it."""

    makes: str
    """What `create` makes, in a few words."""

    path: str = ""
    """How a notebook accesses the step, if not as `lab.` and its name."""

    def __init__(self, lab: LabSteps) -> None:
        self.lab = lab
        self.config = lab.config
        self.aws: Callable[[str], Any] = lab.session.client

    @property
    def names(self) -> Names:
        """The names of everything on the target."""
        return self.lab.names

    @abstractmethod
    def create(self) -> D:
        """Create what is missing, update what differs, and describe the result."""

    @abstractmethod
    def describe(self) -> D:
        """Describe what this step has created.

        Raises:
            MissingStep: it is not there yet.
        """

    @abstractmethod
    def facts(self) -> Iterator[Fact]:
        """Yield the facts that `check` reports, one by one."""

    @abstractmethod
    def destroy(self) -> Removed:
        """Remove what `create` made. It is not an error if nothing is there."""

    def check(self) -> Check:
        """Check the target: what is as it should be, what isn't, and how to fix it."""
        found: list[Fact] = []
        try:
            found.extend(self.facts())
        except LabError as error:
            found.append(Fact(False, error.what, error.fix or error.where or self.fix))
        return Check(self.name, tuple(found))

    def __dir__(self) -> list[str]:
        """What participants use, in a useful order. Completion shows it."""
        steps = [name for name, value in vars(self).items() if isinstance(value, Step)]
        return public_members(self, (*VERBS, *steps), INTERNAL)

    def __repr__(self) -> str:
        return step_as_text(self, self.path or f"lab.{self.name}")

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        return step_as_html(self, self.path or f"lab.{self.name}")

    @property
    def fix(self) -> str:
        """The advice for a failed check of this step."""
        return f"run lab.{self.name}.create() (notebook {self.notebook}), or: labkit deploy {self.name}"

    def missing(self, what: str, *, fix: str = "") -> MissingStep:
        """The error for a missing part of this step. Pass `fix` if the part is not made by `create`."""
        return MissingStep(what, step=self.name, notebook=self.notebook, fix=fix)

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The lab's tags in the form that most services take: [{"Key": …, "Value": …}]."""
        return [{"Key": key, "Value": value} for key, value in self.config.new_tags.items()]

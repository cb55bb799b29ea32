"""The base class of all steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labkit.errors import LabError, MissingStep
from labkit.names import Names
from labkit.show.display import Check, Described, Fact, Removed
from labkit.steps.all_missing import names_all

if TYPE_CHECKING:
    from labkit.steps.lab_steps import LabSteps

D = TypeVar("D", bound=Described)


class Step(ABC, Generic[D]):
    """One step of the lab. It creates resources on the target, describes them, checks them and destroys them.

    The methods are the lesson: each does in plain boto3 what a person would do in the console.
    """

    name: str
    """The step's name on `lab` and on the command line."""

    notebook: str
    """The notebook that teaches it."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        names_all(cls)

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

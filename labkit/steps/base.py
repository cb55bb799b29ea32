"""What all steps have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labkit.config import LabConfig
from labkit.errors import AwsRefused, LabError, MissingStep
from labkit.names import Names
from labkit.show.display import Check, Described, Fact, Removed
from labkit.show.waiting import wait_for

if TYPE_CHECKING:
    from labkit.lab import Lab

D = TypeVar("D", bound=Described)


class Step(ABC, Generic[D]):
    """One step of the lab: what it makes on the target, seen, made, checked and taken away.

    The methods are the lesson: each says in plain boto3 what a person would click in the console.
    """

    name: str
    """How it is called on `lab` and on the command line."""

    notebook: str
    """The notebook that teaches it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.config = lab.config
        self.aws: Callable[[str], Any] = lab.session.client

    @property
    def names(self) -> Names:
        """The names of everything on the target."""
        return self.lab.names

    @abstractmethod
    def create(self) -> D:
        """Make what is missing, bring what differs into line, and describe the result."""

    @abstractmethod
    def describe(self) -> D:
        """What is there.

        Raises:
            MissingStep: it is not there yet.
        """

    @abstractmethod
    def facts(self) -> Iterator[Fact]:
        """What `check` looks at, one thing after the other."""

    @abstractmethod
    def destroy(self) -> Removed:
        """Take away what `create` made; fine if nothing is there."""

    def check(self) -> Check:
        """Look at the target: what holds, what doesn't, and what to do about it."""
        found: list[Fact] = []
        try:
            found.extend(self.facts())
        except LabError as error:
            found.append(Fact(False, error.what, error.fix or error.where or self.fix))
        return Check(self.name, tuple(found))

    @property
    def fix(self) -> str:
        """The advice for a fact of this step that doesn't hold."""
        return f"run lab.{self.name}.create() (notebook {self.notebook}), or: labkit deploy {self.name}"

    def missing(self, what: str, *, fix: str = "") -> MissingStep:
        """The error for something of this step that is not there; `fix` where `create` is not what makes it."""
        return MissingStep(what, step=self.name, notebook=self.notebook, fix=fix)

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The lab's tags in the form that most services take: [{"Key": …, "Value": …}]."""
        return [{"Key": key, "Value": value} for key, value in self.config.tags.items()]


def retry(what: str, call: Callable[[], Any], *refusals: str, config: LabConfig) -> None:
    """Make a call that uses what was made a moment ago, again and again until AWS knows of it everywhere.

    Args:
        what: what the call makes, for the message.
        call: the call.
        refusals: parts of AWS's words for "not known yet"; any other refusal is raised.
        config: for `poll_seconds` and `wait_minutes`.

    Raises:
        AwsRefused: AWS refused for another reason.
        WaitTimeout: it is not known within `wait_minutes`.
    """

    def attempt() -> tuple[str, bool | None]:
        try:
            call()
        except AwsRefused as error:
            if any(words in str(error) for words in refusals):
                return str(error), None
            raise
        return "made", True

    wait_for(what, attempt, config=config, go_on="Run it again.", quiet=True)


def found(call: Callable[..., Any], **arguments: Any) -> Any:
    """What an AWS call that looks something up returns, or None if it isn't there."""
    try:
        return call(**arguments)
    except AwsRefused as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: AwsRefused) -> bool:
    """Does AWS say that something does not exist?"""
    return error.means_missing

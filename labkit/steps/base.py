"""What all steps have in common."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import ClientError

from labkit.display import Check, Described, Fact, Removed
from labkit.errors import LabError, MissingStep
from labkit.names import Names
from labkit.session import explained

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

    def __init_subclass__(cls, **arguments: Any) -> None:
        """AWS's errors leave a step's public methods as the lab's, with what to do about them."""
        super().__init_subclass__(**arguments)
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__"):
                setattr(cls, name, _explaining(method))

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

    def missing(self, what: str) -> MissingStep:
        """The error for something of this step that is not there."""
        return MissingStep(what, step=self.name, notebook=self.notebook)

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The lab's tags in the form that most services take: [{"Key": …, "Value": …}]."""
        return [{"Key": key, "Value": value} for key, value in self.config.tags.items()]


def _explaining(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(step: Step[Any], *arguments: Any, **named: Any) -> Any:
        with explained(step.config):
            return method(step, *arguments, **named)

    return call


def found(call: Callable[..., Any], **arguments: Any) -> Any:
    """What an AWS call that looks something up returns, or None if it isn't there."""
    try:
        return call(**arguments)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: ClientError) -> bool:
    """Does AWS say that something does not exist?"""
    return error.response["Error"]["Code"] in NOT_THERE


NOT_THERE = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ClusterNotFound",
    "ClusterSubnetGroupNotFoundFault",
    "EntityNotFoundException",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchPublicAccessBlockConfiguration",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}

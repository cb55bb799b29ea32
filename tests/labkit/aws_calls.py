"""Records the AWS calls that a lab makes, with their parameters, and runs a lab with the settings of AWS."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from labkit import Lab

AS_ON_AWS: dict[str, Any] = {
    "interface_endpoints": ("secretsmanager", "glue"),
    "account_in_bucket_names": True,
    "ask_before_create": True,
    "expires_days": 2,
}
"""The settings of the target AWS that the embedded AWS can follow."""


@dataclass
class Recorded:
    """The calls of one lab, in order: (service, operation, parameters)."""

    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of this operation."""
        return [parameters for _, name, parameters in self.calls if name == operation]

    def listen(self, lab: Lab) -> None:
        """Record the calls of the clients that the lab creates from now on."""

        def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.calls.append((model.service_model.service_name, model.name, dict(params)))

        lab.session._boto3.events.register("provide-client-params.*.*", keep)


@contextlib.contextmanager
def typed(*answers: str) -> Iterator[list[str]]:
    """Inside this, somebody types these answers; after the last one, nobody is there. Yields the questions."""
    questions: list[str] = []
    left = iter(answers)

    def answer(question: str) -> str:
        questions.append(question)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.input", answer)
        yield questions


def whole_pass(make_lab: Callable[..., Lab], prefix: str, **settings: Any) -> tuple[Lab, Recorded, list[str]]:
    """Deploy, send, check and destroy a lab with the settings of AWS. Returns it, its calls, and what it asked."""
    recorded = Recorded()
    lab = make_lab(prefix, **(AS_ON_AWS | settings))
    recorded.listen(lab)
    with typed(prefix) as questions:
        lab.deploy()
    lab.follow(lab.send(rows=3))
    assert lab.check().ok, lab.check()
    assert lab.counts().agree
    lab.destroy()
    return lab, recorded, questions

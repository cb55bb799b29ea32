"""Which backends a server has."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest


def _not_ours() -> list[str]:
    # Imports as a server makes them: one that makes a backend too early would leave that service to moto.
    from localaws.core.context import ACCOUNT_ID
    from localaws.server import backends, process

    assert process.backends is backends
    backends.register()
    made = [each[ACCOUNT_ID]["us-east-1" if "us-east-1" in each[ACCOUNT_ID].regions else "aws"]
            for each, _ in backends._REPLACED]  # fmt: skip
    return [type(each).__module__ for each in made if not type(each).__module__.startswith("localaws.")]


def _register_after_a_backend_was_made() -> str:
    from moto.sns.models import sns_backends

    from localaws.server import backends

    assert sns_backends["123456789012"]["us-east-1"]
    with pytest.raises(RuntimeError) as refused:
        backends.register()
    return str(refused.value)


@pytest.fixture
def elsewhere() -> ProcessPoolExecutor:
    """A process of its own: moto's backends are there once a process."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def test_every_backend_of_a_server_comes_from_this_package(elsewhere: ProcessPoolExecutor) -> None:
    with elsewhere:
        assert not elsewhere.submit(_not_ours).result()


def test_registering_a_backend_too_late_is_an_error(elsewhere: ProcessPoolExecutor) -> None:
    with elsewhere:
        assert "LocalSNSBackend is registered too late" in elsewhere.submit(_register_after_a_backend_was_made).result()

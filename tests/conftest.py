"""Fixtures that all tests share: a real embedded AWS on a fresh home."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import localaws

collect_ignore = ["clients"]  # `make test-clients` runs them in their own environment
_counter = itertools.count(1)

# Tests that share a slow fixture run in the same process (`make test` has two processes), the slowest first.
_TOGETHER = (
    "pipeline",
    "labkit",
    "tasks",
    "localaws/jobs",
    "localaws/redshift",
    "localaws/workflow",
    "localaws/crawler",
    "localaws/functions",
)


def _group(nodeid: str) -> str:
    """Return the group that a test runs in: its directory, if that is in _TOGETHER, else its file."""
    file = nodeid.partition("::")[0].removeprefix("tests/")
    return next((directory for directory in _TOGETHER if file.startswith(f"{directory}/")), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the slowest groups first."""
    order = {directory: place for place, directory in enumerate(_TOGETHER)}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process one group at a time. (xdist's own --dist loadgroup loses the groups with pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[localaws.Status]:
    """One embedded AWS for the whole test run. Tests use their own names, so they don't affect each other."""
    home = tmp_path_factory.mktemp("lab")
    status = localaws.start(home)
    try:
        yield status
    finally:
        localaws.stop(home)


@pytest.fixture(scope="session")
def aws(stack: localaws.Status) -> Callable[..., Any]:
    """`aws("glue")` is a boto3 client of the embedded AWS."""
    session = boto3.Session(
        aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key,
        region_name=stack.region,
    )

    def client(service: str, region: str | None = None, **kwargs: Any) -> Any:
        return session.client(service, endpoint_url=stack.endpoint_url, region_name=region, **kwargs)

    return client


@pytest.fixture
def unique() -> Callable[[str], str]:
    """`unique("job")` is a name that no other test of this run uses."""
    return lambda stem: f"{stem}{os.getpid()}x{next(_counter)}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prevent tests from reaching a real account or another lab through the shell's variables, or writing to runs/."""
    colours = {"FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"}  # the tests read what programs print
    for name in [name for name in os.environ if name.startswith(("AWS_", "PG", "LABKIT_")) or name in colours]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["LABKIT_RUNS"] = str(tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True)
def _environment_is_left_as_it_was(_own_environment: None) -> Iterator[None]:
    """Fail a test that changes the environment for those after it."""
    before = _environment()
    yield
    after = _environment()
    for name in after.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
    assert after == before


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

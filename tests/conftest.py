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

_counter = itertools.count(1)

# Tests that share something that takes long to make run in one process (`make test` has two), the slowest first.
_TOGETHER = (
    "pipeline",
    "labkit",
    "localaws/jobs",
    "localaws/redshift",
    "localaws/workflow",
    "localaws/crawler",
    "localaws/functions",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests run in one process: a directory's of _TOGETHER, else a file's."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    here = Path(__file__).parent

    def group(item: pytest.Item) -> str:
        file = item.path.relative_to(here).as_posix() if item.path.is_relative_to(here) else str(item.path)
        return next((directory for directory in _TOGETHER if file.startswith(f"{directory}/")), file)

    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    order = {directory: place for place, directory in enumerate(_TOGETHER)}
    items.sort(key=lambda item: order.get(group(item), len(order)))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[localaws.Status]:
    """One embedded AWS for the whole test run. Tests keep apart by using names of their own."""
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
def _own_environment() -> None:
    """No test may reach a real account, or another lab, by what the caller's shell has set."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PG", "LABKIT_"))]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

"""Fixtures for tests of crawlers: a role, and a crawler on a bucket of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crawled import Crawled, make_crawled, make_role


@pytest.fixture(scope="session")
def glue_role(aws: Callable[..., Any]) -> str:
    """The name of a role that Glue may assume."""
    return make_role(aws("iam"), "CrawlerTestsRole")


@pytest.fixture
def crawled(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str) -> Crawled:
    """A crawler on an empty bucket."""
    return make_crawled(aws, unique, glue_role)


@pytest.fixture
def new_crawled(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str) -> Callable[..., Crawled]:
    """`new_crawled("folder/", TablePrefix="x_")`: a crawler with settings of its own."""
    return lambda path="", **settings: make_crawled(aws, unique, glue_role, path, **settings)

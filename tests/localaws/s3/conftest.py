"""Fixtures for tests of S3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def s3(aws: Callable[..., Any]) -> Any:
    """A client with the lab's own key."""
    return aws("s3")


@pytest.fixture
def bucket(s3: Any, unique: Callable[[str], str]) -> str:
    """The name of a new bucket."""
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    return name

"""What tests of crawlers share: a role, and a crawler on a bucket of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from crawled import Crawled, make_crawled

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

_EVERYTHING = ["s3:*", "glue:*", "logs:*", "sqs:*", "secretsmanager:*", "ec2:*"]
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": _EVERYTHING, "Resource": "*"}],
}


@pytest.fixture(scope="session")
def glue_role(aws: Callable[..., Any]) -> str:
    """The name of a role that Glue may assume."""
    name = "CrawlerTestsRole"
    aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    aws("iam").put_role_policy(RoleName=name, PolicyName="crawls", PolicyDocument=json.dumps(ALLOWED))
    return name


@pytest.fixture
def crawled(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str) -> Crawled:
    """A crawler on an empty bucket."""
    return make_crawled(aws, unique, glue_role)


@pytest.fixture
def new_crawled(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str) -> Callable[..., Crawled]:
    """`new_crawled("folder/", TablePrefix="x_")`: a crawler with settings of its own."""
    return lambda path="", **settings: make_crawled(aws, unique, glue_role, path, **settings)

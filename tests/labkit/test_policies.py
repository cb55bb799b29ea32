"""Each action of each statement of the lab's policies is justified.

*Proven*: without the action, the part that needs it gets AWS's AccessDenied, and with the action it works. *AWS only*:
the action is needed only on AWS, as the page says. The cases are read from labkit.policies, so a new statement without
an entry here fails.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from policy_proofs import Denied, Stage

from labkit import Lab, policies
from labkit.config import LabConfig
from labkit.names import Names
from labkit.steps.reliability import POLICY_NAME as EXACTLY_ONCE
from labkit.steps.roles import POLICY_NAME

PREFIX, REGION, ACCOUNT = "kit", "us-east-1", "123456789012"
NAMES = Names.of(LabConfig(prefix=PREFIX), ACCOUNT)
POLICIES = {
    (NAMES.generator_role, POLICY_NAME): policies.generator(NAMES, REGION, ACCOUNT),
    (NAMES.start_role, POLICY_NAME): policies.start_function(NAMES, REGION, ACCOUNT),
    (NAMES.copy_role, POLICY_NAME): policies.copy(NAMES),
    (NAMES.glue_role, POLICY_NAME): policies.glue(NAMES, REGION, ACCOUNT),
    (NAMES.reliable_start_role, EXACTLY_ONCE): policies.start_reliably(NAMES, REGION, ACCOUNT),
    (NAMES.glue_role, EXACTLY_ONCE): policies.exactly_once_job(NAMES, REGION, ACCOUNT),
}
"""(role, name of the policy) → the policy."""
CASES = [
    (role, name, statement["Sid"], action)
    for (role, name), policy in POLICIES.items()
    for statement in policy["Statement"]
    for action in statement["Action"]
]

_GLUE_ROLE = "https://docs.aws.amazon.com/glue/latest/dg/create-service-policy.html"
_BOOKMARKS = "https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"
_RUNTIME = "AWS gives Glue's role glue:*, and doesn't say which calls the runtime makes about its own job; here none"
AWS_ONLY = {
    ("LocateBuckets", "s3:GetBucketLocation"): (
        "Glue asks in which region a bucket is; here a bucket is reached from every region", _GLUE_ROLE,
    ),
    ("Bookmarks", "glue:GetJobBookmark"): (
        "the runtime's Job reads the bookmark by an API call; here the engine hands it over", _BOOKMARKS,
    ),
    ("JobState", "glue:GetJob"): (_RUNTIME, _GLUE_ROLE),
    ("JobState", "glue:GetJobRun"): (_RUNTIME, _GLUE_ROLE),
}  # fmt: skip

_EC2 = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html"
_GLUE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html"
ANY_RESOURCE = {
    "glue:GetJobBookmark": _GLUE,
    "ec2:DescribeSubnets": _EC2,
    "ec2:DescribeSecurityGroups": _EC2,
    "ec2:DescribeRouteTables": _EC2,
    "ec2:DescribeVpcEndpoints": _EC2,
    "ec2:DescribeVpcAttribute": _EC2,
    "ec2:DescribeNetworkInterfaces": _EC2,
}
"""The actions that AWS limits to no resource, each with its page: "*" is all that it takes."""

PROOFS: dict[tuple[str, str], Callable[[Stage], object]] = {
    ("LandFiles", "s3:PutObject"): Stage.land_a_file,
    ("CreateLogGroup", "logs:CreateLogGroup"): Stage.log_into_a_new_group,
    ("WriteLogs", "logs:CreateLogStream"): Stage.log_into_a_new_stream,
    ("WriteLogs", "logs:PutLogEvents"): Stage.log,
    ("StartWorkflow", "glue:StartWorkflowRun"): Stage.start_a_workflow_run,
    ("SeeRuns", "glue:GetWorkflowRuns"): Stage.look_at_workflow_runs,
    ("SeeWhatIsUnderWay", "glue:GetCrawler"): Stage.look_at_the_crawler,
    ("SeeWhatIsUnderWay", "glue:GetJobRuns"): Stage.look_at_job_runs,
    ("KeepMarkers", "s3:PutObject"): Stage.put_a_marker,
    ("KeepMarkers", "s3:DeleteObject"): Stage.delete_a_marker,
    ("FindMarkers", "s3:ListBucket"): Stage.find_markers,
    ("HandOver", "sqs:GetQueueUrl"): Stage.find_the_queue,
    ("HandOver", "sqs:SendMessage"): Stage.hand_over,
    ("BeInvokedByQueue", "sqs:ReceiveMessage"): Stage.receive_messages,
    ("BeInvokedByQueue", "sqs:DeleteMessage"): Stage.delete_a_message,
    ("BeInvokedByQueue", "sqs:GetQueueAttributes"): Stage.look_at_the_queue,
    ("BeInvokedByQueue", "sqs:ChangeMessageVisibility"): Stage.hide_a_message,
    ("ListStaging", "s3:ListBucket"): Stage.copy_a_prefix,
    ("ReadStaging", "s3:GetObject"): Stage.copy_a_prefix,
    ("ListBuckets", "s3:ListBucket"): Stage.crawl_s3,
    ("ListLandedVersions", "s3:ListBucketVersions"): Stage.list_versions,
    ("ReadLandingAndStaging", "s3:GetObject"): Stage.run_the_job,
    ("ReadLandedVersions", "s3:GetObjectVersion"): Stage.read_a_version,
    ("WriteStaging", "s3:PutObject"): Stage.stage_a_file,
    ("DeleteMarkers", "s3:DeleteObject"): Stage.delete_a_marker,
    ("Catalog", "glue:GetDatabase"): Stage.crawl_redshift,
    ("Catalog", "glue:GetTable"): Stage.look_at_a_table,
    ("Catalog", "glue:GetTables"): Stage.crawl_s3,
    ("Catalog", "glue:CreateTable"): Stage.crawl_a_table_that_is_not_there,
    ("Catalog", "glue:UpdateTable"): Stage.crawl_a_table_that_differs,
    ("Partitions", "glue:BatchCreatePartition"): Stage.add_a_partition,
    ("Partitions", "glue:UpdatePartition"): Stage.change_a_partition,
    ("Partitions", "glue:GetPartitions"): Stage.look_at_partitions,
    ("UseConnection", "glue:GetConnection"): Stage.crawl_redshift,
    ("RunProperties", "glue:GetWorkflowRunProperties"): Stage.look_at_run_properties,
    ("ReadSecret", "secretsmanager:GetSecretValue"): Stage.crawl_redshift,
    ("Logs", "logs:CreateLogGroup"): Stage.crawl_into_a_new_log_group,
    ("Logs", "logs:CreateLogStream"): Stage.crawl_into_a_new_log_stream,
    ("Logs", "logs:PutLogEvents"): Stage.crawl_with_a_log,
    **{("LookAtNetwork", action): Stage.crawl_redshift for action in ANY_RESOURCE if action.startswith("ec2:")},
    ("CreateInterfaces", "ec2:CreateNetworkInterface"): Stage.crawl_redshift,
    ("KeepInterfaces", "ec2:DeleteNetworkInterface"): Stage.crawl_redshift,
    ("KeepInterfaces", "ec2:CreateTags"): Stage.crawl_redshift,
    ("KeepInterfaces", "ec2:DeleteTags"): Stage.crawl_redshift,
}


@pytest.fixture(scope="module")
def stage(lab: Lab) -> Iterator[Stage]:
    """The deployed lab, with a session of each role."""
    assert lab.names == NAMES
    with Stage.of(lab) as made:
        yield made


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(
    ("role", "policy", "sid", "action"),
    [case for case in CASES if case[2:] not in AWS_ONLY],
    ids=lambda value: value.removeprefix(f"{PREFIX}-"),
)
def test_each_action_that_the_lab_s_policies_allow_is_needed(
    stage: Stage, role: str, policy: str, sid: str, action: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"""
    proof = PROOFS.get((sid, action))
    assert proof is not None, f"{sid} allows {action}: prove here that something needs it, or say why only AWS does"
    stage.role = role
    with without(stage.lab, role, policy, sid, action), pytest.raises(Denied) as denied:
        proof(stage)
    assert denied.value.names(action)
    proof(stage)


def test_actions_that_only_aws_needs_are_in_the_policies_and_have_a_page_of_aws() -> None:
    allowed = {(sid, action) for _, _, sid, action in CASES}
    assert set(AWS_ONLY) <= allowed
    assert set(PROOFS) <= allowed, "nothing allows this any more"
    for reason, page in AWS_ONLY.values():
        assert reason
        assert page.startswith("https://docs.aws.amazon.com/")


def test_no_action_is_a_wildcard_and_resources_are_wildcards_only_if_aws_requires_it() -> None:
    for (role, _), policy in POLICIES.items():
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not [action for action in statement["Action"] if "*" in action or "?" in action], role
            if "*" in statement["Resource"]:
                assert set(statement["Action"]) <= set(ANY_RESOURCE), (role, statement["Sid"])
                assert statement["Resource"] == ["*"]
    sids = [statement["Sid"] for policy in POLICIES.values() for statement in policy["Statement"]]
    assert all(sids)


def test_the_deployed_roles_have_exactly_these_policies(lab: Lab) -> None:
    iam = lab.session.client("iam")
    for (role, name), wanted in POLICIES.items():
        names = {policy for of, policy in POLICIES if of == role}
        assert set(iam.list_role_policies(RoleName=role)["PolicyNames"]) == names
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] == wanted


def test_enforcement_and_verification_can_each_be_turned_off_and_status_says_so(make_lab: Callable[..., Lab]) -> None:
    try:
        assert str(make_lab("kit", enforce_iam=False).up()) == "local AWS: up, IAM's policies are not enforced"
        assert not make_lab("kit").session.status().enforces_iam
        assert str(make_lab("kit", verify_signatures=False).up()) == "local AWS: up, signatures are not verified"
    finally:
        assert str(make_lab("kit").up()) == "local AWS: up"


@contextlib.contextmanager
def without(lab: Lab, role: str, policy: str, sid: str, action: str) -> Iterator[None]:
    """Inside this, a policy of the role lacks one action of one statement."""
    whole = POLICIES[role, policy]
    put = lab.session.client("iam").put_role_policy
    statements: list[dict[str, Any]] = []
    for statement in whole["Statement"]:
        left = [each for each in statement["Action"] if statement["Sid"] != sid or each != action]
        if left:
            statements.append({**statement, "Action": left})
    put(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps({**whole, "Statement": statements}))
    try:
        yield
    finally:
        put(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole))

"""Which actions on which resources a call needs, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.core.call import Call, S3Call
from localaws.iam import actions
from localaws.iam.actions import s3
from localaws.server.reading import read

GLUE, LAMBDA = "arn:aws:glue:us-east-1:123456789012", "arn:aws:lambda:us-east-1:123456789012"
REDSHIFT, SQS = "arn:aws:redshift:us-east-1:123456789012", "arn:aws:sqs:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/r"
CALLS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("glue:StartJobRun", {"JobName": "j"}, [("glue:StartJobRun", f"{GLUE}:job/j")]),
    ("glue:StartCrawler", {"Name": "c"}, [("glue:StartCrawler", f"{GLUE}:crawler/c")]),
    ("glue:StartTrigger", {"Name": "t"}, [("glue:StartTrigger", f"{GLUE}:trigger/t")]),
    ("glue:GetJobs", {}, [("glue:GetJobs", "*")]),
    (
        "glue:GetConnection",
        {"Name": "c"},
        [("glue:GetConnection", f"{GLUE}:catalog"), ("glue:GetConnection", f"{GLUE}:connection/c")],
    ),
    (
        "glue:BatchCreatePartition",
        {"DatabaseName": "d", "TableName": "t"},
        [("glue:BatchCreatePartition", f"{GLUE}:{part}") for part in ("catalog", "database/d", "table/d/t")],
    ),
    (
        "glue:UpdateJob",
        {"JobName": "j", "JobUpdate": {"Role": "r"}},
        [("glue:UpdateJob", f"{GLUE}:job/j"), ("iam:PassRole", ROLE)],
    ),
    (
        "glue:CreateCrawler",
        {"Name": "c", "Role": ROLE},
        [("glue:CreateCrawler", "*"), ("iam:PassRole", ROLE)],
    ),
    ("glue:BatchGetJobs", {"JobNames": ["a", "b"]}, [("glue:BatchGetJobs", f"{GLUE}:job/{each}") for each in "ab"]),
    (
        "lambda:GetLayerVersion",
        {"LayerName": "l", "VersionNumber": "2"},
        [("lambda:GetLayerVersion", f"{LAMBDA}:layer:l:2")],
    ),
    (
        "iam:AddRoleToInstanceProfile",
        {"InstanceProfileName": "p", "RoleName": "r"},
        [
            ("iam:AddRoleToInstanceProfile", "arn:aws:iam::123456789012:instance-profile/p"),
            ("iam:PassRole", ROLE),
        ],
    ),
    ("lambda:Invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", f"{LAMBDA}:function:f")]),
    (
        "lambda:Invoke",
        {"FunctionName": f"{LAMBDA}:function:f", "Qualifier": "live"},
        [("lambda:InvokeFunction", f"{LAMBDA}:function:f:live")],
    ),
    (
        "lambda:CreateFunction",
        {"FunctionName": "f", "Role": ROLE},
        [("lambda:CreateFunction", f"{LAMBDA}:function:f"), ("iam:PassRole", ROLE)],
    ),
    ("lambda:ListFunctions", {}, [("lambda:ListFunctions", "*")]),
    ("sqs:SendMessageBatch", {"QueueUrl": "http://127.0.0.1/123456789012/q"}, [("sqs:SendMessage", f"{SQS}:q")]),
    ("sqs:GetQueueUrl", {"QueueName": "q"}, [("sqs:GetQueueUrl", f"{SQS}:q")]),
    (
        "sqs:StartMessageMoveTask",
        {"SourceArn": f"{SQS}:dead", "DestinationArn": f"{SQS}:q"},
        [
            ("sqs:StartMessageMoveTask", f"{SQS}:dead"), ("sqs:ReceiveMessage", f"{SQS}:dead"),
            ("sqs:DeleteMessage", f"{SQS}:dead"), ("sqs:GetQueueAttributes", f"{SQS}:dead"),
            ("sqs:SendMessage", f"{SQS}:q"),
        ],
    ),
    (
        "redshift:CreateCluster",
        {"ClusterIdentifier": "c", "IamRoles.IamRoleArn.1": ROLE},
        [("redshift:CreateCluster", f"{REDSHIFT}:cluster:c"), ("iam:PassRole", ROLE)],
    ),
    (
        "redshift:GetClusterCredentials",
        {"ClusterIdentifier": "c", "DbUser": "u", "DbName": "d"},
        [("redshift:GetClusterCredentials", f"{REDSHIFT}:dbuser:c/u"),
         ("redshift:GetClusterCredentials", f"{REDSHIFT}:dbname:c/d")],
    ),
    (
        "redshift-data:ExecuteStatement",
        {"ClusterIdentifier": "c", "Database": "d", "DbUser": "u", "Sql": "select 1"},
        [("redshift-data:ExecuteStatement", f"{REDSHIFT}:cluster:c"),
         ("redshift:GetClusterCredentials", f"{REDSHIFT}:dbuser:c/u")],
    ),
    (
        "redshift-data:ExecuteStatement",
        {"ClusterIdentifier": "c", "Database": "d", "Sql": "select 1"},
        [("redshift-data:ExecuteStatement", f"{REDSHIFT}:cluster:c"),
         ("redshift:GetClusterCredentialsWithIAM", f"{REDSHIFT}:dbname:c/d")],
    ),
    ("redshift-data:DescribeStatement", {"Id": "x"}, [("redshift-data:DescribeStatement", "*")]),
    ("kms:Decrypt", {"KeyId": "k"}, [("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/k")]),
    ("iam:GetRole", {"RoleName": "r"}, [("iam:GetRole", ROLE)]),
    ("ec2:DescribeVpcs", {}, [("ec2:DescribeVpcs", "*")]),
    ("monitoring:PutMetricData", {}, [("cloudwatch:PutMetricData", "*")]),
    (
        "logs:FilterLogEvents",
        {"logGroupName": "/g"},
        [("logs:FilterLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/g:log-stream:")],
    ),
]  # fmt: skip
S3_REQUESTS = [
    ("GET", "/", "", ["s3:ListAllMyBuckets *"]),
    ("GET", "/b", "list-type=2&prefix=x", ["s3:ListBucket b"]),
    ("HEAD", "/b", "", ["s3:ListBucket b"]),
    ("GET", "/b/", "location", ["s3:GetBucketLocation b"]),
    ("GET", "/b", "versions", ["s3:ListBucketVersions b"]),
    ("PUT", "/b", "", ["s3:CreateBucket b"]),
    ("DELETE", "/b", "", ["s3:DeleteBucket b"]),
    ("PUT", "/b", "notification", ["s3:PutBucketNotification b"]),
    ("PUT", "/b", "versioning", ["s3:PutBucketVersioning b"]),
    ("DELETE", "/b", "cors", ["s3:PutBucketCORS b"]),
    ("DELETE", "/b", "policy", ["s3:DeleteBucketPolicy b"]),
    ("HEAD", "/b/k", "", ["s3:GetObject b/k"]),
    ("GET", "/b/k", "versionId=1", ["s3:GetObjectVersion b/k"]),
    ("GET", "/b/k", "tagging", ["s3:GetObjectTagging b/k"]),
    ("PUT", "/b/k", "acl", ["s3:PutObjectAcl b/k"]),
    ("DELETE", "/b/k", "versionId=1", ["s3:DeleteObjectVersion b/k"]),
    ("POST", "/b/k", "uploads", ["s3:PutObject b/k"]),
    ("PUT", "/b/k", "partNumber=1&uploadId=u", ["s3:PutObject b/k"]),
    ("POST", "/b/k", "uploadId=u", ["s3:PutObject b/k"]),
    ("GET", "/b/k", "uploadId=u", ["s3:ListMultipartUploadParts b/k"]),
    ("DELETE", "/b/k", "uploadId=u", ["s3:AbortMultipartUpload b/k"]),
]


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("call", "given", "needed"), CALLS, ids=[call for call, _, _ in CALLS])
def test_a_call_needs_permission_for_its_actions_on_its_resources(
    call: str, given: dict[str, Any], needed: list[tuple[str, str]]
) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
    service, operation = call.split(":")
    found = actions.accesses(Call(service, operation, given, "us-east-1", "123456789012"))
    assert [(access.action, access.resource) for access in found] == needed


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("method", "path", "query", "needed"), S3_REQUESTS)
def test_a_request_to_s3_needs_permission_for_the_actions_of_its_operation(
    method: str, path: str, query: str, needed: list[str]
) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    call = read(environ).call
    assert isinstance(call, S3Call)
    found = [f"{access.action} {access.resource.removeprefix('arn:aws:s3:::')}" for access in s3.accesses(call)]
    assert found == needed

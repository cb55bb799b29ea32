"""The IAM policy of each role. It allows only what the role needs, and names resources wherever AWS supports that.

The resource is `*` only where AWS supports nothing narrower: in the EC2 calls with which Glue looks at a subnet
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html). tests/labkit/test_policies.py
shows or says why each statement is needed.
"""

from __future__ import annotations

from typing import Any

from labkit.names import Names

Policy = dict[str, Any]


def trust(service: str) -> Policy:
    """The trust policy that lets one AWS service assume a role, e.g. "lambda.amazonaws.com"."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
        ],
    }


def generator(names: Names, region: str, account: str) -> Policy:
    """The generator function lands files and writes logs."""
    return _policy(
        _allow("LandFiles", ["s3:PutObject"], [f"arn:aws:s3:::{names.landing_bucket}/*"]),
        *_function_logs(names.generator_function, region, account),
    )


def start_function(names: Names, region: str, account: str) -> Policy:
    """The start function starts the workflow and writes logs."""
    workflow = f"arn:aws:glue:{region}:{account}:workflow/{names.workflow}"
    return _policy(
        _allow("StartWorkflow", ["glue:StartWorkflowRun"], [workflow]),
        *_function_logs(names.start_function, region, account),
    )


def start_reliably(names: Names, region: str, account: str) -> Policy:
    """The exactly-once delivery's start function starts runs, looks at runs, keeps markers, and writes logs."""
    here, queues = f"arn:aws:glue:{region}:{account}", f"arn:aws:sqs:{region}:{account}"
    staging = f"arn:aws:s3:::{names.staging_bucket}"
    return _policy(
        _allow("StartWorkflow", ["glue:StartWorkflowRun"], [f"{here}:workflow/{names.exactly_once_workflow}"]),
        _allow("SeeRuns", ["glue:GetWorkflowRuns"], [f"{here}:workflow/{names.exactly_once_workflow}"]),
        _allow("SeeWhatIsUnderWay", ["glue:GetCrawler", "glue:GetJobRuns"],
               [f"{here}:crawler/{names.s3_crawler}", f"{here}:job/{names.exactly_once_job}"]),
        _allow("KeepMarkers", ["s3:PutObject", "s3:DeleteObject"], [f"{staging}/landed/*"]),
        _allow("FindMarkers", ["s3:ListBucket"], [staging]),
        _allow("HandOver", ["sqs:GetQueueUrl", "sqs:SendMessage"],
               [f"{queues}:{names.retry_queue}", f"{queues}:{names.dead_letter_queue}"]),
        _allow(
            "BeInvokedByQueue",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            [f"{queues}:{names.retry_queue}"],
        ),
        *_function_logs(names.reliable_start_function, region, account),
    )  # fmt: skip


def exactly_once_job(names: Names, region: str, account: str) -> Policy:
    """What the exactly-once job needs in addition to the described job.

    It reads object versions, uses markers, and looks up why it was started.
    """
    here = f"arn:aws:glue:{region}:{account}"
    landing, staging = (f"arn:aws:s3:::{bucket}" for bucket in (names.landing_bucket, names.staging_bucket))
    return _policy(
        _allow("ListLandedVersions", ["s3:ListBucketVersions"], [landing]),
        _allow("ReadLandedVersions", ["s3:GetObjectVersion"], [f"{landing}/*"]),
        _allow("DeleteMarkers", ["s3:DeleteObject"], [f"{staging}/landed/*"]),
        _allow("RunProperties", ["glue:GetWorkflowRunProperties"], [f"{here}:workflow/{names.exactly_once_workflow}"]),
        _allow("JobState", ["glue:GetJob", "glue:GetJobRun"], [f"{here}:job/{names.exactly_once_job}"]),
    )  # fmt: skip


def copy(names: Names) -> Policy:
    """Redshift's COPY reads the files that the job staged."""
    return _policy(
        _allow("ListStaging", ["s3:ListBucket"], [f"arn:aws:s3:::{names.staging_bucket}"]),
        _allow("ReadStaging", ["s3:GetObject"], [f"arn:aws:s3:::{names.staging_bucket}/*"]),
    )


def glue(names: Names, region: str, account: str) -> Policy:
    """Crawlers and the job read the landed files, update the catalog, stage files, and connect to Redshift."""
    here = f"arn:aws:glue:{region}:{account}"
    landing, staging = (f"arn:aws:s3:::{bucket}" for bucket in (names.landing_bucket, names.staging_bucket))
    logs, ec2 = f"arn:aws:logs:{region}:{account}:log-group:/aws-glue/*:*", f"arn:aws:ec2:{region}:{account}"
    return _policy(
        _allow("ListBuckets", ["s3:ListBucket"], [landing, staging]),
        _allow("LocateBuckets", ["s3:GetBucketLocation"], [landing, staging]),
        _allow("ReadLandingAndStaging", ["s3:GetObject"], [f"{landing}/*", f"{staging}/*"]),
        _allow("WriteStaging", ["s3:PutObject"], [f"{staging}/*"]),
        _allow(
            "Catalog",
            ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"],
            [f"{here}:catalog", f"{here}:database/{names.glue_database}", f"{here}:table/{names.glue_database}/*"],
        ),
        # For files in folders: a crawler makes a partition of each folder, and the described job reads by partition.
        _allow(
            "Partitions",
            ["glue:BatchCreatePartition", "glue:UpdatePartition", "glue:GetPartitions"],
            [f"{here}:catalog", f"{here}:database/{names.glue_database}", f"{here}:table/{names.glue_database}/*"],
        ),
        _allow("UseConnection", ["glue:GetConnection"], [f"{here}:catalog", f"{here}:connection/{names.connection}"]),
        _allow("JobState", ["glue:GetJob", "glue:GetJobRun"], [f"{here}:job/{names.job}"]),
        _allow("Bookmarks", ["glue:GetJobBookmark"], ["*"]),  # AWS limits it to no job
        _allow("ReadSecret", ["secretsmanager:GetSecretValue"],
               [f"arn:aws:secretsmanager:{region}:{account}:secret:{names.secret}-*"]),
        _allow("Logs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [logs]),
        _allow(
            "LookAtNetwork",
            [
                "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables",
                "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcAttribute", "ec2:DescribeNetworkInterfaces",
            ],
            ["*"],
        ),
        _allow("CreateInterfaces", ["ec2:CreateNetworkInterface"],
               [f"{ec2}:subnet/*", f"{ec2}:security-group/*", f"{ec2}:network-interface/*"]),
        _allow("KeepInterfaces", ["ec2:DeleteNetworkInterface", "ec2:CreateTags", "ec2:DeleteTags"],
               [f"{ec2}:network-interface/*"]),
    )  # fmt: skip


def _function_logs(function: str, region: str, account: str) -> tuple[Policy, Policy]:
    group = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{function}"
    return (
        _allow("CreateLogGroup", ["logs:CreateLogGroup"], [f"{group}:*"]),
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:*"]),
    )


def _allow(sid: str, actions: list[str], resources: list[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _policy(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}

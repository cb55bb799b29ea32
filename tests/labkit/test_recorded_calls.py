"""The AWS calls that a lab records, and the AWS CLI commands that are made of them."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awscli
import botocore.session
import pytest
from IPython.core.interactiveshell import InteractiveShell

from labkit import Lab, LabError
from labkit.recorder import KEPT, Call, Content, Hidden, Recorder, without_secrets
from labkit.show.cli_commands import command
from labkit.show.made_calls import MadeCalls
from tests.labkit.aws_cli import AwsCli

ACCOUNT = "arn:aws:iam::123456789012"
PARAMETERS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "CreateBucket", {"Bucket": "landing-bucket"}),
    ("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "it's", "Value": '"quoted" $HOME'}]}}),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "by hand + ü.json"}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "MaxKeys": 5, "FetchOwner": False}),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": '{"Version": "2012-10-17"}', "Tags": []}),
    ("iam", "GetRolePolicy", {"RoleName": "r", "PolicyName": "-p"}),
    ("ec2", "ModifyVpcAttribute", {"VpcId": "vpc-1", "EnableDnsSupport": {"Value": True}}),
    ("ec2", "ModifySubnetAttribute", {"SubnetId": "s-1", "MapPublicIpOnLaunch": {"Value": False}}),
    ("ec2", "DescribeSubnets", {"SubnetIds": ["subnet-1", "subnet-2"]}),
    ("ec2", "AuthorizeSecurityGroupIngress",
     {"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439}]}),
    ("redshift", "CreateCluster",
     {"ClusterIdentifier": "c", "NodeType": "n", "MasterUsername": "a", "Encrypted": False}),
    ("redshift-data", "ExecuteStatement",
     {"Sql": "select '\\n', :x;\n-- 'a", "Parameters": [{"name": "x", "value": "1"}]}),
    ("redshift-data", "BatchExecuteStatement", {"Sqls": ["select 1", "[1]", ""]}),
    ("glue", "GetConnection", {"Name": "c", "HidePassword": True}),
    ("glue", "CreateTrigger", {"Name": "t", "Type": "ON_DEMAND", "Actions": [{"JobName": "j", "Timeout": 5}]}),
    ("glue", "GetWorkflowRuns", {"Name": "w", "IncludeGraph": True, "MaxResults": 25}),
    ("lambda", "GetFunction", {"FunctionName": "f"}),
    ("lambda", "AddPermission", {"FunctionName": "f", "StatementId": "s", "Action": "a", "Principal": "p"}),
    ("logs", "GetLogEvents", {"logGroupName": "/aws/lambda/f", "logStreamName": "1/[$LATEST]", "startFromHead": False}),
    ("sqs", "SendMessage", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q", "MessageBody": '{"a": "b\'c"}'}),
    ("sns", "Subscribe", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:::q"}),
    ("sts", "GetCallerIdentity", {}),
    ("resourcegroupstaggingapi", "GetResources", {"TagFilters": [{"Key": "lab", "Values": ["toll-etl"]}]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def models() -> Callable[[str, str], Any]:
    """botocore's model of an operation."""
    session = botocore.session.Session()
    return lambda service, operation: session.get_service_model(service).operation_model(operation)


@pytest.fixture
def call(models: Callable[[str, str], Any]) -> Callable[..., Call]:
    """`call("s3", "GetObject", {…})`, as it is recorded."""

    def make(service: str, operation: str, parameters: dict[str, Any], **more: Any) -> Call:
        model = models(service, operation)
        return Call(model, without_secrets(model, parameters), **more)

    return make


@pytest.fixture(scope="module")
def cli() -> Iterator[AwsCli]:
    """The AWS CLI's parser."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DATA_PATH", str(Path(awscli.__file__).parent / "data"))
        yield AwsCli()


@pytest.mark.parametrize(("service", "operation", "parameters"), PARAMETERS, ids=lambda value: str(value)[:30])
def test_the_aws_cli_reads_the_same_parameters_from_the_command(
    call: Callable[..., Call], cli: AwsCli, tmp_path: Path, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    assert cli.parameters(command(call(service, operation, parameters)), tmp_path) == parameters


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "note"),
    [
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": b"abc"}, "body.bin stands for the content"),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": io.BytesIO(b"abc")}, "body.bin stands for the content"),
        ("s3", "GetObject", {"Bucket": "b", "Key": "folder/toll data.json"}, ""),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b'{"rows": 5}'}, "payload.bin stands for the content"),
        ("lambda", "UpdateFunctionCode", {"FunctionName": "f", "ZipFile": b"PK"}, "zip-file.bin stands for"),
        ("secretsmanager", "CreateSecret", {"Name": "s", "SecretString": "hush"}, "SECRET_STRING is a secret"),
        ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "x" * 20_000}, "message-body.txt stands for"),
    ],
)  # fmt: skip
def test_the_aws_cli_reads_commands_with_placeholders_and_a_comment_explains_them(
    call: Callable[..., Call], cli: AwsCli, tmp_path: Path, service: str, operation: str, parameters: dict[str, Any],
    note: str,
) -> None:  # fmt: skip
    made = command(call(service, operation, parameters))
    assert set(cli.parameters(made, tmp_path)) == set(parameters)
    assert made.startswith(f"# {note}" if note else "aws ")


def test_a_package_is_written_as_the_option_zip_file(call: Callable[..., Call], cli: AwsCli, tmp_path: Path) -> None:
    given = {"FunctionName": "f", "Role": f"{ACCOUNT}:role/r", "Code": {"ZipFile": b"PK"}}
    made = command(call("lambda", "CreateFunction", given))
    assert "--zip-file fileb://zip-file.bin" in made
    assert "--code" not in made
    assert cli.parameters(made, tmp_path)["Code"].keys() == {"ZipFile"}


def connection(url: str) -> dict[str, Any]:
    return {"ConnectionInput": {"ConnectionProperties": {"JDBC_CONNECTION_URL": url}}}


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("secretsmanager", "PutSecretValue", {"SecretId": "s", "SecretString": "hush"}),
        ("redshift", "CreateCluster", {"ClusterIdentifier": "c", "MasterUserPassword": "hush"}),
        ("glue", "CreateConnection", {"ConnectionInput": {"ConnectionProperties": {"PASSWORD": "hush"}}}),
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Environment": {"Variables": {"A": "hush"}}}),
        ("redshift-data", "ExecuteStatement", {"Sql": "create user bob password 'hush'"}),
        ("redshift-data", "ExecuteStatement", {"Sql": "create user bob PASSWORD'hush'"}),
        ("redshift-data", "ExecuteStatement", {"Sql": r"create user bob password 'a\'b ''hush' createdb"}),
        ("redshift-data", "ExecuteStatement", {"Sql": "create user bob password 'hush"}),
        ("redshift-data", "ExecuteStatement", {"Sql": "copy t from 's3://b' master_symmetric_key 'hush' encrypted"}),
        ("redshift-data", "ExecuteStatement", {"Sql": ":p", "Parameters": [{"name": "pwd", "value": "hush"}]}),
        ("glue", "CreateConnection", connection("jdbc:redshift://host:5439/db?user=admin&password=hush&ssl=true")),
        ("glue", "CreateConnection", connection("jdbc:redshift://host:5439/db;UID=admin;PWD=hush")),
        ("glue", "StartJobRun", {"JobName": "j", "Arguments": {"--api-key": "hush"}}),
        ("redshift-data", "ExecuteStatement", {"Sql": "copy t from 's3://b' credentials as 'aws_access_key_id=hush'"}),
        ("redshift-data", "ExecuteStatement", {"Sql": ":p", "Parameters": [{"name": "password", "value": "hush"}]}),
        ("redshift-data", "BatchExecuteStatement", {"Sqls": ["alter user bob password 'hush';"]}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k", "SSECustomerKey": "hush"}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k", "NoSuchParameter": "hush"}),
    ],
)
def test_secrets_are_not_even_kept(
    call: Callable[..., Call], service: str, operation: str, parameters: dict[str, Any]
) -> None:
    made = call(service, operation, parameters)
    shown = MadeCalls((made,))
    for text in (repr(made.parameters), str(shown), repr(shown), shown._repr_html_(), *shown.commands):
        assert "hush" not in text
    assert "***" in str(shown) or "is a secret" in str(shown)


def test_a_command_with_a_secret_does_not_run_before_the_secret_is_set(call: Callable[..., Call]) -> None:
    made = command(call("secretsmanager", "PutSecretValue", {"SecretId": "s", "SecretString": "hush"}))
    done = subprocess.run(
        ["bash", "-c", f"aws() {{ echo called; }}\n{made}"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "called" not in done.stdout
    assert "SECRET_STRING: is hidden: set it first" in done.stderr


def test_repeated_calls_and_pages_are_folded(call: Callable[..., Call]) -> None:
    poll = call("glue", "GetWorkflowRun", {"Name": "w", "RunId": "wr_1"})
    look = call("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, outcome="404")
    pages = [call("s3", "ListObjectsV2", {"Bucket": "b", **more}) for more in ({}, {"ContinuationToken": "2"})]
    made = MadeCalls.of([poll, poll, *[look, poll] * 3, *pages, poll])
    assert [(one.operation, one.times) for one in made] == [
        ("GetWorkflowRun", 2), ("HeadObject", 3), ("GetWorkflowRun", 3), ("ListObjectsV2", 2), ("GetWorkflowRun", 1),
    ]  # fmt: skip
    assert "get-workflow-run × 3" in str(made)
    assert "404" in str(made)
    assert "ContinuationToken" not in str(made)


def test_the_memory_is_bounded_and_a_long_wait_counts_as_one_call(models: Callable[[str, str], Any]) -> None:
    recorder, model = Recorder(), models("s3", "HeadObject")
    for _ in range(3 * KEPT):
        recorder.add(model, {"Bucket": "b", "Key": "k"}, "")
    assert [made.times for made in recorder.last_step()] == [3 * KEPT]
    for number in range(3 * KEPT):
        recorder.add(model, {"Bucket": "b", "Key": str(number)}, "")
    assert len(recorder.last_step()) == KEPT


def test_recording_a_call_takes_less_than_a_tenth_of_a_millisecond(models: Callable[[str, str], Any]) -> None:
    recorder, model = Recorder(), models("glue", "CreateTrigger")
    parameters = {"Name": "t", "Type": "ON_DEMAND", "Actions": [{"JobName": "j"}], "Tags": {"lab": "toll-etl"}}
    begun = time.process_time()
    for _ in range(1000):
        recorder.add(model, without_secrets(model, parameters), "")
    assert time.process_time() - begun < 0.1


def test_files_are_not_kept(models: Callable[[str, str], Any]) -> None:
    kept = without_secrets(models("s3", "PutObject"), {"Bucket": "b", "Body": b"x" * 1000})
    assert kept == {"Bucket": "b", "Body": Content(1000)}
    assert without_secrets(models("iam", "CreateLoginProfile"), {"Password": "hush"}) == {"Password": Hidden()}


def test_calls_are_those_since_the_last_question_and_can_be_asked_for_again(lab: Lab) -> None:
    lab.calls()
    lab.buckets.create()
    made = lab.calls()
    assert [one.operation for one in made][:2] == ["HeadBucket", "PutPublicAccessBlock"]
    assert lab.calls() == made
    lab.secrets.read()
    assert [one.operation for one in lab.calls()] == ["GetSecretValue"]
    assert lab.calls().commands == (f"aws secretsmanager get-secret-value --secret-id {lab.names.secret}",)


def test_a_refused_call_is_there_with_its_error_code(lab: Lab) -> None:
    lab.calls()
    s3 = lab.session.client("s3")
    for arguments in ({"Bucket": "there-is-no-such-bucket"}, {"Bucket": "b", "Nonsense": 1}):
        with pytest.raises(LabError):
            s3.get_bucket_versioning(**arguments)
    assert [one.outcome for one in lab.calls()] == ["NoSuchBucket", "not sent"]


def test_in_a_notebook_the_calls_are_those_of_the_last_cell_that_made_any(lab: Lab) -> None:
    shell = InteractiveShell.instance()
    try:
        shell.user_ns["lab"] = lab
        shell.run_cell("lab.secrets.read(); lab.secrets.read()", store_history=True)
        shell.run_cell("1 + 1", store_history=True)
        shell.run_cell("made = lab.calls()", store_history=True)
        shell.run_cell("again = lab.calls()", store_history=True)
        shell.run_cell("lab.buckets.describe(); here = lab.calls()", store_history=True)
    finally:
        InteractiveShell.clear_instance()
    assert [(one.operation, one.times) for one in shell.user_ns["made"]] == [("GetSecretValue", 2)]
    assert shell.user_ns["again"] == shell.user_ns["made"]
    assert {one.operation for one in shell.user_ns["here"]} == {"HeadBucket"}


@pytest.mark.nightly
def test_the_aws_cli_reads_every_call_that_a_whole_lab_makes(
    make_lab: Callable[..., Lab], cli: AwsCli, tmp_path: Path
) -> None:
    whole = make_lab("cliwhole")
    try:
        whole.deploy()
        whole.send(rows=5)
        whole.load()
        whole.counts()
    finally:
        whole.destroy()
    distinct = {(one.service, one.operation, *one.parameters): one for one in whole.calls()}
    assert len(distinct) > 100
    for made in distinct.values():
        assert cli.parameters(command(made), tmp_path).keys() == dict(made.parameters).keys()

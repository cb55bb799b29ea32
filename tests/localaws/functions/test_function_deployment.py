"""Creating, changing and deleting functions."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Deploy = Callable[..., str]
Call = Callable[..., tuple[Any, dict[str, Any]]]

ONE = "def handler(event, context): return 'one'\n"


def _zipped(source: str, name: str = "lambda_function.py") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, source)
    return stream.getvalue()


@pytest.mark.as_on_aws("Lambda")
def test_new_code_and_new_configuration_replace_the_worker(deploy: Deploy, call: Call, aws: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"""
    name = deploy(ONE)
    assert call(name)[0] == "one"
    two = "import os\ndef handler(event, context): return 'two ' + os.environ.get('VALUE', '')\n"
    changed = aws("lambda").update_function_code(FunctionName=name, ZipFile=_zipped(two))
    assert changed["CodeSha256"] == aws("lambda").get_function(FunctionName=name)["Configuration"]["CodeSha256"]
    assert call(name)[0] == "two "
    aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"VALUE": "with v"}})
    assert call(name)[0] == "two with v"


@pytest.mark.as_on_aws("Lambda")
def test_code_can_be_deployed_from_a_bucket(
    deploy: Deploy, call: Call, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html"""
    bucket = unique("bucket")
    aws("s3").create_bucket(Bucket=bucket)
    source = "def handler(event, context): return 'from s3'\n"
    aws("s3").put_object(Bucket=bucket, Key="code.zip", Body=_zipped(source))
    name = deploy(ONE)
    aws("lambda").update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="code.zip")
    assert call(name)[0] == "from s3"
    with pytest.raises(ClientError, match="NoSuchKey") as refused:
        aws("lambda").update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="gone.zip")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert call(name)[0] == "from s3"


@pytest.mark.as_on_aws("Lambda")
def test_versions_and_aliases_run_the_code_that_was_published(
    deploy: Deploy, call: Call, aws: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""
    name = deploy("def handler(event, context): return context.function_version, 'old'\n")
    assert aws("lambda").publish_version(FunctionName=name)["Version"] == "1"
    aws("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    aws("lambda").update_function_code(
        FunctionName=name, ZipFile=_zipped("def handler(event, context): return context.function_version, 'new'\n")
    )
    assert call(name)[0] == ["$LATEST", "new"]
    assert call(name, Qualifier="1")[0] == ["1", "old"]
    assert call(name, Qualifier="live")[0] == ["1", "old"]


@pytest.mark.as_on_aws("Lambda")
def test_a_function_can_import_modules_from_its_layers(
    deploy: Deploy, call: Call, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html"""
    layer = aws("lambda").publish_layer_version(
        LayerName=unique("layer"), Content={"ZipFile": _zipped("WHO = 'the layer'\n", "python/shared.py")}
    )
    name = deploy("import shared\ndef handler(event, context): return shared.WHO\n", Layers=[layer["LayerVersionArn"]])
    assert call(name)[0] == "the layer"


@pytest.mark.as_on_aws("Lambda")
def test_a_package_in_the_zip_takes_precedence_over_the_one_in_the_runtime(
    aws: Callable[..., Any], unique: Callable[[str], str], role: str, call: Call
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("boto3/__init__.py", "__version__ = 'mine'\n")
        archive.writestr("app/main.py", "import boto3\ndef run(event, context): return boto3.__version__\n")
    name = unique("function")
    aws("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="app/main.run", Code={"ZipFile": stream.getvalue()}
    )
    assert call(name)[0] == "mine"


@pytest.mark.as_on_aws("Lambda")
def test_code_that_is_not_a_zip_archive_is_refused(aws: Callable[..., Any], role: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    with pytest.raises(ClientError, match="Could not unzip uploaded file") as refused:
        aws("lambda").create_function(
            FunctionName="broken", Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": b"no zip"}
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_zip_with_a_path_outside_of_its_directory_is_refused(aws: Callable[..., Any], role: str) -> None:
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        aws("lambda").create_function(
            FunctionName="sly", Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": _zipped("", "../x.py")}
        )


@pytest.mark.as_on_aws("Lambda")
def test_a_timeout_of_more_than_fifteen_minutes_is_refused(deploy: Deploy) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    with pytest.raises(ClientError, match="between 1 and 900") as refused:
        deploy(ONE, Timeout=901)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.as_on_aws("Lambda")
def test_a_role_that_lambda_cannot_assume_is_refused(aws: Callable[..., Any], unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"""
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    name = unique("role")
    arn = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for role in (arn, "arn:aws:iam::123456789012:role/nobody"):
        with pytest.raises(ClientError, match="cannot be assumed by Lambda") as refused:
            aws("lambda").create_function(
                FunctionName=unique("function"),
                Runtime="python3.13",
                Role=role,
                Handler="lambda_function.handler",
                Code={"ZipFile": _zipped(ONE)},
            )
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


@pytest.mark.as_on_aws("Lambda")
def test_environment_variables_that_are_reserved_for_lambda_are_refused(deploy: Deploy) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    with pytest.raises(ClientError, match="Reserved keys used in this request: AWS_REGION"):
        deploy(ONE, Environment={"Variables": {"AWS_REGION": "eu-west-1"}})


@pytest.mark.as_on_aws("Lambda")
def test_environment_variables_have_at_most_4_KB_and_names_of_two_or_more_characters(
    deploy: Deploy,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    deploy(ONE, Environment={"Variables": {"LONG": "x" * 4085}})
    with pytest.raises(ClientError, match="exceeded the 4KB limit") as refused:
        deploy(ONE, Environment={"Variables": {"LONG": "x" * 4086}})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    for name in ("1ST", "V"):
        with pytest.raises(ClientError, match="satisfy constraint") as refused:
            deploy(ONE, Environment={"Variables": {name: "x"}})
        assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.as_on_aws("Lambda")
def test_a_permission_can_be_added_read_and_removed(deploy: Deploy, aws: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    name = deploy(ONE)
    aws("lambda").add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    policy = json.loads(aws("lambda").get_policy(FunctionName=name)["Policy"])
    assert [statement["Principal"] for statement in policy["Statement"]] == [{"Service": "s3.amazonaws.com"}]
    aws("lambda").remove_permission(FunctionName=name, StatementId="s3")
    with pytest.raises(ClientError) as refused:
        aws("lambda").get_policy(FunctionName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.refused("Lambda")
def test_function_urls_are_refused(deploy: Deploy, aws: Callable[..., Any]) -> None:
    name = deploy(ONE)
    with pytest.raises(ClientError, match="CreateFunctionUrlConfig"):
        aws("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")


@pytest.mark.as_on_aws("Lambda")
def test_a_deleted_function_cannot_be_invoked(deploy: Deploy, call: Call, aws: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"""
    name = deploy(ONE)
    call(name)
    aws("lambda").delete_function(FunctionName=name)
    with pytest.raises(ClientError) as refused:
        call(name)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_role_arn_with_trailing_characters_is_refused(aws: Callable[..., Any], role: str) -> None:
    for ending in ("\n", " x"):
        with pytest.raises(ClientError, match="Member must satisfy regular expression pattern"):
            aws("lambda").create_function(
                FunctionName="ending",
                Runtime="python3.13",
                Role=role + ending,
                Handler="a.b",
                Code={"ZipFile": _zipped("")},
            )

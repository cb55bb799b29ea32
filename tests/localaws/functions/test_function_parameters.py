"""Parameters of functions, versions, aliases and layers: each has its effect, or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.functions.conftest import ALLOWED, zipped

Deploy = Callable[..., str]
Call = Callable[..., tuple[Any, dict[str, Any]]]
Aws = Callable[..., Any]
Unique = Callable[[str], str]

WHICH = "def handler(event, context): return context.function_version, context.invoked_function_arn, '{}'\n"


def _refused(code: str, text: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.as_on_aws("Lambda")
def test_the_invoked_function_arn_has_the_version_or_alias_of_the_invocation(
    deploy: Deploy, call: Call, aws: Aws
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""
    functions, name = aws("lambda"), deploy(WHICH.format("old"))
    functions.publish_version(FunctionName=name)
    alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.update_function_code(FunctionName=name, ZipFile=zipped(lambda_function=WHICH.format("new")))
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    assert functions.get_alias(FunctionName=name, Name="live")["AliasArn"] == f"{arn}:live"
    assert [each["Name"] for each in functions.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    assert call(name, Qualifier="live")[0] == ["1", f"{arn}:live", "old"]
    assert call(f"{name}:live")[0] == ["1", f"{arn}:live", "old"]
    assert call(name, Qualifier="1")[0] == ["1", f"{arn}:1", "old"]
    assert call(name, Qualifier="$LATEST")[0] == ["$LATEST", f"{arn}:$LATEST", "new"]
    assert call(name)[0] == ["$LATEST", arn, "new"]
    functions.publish_version(FunctionName=name)
    moved = functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert moved["RevisionId"] != alias["RevisionId"]
    assert call(name, Qualifier="live")[0] == ["2", f"{arn}:live", "new"]
    functions.delete_alias(FunctionName=name, Name="live")
    _refused("ResourceNotFoundException", "not found", functions.invoke, FunctionName=name, Qualifier="live")


@pytest.mark.as_on_aws("Lambda")
def test_an_event_for_an_alias_runs_the_version_that_the_alias_points_to(
    deploy: Deploy, aws: Aws, logged: Callable[..., list[str]]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html"""
    name = deploy("def handler(event, context): print('ran', context.function_version, event)\n")
    aws("lambda").publish_version(FunctionName=name)
    aws("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    aws("lambda").invoke(FunctionName=name, Qualifier="live", InvocationType="Event", Payload=b'"beside"')
    aws("lambda").invoke(FunctionName=f"{name}:live", InvocationType="Event", Payload=b'"within"')
    text = "".join(logged(name, "ran 1", 2))
    assert "ran 1 beside" in text
    assert "ran 1 within" in text


@pytest.mark.as_on_aws("Lambda")
def test_a_published_version_does_not_change_and_its_number_is_never_reused(
    deploy: Deploy, call: Call, aws: Aws
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""
    functions, name = aws("lambda"), deploy("import os\ndef handler(event, context): return os.environ.get('VALUE')\n")
    for value in "123":
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"VALUE": value}})
        assert functions.publish_version(FunctionName=name)["Version"] == value
    assert functions.publish_version(FunctionName=name)["Version"] == "3"  # nothing has changed
    assert [call(name, Qualifier=each)[0] for each in "123"] == ["1", "2", "3"]
    _refused(
        "InvalidParameterValueException", "qualifier", functions.update_function_configuration,
        FunctionName=f"{name}:1", Timeout=9,
    )  # fmt: skip
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    _refused("ResourceConflictException", r"\[live\]", functions.delete_function, FunctionName=name, Qualifier="2")
    _refused(
        "InvalidParameterValueException", "without deleting the function", functions.delete_function,
        FunctionName=name, Qualifier="$LATEST",
    )  # fmt: skip
    functions.delete_function(FunctionName=name, Qualifier="3")
    functions.update_function_configuration(FunctionName=name, Timeout=4)
    assert functions.publish_version(FunctionName=name)["Version"] == "4"
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2", "4"]


@pytest.mark.as_on_aws("Lambda")
def test_an_update_with_an_outdated_revision_id_is_refused(deploy: Deploy, aws: Aws) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
    functions, name = aws("lambda"), deploy("")
    known = functions.get_function_configuration(FunctionName=name)
    changed = functions.update_function_configuration(FunctionName=name, RevisionId=known["RevisionId"], Timeout=5)
    stale: dict[str, Any] = {"FunctionName": name, "RevisionId": known["RevisionId"]}
    code = "PreconditionFailedException"
    _refused(code, "Revision Id", functions.update_function_configuration, **stale, Timeout=6)
    _refused(code, "Revision Id", functions.update_function_code, **stale, ZipFile=zipped(lambda_function="1"))
    _refused(code, "Revision Id", functions.publish_version, **stale)
    _refused(
        "InvalidParameterValueException", "CodeSHA256", functions.publish_version, FunctionName=name, CodeSha256="x"
    )
    same = {"RevisionId": changed["RevisionId"], "CodeSha256": changed["CodeSha256"]}
    assert functions.publish_version(FunctionName=name, **same)["Version"] == "1"


@pytest.mark.as_on_aws("Lambda")
def test_a_function_keeps_a_layer_after_the_layer_is_deleted(
    deploy: Deploy, call: Call, aws: Aws, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html"""
    functions, layer = aws("lambda"), unique("layer")
    code = {"ZipFile": zipped(**{"python/shared": "WHO = 'the layer'\n"})}
    made = functions.publish_layer_version(LayerName=layer, Content=code)
    assert functions.list_layer_versions(LayerName=layer)["LayerVersions"][0]["Version"] == 1
    assert layer in [each["LayerName"] for each in functions.list_layers()["Layers"]]
    name = deploy("import shared\ndef handler(event, context): return shared.WHO\n", Layers=[made["LayerVersionArn"]])
    functions.delete_layer_version(LayerName=layer, VersionNumber=1)
    assert call(name)[0] == "the layer"
    _refused("ResourceNotFoundException", "layer", functions.get_layer_version, LayerName=layer, VersionNumber=1)
    _refused(
        "InvalidParameterValueException", "does not exist", functions.update_function_configuration,
        FunctionName=name, Layers=[made["LayerVersionArn"]], Timeout=99,
    )  # fmt: skip
    assert functions.get_function_configuration(FunctionName=name)["Timeout"] == 3


@pytest.mark.as_on_aws("Lambda")
def test_a_function_has_at_most_five_layers_with_different_names(deploy: Deploy, aws: Aws, unique: Unique) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"""
    functions, layer, code = aws("lambda"), unique("layer"), {"ZipFile": zipped(a="")}
    _refused(
        "InvalidParameterValueException", "unzip", functions.publish_layer_version,
        LayerName=layer, Content={"ZipFile": b"no zip"},
    )  # fmt: skip
    arns = [functions.publish_layer_version(LayerName=layer, Content=code)["LayerVersionArn"] for _ in range(2)]
    _refused("InvalidParameterValueException", "Two different versions", deploy, source="", Layers=arns)
    many = [f"{arns[0].rpartition(':')[0]}{place}:1" for place in range(6)]
    _refused("InvalidParameterValueException", "more than 5 layers", deploy, source="", Layers=many)
    _refused("InvalidParameterValueException", f"{many[0]} does not exist", deploy, source="", Layers=many[:1])


@pytest.mark.simplified(
    "Lambda",
    "subnets and security groups are stored, but do not restrict what the function can reach",
)
def test_the_subnets_and_security_groups_of_a_function_have_to_exist(
    deploy: Deploy, aws: Aws, unique: Unique, make_role: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""
    ec2, code = aws("ec2"), "InvalidParameterValueException"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=unique("group"), Description="d", VpcId=vpc)["GroupId"]
    wanted = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
    _refused(code, "permissions to call CreateNetworkInterface", deploy, source="", VpcConfig=wanted)
    statements = [*ALLOWED["Statement"], {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]
    role = make_role(aws("iam"), unique("role"), {**ALLOWED, "Statement": statements})
    unknown = {**wanted, "SubnetIds": ["subnet-0123"]}
    _refused(code, "InvalidSubnetID.NotFound.*'subnet-0123'", deploy, source="", Role=role, VpcConfig=unknown)
    unknown = {**wanted, "SecurityGroupIds": ["sg-0123"]}
    _refused(code, "InvalidGroup.NotFound.*'sg-0123'", deploy, source="", Role=role, VpcConfig=unknown)
    _refused(code, "must coexist", deploy, source="", Role=role, VpcConfig={"SubnetIds": [subnet]})
    name = deploy("", Role=role, VpcConfig=wanted)
    found = aws("lambda").get_function_configuration(FunctionName=name)["VpcConfig"]
    assert found == {**wanted, "VpcId": vpc, "Ipv6AllowedForDualStack": False}
    nothing: dict[str, list[str]] = {"SubnetIds": [], "SecurityGroupIds": []}
    aws("lambda").update_function_configuration(FunctionName=name, VpcConfig=nothing)
    assert "VpcConfig" not in aws("lambda").get_function_configuration(FunctionName=name)


@pytest.mark.as_on_aws("Lambda")
@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [
        ({"EphemeralStorage": {"Size": 10_241}}, "ValidationException", "ephemeralStorage.Size"),
        ({"MemorySize": 10_241}, "ValidationException", "memorySize"),
        ({"Timeout": 901}, "ValidationException", "timeout"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "reserved keys"),
        ({"Environment": {"Variables": {"BIG": "x" * 4096}}}, "InvalidParameterValueException", "4KB limit"),
        ({"Architectures": ["x86_64", "arm64"]}, "ValidationException", "architectures"),
    ],
)
def test_settings_outside_of_lambda_s_limits_are_refused(
    deploy: Deploy, settings: dict[str, Any], code: str, text: str
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    _refused(code, text, deploy, source="", **settings)


@pytest.mark.as_on_aws("Lambda")
def test_an_invalid_invocation_type_or_client_context_is_refused(deploy: Deploy, aws: Aws) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    name = deploy("def handler(event, context): return context.client_context\n")
    invoke = aws("lambda").invoke
    _refused("ValidationException", "invocationType", invoke, FunctionName=name, InvocationType="Sometimes")
    _refused("InvalidRequestContentException", "Client context", invoke, FunctionName=name, ClientContext="no base64")
    assert invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204


@pytest.mark.as_on_aws("Lambda")
def test_the_settings_of_asynchronous_invocations_can_be_read_changed_and_deleted(
    deploy: Deploy, aws: Aws, queue: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html"""
    functions, name, failures = aws("lambda"), deploy("def handler(event, context): 1 / 0\n"), queue()
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    wanted = {"OnFailure": {"Destination": failures.arn}}
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2, DestinationConfig=wanted)
    functions.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    found = functions.get_function_event_invoke_config(FunctionName=name)
    assert (found["FunctionArn"].startswith(arn), found["MaximumRetryAttempts"]) == (True, 0)
    assert len(functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1
    for changed in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 21_601}):
        _refused(
            "ValidationException", "maximum", functions.update_function_event_invoke_config,
            FunctionName=name, **changed,
        )  # fmt: skip
    functions.invoke(FunctionName=name, InvocationType="Event")
    told = json.loads(failures.collect(1)[0]["Body"])["requestContext"]
    assert (told["condition"], told["approximateInvokeCount"]) == ("RetriesExhausted", 1)
    functions.delete_function_event_invoke_config(FunctionName=name)
    _refused(
        "ResourceNotFoundException", "EventInvokeConfig", functions.get_function_event_invoke_config, FunctionName=name
    )


@pytest.mark.as_on_aws("Lambda")
def test_a_function_and_its_aliases_have_policies_of_their_own(deploy: Deploy, aws: Aws) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html"""
    functions, name = aws("lambda"), deploy("")
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ({}, {"Qualifier": "live"}):
        functions.add_permission(
            FunctionName=name, StatementId=f"s{len(qualifier)}", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", **qualifier,
        )  # fmt: skip
        statements = json.loads(functions.get_policy(FunctionName=name, **qualifier)["Policy"])["Statement"]
        assert [each["Sid"] for each in statements] == [f"s{len(qualifier)}"]


@pytest.mark.as_on_aws("Lambda")
def test_tags_of_a_function_are_kept_until_they_are_removed(deploy: Deploy, aws: Aws) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"""
    functions, name = aws("lambda"), deploy("", Tags={"a": "1"})
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"b": "2"})
    functions.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert name in [each["FunctionName"] for each in functions.list_functions()["Functions"]]

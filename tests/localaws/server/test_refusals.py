"""Refusals have the format of the request's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from moto.core.utils import get_service_model

import localaws
from tests.localaws.server.wire import Wire

Someone = Callable[..., Wire]


def test_a_cbor_call_is_refused_by_name_with_a_cbor_response(root: Wire) -> None:
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    answer = root.send("POST", path, service="monitoring", headers=headers, body=b"\xa0")
    assert (answer.status, answer.headers["content-type"]) == (501, "application/cbor")
    parser = create_parser("smithy-rpc-v2-cbor")
    told = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    error = parser.parse(told, get_service_model("cloudwatch").operation_model("ListMetrics").output_shape)["Error"]
    assert error["Code"] == "NotImplemented"
    assert "ListMetrics in CBOR of monitoring" in error["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("cloudwatch", "get_dashboard", {"DashboardName": "nobody's"}),
        ("resourcegroupstaggingapi", "get_resources", {}),
        ("sqs", "list_queues", {}),
        ("iam", "list_users", {}),
        ("ec2", "describe_vpcs", {}),
        ("lambda", "list_functions", {}),
        ("glue", "get_databases", {}),
    ],
)
def test_a_refusal_is_in_the_protocol_of_the_request(
    stack: localaws.Status, someone: Someone, service: str, operation: str, given: dict[str, Any]
) -> None:
    client = boto3.client(service, endpoint_url=stack.endpoint_url, region_name="us-east-1", **someone().key)
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**given)
    error = refused.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert "is not authorized to perform" in error["Message"]


def test_ec2_names_missing_parameters_as_ec2_does(root: Wire) -> None:
    for action, code, said in (
        ("CreateTags", "MissingParameter", "The request must contain the parameter resourceIdSet"),
        ("DeleteTags", "MissingParameter", "The request must contain the parameter resourceIdSet"),
        ("DeleteVpc", "MissingParameter", "The request must contain the parameter VpcId"),
    ):
        answer = root.form("ec2", {"Action": action, "Version": "2016-11-15"})
        assert f"<Code>{code}</Code>" in answer.text
        assert said in answer.text


def test_sts_operations_for_external_identities_are_refused_by_name(stack: localaws.Status) -> None:
    """These calls are unsigned: an identity provider other than IAM authenticates the caller."""
    sts = boto3.client("sts", endpoint_url=stack.endpoint_url, region_name="us-east-1")
    arn, role = "arn:aws:iam::123456789012:saml-provider/p", "arn:aws:iam::123456789012:role/r"
    for call, given in (
        (sts.assume_role_with_saml, {"PrincipalArn": arn, "SAMLAssertion": "PGE+PC9hPg=="}),
        (sts.assume_role_with_web_identity, {"RoleSessionName": "session", "WebIdentityToken": "token"}),
    ):
        with pytest.raises(ClientError) as refused:
            call(RoleArn=role, **given)
        error = refused.value.response["Error"]
        assert error["Code"] == "NotImplemented"
        assert f"{refused.value.operation_name} of sts" in error["Message"]


def test_a_query_protocol_request_is_refused_in_xml_even_if_the_service_supports_json(someone: Someone) -> None:
    for service in ("sqs", "monitoring"):
        action = {"sqs": ("ListQueues", "2012-11-05"), "monitoring": ("ListMetrics", "2010-08-01")}[service]
        answer = someone().form(service, {"Action": action[0], "Version": action[1]})
        assert answer.text.startswith("<?xml"), answer

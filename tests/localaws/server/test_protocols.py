"""The JSON and REST protocols: which parameters a call may have, where, and of which type, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.server.reading import Reading, read, service_of
from tests.localaws.server.raw import asked, environ, refused

FORM, JSON = "application/x-www-form-urlencoded", "application/x-amz-json-1.1"


def by_json(service: str, target: str, given: Any, kind: str = JSON, **headers: str) -> Reading:
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    return asked("POST", "/", service, body, X_Amz_Target=target, Content_Type=kind, **headers)


# https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html


def test_a_JSON_call_is_named_by_the_X_Amz_Target_header() -> None:
    found = by_json("glue", "AWSGlue.GetDatabase", {"Name": "n", "CatalogId": None})
    assert (found.call.service, found.call.operation, found.call.parameters) == ("glue", "GetDatabase", {"Name": "n"})
    assert (found.kind, found.target, found.path, found.query) == (JSON, "AWSGlue.GetDatabase", "/", {})
    assert by_json("glue", "AWSGlue.GetDatabases", b"").call.parameters == {}
    assert by_json("glue", "AWSGlue.GetDatabases", {}, "Application/JSON; charset=utf-8").call.parameters == {}
    assert by_json("monitoring", "GraniteServiceVersion20100801.ListMetrics", {}).kind == "application/x-amz-json-1.0"


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("glue", "AWSGlue.GetDatabasez"),
        ("glue", "Glue.GetDatabases"),
        ("glue", "AWSGlue/GetDatabases"),
        ("glue", "AWSGlue.GetDatabases "),
        ("glue", "GetDatabases"),
        ("glue", ""),
        ("secretsmanager", "AWSGlue.GetDatabases"),
    ],
)
def test_an_X_Amz_Target_header_with_an_unknown_operation_is_refused(service: str, target: str) -> None:
    assert refused(by_json, service, target, {}).startswith("UnknownOperationException")


def test_a_service_may_have_several_models() -> None:
    """DynamoDB's streams are signed for as DynamoDB."""
    assert by_json("dynamodb", "DynamoDB_20120810.ListTables", {}).call.operation == "ListTables"
    assert by_json("dynamodb", "DynamoDBStreams_20120810.ListStreams", {}).call.operation == "ListStreams"


@pytest.mark.parametrize("kind", [FORM, "text/plain", "", "application/x-amz-json-1.2", "application/json5"])
def test_a_JSON_call_needs_a_JSON_content_type(kind: str) -> None:
    message = refused(by_json, "glue", "AWSGlue.GetDatabases", {}, kind)
    assert message.endswith(f"its Content-Type can't be {kind or 'missing'}.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"CatalogId": "a", "Name": "a", "Name": "b"}', "'Name' is given more than once"),
        (b'{"Name": {"a": 1, "a": 2}}', "'a' is given more than once"),
        (b'{"Name": NaN}', "NaN is not a JSON number"),
        (b'{"Name": -Infinity}', "-Infinity is not a JSON number"),
    ],
)
def test_a_body_that_is_not_one_JSON_object_is_refused(body: bytes, message: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc8259"""
    assert message in refused(by_json, "glue", "AWSGlue.GetDatabase", body)


ACTION = {"JobName": "j"}
TRIGGER: dict[str, Any] = {"Name": "t", "Type": "ON_DEMAND", "Actions": [ACTION]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Tags": {"a": "b"}, "StartOnCreation": True, "Actions": [{"Timeout": 1}, None]}, ""),
        ({"Actions": [{"Arguments": {"--a": None}}], "Predicate": None}, ""),
        ({"EventBatchingCondition": {"BatchSize": 1}}, ""),
        ({"Name": 1}, "Name must be a string, not int."),
        ({"StartOnCreation": "true"}, "StartOnCreation must be a boolean, not str."),
        ({"StartOnCreation": 1}, "StartOnCreation must be a boolean, not int."),
        ({"Actions": ACTION}, "Actions must be a list, not dict."),
        ({"Actions": [ACTION, "j"]}, "Actions.1 must be a structure, not str."),
        ({"Actions": [{"Timeout": True}]}, "Actions.0.Timeout must be a integer, not bool."),
        ({"Actions": [{"Timeout": 1.5}]}, "Actions.0.Timeout must be a integer, not float."),
        ({"Actions": [{"Arguments": {"--a": 1}}]}, "Actions.0.Arguments.--a must be a string, not int."),
        ({"Tags": ["a"]}, "Tags must be a map, not list."),
        ({"EventBatchingCondition": {}}, "Value null at 'eventBatchingCondition.BatchSize' failed"),
        ({"Name": None}, "Value null at 'name' failed to satisfy constraint: Member must not be null"),
        ({"Trigger": "t"}, "Trigger of CreateTrigger"),
    ],
)
def test_a_value_has_to_have_the_type_in_the_model(changed: dict[str, Any], message: str) -> None:
    given = {**TRIGGER, **changed}
    if not message:
        assert by_json("glue", "AWSGlue.CreateTrigger", given).call.operation == "CreateTrigger"
        return
    assert message in refused(by_json, "glue", "AWSGlue.CreateTrigger", given)


def test_a_number_may_be_an_integer_a_float_or_NaN_as_a_string() -> None:
    """https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html: NaN is a string, and so may a time be one."""
    for value in (1, 1.5, "NaN"):
        action = {"JobName": "j", "MaxCapacity": value}
        assert by_json("glue", "AWSGlue.StartJobRun", action).call.operation == "StartJobRun"
    assert "must be a double" in refused(by_json, "glue", "AWSGlue.StartJobRun", {"JobName": "j", "MaxCapacity": []})


def test_a_JSON_call_has_to_be_a_POST_to_the_root_path() -> None:
    headers = {"X_Amz_Target": "AWSGlue.GetDatabases", "Content_Type": JSON}
    assert "must be a POST, not a GET" in refused(asked, "GET", "/", "glue", b"{}", **headers)
    for target in ("/x", "/?a", "//"):
        assert "must have the path /, and nothing after it" in refused(asked, "POST", target, "glue", b"{}", **headers)


def test_a_call_in_a_protocol_that_its_service_does_not_support_is_refused() -> None:
    assert "can't have the header X-Amz-Target" in refused(by_json, "iam", "X.ListUsers", {})
    assert "can't have the header X-Amz-Target" in refused(by_json, "s3", "X.ListBuckets", {})
    assert refused(asked, "POST", "/", "glue", b"{}", Content_Type=JSON).startswith("UnknownOperationException")
    assert refused(asked, "POST", "/", "nothing", b"{}").startswith("unsupported")
    for headers in ({"smithy_protocol": "rpc-v2-cbor"}, {"Content_Encoding": "gzip"}):
        assert refused(by_json, "glue", "AWSGlue.GetDatabases", {}, **headers).startswith("unsupported")
    assert refused(by_json, "glue", "AWSGlue.GetDatabases", {}, Host="x.localhost").startswith("SerializationException")


# https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html

FUNCTIONS, ARN = "/2015-03-31/functions", "arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af"
CREATE = {"FunctionName": "f", "Role": "r", "Code": {"ZipFile": "x"}, "Handler": None}


def test_the_path_and_query_of_a_REST_call_give_its_parameters() -> None:
    found = asked("DELETE", f"/2017-03-31/tags/{ARN}?tagKeys=a&x-id=UntagResource", "lambda")
    assert found.call.operation == "UntagResource"
    assert found.call.parameters == {"Resource": "arn:aws:lambda:us-east-1:1:function:f", "TagKeys": "a"}
    assert (found.path, found.query, found.body) == (f"/2017-03-31/tags/{ARN}", {"tagKeys": "a"}, b"")
    assert found.environ()["PATH_INFO"] == "/2017-03-31/tags/arn:aws:lambda:us-east-1:1:function:f"
    found = asked("GET", "/2018-10-31/layers/l/versions/3", "lambda")
    assert found.call.parameters == {"LayerName": "l", "VersionNumber": "3"}
    body = b'{"ReservedConcurrentExecutions":1}'
    found = asked("PUT", "/2017-10-31/functions/f/concurrency/", "lambda", body, Content_Type="application/json")
    assert found.call.parameters == {"FunctionName": "f", "ReservedConcurrentExecutions": 1}
    assert (found.path, found.body, found.kind) == ("/2017-10-31/functions/f/concurrency", body, "application/json")


def test_a_REST_payload_is_passed_on_unchanged_and_headers_are_parameters() -> None:
    body = b"\xff not even JSON"
    found = asked("POST", f"{FUNCTIONS}/f/invocations", "lambda", body, X_Amz_Invocation_Type="Event")
    assert found.call.parameters == {"FunctionName": "f", "InvocationType": "Event"}
    assert (found.body, found.kind) == (None, "application/octet-stream")
    made = found.environ()
    assert (made["wsgi.input"].read(), made["CONTENT_LENGTH"]) == (body, str(len(body)))
    assert made["HTTP_X_AMZ_INVOCATION_TYPE"] == "Event"
    assert made["REQUEST_METHOD"] == "POST"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (CREATE, "application/json", ""),
        (CREATE, "application/x-amz-json-1.1", ""),
        (CREATE, "", ""),
        ({**CREATE, "Publish": True}, "application/json", ""),
        (CREATE, FORM, f"its Content-Type can't be {FORM}"),
        ({**CREATE, "Role": None}, "application/json", "Value null at 'role' failed"),
        ({}, "application/json", "Value null at 'functionName' failed"),
        (b"", "application/json", "Value null at 'functionName' failed"),
        ({**CREATE, "Function": "f"}, "application/json", "Function of CreateFunction"),
        ({**CREATE, "MemorySize": "128"}, "application/json", "MemorySize must be a integer"),
        (b"[]", "application/json", "must be a JSON object"),
    ],
)
def test_the_JSON_body_of_a_REST_call_is_checked_against_its_parameters(body: Any, kind: str, message: str) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content_Type": kind} if kind else {}
    if not message:
        kept = {name: value for name, value in body.items() if value is not None}
        assert asked("POST", FUNCTIONS, "lambda", text, **headers).call.parameters == kept
        return
    assert message in refused(asked, "POST", FUNCTIONS, "lambda", text, **headers)


def test_a_REST_call_with_a_parameter_of_another_operation_is_refused() -> None:
    assert "Qualifiers of Invoke" in refused(asked, "POST", f"{FUNCTIONS}/f/invocations?Qualifiers=1", "lambda")
    assert "can't have a slash" in refused(asked, "GET", f"{FUNCTIONS}/a%2Fb", "lambda")
    assert refused(asked, "GET", f"{FUNCTIONS}/%FF", "lambda").startswith("InvalidURI")
    assert "PATCH /2015-03-31/functions" in refused(asked, "PATCH", FUNCTIONS, "lambda")
    body = b'{"FunctionName":"g","ReservedConcurrentExecutions":1}'
    assert "FunctionName of PutFunctionConcurrency" in refused(
        asked, "PUT", "/2017-10-31/functions/f/concurrency", "lambda", body, Content_Type="application/json"
    )


# Who signs, and for which service


def test_an_unsigned_request_is_for_S3_or_is_refused() -> None:
    assert read(environ("GET", "/b/k")).call.service == "s3"
    target = {"X-Amz-Target": "AWSGlue.GetDatabases", "Content-Type": JSON}
    assert refused(read, environ("POST", "/", target, b"{}")).startswith("MissingAuthenticationToken")
    form = {"Content-Type": FORM}
    for action, expected in (
        ("ListUsers", "MissingAuthenticationToken"),
        ("AssumeRole", "MissingAuthenticationToken"),
        ("AssumeRoleWithSAML", "unsupported: "),
        ("AssumeRoleWithWebIdentity", "unsupported: "),
    ):
        assert refused(read, environ("POST", "/", form, f"Action={action}".encode())).startswith(expected)


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("POST", {"HTTP_AUTHORIZATION": "x Credential=A/20260101/us-east-1/redshift-data/aws4_request, x"},
         "redshift-data"),
        ("POST", {"CONTENT_TYPE": f"{FORM}; charset=utf-8"}, "sts"),
        ("PUT", {"CONTENT_TYPE": FORM}, "s3"),
        ("POST", {"CONTENT_TYPE": "text/plain"}, "s3"),
        ("POST", {"HTTP_X_AMZ_TARGET": "x"}, "unsigned"),
        ("GET", {}, "s3"),
    ],
)  # fmt: skip
def test_an_unreadable_request_is_refused_in_the_format_of_the_intended_service(
    method: str, given: dict[str, str], expected: str
) -> None:
    assert service_of({"REQUEST_METHOD": method, **given}) == expected


@pytest.mark.parametrize(
    ("service", "target", "reads"),
    [
        ("glue", "AWSGlue.GetDatabases", True),
        ("glue", "AWSGlue.BatchGetJobs", True),
        ("glue", "AWSGlue.DeleteDatabase", False),
        ("glue", "AWSGlue.StartWorkflowRun", False),
        ("redshift-data", "RedshiftData.ListStatements", True),
        ("redshift-data", "RedshiftData.CancelStatement", False),
    ],
)
def test_a_call_that_only_reads_does_not_need_to_be_saved(service: str, target: str, reads: bool) -> None:
    required: dict[str, dict[str, Any]] = {
        "DeleteDatabase": {"Name": "n"},
        "StartWorkflowRun": {"Name": "n"},
        "BatchGetJobs": {"JobNames": []},
        "CancelStatement": {"Id": "00000000-0000-0000-0000-000000000000"},
    }
    assert by_json(service, target, required.get(target.partition(".")[2], {})).call.reads is reads

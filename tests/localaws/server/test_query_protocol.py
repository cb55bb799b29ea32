"""The query protocol: an action, and parameters in the notation of its model, without a server."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from localaws.server.reading import Reading
from tests.localaws.server.raw import asked, refused

FORM, JSON = "application/x-www-form-urlencoded", "application/x-amz-json-1.1"
VERSIONS = {
    "ec2": "2016-11-15",
    "iam": "2010-05-08",
    "sqs": "2012-11-05",
    "sns": "2010-03-31",
    "redshift": "2012-12-01",
}
QUEUE = "http://localhost/123456789012/q"


def by_query(service: str, action: str, target: str = "/", **given: str) -> Reading:
    """A call of the query protocol; a name's dots are written as two underscores."""
    named = {name.replace("__", "."): value for name, value in given.items()}
    body = urlencode({"Action": action, "Version": VERSIONS[service], **named}).encode()
    return asked("POST", target, service, body, Content_Type=FORM)


# https://smithy.io/2.0/aws/protocols/aws-query-protocol.html


@pytest.mark.parametrize(
    ("service", "action", "given"),
    [
        ("iam", "CreateUser", {"UserName": "u"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__1__Key": "k", "Tags__member__1__Value": "v"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__99999__Key": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags": ""}),
        ("redshift", "CreateTags", {"ResourceName": "a", "Tags__Tag__1__Key": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry__1__key": "k", "Attributes__entry__1__value": "v"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes": ""}),
        ("ec2", "CreateTags", {"ResourceId__1": "r", "Tag__1__Key": "k", "DryRun": "true"}),
        ("ec2", "CreateTags", {}),  # moto knows how EC2 calls what is missing
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default"}),
        ("ec2", "RunInstances", {"MinCount": "1", "MaxCount": "1", "Monitoring__Enabled": "true"}),
        ("ec2", "RunInstances", {"MinCount": "1", "MaxCount": "1", "BlockDeviceMapping__1__Ebs__VolumeSize": "8"}),
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
        ("sqs", "CreateQueue", {"QueueName": "q", "Attribute__1__Name": "DelaySeconds", "Attribute__1__Value": "1"}),
        ("sqs", "CreateQueue", {"QueueName": "q", "Tag__1__Key": "k", "Tag__1__Value": "v"}),
        ("sqs", "GetQueueAttributes", {"QueueUrl": QUEUE, "AttributeName__1": "All"}),
        ("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": "m", "MessageAttribute__1__Name": "a",
                                "MessageAttribute__1__Value__DataType": "String"}),
        ("sqs", "SendMessageBatch", {"QueueUrl": QUEUE, "SendMessageBatchRequestEntry__1__Id": "i"}),
    ],
)  # fmt: skip
def test_parameters_in_the_notation_of_the_query_protocol_are_accepted(
    service: str, action: str, given: dict[str, str]
) -> None:
    found = by_query(service, action, **given)
    named = {name.replace("__", "."): value for name, value in given.items()}
    assert found.call.operation == action
    assert found.call.parameters == {"Action": action, "Version": VERSIONS[service], **named}


@pytest.mark.parametrize(
    ("service", "action", "given"),
    [
        ("iam", "CreateUser", {"UserName": "u", "Tags__1__Key": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__Key": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__0__Key": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__01__Key": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__1": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "Tags__member__1__Key__x": "k"}),
        ("iam", "CreateUser", {"UserName": "u", "UserName__x": "u"}),
        ("iam", "CreateUser", {"UserName": "u", "username": "u"}),
        ("iam", "CreateUser", {"UserName": "u", "DryRun": "true"}),
        ("redshift", "CreateTags", {"ResourceName": "a", "Tags__member__1__Key": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__1__key": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry__1": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry__x__key": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry__1__Key": "k"}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes__entry__1__value__x": "k"}),
        ("ec2", "RunInstances", {"MinCount": "1", "MaxCount": "1", "Monitoring": "true"}),
        ("ec2", "CreateVpc", {"instanceTenancy": "default"}),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes__1__Name": "DelaySeconds"}),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attribute__1__key": "DelaySeconds"}),
        ("sqs", "SendMessageBatch", {"QueueUrl": QUEUE, "Entries__1__Id": "i"}),
    ],
)
def test_parameters_in_another_notation_are_refused(service: str, action: str, given: dict[str, str]) -> None:
    code = "UnknownParameter" if service == "ec2" else "ValidationError"
    assert refused(by_query, service, action, **given).startswith(f"{code}: The parameter ")


@pytest.mark.parametrize(
    ("service", "action", "message"),
    [
        ("iam", "CreateUser", "ValidationError: 1 validation error detected: Value null at 'userName'"),
        ("redshift", "CreateTags", "ValidationError: 1 validation error detected: Value null at 'resourceName'"),
        ("ec2", "DeleteVpc", "MissingParameter: The request must contain the parameter VpcId"),
        ("sqs", "SendMessageBatch", "MissingParameter: The request must contain the parameter QueueUrl"),
    ],
)
def test_a_missing_parameter_is_named_in_the_error(service: str, action: str, message: str) -> None:
    assert refused(by_query, service, action).startswith(message)


def test_a_list_counts_as_given_if_one_of_its_members_is_given() -> None:
    assert "Tags" in refused(by_query, "redshift", "CreateTags", ResourceName="a", Tags2="x")
    missing = refused(by_query, "redshift", "CreateTags", ResourceName="a")
    assert "Value null at 'tags'" in missing


def test_an_action_has_to_exist_in_the_given_version_of_the_service() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"""
    user = {"UserName": "u"}
    body = urlencode({"Action": "CreateUser", **user}).encode()
    assert asked("POST", "/", "iam", body, Content_Type=FORM).call.operation == "CreateUser"
    for given, code in (
        (user, "MissingAction"),
        ({"Action": "CreateUsers", "Version": "2010-05-08"}, "InvalidAction"),
        ({"Action": "CreateUser", "Version": "2010-05-09"}, "NoSuchVersion"),
        ({"Action": "ListTopics"}, "InvalidAction"),
    ):
        text = urlencode(given).encode()
        assert refused(asked, "POST", "/", "iam", text, Content_Type=FORM).startswith(f"{code}: ")


def test_parameters_can_be_in_the_body_or_in_the_URL() -> None:
    in_url = "/?Action=GetUser&Version=2010-05-08&UserName=a+b%2B&x-id=GetUser"
    for method in ("GET", "POST"):
        found = asked(method, in_url, "iam").call.parameters
        assert found == {"Action": "GetUser", "Version": "2010-05-08", "UserName": "a b+"}
    body = b"Action=GetUser&UserName=a"
    assert asked("POST", "/?x-id=GetUser", "iam", body, Content_Type=f"{FORM}; charset=utf-8").call.operation
    for method, target, sent, kind in (
        ("GET", "/", body, FORM),
        ("POST", "/", body, JSON),
        ("POST", "/?UserName=a", b"Action=GetUser", FORM),
        ("POST", "/", "UserName=ä".encode(), FORM),
        ("PUT", "/", body, FORM),
        ("PUT", in_url, b"", FORM),
        ("POST", "/x", body, FORM),
    ):
        assert refused(asked, method, target, "iam", sent, Content_Type=kind).startswith("ValidationError: ")


def test_a_form_is_passed_to_moto_as_a_POST_with_only_its_parameters() -> None:
    made = asked("GET", "/?Action=GetUser&UserName=a%26b", "iam").environ()
    assert (made["REQUEST_METHOD"], made["CONTENT_TYPE"]) == ("POST", FORM)
    assert made["wsgi.input"].read() == b"Action=GetUser&UserName=a%26b"
    assert (made["QUERY_STRING"], made["CONTENT_LENGTH"]) == ("x-id=GetUser", "29")


@pytest.mark.parametrize(
    ("path", "given", "url"),
    [
        ("/", {"QueueUrl": QUEUE}, QUEUE),
        ("/123456789012/q", {}, QUEUE),
        ("/123456789012/q/", {}, f"{QUEUE}/"),
        ("/123456789012/q", {"QueueUrl": f"{QUEUE}/"}, f"{QUEUE}/"),
        ("/123456789012/q", {"QueueUrl": QUEUE}, QUEUE),
        ("/123456789012/other", {"QueueUrl": QUEUE}, ""),
        ("/111122223333/q", {"QueueUrl": QUEUE}, ""),
        ("/q", {}, ""),
        ("/queue/123456789012/q", {}, ""),
    ],
)
def test_a_queue_can_be_given_by_its_URL_or_by_the_path(path: str, given: dict[str, str], url: str) -> None:
    if url:
        assert by_query("sqs", "DeleteQueue", path, **given).call.parameters["QueueUrl"] == url
    else:
        assert "they must name the same queue" in refused(by_query, "sqs", "DeleteQueue", path, **given)

"""Which permissions a copy, a version, a presigned URL, an unsigned request and PassRole need."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from iam_actors import Actor, allow, deny, policy, refused

from tests.localaws.opening import opened

MakeActor = Callable[..., Actor]


@pytest.mark.as_on_aws("IAM")
def test_requests_for_an_object_version_need_the_version_s_own_actions(
    make_role: MakeActor, aws: Callable[..., Any], bucket: str
) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
    aws("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = aws("s3").put_object(Bucket=bucket, Key="v", Body=b"1")["VersionId"]
    actor = make_role(allow(["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]))
    s3 = actor.client("s3")
    s3.get_object(Bucket=bucket, Key="v")
    assert "s3:GetObjectVersion " in refused(s3.get_object, Bucket=bucket, Key="v", VersionId=version)[1]
    assert "s3:ListBucketVersions " in refused(s3.list_object_versions, Bucket=bucket)[1]
    assert "s3:DeleteObjectVersion " in refused(s3.delete_object, Bucket=bucket, Key="v", VersionId=version)[1]
    s3.delete_object(Bucket=bucket, Key="v")


@pytest.mark.as_on_aws("IAM")
def test_DeleteObjects_deletes_the_permitted_keys_and_reports_the_others(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    actor = make_role(allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/in/*"), allow("s3:GetObject"))
    s3 = actor.client("s3")
    for quiet in (True, False):
        both = {"Objects": [{"Key": "other.txt"}, {"Key": "in/a.txt"}], "Quiet": quiet}
        answer = s3.delete_objects(Bucket=bucket, Delete=both)
        assert [each["Key"] for each in answer.get("Deleted", [])] == ([] if quiet else ["in/a.txt"])
        (error,) = answer["Errors"]
        assert (error["Key"], error["Code"]) == ("other.txt", "AccessDenied")
        assert error["Message"].endswith("because no identity-based policy allows the s3:DeleteObject action")
    assert s3.get_object(Bucket=bucket, Key="other.txt")["Body"].read() == b"other.txt"
    refused(s3.get_object, Bucket=bucket, Key="in/a.txt")


@pytest.mark.as_on_aws("IAM")
def test_a_presigned_url_has_the_permissions_of_its_signer(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"""
    actor = make_role(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/other.txt"))
    for signature in ("s3v4", "s3"):
        s3 = actor.client("s3", signature_version=signature)
        urls = {
            key: s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
            for key in ("other.txt", "in/a.txt")
        }
        with urllib.request.urlopen(urls["other.txt"]) as answer:
            assert answer.read() == b"other.txt"
        with pytest.raises(urllib.error.HTTPError) as denied:
            urllib.request.urlopen(urls["in/a.txt"])
        assert (denied.value.code, b"AccessDenied" in denied.value.read()) == (403, True)
        denied.value.close()


@pytest.mark.as_on_aws("IAM")
def test_unsigned_requests_can_read_public_objects_only(stack: Any, aws: Callable[..., Any], bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    opened(aws("s3"), bucket)
    aws("s3").put_object(Bucket=bucket, Key="public", Body=b"for all", ACL="public-read")
    public = policy(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*", Principal="*"))
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=public)
    for key, body in (("public", b"for all"), ("in/a.txt", b"in/a.txt")):
        with urllib.request.urlopen(f"{stack.endpoint_url}/{bucket}/{key}") as answer:
            assert answer.read() == body
    for request in (
        f"{stack.endpoint_url}/{bucket}/other.txt",
        urllib.request.Request(f"{stack.endpoint_url}/{bucket}/public", b"mine", method="PUT"),
        urllib.request.Request(f"{stack.endpoint_url}/{bucket}", method="DELETE"),
    ):
        with pytest.raises(urllib.error.HTTPError) as denied:
            urllib.request.urlopen(request)
        assert denied.value.code == 403
        denied.value.close()


@pytest.mark.as_on_aws("IAM")
def test_passing_a_role_to_a_service_needs_iam_PassRole(
    make_role: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""
    trust = policy(
        {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"},
    )
    passed = aws("iam").create_role(RoleName=unique("job"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    create = allow(["glue:CreateJob", "lambda:CreateFunction"])
    actor = make_role(create)
    glue, name = actor.client("glue"), unique("job")
    job = {"Name": name, "Role": passed, "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}}
    code, message = refused(glue.create_job, **job)
    assert (code, f"iam:PassRole on resource: {passed} " in message) == ("AccessDeniedException", True)
    to = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    actor.may(create, allow("iam:PassRole", passed, Condition=to))
    assert glue.create_job(**job)["Name"] == name
    function = {"Runtime": "python3.13", "Handler": "f.f", "Code": {"ZipFile": b"x"}}
    message = refused(actor.client("lambda").create_function, FunctionName="f", Role=passed, **function)[1]
    assert "iam:PassRole" in message


@pytest.mark.as_on_aws("IAM")
def test_GetCallerIdentity_is_never_denied(make_role: MakeActor) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    actor = make_role(deny("*"))
    identity = actor.client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{actor.name}/tests"

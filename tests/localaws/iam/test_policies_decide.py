"""How identity, boundary, session and resource policies decide together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from iam_actors import Actor, allow, credentials_of, deny, policy, refused

MakeActor = Callable[..., Actor]


@pytest.mark.as_on_aws("IAM")
def test_an_action_that_no_policy_allows_is_denied_with_a_message_that_says_why(
    make_role: MakeActor, bucket: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    actor = make_role()
    session = f"arn:aws:sts::123456789012:assumed-role/{actor.name}/tests"
    code, message = refused(actor.client("glue").start_workflow_run, Name="w")
    assert (code, message) == (
        "AccessDeniedException",
        f"User: {session} is not authorized to perform: glue:StartWorkflowRun on resource: "
        "arn:aws:glue:us-east-1:123456789012:workflow/w because no identity-based policy allows the "
        "glue:StartWorkflowRun action",
    )
    code, message = refused(actor.client("s3").get_object, Bucket=bucket, Key="other.txt")
    assert code == "AccessDenied"
    assert message.startswith(f'User: {session} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3')


@pytest.mark.as_on_aws("IAM")
def test_an_explicit_deny_wins_over_every_allow(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    actor = make_role(allow("*"), deny("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*"))
    s3 = actor.client("s3")
    assert s3.get_object(Bucket=bucket, Key="other.txt")["Body"].read() == b"other.txt"
    _, message = refused(s3.get_object, Bucket=bucket, Key="in/a.txt")
    assert message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.as_on_aws("IAM")
def test_actions_and_resources_can_have_the_wildcards_star_and_question_mark(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    actor = make_role(allow("S3:get*", f"arn:aws:s3:::{bucket}/?n/*.txt"))
    s3 = actor.client("s3")
    assert s3.get_object(Bucket=bucket, Key="in/a.txt")["Body"].read() == b"in/a.txt"
    refused(s3.get_object, Bucket=bucket, Key="other.txt")
    refused(s3.put_object, Bucket=bucket, Key="in/a.txt")


@pytest.mark.as_on_aws("IAM")
def test_NotAction_and_NotResource_match_everything_except_what_they_name(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"""
    actor = make_role(
        {"Effect": "Allow", "NotAction": "s3:PutObject", "NotResource": f"arn:aws:s3:::{bucket}/in/*"},
    )
    s3 = actor.client("s3")
    s3.get_object(Bucket=bucket, Key="other.txt")
    refused(s3.get_object, Bucket=bucket, Key="in/a.txt")
    refused(s3.put_object, Bucket=bucket, Key="other.txt")


@pytest.mark.as_on_aws("IAM")
def test_managed_policies_apply_in_their_default_version(
    make_role: MakeActor, bucket: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"""
    actor = make_role()
    s3 = actor.client("s3")
    attached = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    actor.iam.attach_role_policy(RoleName=actor.name, PolicyArn=attached)
    s3.get_object(Bucket=bucket, Key="other.txt")
    actor.iam.detach_role_policy(RoleName=actor.name, PolicyArn=attached)
    refused(s3.get_object, Bucket=bucket, Key="other.txt")
    arn = actor.iam.create_policy(PolicyName=unique("read"), PolicyDocument=policy(allow("s3:GetObject")))
    own = arn["Policy"]["Arn"]
    actor.iam.attach_role_policy(RoleName=actor.name, PolicyArn=own)
    s3.get_object(Bucket=bucket, Key="other.txt")
    actor.iam.create_policy_version(PolicyArn=own, PolicyDocument=policy(allow("s3:PutObject")), SetAsDefault=True)
    refused(s3.get_object, Bucket=bucket, Key="other.txt")
    actor.iam.set_default_policy_version(PolicyArn=own, VersionId="v1")
    s3.get_object(Bucket=bucket, Key="other.txt")


@pytest.mark.as_on_aws("IAM")
def test_a_user_has_its_own_policies_and_those_of_its_groups(
    make_user: MakeActor, bucket: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html"""
    actor = make_user(allow("s3:ListBucket"))
    s3, group = actor.client("s3"), unique("group")
    _, message = refused(s3.get_object, Bucket=bucket, Key="other.txt")
    assert message.startswith(f"User: arn:aws:iam::123456789012:user/{actor.name} is not authorized")
    actor.iam.create_group(GroupName=group)
    actor.iam.put_group_policy(GroupName=group, PolicyName="read", PolicyDocument=policy(allow("s3:GetObject")))
    actor.iam.add_user_to_group(GroupName=group, UserName=actor.name)
    s3.get_object(Bucket=bucket, Key="other.txt")


@pytest.mark.as_on_aws("IAM")
def test_a_permissions_boundary_limits_what_the_role_s_policies_allow(
    make_role: MakeActor, aws: Callable[..., Any], bucket: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    limit = aws("iam").create_policy(PolicyName=unique("limit"), PolicyDocument=policy(allow("s3:Get*")))
    actor = make_role(allow("s3:*"), PermissionsBoundary=limit["Policy"]["Arn"])
    s3 = actor.client("s3")
    s3.get_object(Bucket=bucket, Key="other.txt")
    _, message = refused(s3.put_object, Bucket=bucket, Key="other.txt")
    assert message.endswith("because no permissions boundary allows the s3:PutObject action")


@pytest.mark.as_on_aws("IAM")
def test_a_session_policy_limits_one_session(make_role: MakeActor, aws: Callable[..., Any], bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session"""
    actor = make_role(allow("s3:*"))
    narrow = aws("sts").assume_role(
        RoleArn=actor.arn, RoleSessionName="narrow", Policy=policy(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*"))
    )
    actor.client("s3").get_object(Bucket=bucket, Key="other.txt")
    actor.credentials = credentials_of(narrow)
    s3 = actor.client("s3")
    s3.get_object(Bucket=bucket, Key="in/a.txt")
    _, message = refused(s3.get_object, Bucket=bucket, Key="other.txt")
    assert message.endswith("because no session policy allows the s3:GetObject action")


@pytest.mark.simplified("IAM", "a policy change takes effect when the call returns; on AWS it takes some seconds")
def test_a_policy_change_takes_effect_immediately(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency"""
    actor = make_role()
    s3 = actor.client("s3")
    for _ in range(3):
        refused(s3.get_object, Bucket=bucket, Key="other.txt")
        actor.may(allow("s3:GetObject"))
        s3.get_object(Bucket=bucket, Key="other.txt")
        actor.iam.delete_role_policy(RoleName=actor.name, PolicyName="own")


@pytest.mark.as_on_aws("IAM")
def test_a_bucket_policy_alone_can_allow_or_deny_a_role_of_the_account(
    make_role: MakeActor, aws: Callable[..., Any], bucket: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html"""
    actor = make_role()
    s3 = actor.client("s3")
    in_folder = f"arn:aws:s3:::{bucket}/in/*"
    document = policy(allow("s3:GetObject", in_folder, Principal={"AWS": actor.arn}))
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=document)
    s3.get_object(Bucket=bucket, Key="in/a.txt")
    refused(s3.get_object, Bucket=bucket, Key="other.txt")
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=policy(deny("s3:*", in_folder, Principal="*")))
    actor.may(allow("s3:*"))
    _, message = refused(s3.get_object, Bucket=bucket, Key="in/a.txt")
    assert message.endswith("with an explicit deny in a resource-based policy")
    s3.get_object(Bucket=bucket, Key="other.txt")


@pytest.mark.as_on_aws("IAM")
def test_a_resource_policy_that_names_the_account_delegates_to_the_identity_s_policies(
    make_role: MakeActor, aws: Callable[..., Any], bucket: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    actor = make_role()
    account = policy(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal={"AWS": "123456789012"}))
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=account)
    refused(actor.client("s3").get_object, Bucket=bucket, Key="other.txt")


@pytest.mark.as_on_aws("IAM")
def test_a_queue_policy_alone_can_allow_a_user_of_the_account_to_send(
    make_user: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-using-identity-based-policies.html"""
    actor, name = make_user(), unique("queue")
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    sqs = actor.client("sqs")
    code, message = refused(sqs.send_message, QueueUrl=queue, MessageBody="x")
    assert code == "AccessDenied"
    assert f"sqs:SendMessage on resource: arn:aws:sqs:us-east-1:123456789012:{name} " in message
    statement = allow("sqs:SendMessage", f"arn:aws:sqs:us-east-1:123456789012:{name}", Principal={"AWS": actor.arn})
    aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(statement)})
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    refused(sqs.receive_message, QueueUrl=queue)


@pytest.mark.as_on_aws("IAM")
def test_a_catalog_object_needs_permission_on_its_catalog_database_and_table(
    make_role: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html"""
    database, here = unique("db"), "arn:aws:glue:us-east-1:123456789012"
    aws("glue").create_database(DatabaseInput={"Name": database})
    aws("glue").create_table(DatabaseName=database, TableInput={"Name": "t"})
    needed = [f"{here}:catalog", f"{here}:database/{database}", f"{here}:table/{database}/t"]
    actor = make_role()
    glue = actor.client("glue")
    for missing in needed:
        actor.may(allow("glue:GetTable", [arn for arn in needed if arn != missing]))
        _, message = refused(glue.get_table, DatabaseName=database, Name="t")
        assert f"on resource: {missing} because" in message
    actor.may(allow("glue:GetTable", needed))
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["Name"] == "t"


@pytest.mark.as_on_aws("IAM")
def test_a_permission_on_a_table_applies_to_every_spelling_of_its_name_in_a_request(
    make_role: MakeActor, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html (Name)"""
    database, here = unique("db"), "arn:aws:glue:us-east-1:123456789012"
    aws("glue").create_database(DatabaseInput={"Name": database})
    for name in ("secret", "open"):
        aws("glue").create_table(DatabaseName=database, TableInput={"Name": name})
    actor = make_role(allow("glue:*"), deny("glue:*", f"{here}:table/{database}/secret"))
    glue = actor.client("glue")
    for arguments in ({"Name": "SECRET"}, {"Name": "Secret"}):
        assert refused(glue.get_table, DatabaseName=database.upper(), **arguments)[0] == "AccessDeniedException"
    for more in ({}, {"Name": "open"}):
        table = {"Name": "Secret", "Description": "changed"}
        code, _ = refused(glue.update_table, DatabaseName=database, TableInput=table, **more)
        assert code in ("AccessDeniedException", "NotImplemented")
    assert "Description" not in aws("glue").get_table(DatabaseName=database, Name="secret")["Table"]


@pytest.mark.as_on_aws("IAM")
def test_a_missing_object_is_AccessDenied_without_permission_to_list_the_bucket(
    make_role: MakeActor, bucket: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    actor = make_role(allow("s3:GetObject"))
    s3 = actor.client("s3")
    code, message = refused(s3.get_object, Bucket=bucket, Key="never")
    assert (code, "s3:ListBucket" in message) == ("AccessDenied", True)
    assert refused(s3.head_object, Bucket=bucket, Key="never")[0] == "403"
    actor.may(allow(["s3:GetObject", "s3:ListBucket"]))
    assert refused(s3.get_object, Bucket=bucket, Key="never")[0] == "NoSuchKey"


@pytest.mark.as_on_aws("IAM")
def test_a_copy_needs_permission_to_read_its_source_and_to_write_its_target(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    read, write = (
        allow("s3:GetObject", f"arn:aws:s3:::{bucket}/other.txt"),
        allow("s3:PutObject", f"arn:aws:s3:::{bucket}/copy"),
    )
    actor = make_role(read)
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "other.txt"}}
    s3 = actor.client("s3")
    assert "s3:PutObject" in refused(s3.copy_object, **copy)[1]
    actor.may(write)
    assert "s3:GetObject" in refused(s3.copy_object, **copy)[1]
    actor.may(read, write)
    s3.copy_object(**copy)


@pytest.mark.as_on_aws("IAM")
def test_a_listing_can_be_limited_to_a_prefix(make_role: MakeActor, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html"""
    only = {"StringLike": {"s3:prefix": ["in/*"]}}
    actor = make_role(allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=only))
    s3 = actor.client("s3")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="in/")["Contents"]] == ["in/a.txt"]
    refused(s3.list_objects_v2, Bucket=bucket)
    refused(s3.list_objects_v2, Bucket=bucket, Prefix="other")


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "nobody"}}},
        {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Condition": {"Bool": {"aws:ViaAWSService": "true"}}},
    ],
)
def test_a_deny_in_a_bucket_policy_applies_only_to_its_principals_and_conditions(
    aws: Callable[..., Any], unique: Callable[[str], str], statement: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html"""
    s3, name = aws("s3"), unique("judged")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=b"content")
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    deny = {"Effect": "Deny", "Action": "s3:*Object*", "Resource": resources, **statement}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    assert s3.get_object(Bucket=name, Key="key")["Body"].read() == b"content"
    s3.put_object(Bucket=name, Key="key", Body=b"changed")
    assert s3.head_object(Bucket=name, Key="key")["ContentLength"] == 7
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "key"}]})
    assert "Contents" not in s3.list_objects_v2(Bucket=name)


@pytest.mark.as_on_aws("S3")
def test_a_deny_for_everybody_also_denies_root_but_root_can_still_delete_the_policy(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"""
    s3, name = aws("s3"), unique("judged")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=b"content")
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    deny_all = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny_all]}))
    for call, given in ((s3.get_object, {"Key": "key"}), (s3.list_objects_v2, {}), (s3.delete_bucket, {})):
        code, message = refused(call, Bucket=name, **given)
        assert code == "AccessDenied"
        assert "with an explicit deny in a resource-based policy" in message
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"] == [deny_all]
    s3.delete_bucket_policy(Bucket=name)
    assert s3.get_object(Bucket=name, Key="key")["Body"].read() == b"content"

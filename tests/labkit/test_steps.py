"""Every step can be created, created again, described, repaired after a change, and destroyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from labkit import Lab
from labkit.errors import MissingStep

STEPS = ["buckets", "roles", "functions", "network", "redshift", "secrets", "crawlers", "job", "workflow",
         "reliability", "notification", "query"]  # fmt: skip
QUIET = [step for step in STEPS if step != "query"]  # query's facts are about rows: see test_rows.py


def failing(lab: Lab, step: str) -> list[str]:
    return [fact.what for fact in getattr(lab, step).check().facts if not fact.holds]


@pytest.mark.parametrize("step", QUIET)
def test_after_a_deploy_every_step_passes_its_check(lab: Lab, step: str) -> None:
    assert failing(lab, step) == []


@pytest.mark.parametrize("step", STEPS)
def test_creating_a_step_again_changes_nothing(lab: Lab, step: str) -> None:
    before = getattr(lab, step).describe()
    assert getattr(lab, step).create() == before


@pytest.mark.parametrize("step", STEPS)
def test_displayed_steps_contain_no_ids_times_or_addresses(lab: Lab, step: str) -> None:
    described = getattr(lab, step).describe()
    for shown in (str(described), described._repr_html_(), str(getattr(lab, step).check())):
        assert not re.search(r"arn:|\b(vpc|subnet|sg|igw|rtb)-[0-9a-f]{6,}|127\.0\.0\.1|localhost|\d\d:\d\d", shown)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("buckets", "roles", "network")])
def test_a_step_out_of_order_names_the_notebook_to_run_first(make_lab: Callable[..., Lab], step: str) -> None:
    with pytest.raises(MissingStep, match=r"is not there yet: step '\w+' makes it\.\nRun notebook 0\d_\w+ first"):
        getattr(make_lab("nobody"), step).create()


@pytest.mark.parametrize("step", STEPS)
def test_a_check_of_a_missing_step_says_so_and_does_not_fail(make_lab: Callable[..., Lab], step: str) -> None:
    check = getattr(make_lab("nobody"), step).check()
    assert not check
    assert all(fact.fix for fact in check.facts if not fact.holds)


def test_public_access_to_a_bucket_is_blocked_again(lab: Lab) -> None:
    bucket = lab.names.landing_bucket
    lab.session.client("s3").delete_public_access_block(Bucket=bucket)
    assert failing(lab, "buckets") == [f"bucket {bucket} blocks public access"]
    lab.buckets.create()
    assert failing(lab, "buckets") == []


def test_a_role_with_changed_permissions_is_corrected(lab: Lab) -> None:
    role, everything = lab.names.start_role, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    lab.session.client("iam").put_role_policy(RoleName=role, PolicyName="toll-etl", PolicyDocument=document)
    assert failing(lab, "roles") == [f"role {role} may do what its part needs, and nothing else"]
    lab.roles.create()
    assert failing(lab, "roles") == []


def test_a_function_with_changed_code_or_settings_is_deployed_again(lab: Lab) -> None:
    function, awslambda = lab.names.start_function, lab.session.client("lambda")
    awslambda.update_function_configuration(FunctionName=function, Timeout=3, Environment={"Variables": {}})
    assert failing(lab, "functions") == [f"function {function} has its role, environment and limits"]
    lab.functions.create()
    assert failing(lab, "functions") == []


def test_an_unchanged_function_is_left_alone(lab: Lab) -> None:
    before = lab.session.client("lambda").get_function_configuration(FunctionName=lab.names.generator_function)
    lab.functions.create()
    after = lab.session.client("lambda").get_function_configuration(FunctionName=lab.names.generator_function)
    assert after["LastModified"] == before["LastModified"]


def test_an_extra_security_group_rule_is_removed(lab: Lab) -> None:
    group = lab.network.describe().security_group_id
    hole = {"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    lab.session.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[hole])
    assert failing(lab, "network") == ["there are no other inbound rules"]
    lab.network.create()
    assert failing(lab, "network") == []


def test_the_described_open_inbound_range_can_be_set_with_one_setting(lab: Lab, make_lab: Callable[..., Lab]) -> None:
    make_lab("kit", inbound_cidr="0.0.0.0/0").network.create()
    assert failing(lab, "network") != []
    lab.network.create()
    assert failing(lab, "network") == []


def test_the_network_matches_the_description(lab: Lab) -> None:
    made = lab.network.describe()
    assert (made.cidr, made.route_tables, len(made.subnets)) == ("10.0.0.0/16", 5, 4)
    assert sum(name.startswith("database") for name in made.subnets) == 2
    zones = lab.session.client("ec2").describe_subnets(SubnetIds=list(made.database_subnet_ids))["Subnets"]
    assert len({zone["AvailabilityZone"] for zone in zones}) == 2


def test_interface_endpoints_are_created_if_the_target_needs_them(make_lab: Callable[..., Lab]) -> None:
    inner = make_lab("endpoints", interface_endpoints=("secretsmanager", "glue"))
    made = inner.network.create()
    assert made.gateway_endpoint.endswith(".s3")
    assert failing(inner, "network") == []
    assert inner.network.destroy().removed
    with pytest.raises(MissingStep):
        inner.network.describe()


def test_a_secret_that_lost_its_cluster_is_associated_again(lab: Lab) -> None:
    value = lab.secrets.read()
    bare = {key: value[key] for key in ("username", "password")}
    lab.session.client("secretsmanager").put_secret_value(SecretId=lab.names.secret, SecretString=json.dumps(bare))
    assert failing(lab, "secrets") == [f"secret {lab.names.secret} says where its cluster is"]
    lab.secrets.create()
    assert lab.secrets.read() == value


def test_a_connection_with_a_copied_password_is_given_the_secret(lab: Lab) -> None:
    glue, name = lab.session.client("glue"), lab.names.connection
    there = glue.get_connection(Name=name)["Connection"]
    properties = {key: value for key, value in there["ConnectionProperties"].items() if key != "SECRET_ID"}
    changed = {
        "Name": name,
        "ConnectionType": "JDBC",
        "ConnectionProperties": {**properties, "USERNAME": "admin", "PASSWORD": "copied"},
        "PhysicalConnectionRequirements": there["PhysicalConnectionRequirements"],
    }
    glue.update_connection(Name=name, ConnectionInput=changed)
    assert failing(lab, "secrets") == ["it takes its credentials from the secret"]
    lab.secrets.create()
    assert failing(lab, "secrets") == []
    assert lab.secrets.test()


def test_a_deleted_secret_is_created_with_a_new_password_that_the_cluster_accepts(
    make_lab: Callable[..., Lab], lab: Lab
) -> None:
    lab.session.client("secretsmanager").delete_secret(SecretId=lab.names.secret, ForceDeleteWithoutRecovery=True)
    lab.redshift.create()
    lab.secrets.create()
    assert lab.query("select 1 as one").one.tolist() == [1]
    assert lab.secrets.test()


def test_crawlers_with_changed_targets_are_corrected(lab: Lab) -> None:
    target = {"S3Targets": [{"Path": f"s3://{lab.names.staging_bucket}/"}]}
    lab.session.client("glue").update_crawler(Name=lab.names.s3_crawler, Targets=target)
    assert failing(lab, "crawlers") == [f"crawler {lab.names.s3_crawler} looks at s3://{lab.names.landing_bucket}/"]
    lab.crawlers.create()
    assert failing(lab, "crawlers") == []


def test_the_catalog_has_redshift_s_table_after_a_deploy(lab: Lab) -> None:
    table = lab.crawlers.table("toll_db_public_toll_table")
    assert table.classification == "redshift"
    assert table.columns["transaction_id"] == "bigint"
    assert list(table.columns)[-1] == "transaction_amount"


def test_a_job_with_changed_settings_and_script_is_corrected(lab: Lab) -> None:
    glue, s3 = lab.session.client("glue"), lab.session.client("s3")
    job = glue.get_job(JobName=lab.names.job)["Job"]
    glue.update_job(
        JobName=lab.names.job,
        JobUpdate={"Role": job["Role"], "Command": job["Command"], "Timeout": 60, "MaxRetries": 1},
    )
    s3.put_object(Bucket=lab.names.staging_bucket, Key=f"scripts/{lab.names.job}.py", Body=b"pass")
    wrong = failing(lab, "job")
    assert "its Timeout is 15" in wrong
    assert "its script is glue/s3_to_redshift_job.py" in wrong
    lab.job.create()
    assert failing(lab, "job") == []


def test_a_workflow_with_a_changed_limit_and_triggers_is_corrected(lab: Lab) -> None:
    glue, names = lab.session.client("glue"), lab.names
    glue.update_workflow(Name=names.workflow, MaxConcurrentRuns=5)
    crawled = {"LogicalOperator": "EQUALS", "CrawlerName": names.s3_crawler, "CrawlState": "FAILED"}
    update = {"Actions": [{"JobName": names.job}], "Predicate": {"Logical": "ANY", "Conditions": [crawled]}}
    glue.update_trigger(Name=names.event_trigger, TriggerUpdate=update)
    wrong = ["at most 2 runs at a time", f"trigger {names.event_trigger} starts what it should"]
    assert failing(lab, "workflow") == wrong
    lab.workflow.create()
    assert failing(lab, "workflow") == []


def test_the_notification_is_restored_and_other_notifications_are_kept(lab: Lab) -> None:
    s3, bucket, function = lab.session.client("s3"), lab.names.landing_bucket, lab.functions
    others = {
        "Id": "somebody-else-s",
        "LambdaFunctionArn": function.arn(lab.names.reliable_start_function),
        "Events": ["s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [others]}
    )
    assert failing(lab, "notification") == [
        f"bucket {bucket} has the notification s3Events",
        "s3OtherEvents invokes it for .json files that are copied there, or uploaded in parts",
    ]
    lab.notification.create()
    assert failing(lab, "notification") == []
    there = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    assert {item["Id"] for item in there} == {"somebody-else-s", "s3Events", "s3OtherEvents"}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    lab.notification.create()


def test_a_removed_permission_is_added_again(lab: Lab) -> None:
    lab.session.client("lambda").remove_permission(
        FunctionName=lab.names.reliable_start_function, StatementId="s3-invokes-start-function"
    )
    assert failing(lab, "notification") == [f"S3 may invoke {lab.names.reliable_start_function}"]
    lab.notification.create()
    assert failing(lab, "notification") == []


def test_destroying_one_participant_s_lab_removes_all_of_it_and_nothing_of_another_s(
    lab: Lab, make_lab: Callable[..., Lab]
) -> None:
    other = make_lab("leaving")
    other.deploy()
    assert other.leftovers()
    removed = other.destroy().steps
    assert all(item.removed for item in removed if item.step != "query")
    assert not other.leftovers(), other.leftovers()
    assert not any(item.removed for item in other.destroy().steps), "destroying again finds nothing"
    for step in QUIET:
        assert failing(lab, step) == []

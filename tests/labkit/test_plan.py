"""On AWS, people see what will be created and how it is charged before they are asked, and the table is true."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from aws_calls import AS_ON_AWS, Recorded, typed, whole_pass
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from click.testing import CliRunner

from labkit import Lab
from labkit.errors import ConfigError, ConsentNeeded, MissingStep
from labkit.steps.plan import BY_HOUR
from labkit.tools import running
from labkit.tools.cli import cli

PREFIX = "planned"
CREATES = {
    "bucket": "CreateBucket", "role": "CreateRole", "function": "CreateFunction", "VPC": "CreateVpc",
    "internet gateway": "CreateInternetGateway", "subnet": "CreateSubnet", "route table": "CreateRouteTable",
    "gateway endpoint": "CreateVpcEndpoint", "interface endpoint": "CreateVpcEndpoint",
    "security group": "CreateSecurityGroup", "secret": "CreateSecret",
    "cluster subnet group": "CreateClusterSubnetGroup", "Redshift cluster (1 x dc2.large)": "CreateCluster",
    "Glue connection": "CreateConnection", "Glue database": "CreateDatabase", "crawler": "CreateCrawler",
    "workflow": "CreateWorkflow", "trigger": "CreateTrigger", "job": "CreateJob", "queue": "CreateQueue",
    "event source mapping": "CreateEventSourceMapping",
}  # fmt: skip
NOT_A_RESOURCE = {"CreateRoute"}


@pytest.fixture(scope="module")
def done(make_lab: Callable[..., Lab]) -> tuple[Lab, Recorded, list[str]]:
    return whole_pass(make_lab, PREFIX)


@pytest.fixture
def asking(make_lab: Callable[..., Lab]) -> Lab:
    """A lab that asks before it creates something, with nothing in it."""
    return make_lab("asks", **AS_ON_AWS)


def test_the_plan_names_exactly_what_the_steps_create(done: tuple[Lab, Recorded, list[str]]) -> None:
    lab, recorded, _ = done
    planned: Counter[str] = Counter()
    for part in lab.plan().parts:
        if part.kind == "notification":
            continue
        planned[CREATES[part.kind]] += len(part.names)
        said = [json.dumps(parameters, default=str) for parameters in recorded.of(CREATES[part.kind])]
        for name in part.names:
            assert any(name in parameters for parameters in said), f"{part.kind} {name} is not created"
    made = Counter(name for _, name, _ in recorded.calls if name.startswith("Create") and name not in NOT_A_RESOURCE)
    assert made == planned


def test_deploy_asks_once_and_for_the_prefix(done: tuple[Lab, Recorded, list[str]]) -> None:
    assert done[2] == [f"To create them, type {PREFIX}: "]


def test_everything_that_is_created_has_the_lab_s_tags_and_the_day_when_it_expires(
    done: tuple[Lab, Recorded, list[str]],
) -> None:
    lab, recorded, _ = done
    days = {(datetime.now(UTC).date() + timedelta(days=two)).isoformat() for two in (1, 2)}  # midnight may have passed
    (bucket_tags, *_) = recorded.of("PutBucketTagging")
    for operation in {*CREATES.values()} - {"CreateBucket"}:
        for parameters in recorded.of(operation):
            tags = tags_in(parameters)
            assert lab.config.tags.items() <= tags.items(), operation
            assert tags["expires"] in days, operation
    assert tags_in(bucket_tags)["expires"] in days


def tags_in(parameters: dict[str, Any]) -> dict[str, str]:
    given = parameters.get("Tags") or parameters.get("tags") or parameters.get("Tagging", {}).get("TagSet")
    if given is None:
        (specification,) = parameters["TagSpecifications"]
        given = specification["Tags"]
    return given if isinstance(given, dict) else {tag["Key"]: tag["Value"] for tag in given}


def test_every_call_of_the_steps_has_parameters_that_botocore_accepts(done: tuple[Lab, Recorded, list[str]]) -> None:
    session, validator = botocore.session.get_session(), ParamValidator()
    models = {service: session.get_service_model(service) for service, _, _ in done[1].calls}
    assert len(done[1].calls) > 200
    for service, operation, parameters in done[1].calls:
        shape = models[service].operation_model(operation).input_shape
        if shape is not None:
            report = validator.validate(parameters, shape)
            assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"


def test_the_plan_is_shown_with_what_is_charged_by_the_hour_and_where_the_prices_are(
    asking: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    with typed("asks"):
        asking.consent("network")
    said = capsys.readouterr().out
    assert "resources in AWS account 123456789012, region us-east-1" in said
    assert "2 interface endpoints: asks-toll-vpc-secretsmanager, asks-toll-vpc-glue" in said
    assert f"{BY_HOUR}, in each of 2 availability zones (https://aws.amazon.com/privatelink/pricing/)" in said
    assert "Charged by the hour, from creation until labkit destroy: 2 interface endpoints." in said
    assert "cluster" not in said, "the cluster belongs to notebook 02"
    page = asking.plan("redshift")._repr_html_()
    assert '<a href="https://aws.amazon.com/redshift/pricing/">price</a>' in page
    assert "$" not in page, "no price is quoted"


def test_a_step_asks_for_all_steps_of_its_notebook_and_asks_once(asking: Lab) -> None:
    with typed("asks") as questions:
        asking.consent("buckets")
        asking.consent("roles")
        asking.consent("functions")
    assert len(questions) == 1
    with typed() as questions, pytest.raises(ConsentNeeded):
        asking.consent("network")
    assert len(questions) == 1


@pytest.mark.parametrize("answer", ["", "y", "yes", "ask"])
def test_another_answer_than_the_prefix_creates_nothing(asking: Lab, answer: str) -> None:
    with typed(answer), pytest.raises(ConsentNeeded, match=r"Nothing was created(.|\n)*Type asks when asked"):
        asking.deploy()
    assert not asking.leftovers()


def test_nobody_who_answers_creates_nothing_and_yes_needs_no_answer(asking: Lab) -> None:
    settings = {"LABKIT_HOME": str(asking.config.home), "LABKIT_PREFIX": "asks", "LABKIT_ASK_BEFORE_CREATE": "true"}
    refused = CliRunner().invoke(cli, ["deploy", "buckets"], env=settings, input="")
    assert isinstance(refused.exception, ConsentNeeded)
    assert not asking.leftovers()
    agreed = CliRunner().invoke(cli, ["deploy", "buckets", "--yes"], env=settings)
    assert agreed.exit_code == 0, agreed.output
    removed = CliRunner().invoke(cli, ["destroy", "--yes"], env=settings)
    assert removed.output.endswith("0 resources remain\n")


def test_a_run_of_the_notebooks_asks_before_the_first_one_starts(asking: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_ASK_BEFORE_CREATE", "true")
    with typed(), pytest.raises(ConsentNeeded, match="pass --yes"):
        running.ask_once(asking)
    with typed() as questions:
        running.ask_once(asking, yes=True)
    assert questions == []
    assert not Lab(home=asking.config.home).config.ask_before_create, "the kernels must not ask"


def test_resources_whose_day_is_over_are_reported_and_kept(make_lab: Callable[..., Lab]) -> None:
    old = make_lab("old", expires_days=1)
    old.buckets.create()
    assert old.leftovers().expired == ()
    tags = [{"Key": key, "Value": value} for key, value in (old.config.tags | {"expires": "2020-01-31"}).items()]
    old.session.client("s3").put_bucket_tagging(Bucket=old.names.landing_bucket, Tagging={"TagSet": tags})
    settings = {"LABKIT_HOME": str(old.config.home), "LABKIT_PREFIX": "old", "LABKIT_EXPIRES_DAYS": "1"}
    try:
        assert old.leftovers().expired == (f"arn:aws:s3:::{old.names.landing_bucket}",)
        said = CliRunner().invoke(cli, ["status"], env=settings).output
        assert "1 resources have expired and still cost money: labkit destroy removes them" in said
        assert f"    arn:aws:s3:::{old.names.landing_bucket}\n" in said
    finally:
        old.destroy()
    assert str(old.leftovers()) == "0 resources remain"


def test_a_node_type_that_cannot_be_ordered_is_refused_with_those_that_can(make_lab: Callable[..., Lab]) -> None:
    """AWS's answer is a stub: the embedded AWS sells dc2.large, and does not have this operation."""
    made = make_lab("order")
    made.deploy("roles", "network")
    try:
        for nodes, kind, other in ((1, "single-node", "multi-node"), (2, "multi-node", "single-node")):
            lab = make_lab("order", check_node_type=True, number_of_nodes=nodes)
            offered = [
                {"NodeType": node_type, "ClusterType": cluster_type, "ClusterVersion": "1.0"}
                for node_type, cluster_type in (("ra3.large", kind), ("ra3.4xlarge", kind), ("dc2.large", other))
            ]
            with Stubber(lab.session.client("redshift")) as stub:
                stub.add_client_error("describe_clusters", "ClusterNotFound")
                stub.add_response("describe_orderable_cluster_options", {"OrderableClusterOptions": offered}, {})
                done: list[str] = []
                with pytest.raises(ConfigError) as refused:
                    lab.deploy("network", "redshift", "secrets", on_step=done.append)
                stub.assert_no_pending_responses()
            assert done == ["network"], "it stops at the first failure"
            assert f"dc2.large can't be ordered as a {kind} cluster in us-east-1" in str(refused.value)
            assert refused.value.allowed == ("ra3.4xlarge", "ra3.large")
        with pytest.raises(MissingStep, match="labkit deploy redshift"):
            made.secrets.create()
    finally:
        made.destroy()


def test_the_day_of_expiry_is_a_date_that_no_display_shows(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab("day", expires_days=3)
    assert date.fromisoformat(lab.config.new_tags["expires"])
    assert "expires" not in lab.config.tags, "resources are found by the tags that don't change"
    assert "expires" not in make_lab("day").config.new_tags

"""An error for a missing resource names the step that creates it, after a refused call and after a failed run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from labkit import Lab, LabError, needs, origins
from labkit.errors import AwsRefused, FunctionFailed, MissingStep, QueryFailed, RunFailed
from labkit.names import Names


@pytest.fixture(scope="module")
def fresh(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Everything of the described delivery is deployed, and nothing has landed yet."""
    lab = make_lab("fresh")
    lab.deploy(as_described=True)
    yield lab
    lab.destroy()


CRAWL_FIRST = r"Land a file if there is none \(lab\.send\(\), labkit send\), then crawl: lab\.crawlers\.crawl_s3\(\)"


def test_a_job_without_a_crawled_table_says_which_step_to_run_first_and_that_step_helps(fresh: Lab) -> None:
    with pytest.raises(RunFailed, match=rf"Table landing_bucket_fresh not found(.|\n)*{CRAWL_FIRST}"):
        fresh.job.run()
    with pytest.raises(RunFailed, match=CRAWL_FIRST):
        fresh.workflow.run()
    glue = fresh.session.client("glue")
    with pytest.raises(AwsRefused, match=CRAWL_FIRST):
        glue.get_table(DatabaseName=fresh.names.glue_database, Name=fresh.names.source_table)
    with pytest.raises(MissingStep, match=CRAWL_FIRST):
        fresh.crawlers.table(fresh.names.source_table)
    fresh.job.wait_until_idle()
    fresh.notification.destroy()
    fresh.send(rows=3)
    fresh.crawlers.crawl_s3()
    assert fresh.job.run().state == "SUCCEEDED"
    assert fresh.query.count() == 3


@pytest.mark.parametrize(
    ("service", "operation", "field", "parameter"),
    [
        ("glue", "get_job", "job", "JobName"),
        ("glue", "start_job_run", "exactly_once_job", "JobName"),
        ("glue", "start_workflow_run", "workflow", "Name"),
        ("glue", "get_workflow_runs", "exactly_once_workflow", "Name"),
        ("glue", "start_crawler", "s3_crawler", "Name"),
        ("glue", "get_database", "glue_database", "Name"),
        ("glue", "get_connection", "connection", "Name"),
        ("glue", "get_trigger", "event_trigger", "Name"),
        ("s3", "head_bucket", "landing_bucket", "Bucket"),
        ("s3", "list_objects_v2", "staging_bucket", "Bucket"),
        ("lambda", "get_function", "generator_function", "FunctionName"),
        ("lambda", "get_policy", "reliable_start_function", "FunctionName"),
        ("iam", "get_role", "glue_role", "RoleName"),
        ("iam", "list_role_policies", "reliable_start_role", "RoleName"),
        ("secretsmanager", "get_secret_value", "secret", "SecretId"),
        ("redshift", "describe_clusters", "cluster_identifier", "ClusterIdentifier"),
        ("redshift", "describe_cluster_subnet_groups", "subnet_group", "ClusterSubnetGroupName"),
        ("sqs", "get_queue_url", "dead_letter_queue", "QueueName"),
    ],
)
def test_an_error_for_a_missing_resource_of_the_lab_names_the_step_that_creates_it(
    make_lab: Callable[..., Lab], service: str, operation: str, field: str, parameter: str
) -> None:
    nobody = make_lab("nobody")
    name, step = getattr(nobody.names, field), origins.MADE_BY[field]
    (notebook,) = (one.notebook for one in nobody.steps if one.name == step)
    with pytest.raises(AwsRefused) as caught:
        getattr(nobody.session.client(service), operation)(**{parameter: name})
    assert name in caught.value.what
    assert caught.value.fix == (f"Step {step!r} makes {name}: run notebook {notebook} first, or: labkit deploy {step}")


def test_an_error_for_another_missing_resource_names_no_step(lab: Lab) -> None:
    with pytest.raises(AwsRefused) as caught:
        lab.session.client("glue").get_job(JobName="somebody else's")
    assert caught.value.fix == ""
    with pytest.raises(AwsRefused) as caught:
        lab.session.client("glue").get_table(DatabaseName=lab.names.glue_database, Name="somebody_else_s")
    assert caught.value.fix == "", "the database is there: it is the table that is missing"
    with pytest.raises(AwsRefused) as caught:
        lab.session.client("s3").get_object(Bucket=lab.names.landing_bucket, Key="no-such.json")
    assert caught.value.fix == "", "the bucket is there: it is the object that is missing"


def test_each_resource_name_of_the_lab_has_a_step(lab: Lab) -> None:
    assert set(origins.MADE_BY) == {field.name for field in fields(Names)}
    assert set(origins.MADE_BY.values()) <= {step.name for step in lab.steps} | {origins.CRAWL}
    assert {step.name: step.notebook for step in lab.steps} == origins.NOTEBOOKS
    needed = {*needs.S3_CRAWL_NEEDS, *needs.REDSHIFT_CRAWL_NEEDS, *needs.JOB_NEEDS}
    assert needed | {need for more in needs.FUNCTION_NEEDS.values() for need in more} == set(needs.LOOKUPS)


def test_a_missing_resource_of_a_later_step_is_not_attributed_to_an_earlier_step(fresh: Lab) -> None:
    """The exactly-once delivery has a role and a function of its own; `roles` and `functions` make the others."""
    for missing in (
        lambda: fresh.roles.arn(fresh.names.reliable_start_role),
        lambda: fresh.functions.arn(fresh.names.reliable_start_function),
        fresh.reliability.describe,
    ):
        with pytest.raises(MissingStep, match="labkit deploy reliability"):
            missing()


def test_a_query_of_a_missing_table_of_the_lab_names_the_step_that_creates_it(fresh: Lab) -> None:
    with pytest.raises(QueryFailed, match="Step 'reliability' makes the ledger"):
        fresh.query(f"select * from {fresh.names.ledger}")
    with pytest.raises(QueryFailed, match=r"lab\.redshift\.check\(\)"):
        fresh.query("select * from nowhere")


def without_landing_bucket(lab: Lab) -> None:
    lab.buckets.empty(lab.names.landing_bucket)
    lab.session.client("s3").delete_bucket(Bucket=lab.names.landing_bucket)


def without_connection(lab: Lab) -> None:
    lab.session.client("glue").delete_connection(ConnectionName=lab.names.connection)


def without_table(lab: Lab) -> None:
    lab.query(f"drop table {lab.config.redshift_table}")


def without_cluster(lab: Lab) -> None:
    lab.redshift.destroy()


@pytest.mark.parametrize(
    ("take", "use", "kind", "said"),
    [
        (
            without_landing_bucket,
            lambda lab: lab.send(rows=1),
            FunctionFailed,
            "Step 'buckets' makes landing-bucket-fresh: run notebook 00_start first, or: labkit deploy buckets",
        ),
        (
            without_landing_bucket,
            lambda lab: lab.crawlers.crawl_s3(),
            RunFailed,
            "Step 'buckets' makes landing-bucket-fresh",
        ),
        (
            without_connection,
            lambda lab: lab.crawlers.crawl_redshift(),
            RunFailed,
            "Step 'secrets' makes fresh-redshift_conn: run notebook 03_secrets first, or: labkit deploy secrets",
        ),
        (
            without_table,
            lambda lab: lab.query.count(),
            QueryFailed,
            "Step 'redshift' makes the table toll_table: run notebook 02_redshift first",
        ),
        (without_cluster, lambda lab: lab.job.run(), RunFailed, "Step 'redshift' makes fresh-tollclusterSecret"),
    ],
)
def test_a_failure_because_of_a_deleted_resource_names_the_step_that_creates_it(
    fresh: Lab, take: Callable[[Lab], None], use: Callable[[Lab], Any], kind: type[LabError], said: str
) -> None:
    take(fresh)
    try:
        with pytest.raises(kind) as caught:
            use(fresh)
        assert said in str(caught.value)
    finally:
        fresh.job.wait_until_idle()
        fresh.deploy(as_described=True)

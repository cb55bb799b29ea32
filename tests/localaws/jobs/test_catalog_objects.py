"""Which objects are read for a table of the Data Catalog, and which permissions the job's role needs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from awsglue_rows import Row, check
from catalog_tables import FRAMES, add_partition, crawl, declare, reading, storage

EXCLUDED = "define-crawler.html"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.mark.as_on_aws("awsglue")
def test_objects_that_the_crawler_excluded_are_not_read_from_its_table(jobs: Any, preamble: str) -> None:
    """The patterns are a property of the table, which from_catalog reads:
    https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude
    """
    prefix = jobs.unique("in")
    kept = ["a.json", "x/b.json"]
    left_out = ["a.tmp", "rejects/c.json", "rejects/deep/d.json", "x/e{1}.json", "y2/f.json"]
    for name in kept + left_out:
        jobs.put(f"{prefix}/plain/{name}", json.dumps({"name": name}) + "\n")
        jobs.put(f"{prefix}/keys/day=1/{name}", json.dumps({"name": name}) + "\n")
    patterns = ["*.tmp", "rejects/**", "x/e\\{1\\}.json", "y[0-9]/{f,g}.*"]
    columns, root = {"name": "string"}, f"s3://{jobs.bucket}/{prefix}"

    def excluding(folder: str) -> dict[str, str]:
        return {"exclusions": json.dumps([f"{root}/{folder}{pattern}" for pattern in patterns])}

    plain = declare(jobs, columns, f"{prefix}/plain/", "json", parameters=excluding("plain/"))
    keys = declare(
        jobs, columns, f"{prefix}/keys/", "json", parameters=excluding("keys/**/"), keys={"day": "int"}
    )  # fmt: skip
    add_partition(jobs, keys, ["1"], storage(jobs, columns, f"{prefix}/keys/day=1/"))
    jobs.put(f"{prefix}/crawled/a.json", '{"name": "a.json"}\n')
    jobs.put(f"{prefix}/crawled/a.tmp", '{"name": "a.tmp"}\n')
    crawled = crawl(jobs, f"{prefix}/crawled/", exclusions=["*.tmp"])
    rows = [
        Row(EXCLUDED, f"[row[0] for row in data(read({plain!r}))]", kept),
        Row(EXCLUDED, f"[row[0] for row in data(read({keys!r}))]", kept),
        Row(EXCLUDED, f"data(read({crawled!r}))", [["a.json"]]),
    ]
    check(jobs, preamble, rows, reading(jobs))


@pytest.mark.as_on_aws("awsglue")
def test_reading_some_partitions_needs_permission_to_list_only_those(jobs: Any, preamble: str) -> None:
    """s3:prefix: https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html"""
    prefix = jobs.unique("in")
    table = declare(jobs, {"id": "int"}, f"{prefix}/", "json", keys={"day": "int"})
    for day in range(3):
        jobs.put(f"{prefix}/day={day}/a.json", json.dumps({"id": day}) + "\n")
        add_partition(jobs, table, [str(day)], storage(jobs, {"id": "int"}, f"{prefix}/day={day}/"))
    iam, role = jobs.aws("iam"), jobs.unique("PartitionsRole")
    allowed = [f"{prefix}/day={day}/*" for day in (0, 1)]
    statements = [
        {"Effect": "Allow", "Action": ["glue:*", "logs:*", "s3:GetObject"], "Resource": "*"},
        {
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{jobs.bucket}",
            "Condition": {"StringLike": {"s3:prefix": allowed}},
        },
    ]  # fmt: skip
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="partitions", PolicyDocument=policy)
    script = preamble + reading(jobs) + (
        f"print(sorted(row.id for row in read({table!r}, push_down_predicate='day < 2').toDF().collect()))\n"
        f"read({table!r})\n"
    )  # fmt: skip
    run = jobs.run(jobs.make(script, Role=role))
    assert jobs.log(run["Id"]) == ["[0, 1]"]
    assert "s3:ListBucket" in run["ErrorMessage"]


@pytest.mark.as_on_aws("awsglue")
def test_a_table_s_location_may_be_one_object(jobs: Any, preamble: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html (include path)"""
    prefix = jobs.unique("in")
    jobs.put(f"{prefix}/a.json", '{"Id": 1}\n')
    jobs.put(f"{prefix}/b.json", '{"Id": 2}\n')
    table = crawl(jobs, f"{prefix}/a.json")
    check(jobs, preamble, [Row(FRAMES, f"data(read({table!r}))", [[1]])], reading(jobs))

"""The tagging API finds tagged resources in every service of the lab."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["glue.amazonaws.com", "lambda.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@pytest.fixture
def tagged(aws: Callable[..., Any], unique: Callable[[str], str], zipped: bytes) -> tuple[str, dict[str, str]]:
    """A tag's value, and the ARN of one resource of each kind that has it, by kind."""
    name = unique("tagged-")
    tags = {"team": name}
    pairs = [{"Key": "team", "Value": name}]
    glue, ec2, redshift = aws("glue"), aws("ec2"), aws("redshift")
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    receive = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    aws("iam").put_role_policy(RoleName=name, PolicyName="receive", PolicyDocument=json.dumps(receive))
    arns = {}
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
    arns["bucket"] = f"arn:aws:s3:::{name}"
    account = "us-east-1:123456789012"
    aws("sqs").create_queue(QueueName=name, tags=tags)
    arns["queue"] = f"arn:aws:sqs:{account}:{name}"
    arns["topic"] = aws("sns").create_topic(Name=name, Tags=pairs)["TopicArn"]
    arns["secret"] = aws("secretsmanager").create_secret(Name=name, SecretString="x", Tags=pairs)["ARN"]
    aws("logs").create_log_group(logGroupName=name, tags=tags)
    arns["log group"] = f"arn:aws:logs:{account}:log-group:{name}"
    arns["function"] = aws("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=role, Handler="f.h", Code={"ZipFile": zipped}, Tags=tags
    )["FunctionArn"]
    arns["mapping"] = aws("lambda").create_event_source_mapping(
        FunctionName=name, EventSourceArn=arns["queue"], Enabled=False, Tags=tags
    )["EventSourceMappingArn"]
    script = {"Name": "glueetl", "ScriptLocation": f"s3://{name}/job.py"}
    glue.create_job(Name=name, Role=role, Command=script, Tags=tags)
    arns["job"] = f"arn:aws:glue:{account}:job/{name}"
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_crawler(
        Name=name, Role=role, DatabaseName=name, Targets={"S3Targets": [{"Path": f"s3://{name}/in/"}]}, Tags=tags
    )
    arns["crawler"] = f"arn:aws:glue:{account}:crawler/{name}"
    glue.create_workflow(Name=name, Tags=tags)
    arns["workflow"] = f"arn:aws:glue:{account}:workflow/{name}"
    glue.create_trigger(Name=name, Type="ON_DEMAND", Actions=[{"JobName": name}], Tags=tags)
    arns["trigger"] = f"arn:aws:glue:{account}:trigger/{name}"
    connection = {
        "Name": name,
        "ConnectionType": "JDBC",
        "ConnectionProperties": {
            "JDBC_CONNECTION_URL": "jdbc:redshift://127.0.0.1:5439/dev", "USERNAME": "u", "PASSWORD": "p",
        },
    }  # fmt: skip
    glue.create_connection(ConnectionInput=connection, Tags=tags)
    arns["connection"] = f"arn:aws:glue:{account}:connection/{name}"
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table])
    ids = {
        "vpc": vpc, "subnet": subnet, "security-group": group, "route-table": table,
        "vpc-endpoint": endpoint["VpcEndpoint"]["VpcEndpointId"],
    }  # fmt: skip
    ec2.create_tags(Resources=list(ids.values()), Tags=pairs)
    arns |= {kind: f"arn:aws:ec2:{account}:{kind}/{identifier}" for kind, identifier in ids.items()}
    redshift.create_cluster_subnet_group(ClusterSubnetGroupName=name, Description="d", SubnetIds=[subnet], Tags=pairs)
    arns["subnet group"] = f"arn:aws:redshift:{account}:subnetgroup:{name}"
    redshift.create_cluster_parameter_group(
        ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description="d", Tags=pairs
    )
    arns["parameter group"] = f"arn:aws:redshift:{account}:parametergroup:{name}"
    return name, arns


@pytest.mark.as_on_aws("Tagging")
def test_GetResources_returns_every_tagged_resource_with_its_tags_in_pages(
    aws: Callable[..., Any], tagged: tuple[str, dict[str, str]]
) -> None:
    """https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html"""
    value, arns = tagged
    pages = aws("resourcegroupstaggingapi").get_paginator("get_resources")
    asked = {"TagFilters": [{"Key": "team", "Values": [value]}]}
    found = [
        resource for page in pages.paginate(**asked, ResourcesPerPage=3) for resource in page["ResourceTagMappingList"]
    ]
    missing = {kind for kind, arn in arns.items() if arn not in {each["ResourceARN"] for each in found}}
    assert not missing
    assert len(found) == len(arns)
    assert all(each["Tags"] == [{"Key": "team", "Value": value}] for each in found)


@pytest.mark.as_on_aws("Tagging")
def test_resources_can_be_filtered_by_type_arn_and_tag(
    aws: Callable[..., Any], tagged: tuple[str, dict[str, str]]
) -> None:
    """https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html"""
    value, arns = tagged
    tagging = aws("resourcegroupstaggingapi")

    def found(**asked: Any) -> set[str]:
        return {each["ResourceARN"] for each in tagging.get_resources(**asked)["ResourceTagMappingList"]}

    asked = {"TagFilters": [{"Key": "team", "Values": [value, "another"]}]}
    assert found(**asked, ResourceTypeFilters=["sqs", "glue:job"]) == {arns["queue"], arns["job"]}
    assert found(ResourceARNList=[arns["secret"]]) == {arns["secret"]}
    assert found(**asked, ResourceARNList=[arns["topic"]]) == {arns["topic"]}
    assert found(TagFilters=[{"Key": "team", "Values": ["another"]}]) == set()
    aws("sqs").untag_queue(QueueUrl=aws("sqs").get_queue_url(QueueName=value)["QueueUrl"], TagKeys=["team"])
    assert arns["queue"] not in found(**asked)
    elsewhere = aws("resourcegroupstaggingapi", region="eu-west-1").get_resources(**asked)
    assert elsewhere["ResourceTagMappingList"] == []
    with pytest.raises(ClientError, match="PaginationToken is invalid"):
        tagging.get_resources(PaginationToken="none")

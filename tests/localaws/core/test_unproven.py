"""Calls that moto answers with success but without an effect are refused, unless the lab's user allows them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import localaws

ROLE = "arn:aws:iam::123456789012:role/nobody"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:nowhere"
TEMPLATE = json.dumps({"Resources": {"Job": {"Type": "AWS::Glue::Job", "Properties": {}}}})
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Nonsense"}}})

CALLS: dict[str, dict[str, dict[str, Any]]] = {
    "cloudformation": {
        "create_stack": {"StackName": "s", "TemplateBody": TEMPLATE},
        "create_change_set": {"StackName": "s", "ChangeSetName": "c", "TemplateBody": TEMPLATE},
        "validate_template": {"TemplateBody": TEMPLATE},
        "describe_stacks": {},
        "list_stacks": {},
        "create_stack_set": {"StackSetName": "s", "TemplateBody": TEMPLATE},
    },
    "stepfunctions": {
        "create_state_machine": {"name": "m", "definition": MACHINE, "roleArn": ROLE},
        "create_activity": {"name": "a"},
        "list_state_machines": {},
    },
    "athena": {
        "start_query_execution": {"QueryString": "select * from nonsense"},
        "create_work_group": {"Name": "w"},
        "create_data_catalog": {"Name": "c", "Type": "GLUE"},
        "list_work_groups": {},
    },
    "events": {
        "put_rule": {"Name": "r", "ScheduleExpression": "rate(1 minute)"},
        "put_events": {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]},
        "create_event_bus": {"Name": "b"},
        "create_archive": {"ArchiveName": "a", "EventSourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/b"},
        "list_rules": {},
    },
    "scheduler": {
        "create_schedule": {
            "Name": "s", "ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": QUEUE, "RoleArn": ROLE},
        },
        "create_schedule_group": {"Name": "g"},
        "list_schedules": {},
    },
    "firehose": {
        "create_delivery_stream": {"DeliveryStreamName": "d"},
        "put_record": {"DeliveryStreamName": "d", "Record": {"Data": b"x"}},
        "list_delivery_streams": {},
    },
    "kinesis": {
        "create_stream": {"StreamName": "s", "ShardCount": 1},
        "put_record": {"StreamName": "s", "Data": b"x", "PartitionKey": "k"},
        "list_streams": {},
    },
    "cloudwatch": {
        "put_metric_alarm": {
            "AlarmName": "a", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1.0,
            "MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum",
        },
        "put_metric_data": {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
        "describe_alarms": {},
        "put_dashboard": {"DashboardName": "d", "DashboardBody": "{}"},
        "list_metrics": {},
    },
    "logs": {
        "stop_query": {"queryId": "q"},
        "put_metric_filter": {
            "logGroupName": "g", "filterName": "f", "filterPattern": "ERROR",
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        },
        "put_subscription_filter": {
            "logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": QUEUE,
        },
        "create_export_task": {"logGroupName": "g", "fromTime": 0, "to": 1, "destination": "b"},
        "put_destination": {"destinationName": "d", "targetArn": QUEUE, "roleArn": ROLE},
        "describe_metric_filters": {},
        "put_resource_policy": {"policyName": "p", "policyDocument": "{}"},
    },
    "redshift-serverless": {
        "create_namespace": {"namespaceName": "nnn"},
        "create_workgroup": {"workgroupName": "www", "namespaceName": "nnn"},
        "list_workgroups": {},
    },
    "redshift": {
        "create_cluster_snapshot": {"SnapshotIdentifier": "s", "ClusterIdentifier": "c"},
        "create_snapshot_copy_grant": {"SnapshotCopyGrantName": "g"},
        "create_event_subscription": {"SubscriptionName": "s", "SnsTopicArn": "arn:aws:sns:us-east-1:123456789012:t"},
        "enable_logging": {"ClusterIdentifier": "c"},
        "resize_cluster": {"ClusterIdentifier": "c", "NodeType": "ra3.large"},
        "create_scheduled_action": {
            "ScheduledActionName": "a", "TargetAction": {"PauseCluster": {"ClusterIdentifier": "c"}},
            "Schedule": "rate(1 hour)", "IamRole": ROLE,
        },
    },
    "glue": {
        "create_dev_endpoint": {"EndpointName": "e", "RoleArn": ROLE},
        "create_session": {"Id": "s", "Role": ROLE, "Command": {"Name": "glueetl"}},
        "create_registry": {"RegistryName": "r"},
        "create_schema": {"SchemaName": "s", "DataFormat": "AVRO", "Compatibility": "NONE"},
        "put_data_catalog_encryption_settings": {"DataCatalogEncryptionSettings": {}},
        "create_ml_transform": {
            "Name": "m", "InputRecordTables": [{"DatabaseName": "d", "TableName": "t"}],
            "Parameters": {"TransformType": "FIND_MATCHES"}, "Role": ROLE,
        },
        "start_data_quality_ruleset_evaluation_run": {
            "DataSource": {"GlueTable": {"DatabaseName": "d", "TableName": "t"}}, "Role": ROLE, "RulesetNames": ["r"],
        },
        "create_data_quality_ruleset": {"Name": "r", "Ruleset": "Rules = []"},
        "create_security_configuration": {"Name": "s", "EncryptionConfiguration": {}},
        "create_user_defined_function": {"DatabaseName": "d", "FunctionInput": {"FunctionName": "f"}},
    },
    "lambda": {
        "create_function_url_config": {"FunctionName": "f", "AuthType": "NONE"},
        "put_provisioned_concurrency_config": {
            "FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 1,
        },
        "create_code_signing_config": {
            "AllowedPublishers": {"SigningProfileVersionArns": [
                "arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/abcdefghij"
            ]},
        },
        "invoke_with_response_stream": {"FunctionName": "f"},
        "put_runtime_management_config": {"FunctionName": "f", "UpdateRuntimeOn": "Auto"},
    },
    "s3": {
        "select_object_content": {
            "Bucket": "bucket", "Key": "k", "Expression": "select 1", "ExpressionType": "SQL",
            "InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}},
        },
        "put_bucket_lifecycle_configuration": {
            "Bucket": "bucket",
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]},
        },
        "put_bucket_replication": {
            "Bucket": "bucket",
            "ReplicationConfiguration": {
                "Role": ROLE,
                "Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::other"}}],
            },
        },
        "put_bucket_logging": {
            "Bucket": "bucket", "BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "b", "TargetPrefix": ""}},
        },
        "put_bucket_website": {
            "Bucket": "bucket", "WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}},
        },
        "put_bucket_accelerate_configuration": {
            "Bucket": "bucket", "AccelerateConfiguration": {"Status": "Enabled"},
        },
        "put_bucket_request_payment": {
            "Bucket": "bucket", "RequestPaymentConfiguration": {"Payer": "Requester"},
        },
        "put_bucket_metrics_configuration": {"Bucket": "bucket", "Id": "i", "MetricsConfiguration": {"Id": "i"}},
        "restore_object": {"Bucket": "bucket", "Key": "k", "RestoreRequest": {"Days": 1}},
    },
    "ec2": {
        "run_instances": {"MinCount": 1, "MaxCount": 1},
        "create_volume": {"AvailabilityZone": "us-east-1a", "Size": 1},
        "create_flow_logs": {"ResourceIds": ["vpc-1"], "ResourceType": "VPC", "TrafficType": "ALL"},
        "create_image": {"InstanceId": "i-1", "Name": "name"},
        "create_launch_template": {"LaunchTemplateName": "name", "LaunchTemplateData": {"InstanceType": "t3.nano"}},
        "request_spot_instances": {},
        "create_vpn_gateway": {"Type": "ipsec.1"},
        "create_transit_gateway": {},
    },
    "iam": {
        "create_saml_provider": {"Name": "n", "SAMLMetadataDocument": "x" * 1000},
        "create_open_id_connect_provider": {"Url": "https://example.com"},
        "create_virtual_mfa_device": {"VirtualMFADeviceName": "m"},
        "create_login_profile": {"UserName": "u", "Password": "Passw0rd!"},
        "generate_credential_report": {},
        "simulate_principal_policy": {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"]},
        "upload_server_certificate": {"ServerCertificateName": "n", "CertificateBody": "b", "PrivateKey": "k"},
    },
    "sts": {"get_session_token": {}, "get_federation_token": {"Name": "nn"}},
    "secretsmanager": {
        "rotate_secret": {"SecretId": "s"},
        "replicate_secret_to_regions": {"SecretId": "s", "AddReplicaRegions": [{"Region": "us-west-2"}]},
        "validate_resource_policy": {"ResourcePolicy": "{}"},
    },
    "dynamodb": {
        "create_table": {
            "TableName": "ttt", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST",
        },
        "list_tables": {},
    },
    "kms": {"create_key": {}, "generate_random": {"NumberOfBytes": 8}, "list_keys": {}},
    "ssm": {"put_parameter": {"Name": "p", "Value": "v", "Type": "String"}, "send_command": {"DocumentName": "d"}},
    "batch": {"list_jobs": {"jobQueue": "q"}, "describe_job_queues": {}},
    "ecs": {"create_cluster": {}, "list_clusters": {}},
    "emr": {"list_clusters": {}},
    "rds": {"create_db_cluster": {"DBClusterIdentifier": "c", "Engine": "aurora-postgresql"}},
    "lakeformation": {"grant_permissions": {"Principal": {}, "Resource": {}, "Permissions": ["ALL"]}},
    "ses": {
        "send_email": {
            "Source": "a@b", "Destination": {"ToAddresses": ["c@d"]}, "Message": {"Subject": {"Data": "s"}, "Body": {}},
        },
    },
    "route53": {"list_hosted_zones": {}},
    "organizations": {"create_organization": {}},
    "resourcegroupstaggingapi": {"get_tag_keys": {}},
    "dms": {"describe_replication_tasks": {}},
    "databrew": {"list_recipes": {}},
    "opensearch": {"list_domain_names": {}},
    "xray": {"put_trace_segments": {"TraceSegmentDocuments": ["{}"]}},
    "budgets": {"describe_budgets": {"AccountId": "123456789012"}},
}  # fmt: skip
EVERY = [(service, name, given) for service, calls in CALLS.items() for name, given in calls.items()]


def test_at_least_a_hundred_unproven_operations_are_tested() -> None:
    assert len(EVERY) >= 100


@pytest.mark.parametrize(("service", "name", "given"), EVERY, ids=[f"{service}-{name}" for service, name, _ in EVERY])
def test_unproven_operations_are_refused_by_name(
    aws: Callable[..., Any], service: str, name: str, given: dict[str, Any]
) -> None:
    client = aws(service)
    with pytest.raises(ClientError) as refused:
        getattr(client, name)(**given)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501, answer
    assert answer["Error"]["Code"] == "NotImplemented"
    assert client.meta.method_to_api_mapping[name] in answer["Error"]["Message"]


def test_with_allow_unproven_an_operation_is_answered_and_marked_with_a_header(
    aws: Callable[..., Any], allowing: None, stack: localaws.Status
) -> None:
    answer = aws("events").put_rule(Name="unproven", ScheduleExpression="rate(1 minute)")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-localaws-unproven"] == "events:PutRule"
    proven = aws("s3").list_buckets()["ResponseMetadata"]["HTTPHeaders"]
    assert "x-localaws-unproven" not in proven
    filters = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert aws("ec2").describe_instances(Filters=filters)["Reservations"] == []
    assert localaws.status(stack.home).allow_unproven
    aws("events").delete_rule(Name="unproven")

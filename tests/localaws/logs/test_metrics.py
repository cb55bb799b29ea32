"""CloudWatch metrics and alarms are not supported: each call is refused by name, in every protocol."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.model
import pytest
from botocore.config import Config

import localaws

SPAN = {"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 2, tzinfo=UTC)}
CALLS: dict[str, dict[str, Any]] = {
    "list_metrics": {},
    "put_metric_data": {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]},
    "get_metric_data": {"MetricDataQueries": [{"Id": "a", "Expression": "1"}], **SPAN},
    "get_metric_statistics": {"Namespace": "n", "MetricName": "m", "Period": 60, **SPAN},
    "put_metric_alarm": {"AlarmName": "a", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1},
    "describe_alarms": {},
}


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor", "query"])
def test_metrics_are_refused_by_name_in_each_protocol(
    stack: localaws.Status, monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., tuple[str, str]], protocol: str
) -> None:
    monkeypatch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol,))
    session = boto3.Session(stack.access_key_id, stack.secret_access_key, region_name=stack.region)
    config = Config(retries={"total_max_attempts": 1})
    client = session.client("cloudwatch", endpoint_url=stack.endpoint_url, config=config)
    assert client.meta.service_model.resolved_protocol == protocol
    for name, given in CALLS.items():
        code, message = refusal(getattr(client, name), **given)
        assert (code, client.meta.method_to_api_mapping[name] in message) == ("NotImplemented", True), message

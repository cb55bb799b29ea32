"""The HTTP side of a bucket's notification configuration.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidNotificationARN, MalformedXML

from localaws.iam.refusals import Refused
from localaws.s3 import notifications
from localaws.s3.settings_responses import SettingsResponse

# AWS's name of a destination → moto's, and the service that its ARN names.
_KINDS = {"Topic": ("Topic", "sns"), "Queue": ("Queue", "sqs"), "LambdaFunction": ("CloudFunction", "lambda")}
_ARN = r"arn:aws[a-z-]*:{}:[a-z0-9-]+:[0-9]{{12}}:.+"


class NotificationResponse(SettingsResponse):
    """Answers requests that set a bucket's notifications."""

    def _bucket_response_put(self, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "notification" not in querystring:
            return super()._bucket_response_put(request, bucket_name, querystring)
        validate = str(self.headers.get("x-amz-skip-destination-validation", "")).lower() != "true"
        wanted = _wanted(self.document)
        try:
            self.backend.put_bucket_notification_configuration(bucket_name, wanted, validate=validate)
        except notifications.UnableToValidateDestinations as error:
            return self._refused_destinations(error)
        return ""

    def _refused_destinations(self, error: notifications.UnableToValidateDestinations) -> TYPE_RESPONSE:
        status, headers, body = self.serialized(ActionResult(error))
        arguments = "".join(
            f"<ArgumentName{number}>{arn}, null</ArgumentName{number}>"
            f"<ArgumentValue{number}>{problem}</ArgumentValue{number}>"
            for number, (arn, problem) in enumerate(error.refused, start=1)
        )
        return status, headers, str(body).replace("</Message>", f"</Message>{arguments}", 1)


def _wanted(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration under moto's names; empty if there is nothing to notify."""
    wanted: dict[str, Any] = {}
    for kind, (name, service) in _KINDS.items():
        configurations = [
            _configuration(each, kind, name, service) for each in document.get(f"{kind}Configurations", ())
        ]
        if configurations:
            wanted[f"{name}Configuration"] = configurations
    if "EventBridgeConfiguration" in document:
        wanted["EventBridgeConfiguration"] = {}
    return wanted


def _configuration(given: Mapping[str, Any], kind: str, name: str, service: str) -> dict[str, Any]:
    arn = given[f"{kind}Arn"].strip()
    if not re.fullmatch(_ARN.format(service), arn):
        raise InvalidNotificationARN()
    if not given["Events"]:
        raise MalformedXML()
    found: dict[str, Any] = {name: arn, "Event": [event.strip() for event in given["Events"]]}
    if given.get("Id"):
        found["Id"] = given["Id"]
    if rules := _rules(given.get("Filter") or {}):
        found["Filter"] = {"S3Key": {"FilterRule": rules}}
    return found


def _rules(given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a filter's rules. AWS accepts their names in any letter case, and returns them capitalised."""
    rules: dict[str, str] = {}
    for rule in (given.get("Key") or {}).get("FilterRules", ()):
        name, value = rule.get("Name", "").strip().lower(), rule.get("Value", "")
        if name not in ("prefix", "suffix"):
            raise _invalid("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if not value:
            raise _invalid("filter value cannot be empty", "FilterRule.Value", value)
        if name in rules:
            raise _invalid(f"Cannot specify more than one {name} rule in a filter.", "FilterRule.Name", name)
        rules[name] = value
    return [{"Name": name.capitalize(), "Value": value} for name, value in rules.items()]


def _invalid(message: str, name: str, value: str) -> Refused:
    return Refused(400, "InvalidArgument", message, {"ArgumentName": name, "ArgumentValue": value})

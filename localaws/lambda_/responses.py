"""The HTTP side of Lambda: moto's parsing, and Invoke."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda.exceptions import ValidationException
from moto.awslambda.responses import LambdaResponse

from localaws.lambda_.errors import InvalidRequestContent
from localaws.lambda_.invocations.spec import error_payload
from localaws.lambda_.models import SYNCHRONOUS_LIMIT, LocalLambdaBackend

_REQUEST_ID = "x-amzn-requestid"
_KINDS = ("Event", "RequestResponse", "DryRun")


class LocalLambdaResponse(LambdaResponse):
    """Answers Lambda's requests."""

    @property
    def backend(self) -> LocalLambdaBackend:
        """The backend of the caller's account and region."""
        found = super().backend
        assert isinstance(found, LocalLambdaBackend)
        return found

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        # The caller gets the invocation's own request id; moto would make up another.
        told = headers.get(_REQUEST_ID)
        headers, body = LambdaResponse._enrich_response(headers, body)
        return {**headers, _REQUEST_ID: told} if told else headers, body

    def invoke(self) -> tuple[int, dict[str, Any], bytes]:
        """Invoke: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        name = unquote(self.path.rsplit("/", 2)[-2])
        qualifier = self.querystring.get("Qualifier", [None])[0]
        payload = self.body.encode() if isinstance(self.body, str) else self.body or b""
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "Event":
            request_id = self.backend.invoke_event(name, qualifier, payload)
            return 202, {"status": 202, _REQUEST_ID: request_id}, b""
        if kind == "DryRun":
            self.backend.check_invocation(name, qualifier, payload)
            return 204, {"status": 204}, b""
        if kind != "RequestResponse":
            raise ValidationException(
                kind, "invocationType", f"Member must satisfy enum value set: [{', '.join(_KINDS)}]"
            )
        context = _client_context(self.headers.get("X-Amz-Client-Context"))
        result = self.backend.invoke_and_wait(name, qualifier, payload, context)
        headers: dict[str, Any] = {
            "content-type": "application/json",
            "X-Amz-Executed-Version": result.version,
            _REQUEST_ID: result.request_id,
        }
        answer, failed = result.payload, result.failed
        if len(answer) > SYNCHRONOUS_LIMIT:
            failed = True
            answer = error_payload(
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({SYNCHRONOUS_LIMIT} bytes).",
            )
        if failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(result.log_tail).decode()
        return 200, headers, answer

    def invoke_async(self) -> tuple[int, dict[str, Any], bytes]:
        """InvokeAsync, which is replaced by Invoke with the type Event."""
        parts = self.path.rstrip("/").rsplit("/", 2)
        payload = self.body.encode() if isinstance(self.body, str) else self.body or b""
        self.backend.invoke_event(unquote(parts[-2]), None, payload)
        return 202, {"status": 202}, b""

    def publish_version(self) -> tuple[int, dict[str, Any], str]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html"""
        self.backend.check_revision(unquote(self.path.split("/")[-2]), self.json_body if self.body else {})
        return super().publish_version()  # type: ignore[return-value]

    def create_event_source_mapping(self) -> tuple[int, dict[str, Any], str]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""
        mapping = self.backend.create_event_source_mapping(self.json_body)
        return 202, {"status": 202}, json.dumps(mapping.get_configuration("Creating"))

    def list_event_source_mappings(self) -> str:
        """https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html"""
        source = self.querystring.get("EventSourceArn", [None])[0]
        function = self.querystring.get("FunctionName", [None])[0]
        found = self.backend.list_event_source_mappings(source, function)
        return json.dumps({"EventSourceMappings": [mapping.get_configuration() for mapping in found]})

    def get_event_source_mapping(self) -> tuple[int, dict[str, Any], str]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"""
        mapping = self.backend.get_event_source_mapping(self._uuid)
        return 200, {"status": 200}, json.dumps(mapping.get_configuration())

    def update_event_source_mapping(self) -> tuple[int, dict[str, Any], str]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html"""
        mapping = self.backend.update_event_source_mapping(self._uuid, self.json_body)
        return 202, {"status": 202}, json.dumps(mapping.get_configuration("Updating"))

    def delete_event_source_mapping(self) -> tuple[int, dict[str, Any], str]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html"""
        mapping = self.backend.delete_event_source_mapping(self._uuid)
        return 202, {"status": 202}, json.dumps(mapping.get_configuration("Deleting"))

    @property
    def _uuid(self) -> str:
        return self.path.rstrip("/").rsplit("/", 1)[-1]


def _client_context(encoded: str | None) -> str | None:
    """Decode the JSON of a client context.

    Raises:
        InvalidRequestContent: it is not JSON in base64.
    """
    if not encoded:
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
        json.loads(decoded)
    except ValueError:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from None
    return decoded

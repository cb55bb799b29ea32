"""Lambda: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html."""

from __future__ import annotations

from localaws.core.call import Call
from localaws.iam.actions.iam import pass_role
from localaws.iam.decision import Access

_SERVICE = "lambda.amazonaws.com"
_ACTIONS = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
_ALL = frozenset({"ListFunctions", "ListEventSourceMappings", "CreateEventSourceMapping", "GetAccountSettings"})
_ABOUT_MAPPINGS = frozenset({"GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"})

_ABOUT_LAYERS = frozenset({"PublishLayerVersion", "GetLayerVersion", "DeleteLayerVersion"})


def accesses(call: Call) -> list[Access]:
    """Return what `call` needs; empty if it is not about particular resources."""
    action = f"lambda:{_ACTIONS.get(call.operation, call.operation)}"
    given, here = call.parameters, f"arn:aws:lambda:{call.region}:{call.account_id}"
    if call.operation in _ABOUT_MAPPINGS:
        return [Access(action, f"{here}:event-source-mapping:{given.get('UUID', '')}")]
    if call.operation in _ABOUT_LAYERS:
        layer, version = str(given.get("LayerName") or ""), given.get("VersionNumber")
        arn = layer if layer.startswith("arn:") else f"{here}:layer:{layer}"
        return [Access(action, f"{arn}:{version}" if version else arn)]
    name = str(given.get("FunctionName") or "")
    if call.operation in _ALL:
        # Mappings are limited by the condition key lambda:FunctionArn, not by their resource.
        return [Access(action, "*", {"lambda:functionarn": _arn(here, name) if name else None})]
    if not name:
        return [Access(action, str(given["Resource"]))] if str(given.get("Resource", "")).startswith("arn:") else []
    arn = _arn(here, name)
    if qualifier := given.get("Qualifier"):
        arn += f":{qualifier}"
    passed = [pass_role(given["Role"], call.account_id, _SERVICE)] if isinstance(given.get("Role"), str) else []
    return [Access(action, arn), *passed]


def _arn(here: str, name: str) -> str:
    """Return the ARN of a function, given its name, its partial ARN (account:function:name) or its ARN."""
    if name.startswith("arn:"):
        return name
    plain = name.rpartition(":function:")[2]
    return f"{here}:function:{plain}"

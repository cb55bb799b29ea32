"""The tasks of notebook 07: the keys in an event, a narrower notification, and S3's permission."""

from __future__ import annotations

import copy
import json
from typing import Any

from labkit.calls import found
from labkit.errors import AwsRefused
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import FUNCTION, shown
from labkit.tasks.task import Finding, Task, not_attempted, right, trying, wrong, wrong_type

S3 = "s3.amazonaws.com"


def _event(*keys: str) -> dict[str, Any]:
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "landing-bucket"}, "object": {"key": key}}}
        for key in keys
    ]
    return {"Records": records}


EVENTS: tuple[tuple[list[str], dict[str, Any]], ...] = (
    (["toll_data.json"], _event("toll_data.json")),
    (["toll data+1.json"], _event("toll+data%2B1.json")),
    (["2023/08/péage 7%.json", "b.json"], _event("2023/08/p%C3%A9age+7%25.json", "b.json")),
    ([], {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "landing-bucket"}),
)
"""The keys of the files, and the event that S3 sends for them."""


def _keys(_lab: LabSteps, answer: Any) -> Finding:
    given = [trying(answer, copy.deepcopy(event)) for _, event in EVENTS]
    if all(result is None for result in given):
        return not_attempted("your function returns nothing yet.")
    for result, (expected, event) in zip(given, EVENTS, strict=True):
        if isinstance(result, str) or not hasattr(result, "__iter__"):
            return wrong_type(f"It returned {shown(result)}. Wanted: a list of keys.")
        if (keys := list(result)) != expected:
            sent = [record["s3"]["object"]["key"] for record in event.get("Records", [])]
            about = f"the keys {sent}" if sent else f"S3's test event {event}"
            return wrong(f"For an event with {about}, it returned {shown(keys)}.")
    return right("Right: this function finds the files whatever their names are.")


FOLDER = "booths/"
STARTS = {
    "booths/golf_rd.json": True,
    "booths/2023/08/york_rd.json": True,
    "golf_rd.json": False,
    "booths/readme.txt": False,
    "old/booths/golf_rd.json": False,
    "booths_of_2022/golf_rd.json": False,
}
"""Keys, and whether a file with this key should start the workflow."""


def _narrowed(lab: LabSteps, _answer: Any) -> Finding:
    bucket = lab.names.landing_bucket
    there = lab.session.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    function = lab.functions.arn(lab.names.start_function)
    mine = [one for one in there.get("LambdaFunctionConfigurations", []) if one["LambdaFunctionArn"] == function]
    if not mine:
        return wrong(f"Nothing on bucket {bucket} invokes {lab.names.start_function} any more.")
    if [_rules(one) for one in mine] == [[("suffix", ".json")]]:
        return not_attempted(f"{lab.names.notification} still fires for every .json file.")
    if any(event not in ("s3:ObjectCreated:Put", "s3:ObjectCreated:*") for one in mine for event in one["Events"]):
        return wrong(f"The notification fires for other events, too: {', '.join(mine[0]['Events'])}.")
    for key, starts in STARTS.items():
        if any(_fits(key, _rules(one)) for one in mine) is not starts:
            return wrong(f"A file {key} {'does not start' if starts else 'starts'} the workflow.")
    return right("Right: two rules, and a key has to fit both.")


def _rules(configuration: dict[str, Any]) -> list[tuple[str, str]]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return sorted((rule["Name"].lower(), rule["Value"]) for rule in rules)


def _fits(key: str, rules: list[tuple[str, str]]) -> bool:
    """Whether S3 sends an event for this key: it fits the prefix and the suffix, if there are any."""
    return all(key.startswith(value) if name == "prefix" else key.endswith(value) for name, value in rules)


def forbid_s3(lab: LabSteps) -> None:
    """Remove every permission of S3 to invoke the start function, whoever gave it."""
    awslambda, function = lab.session.client("lambda"), lab.names.start_function
    for statement in _of_s3(lab):
        awslambda.remove_permission(FunctionName=function, StatementId=statement["Sid"])


def _of_s3(lab: LabSteps) -> list[dict[str, Any]]:
    """The statements of the start function's policy that allow S3, or everybody, to invoke it."""
    answer = found(lab.session.client("lambda").get_policy, FunctionName=lab.names.start_function)
    statements = json.loads(answer["Policy"])["Statement"] if answer else []
    return [one for one in statements if _principal(one) in (S3, "*")]


def _principal(statement: dict[str, Any]) -> str:
    principal = statement.get("Principal")
    return str(principal.get("Service", principal.get("AWS")) if isinstance(principal, dict) else principal)


def _allowed(lab: LabSteps, _answer: Any) -> Finding:
    statements = _of_s3(lab)
    if not statements:
        return not_attempted(f"the policy of {lab.names.start_function} does not allow S3 to invoke it.")
    complaints = [_complaint(lab, statement) for statement in statements]
    if all(complaints) or any(_principal(one) == "*" for one in statements):
        return wrong(next(filter(None, complaints)))
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    there = s3.get_bucket_notification_configuration(Bucket=bucket)
    kept = {kind: value for kind, value in there.items() if kind.endswith("Configurations")}
    try:  # S3 checks the permission when it gets the configuration, here the one that it has
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)
    except AwsRefused as refused:
        return wrong(f"S3 does not accept its notification with this permission: {refused.message}")
    return right("Right: S3 has checked it, and the next file starts the workflow again.")


def _complaint(lab: LabSteps, statement: dict[str, Any]) -> str:
    """What is wrong with a permission; empty if it is right."""
    if _principal(statement) == "*":
        return "The permission is for everybody in the world, not only for S3."
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    if statement["Effect"] != "Allow" or not {"lambda:InvokeFunction", "lambda:*"} & set(actions):
        return f"The permission is for {', '.join(actions)}. S3 invokes the function."
    conditions = {
        key.lower(): value for by_key in statement.get("Condition", {}).values() for key, value in by_key.items()
    }
    source, account = conditions.get("aws:sourcearn"), conditions.get("aws:sourceaccount")
    wanted = f"arn:aws:s3:::{lab.names.landing_bucket}"
    if source is None:
        return "With this permission, every bucket can have the function invoked. Name the bucket."
    if source != wanted:
        return f"The permission is for the source {source}. The landing bucket's ARN is {wanted}."
    if account is None:
        return "A bucket's ARN has no account in it: once the bucket is gone, somebody else could take its name."
    if account != lab.session.account_id:
        return f"The permission is for buckets of account {account}. This account is {lab.session.account_id}."
    return ""


TASKS: list[Task] = [
    Task(
        id="07.1",
        title="The keys in an event",
        text=(
            "Write a function that takes an event, as S3 sends it to a Lambda function, and returns the list of the "
            "keys of the files that have landed, as they are in the bucket. An event can have several records. S3's "
            'test event, `{"Service": "Amazon S3", "Event": "s3:TestEvent", …}`, has none. The check calls '
            "your function with events that it does not show."
        ),
        start="""
def landed_keys(event: dict) -> list[str] | None:
    return None  # instead of this line, your code


answer = landed_keys
""",
        hints=(
            'A record\'s key is in `record["s3"]["object"]["key"]`, encoded as in a web form.',
            "`urllib.parse.unquote_plus` decodes it; plain `unquote` would leave the plus signs. "
            '`event.get("Records", [])` is empty for the test event.',
        ),
        solution="""
from urllib.parse import unquote_plus


def landed_keys(event: dict) -> list[str] | None:
    return [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", [])]


answer = landed_keys
""",
        judge=_keys,
        wants=FUNCTION,
    ),
    Task(
        id="07.2",
        title="Only one folder",
        text=(
            "Change `s3Events` on the landing bucket so that only `.json` files in the folder `booths/`, at any depth, "
            "start the workflow. S3's call PutBucketNotificationConfiguration replaces the bucket's whole "
            "configuration: pass all of it, the same function and event included."
        ),
        start="# Your code",
        hints=(
            "A folder is only the beginning of a key. Besides `suffix`, a filter can have a rule with another name.",
            '`{"FilterRules": [{"Name": "prefix", "Value": "booths/"}, {"Name": "suffix", "Value": ".json"}]}`. The '
            "rest of the configuration is as in the first cells of this notebook.",
        ),
        solution="""
rules = [{"Name": "prefix", "Value": "booths/"}, {"Name": "suffix", "Value": ".json"}]
narrowed = {
    "Id": lab.names.notification,
    "LambdaFunctionArn": lab.functions.arn(lab.names.start_function),
    "Events": ["s3:ObjectCreated:Put"],
    "Filter": {"Key": {"FilterRules": rules}},
}
put = lab.session.client("s3").put_bucket_notification_configuration(
    Bucket=lab.names.landing_bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [narrowed]}
)
""",
        judge=_narrowed,
        mends_text="The next cell makes the lab's own notification again, in place of whatever is there.",
        mends="""
emptied = lab.session.client("s3").put_bucket_notification_configuration(
    Bucket=lab.names.landing_bucket, NotificationConfiguration={}
)
lab.notification.create()
print("The notification is as it should be:", lab.notification.check().ok)
""",
    ),
    Task(
        id="07.3",
        title="S3 may not invoke the function",
        breaks_text="The next cell takes away S3's permission. The notification stays, and now it does nothing.",
        breaks="""
from labkit.tasks import drills
from labkit.tasks.notification import forbid_s3

forbid_s3(lab)
drills.begin(lab, "07.3")
""",
        text=(
            "Give the permission back with Lambda's "
            "[AddPermission](https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html): S3 may invoke "
            "`lab.names.start_function`, but only for the landing bucket, and only if the bucket belongs to this "
            "account (`lab.session.account_id`). The check looks at the function's policy, and asks S3 whether it "
            "accepts the notification."
        ),
        start="# Your code",
        hints=(
            '`lab.session.client("lambda").add_permission(FunctionName=…, StatementId=…, Action=…, Principal=…, …)`: '
            "the action is `lambda:InvokeFunction`, the principal is the service `s3.amazonaws.com`. The statement id "
            "is a name of your choice.",
            'Two parameters limit it: `SourceArn=f"arn:aws:s3:::{lab.names.landing_bucket}"` and '
            "`SourceAccount=lab.session.account_id`.",
        ),
        solution="""
permission = lab.session.client("lambda").add_permission(
    FunctionName=lab.names.start_function,
    StatementId="s3-may-invoke",
    Action="lambda:InvokeFunction",
    Principal="s3.amazonaws.com",
    SourceArn=f"arn:aws:s3:::{lab.names.landing_bucket}",
    SourceAccount=lab.session.account_id,
)
""",
        judge=_allowed,
        mends_text="The next cell removes what you have given, and gives the lab's own permission.",
        mends="""
from labkit.tasks import drills
from labkit.tasks.notification import forbid_s3

forbid_s3(lab)
lab.notification.create()
drills.over(lab, "07.3")
print("S3 may invoke the function again:", lab.notification.check().ok)
""",
    ),
]

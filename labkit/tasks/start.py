"""The tasks of notebook 00: an error of a function, a role without its permission, a deleted object."""

from __future__ import annotations

from typing import Any

from labkit.calls import found
from labkit.config import Target
from labkit.errors import FunctionFailed
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import permissions
from labkit.tasks.answers import TEXT
from labkit.tasks.task import Finding, Task, not_attempted, right, wrong

PLAN_KEY, PLAN = "_task/plan.txt", "golf_rd opens at 6.\n"


def _error_type(lab: LabSteps, answer: Any) -> Finding:
    try:
        lab.functions.invoke(lab.names.generator_function, {"rows": 0})
    except FunctionFailed as failed:
        if answer == failed.error_type:
            return right("Right. Lambda answers such a call with status 200: only FunctionError says that it failed.")
        return wrong("The error's message names it, after `failed with`.")
    raise AssertionError("the generator made a file of 0 rows")


def _lands_again(lab: LabSteps, _answer: Any) -> Finding:
    names = lab.names
    statements = permissions.of_role(lab, names.generator_role)
    landing, staging = (
        f"arn:aws:s3:::{bucket}/toll_data-1.json" for bucket in (names.landing_bucket, names.staging_bucket)
    )
    log = (
        f"arn:aws:logs:{lab.config.region}:{lab.session.account_id}:log-group:/aws/lambda/{names.generator_function}:x"
    )
    if not permissions.allows(statements, "s3:PutObject", landing):
        if "s3:" in str(statements):
            return wrong(
                f"The role still may not put objects into {names.landing_bucket}. Objects have ARNs of their own."
            )
        return not_attempted(f"{names.generator_role} may not put objects into {names.landing_bucket}.")
    for action, resource, words in (
        ("s3:PutObject", staging, f"write to {names.staging_bucket} as well"),
        ("s3:DeleteObject", landing, "delete objects as well"),
        ("s3:GetObject", landing, "read objects as well"),
    ):
        if permissions.allows(statements, action, resource):
            return wrong(f"The role may land files again, but it may {words}. Allow no more than is needed.")
    if not permissions.allows(statements, "logs:PutLogEvents", log):
        return wrong("The role may land files again, but it may no longer write its log. Keep the other statements.")
    return _tried(lab)


def _tried(lab: LabSteps) -> Finding:
    """Let the generator land a file, and remove it. Not while files that land start the pipeline."""
    names = lab.names
    if lab.delivery is None:
        try:
            landed = lab.functions.invoke(names.generator_function, {"rows": 1})
        except FunctionFailed as failed:
            later = (
                "" if lab.config.target is Target.LOCAL else " A policy takes effect after some seconds: check again."
            )
            return wrong(f"The policy looks right, but the generator still fails: {failed.what}{later}")
        lab.buckets.empty(names.landing_bucket, landed["key"])
    return right("Right: the generator lands files again, and may do nothing else in S3.")


def _is_back(lab: LabSteps, _answer: Any) -> Finding:
    there = found(lab.session.client("s3").get_object, Bucket=lab.names.landing_bucket, Key=PLAN_KEY)
    if there is None:
        return not_attempted(f"there is no object {PLAN_KEY} in {lab.names.landing_bucket}.")
    if there["Body"].read().decode(errors="replace") != PLAN:
        return wrong(f"{PLAN_KEY} is there, but its content is not that of the deleted version.")
    return right("Right: a deleted object of a versioned bucket is only hidden by a delete marker.")


TASKS: list[Task] = [
    Task(
        id="00.1",
        title="What does the function say?",
        text=(
            "A function that can't do what it was asked to should say so. Ask the generator for a file of 0 rows: "
            '`lab.functions.invoke(lab.names.generator_function, {"rows": 0})`. What is the *type* of the error that '
            "the function raises? Write it as text."
        ),
        start="answer: str | None = None",
        hints=(
            "Put the call into a cell of its own, and read the first line of the error.",
            "`FunctionFailed` in `labkit.errors` is the lab's error. Its `error_type` is the function's.",
        ),
        solution="""
from labkit.errors import FunctionFailed

try:
    lab.functions.invoke(lab.names.generator_function, {"rows": 0})
except FunctionFailed as failed:
    answer = failed.error_type
""",
        judge=_error_type,
        wants=TEXT,
    ),
    Task(
        id="00.2",
        title="Give the generator its permission back",
        breaks_text=(
            "The next cell takes a statement out of the policy of the generator's role. After that, the function can "
            "write its log, but it can't land a file."
        ),
        breaks="""
import json

from labkit.tasks import drills

iam = lab.session.client("iam")
of_the_role = {"RoleName": lab.names.generator_role, "PolicyName": "toll-etl"}
policy = iam.get_role_policy(**of_the_role)["PolicyDocument"]
policy["Statement"] = [one for one in policy["Statement"] if "s3:" not in str(one["Action"])]
iam.put_role_policy(**of_the_role, PolicyDocument=json.dumps(policy))
drills.begin(lab, "00.2")
print(len(policy["Statement"]), "statements are left")
""",
        text=(
            "Write the missing statement yourself: the role may put objects into the landing bucket, and nothing more. "
            'Append it to `policy["Statement"]`, and store the policy with `put_role_policy`, as above. The check '
            "reads the role's policies, and lets the function land a file, which it removes."
        ),
        start="# Your code",
        hints=(
            "A statement has `Effect`, `Action` and `Resource`. The action is `s3:PutObject`; look at the others.",
            "Objects have ARNs too: `arn:aws:s3:::my-bucket/*` are all objects of `my-bucket`.",
        ),
        solution="""
objects = f"arn:aws:s3:::{lab.names.landing_bucket}/*"
policy["Statement"].append({"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects})
iam.put_role_policy(**of_the_role, PolicyDocument=json.dumps(policy))
""",
        judge=_lands_again,
        mends_text=(
            "Whatever you have done, the next cell removes other policies from the role, and `create()` sets the lab's "
            "own policy again."
        ),
        mends="""
from labkit.tasks import drills

drills.over(lab, "00.2")
for name in iam.list_role_policies(RoleName=lab.names.generator_role)["PolicyNames"]:
    if name != "toll-etl":
        iam.delete_role_policy(RoleName=lab.names.generator_role, PolicyName=name)
lab.roles.create()
""",
    ),
    Task(
        id="00.3",
        title="Bring a deleted object back",
        breaks_text=(
            "The landing bucket keeps old versions. The next cell puts a small object into it, which is not a data "
            "file, and deletes it."
        ),
        breaks=f"""
s3 = lab.session.client("s3")
plan = {{"Bucket": lab.names.landing_bucket, "Key": "{PLAN_KEY}"}}
s3.put_object(**plan, Body="golf_rd opens at 6.\\n")
s3.delete_object(**plan)["DeleteMarker"]
""",
        text=(
            "Bring it back with its old content, without writing the text again. "
            "`s3.list_object_versions(Bucket=…, Prefix=…)` lists `Versions` and `DeleteMarkers`."
        ),
        start="# Your code",
        hints=(
            "The delete marker is the newest version of the object. While it is there, the object is hidden.",
            "A delete marker has a `VersionId`, and `s3.delete_object` with that `VersionId` deletes only the marker.",
        ),
        solution="""
versions = s3.list_object_versions(Bucket=plan["Bucket"], Prefix=plan["Key"])
for marker in versions["DeleteMarkers"]:
    s3.delete_object(**plan, VersionId=marker["VersionId"])
""",
        judge=_is_back,
        mends_text="The next cell deletes the object with all its versions, whether it is hidden or not.",
        mends="""
lab.buckets.empty(plan["Bucket"], plan["Key"])
lab.buckets.check().ok
""",
    ),
]

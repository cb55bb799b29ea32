"""The tasks of notebook 10: what is needed first, what has which tag, and what is left."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from labkit.calls import found
from labkit.errors import AwsRefused, LabError, MissingStep, NotRunning
from labkit.show.waiting import wait_for
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import drills
from labkit.tasks.answers import LIST, TEXT
from labkit.tasks.task import Finding, Found, Task, not_attempted, reading, right, wrong, wrong_type

FILTERS = 'a list of filters, such as {"Key": "team", "Values": ["data"]}'


def _needed_first(lab: LabSteps, answer: Any) -> Finding:
    try:
        lab.secrets.describe()
    except MissingStep as missing:
        number = missing.notebook.partition("_")[0]
        said = re.search(r"\d+", answer)
        if said and said[0].zfill(2) == number:
            return right(f"Right: first {missing.notebook}. The error says so in its last line.")
        return wrong("Read the last line of the error.")
    return not_attempted("the connection is there. First run the cells above that destroy the lab.")


def _tag_filters(lab: LabSteps, answer: Any) -> Finding:
    with reading(FILTERS):
        filters = [{"Key": str(one["Key"]), "Values": list(one["Values"])} for one in answer]
    tags = lab.config.tags
    probes = {
        "mine": tags,
        "of another participant": {**tags, "prefix": f"{tags['prefix'][:8]}x"},
        "of another lab": {**tags, "lab": "another-lab"},
        "without the tag lab": {"prefix": tags["prefix"]},
    }
    sns = lab.session.client("sns")
    arns: dict[str, str] = {}
    try:
        for whose, its_tags in probes.items():
            tag_list = [{"Key": key, "Value": value} for key, value in its_tags.items()]
            arns[whose] = sns.create_topic(Name=f"probe-{uuid.uuid4()}", Tags=tag_list)["TopicArn"]
        _wait_until_tagged(lab, list(arns.values()))
        seen = _found_by(lab, filters)
    finally:
        for arn in arns.values():
            sns.delete_topic(TopicArn=arn)
    if arns["mine"] not in seen:
        return wrong("The check has made a resource with this lab's tags, and your filters don't find it.")
    if others := [whose for whose, arn in arns.items() if whose != "mine" and arn in seen]:
        return wrong(f"The check has made a resource {others[0]}, and your filters find it, too.")
    return right("Right: this finds what is yours, and nothing else.")


def _wait_until_tagged(lab: LabSteps, arns: list[str]) -> None:
    """Wait until the tagging API knows these new resources, which on AWS takes some seconds."""
    tagging = lab.session.client("resourcegroupstaggingapi")

    def look() -> tuple[str, bool | None]:
        known = tagging.get_resources(ResourceARNList=arns)["ResourceTagMappingList"]
        return f"{len(known)} of {len(arns)}", True if len(known) == len(arns) else None

    wait_for("the tags of new resources", look, config=lab.config, go_on="Run the cell again.", quiet=True)


def _found_by(lab: LabSteps, filters: list[dict[str, Any]]) -> set[str]:
    pages = lab.session.client("resourcegroupstaggingapi").get_paginator("get_resources")
    try:
        return {
            item["ResourceARN"]
            for page in pages.paginate(TagFilters=filters)
            for item in page["ResourceTagMappingList"]
        }
    except NotRunning:
        raise
    except AwsRefused as refused:
        raise Found(wrong(f"AWS refuses these filters: {refused.message}")) from refused
    except LabError as error:  # boto3 does not even send the call
        raise Found(wrong_type(f"Wanted: {FILTERS}.")) from error


def forgotten_topic(lab: LabSteps) -> str:
    """The ARN of the topic that task 10.3 makes. It is not part of any step."""
    name = f"{lab.config.prefix}-toll-alarms" if lab.config.prefix else "toll-alarms"
    return f"arn:aws:sns:{lab.config.region}:{lab.session.account_id}:{name}"


def forget_something(lab: LabSteps) -> None:
    """Make a resource with the lab's tags that no step knows, for task 10.3."""
    tags = [{"Key": key, "Value": value} for key, value in lab.config.tags.items()]
    lab.session.client("sns").create_topic(Name=forgotten_topic(lab).rpartition(":")[2], Tags=tags)
    drills.begin(lab, "10.3")


def remains(lab: LabSteps) -> Iterator[str]:
    """Delete the topic of task 10.3, if it is there."""
    if _is_there(lab):
        lab.session.client("sns").delete_topic(TopicArn=forgotten_topic(lab))
        yield f"topic {forgotten_topic(lab).rpartition(':')[2]}"


def _is_there(lab: LabSteps) -> bool:
    return found(lab.session.client("sns").get_topic_attributes, TopicArn=forgotten_topic(lab)) is not None


def _nothing_left(lab: LabSteps, _answer: Any) -> Finding:
    if not _is_there(lab):
        return right("Right: its tags gave it away. By name, nobody had found it.")
    tags = lab.session.client("sns").list_tags_for_resource(ResourceArn=forgotten_topic(lab))["Tags"]
    if {tag["Key"]: tag["Value"] for tag in tags}.items() >= lab.config.tags.items():
        return not_attempted("it is still there.")
    return wrong("It is still there. It only has lost its tags, so now nobody will find it.")


TASKS: list[Task] = [
    Task(
        id="10.1",
        title="What is needed first?",
        text=(
            "Steps know what they depend on. Try to make the connection of notebook 03 now, with "
            "`lab.secrets.create()`. It fails, and says which notebook to run first. Write that notebook's name."
        ),
        start="answer: str | None = None",
        hints=(
            "The error has several lines, and one of them says what to do.",
            "It is a `MissingStep` of `labkit.errors`, and it has the name in its attribute `notebook`.",
        ),
        solution="""
from labkit.errors import MissingStep

try:
    lab.secrets.create()
except MissingStep as missing:
    answer = missing.notebook
""",
        judge=_needed_first,
        wants=TEXT,
    ),
    Task(
        id="10.2",
        title="Find what is yours",
        text=(
            "Several people share an account. Everything that a lab makes has the tags in `lab.config.tags`. Write the "
            "list of `TagFilters` with which GetResources, a call of `resourcegroupstaggingapi`, finds everything of "
            "this lab, and nothing of another lab or another participant. The check makes some tagged resources, looks "
            "which of them your filters find, and deletes them again."
        ),
        start="answer: list[dict] | None = None",
        hints=(
            "A filter has a `Key` and the list of its `Values`. A resource has to pass all filters.",
            '`[{"Key": "lab", "Values": [lab.config.tags["lab"]]}, …]`: one filter for each of the two tags.',
        ),
        solution='answer = [{"Key": key, "Values": [value]} for key, value in lab.config.tags.items()]',
        judge=_tag_filters,
        wants=LIST,
    ),
    Task(
        id="10.3",
        title="Something was forgotten",
        breaks_text=(
            "Somebody made one more resource by hand, with the lab's tags on it, and forgot it. The next cell makes "
            "such a resource."
        ),
        breaks="""
from labkit.tasks.cleanup import forget_something

forget_something(lab)
""",
        text="No step of the lab makes such a thing. Find out what it is, and delete it with a call to its service.",
        start="# Your code",
        hints=(
            "`lab.leftovers()` lists it, and so does GetResources with the filters of the previous task. The ARN says "
            "which service it belongs to.",
            'It is a topic of SNS: `lab.session.client("sns").delete_topic(TopicArn=…)`.',
        ),
        solution="""
tagged = [{"Key": key, "Values": [value]} for key, value in lab.config.tags.items()]
tagging = lab.session.client("resourcegroupstaggingapi")
left = tagging.get_resources(TagFilters=tagged, ResourceTypeFilters=["sns"])["ResourceTagMappingList"]
for resource in left:
    lab.session.client("sns").delete_topic(TopicArn=resource["ResourceARN"])
""",
        judge=_nothing_left,
        mends_text="The next cell deletes it if it is still there.",
        mends="""
from labkit.tasks import drills
from labkit.tasks.cleanup import forgotten_topic

deleted = lab.session.client("sns").delete_topic(TopicArn=forgotten_topic(lab))
drills.over(lab, "10.3")
""",
    ),
]

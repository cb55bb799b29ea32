"""Checks the requests of CreateCrawler and UpdateCrawler, and completes them with AWS's defaults.

Settings that the embedded AWS can't follow are refused by name, rather than accepted and ignored.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.glue.exceptions import EntityNotFoundException, InvalidInputException

from localaws.glue.crawlers.catalog import Policies
from localaws.glue.crawlers.naming import Exclusions
from localaws.glue.crawlers.targets import S3Target
from localaws.glue.roles import require_role

_MEMBERS = (
    "Name", "Role", "DatabaseName", "Description", "Targets", "Classifiers", "TablePrefix", "SchemaChangePolicy",
    "RecrawlPolicy", "LineageConfiguration", "LakeFormationConfiguration", "Configuration",
    "CrawlerSecurityConfiguration",
)  # fmt: skip
_TARGETS = (
    "S3Targets", "JdbcTargets", "MongoDBTargets", "DynamoDBTargets", "CatalogTargets", "DeltaTargets",
    "IcebergTargets", "HudiTargets",
)  # fmt: skip
_QUEUE = re.compile(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]{1,80}(\.fifo)?")
_LONGEST_PREFIX = 64  # characters: https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html


def checked_definition(request: dict[str, Any], account_id: str) -> dict[str, Any]:
    """Return the definition that `request` asks for, with defaults, in the API's own shape.

    Raises:
        InvalidInputException: the request is not valid, or asks for something that is not supported.
        EntityNotFoundException: the request names a custom classifier; there are none here.
    """
    asked = {name: request[name] for name in _MEMBERS if request.get(name) is not None}
    _refuse_unsupported(request)
    if len(asked.get("TablePrefix", "")) > _LONGEST_PREFIX:
        raise _invalid(f"TablePrefix must have at most {_LONGEST_PREFIX} characters")
    recrawl = _choice(asked.get("RecrawlPolicy"), "RecrawlBehavior", "CRAWL_EVERYTHING")
    new_folders_only = recrawl == "CRAWL_NEW_FOLDERS_ONLY"
    change = asked.get("SchemaChangePolicy") or {}
    if new_folders_only and any(change.get(name, "LOG") != "LOG" for name in ("UpdateBehavior", "DeleteBehavior")):
        raise _invalid(
            'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG DeleteBehavior'
            " value and LOG UpdateBehavior value."
        )
    defaults = ("LOG", "LOG") if new_folders_only else ("UPDATE_IN_DATABASE", "DEPRECATE_IN_DATABASE")
    policy = {
        "UpdateBehavior": _choice(change, "UpdateBehavior", defaults[0]),
        "DeleteBehavior": _choice(change, "DeleteBehavior", defaults[1]),
    }
    try:
        Policies.of(policy, asked.get("Configuration"))
    except ValueError as error:
        raise _invalid(str(error)) from None
    return {
        "LakeFormationConfiguration": {"UseLakeFormationCredentials": False, "AccountId": ""},
        **asked,
        "Role": require_role(asked.get("Role", ""), account_id),
        "Targets": _checked_targets(asked.get("Targets") or {}, by_events=recrawl == "CRAWL_EVENT_MODE"),
        "Classifiers": [],
        "SchemaChangePolicy": policy,
        "RecrawlPolicy": {"RecrawlBehavior": recrawl},
        "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
    }


def checked_update(definition: dict[str, Any], request: dict[str, Any], account_id: str) -> dict[str, Any]:
    """Return `definition`, updated with what an UpdateCrawler request sets.

    Raises:
        InvalidInputException: the result is not valid, or an incremental crawler's S3 targets would change
            (https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html).
        EntityNotFoundException: the request names a custom classifier; there are none here.
    """
    asked = {key: value for key, value in request.items() if value is not None}
    updated = checked_definition({**definition, **asked}, account_id)
    incremental = {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
    stays_so = definition["RecrawlPolicy"] == updated["RecrawlPolicy"] == incremental
    if stays_so and definition["Targets"]["S3Targets"] != updated["Targets"]["S3Targets"]:
        raise _invalid("The S3 targets of a crawler with CRAWL_NEW_FOLDERS_ONLY can't be changed")
    return updated


def _refuse_unsupported(request: dict[str, Any]) -> None:
    if request.get("Schedule"):
        raise _unsupported("Schedule: start the crawler yourself, or by a trigger of a workflow")
    for name in request.get("Classifiers") or []:
        raise EntityNotFoundException(f"Classifier {name} not found.")
    if (request.get("LineageConfiguration") or {}).get("CrawlerLineageSettings", "DISABLE") != "DISABLE":
        raise _unsupported("CrawlerLineageSettings ENABLE")
    if (request.get("LakeFormationConfiguration") or {}).get("UseLakeFormationCredentials"):
        raise _unsupported("UseLakeFormationCredentials")
    if request.get("CrawlerSecurityConfiguration"):
        raise _unsupported("CrawlerSecurityConfiguration")


def _checked_targets(targets: dict[str, Any], *, by_events: bool) -> dict[str, Any]:
    for kind, wanted in targets.items():
        if wanted and kind not in ("S3Targets", "JdbcTargets"):
            raise _unsupported(kind)
    s3, jdbc = targets.get("S3Targets") or [], targets.get("JdbcTargets") or []
    if not s3 and not jdbc:
        raise _invalid("At least one target is required")
    try:
        for target in s3:
            S3Target.of(target)
            _check_queues(target, by_events=by_events)
            if target.get("ConnectionName"):
                raise _unsupported("ConnectionName of an S3 target")
            if target.get("SampleSize") is not None and not 1 <= target["SampleSize"] <= 249:
                raise _invalid("SampleSize must be between 1 and 249")
        for target in jdbc:
            if not target.get("ConnectionName"):
                raise _invalid("A JDBC target must name its connection")
            if not (target.get("Path") or "").strip("/"):
                raise _invalid("A JDBC target must have an include path, such as database/schema/%")
            if "%" in target["Path"].strip("/").partition("/")[0]:
                # https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html
                raise _invalid(f"The percent sign can't stand for the database in the include path {target['Path']}")
            if target.get("EnableAdditionalMetadata"):
                raise _unsupported("EnableAdditionalMetadata")
            Exclusions(target.get("Exclusions") or [])
    except ValueError as error:
        raise _invalid(str(error)) from None
    shown = {kind: [] for kind in _TARGETS} | {"S3Targets": s3, "JdbcTargets": jdbc}
    return {kind: [{"Exclusions": [], **target} for target in wanted] for kind, wanted in shown.items()}


def _check_queues(target: dict[str, Any], *, by_events: bool) -> None:
    for name in ("EventQueueArn", "DlqEventQueueArn"):
        if target.get(name) and not _QUEUE.fullmatch(target[name]):
            raise _invalid(f"{name} must be the ARN of an SQS queue, not {target[name]}")
    if by_events and not target.get("EventQueueArn"):
        raise _invalid("Event queue ARN is required when event crawler is selected.")


def _choice(policy: dict[str, Any] | None, name: str, default: str) -> str:
    return str((policy or {}).get(name) or default)


def _invalid(message: str) -> InvalidInputException:
    return InvalidInputException("", message)


def _unsupported(what: str) -> InvalidInputException:
    return _invalid(f"The embedded AWS does not support this crawler setting: {what}")

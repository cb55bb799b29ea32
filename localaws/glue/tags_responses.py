"""Tags of Glue resources: https://docs.aws.amazon.com/glue/latest/dg/monitor-tags.html"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import EntityNotFoundException
from moto.glue.responses import GlueResponse


class TagResponses(GlueResponse):
    """TagResource, UntagResource and GetTags. The resource must exist; moto alone would accept any ARN."""

    def tag_resource(self) -> ActionResult:
        self._require(self.parameters["ResourceArn"])
        return super().tag_resource()

    def untag_resource(self) -> ActionResult:
        self._require(self.parameters["ResourceArn"])
        return super().untag_resource()

    def get_tags(self) -> ActionResult:
        self._require(self.parameters["ResourceArn"])
        return super().get_tags()

    def _require(self, arn: str) -> None:
        backend = self.glue_backend
        known: dict[str, Mapping[str, Any]] = {
            "connection": backend.connections, "crawler": backend.crawlers, "database": backend.databases,
            "job": backend.jobs, "trigger": backend.triggers, "workflow": backend.workflows,
        }  # fmt: skip
        kind, _, name = arn.rpartition(":")[2].partition("/")
        here = f"arn:{backend.partition}:glue:{backend.region_name}:{backend.account_id}:{kind}/{name}"
        if arn != here or name not in known.get(kind, {}):
            raise EntityNotFoundException(f"Resource {arn} not found.")

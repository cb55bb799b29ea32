"""GetPartitions, of which a table may have thousands.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from moto.glue.models import FakePartition
from moto.glue.responses import GlueResponse

from localaws.services.glue.paging import page

_PAGE = 1000  # the most that MaxResults may be


class PartitionResponses(GlueResponse):
    """The partitions of a table, in pages. moto gives all in one, and takes half a millisecond to write each."""

    def get_partitions(self) -> str:  # type: ignore[override]  # moto takes a text for what it is
        asked: dict[str, Any] = self.parameters
        expression: Any = asked.get("Expression")
        found = self.glue_backend.get_partitions(asked["DatabaseName"], asked["TableName"], expression)
        shown, token = page(found, asked, default=_PAGE)
        answer: dict[str, Any] = {"Partitions": [self._shown(partition) for partition in shown]}
        if token:
            answer["NextToken"] = token
        self.response_headers["Content-Type"] = "application/x-amz-json-1.1"
        return json.dumps(answer, default=_as_timestamp)

    def _shown(self, partition: FakePartition) -> dict[str, Any]:
        shown = partition.as_dict()
        if self.parameters.get("ExcludeColumnSchema") and "StorageDescriptor" in shown:
            storage = {name: value for name, value in shown["StorageDescriptor"].items() if name != "Columns"}
            return {**shown, "StorageDescriptor": storage}
        return shown


def _as_timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"not a value of the Glue API: {value!r}")

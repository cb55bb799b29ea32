"""The triggers' and workflows' part of the Glue API."""

from __future__ import annotations

from moto.glue.responses import GlueResponse


class WorkflowResponses(GlueResponse):
    """The triggers' and workflows' part of the Glue API."""

"""The connections' part of the Glue API."""

from __future__ import annotations

from moto.glue.responses import GlueResponse


class ConnectionResponses(GlueResponse):
    """The connections' part of the Glue API."""

"""The jobs' part of the Glue API."""

from __future__ import annotations

from moto.glue.responses import GlueResponse


class JobResponses(GlueResponse):
    """The jobs' part of the Glue API."""

"""Jobs: their definitions, runs and bookmarks."""

from __future__ import annotations

from moto.glue.models import GlueBackend


class JobOperations(GlueBackend):
    """Jobs: their definitions, runs and bookmarks."""

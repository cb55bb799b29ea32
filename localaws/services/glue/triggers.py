"""Triggers and workflows: what starts what, and the runs."""

from __future__ import annotations

from moto.glue.models import GlueBackend


class WorkflowOperations(GlueBackend):
    """Triggers and workflows: what starts what, and the runs."""

"""Connections: how a crawler or a job reaches a database."""

from __future__ import annotations

from moto.glue.models import GlueBackend


class ConnectionOperations(GlueBackend):
    """Connections: how a crawler or a job reaches a database."""

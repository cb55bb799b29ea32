"""Crawlers: their definitions, states and history."""

from __future__ import annotations

from moto.glue.models import GlueBackend


class CrawlerOperations(GlueBackend):
    """Crawlers: their definitions, states and history."""

"""QUALIFY: a filter on window functions, which PostgreSQL lacks."""

from __future__ import annotations

from localaws.engines.redshift.dialect.tokens import Sentence


def rewrite(sentence: Sentence) -> None:
    """Rewrite a statement with QUALIFY; leave others alone."""

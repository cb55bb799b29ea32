"""COPY and UNLOAD: between S3 and a client's own session and transaction."""

from __future__ import annotations

from localaws.redshift.copy.access import warm_up
from localaws.redshift.copy.run import run

__all__ = ["run", "warm_up"]

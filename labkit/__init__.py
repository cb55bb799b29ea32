"""A tutorial lab: event-driven serverless ETL on AWS, on an embedded local AWS or in a real account.

>>> from labkit import Lab
>>> lab = Lab()
>>> lab.up()
"""

from __future__ import annotations

from labkit.config import LabConfig, Target
from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.data.landing import Landed
from labkit.delivery import Delivery
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.session import Session
from labkit.show.display import Check, Fact
from labkit.steps.base import Step
from labkit.tasks.checking import check

__all__ = [
    "Check",
    "Counts",
    "Delivery",
    "ExactlyOnceCounts",
    "Fact",
    "Lab",
    "LabConfig",
    "LabError",
    "Landed",
    "Session",
    "Step",
    "Target",
    "check",
]

"""An embedded AWS that really runs: S3, Lambda, Glue and Redshift on one laptop, for one lab.

>>> aws = localaws.start("my-lab")
>>> s3 = boto3.client("s3", endpoint_url=aws.endpoint_url, region_name=aws.region)
>>> localaws.stop("my-lab")
"""

from __future__ import annotations

from localaws.control import ChildStatus, Status, Stopped, start, status, stop, wipe
from localaws.core.confinement import Protection, protection
from localaws.core.errors import (
    HomeUnusable,
    LocalAwsError,
    NotEnded,
    NotRunning,
    PortTaken,
    StartFailed,
    StateDamaged,
    StateRefused,
)
from localaws.core.leftovers import LeftOver
from localaws.core.problems import Problem

__all__ = [
    "ChildStatus",
    "HomeUnusable",
    "LeftOver",
    "LocalAwsError",
    "NotEnded",
    "NotRunning",
    "PortTaken",
    "Problem",
    "Protection",
    "StartFailed",
    "StateDamaged",
    "StateRefused",
    "Status",
    "Stopped",
    "protection",
    "start",
    "status",
    "stop",
    "wipe",
]

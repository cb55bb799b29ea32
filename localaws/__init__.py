"""An embedded AWS that really runs: S3, Lambda, Glue and Redshift on one laptop, for one lab.

>>> aws = localaws.start("my-lab")
>>> s3 = boto3.client("s3", endpoint_url=aws.endpoint_url, region_name=aws.region)
>>> localaws.stop("my-lab")
"""

from __future__ import annotations

from localaws.confinement import Protection, protection
from localaws.control import ChildStatus, Status, start, status, stop, wipe
from localaws.errors import LocalAwsError, NotRunning, PortTaken, StartFailed, StateDamaged, StateRefused

__all__ = [
    "ChildStatus",
    "LocalAwsError",
    "NotRunning",
    "PortTaken",
    "Protection",
    "StartFailed",
    "StateDamaged",
    "StateRefused",
    "Status",
    "protection",
    "start",
    "status",
    "stop",
    "wipe",
]

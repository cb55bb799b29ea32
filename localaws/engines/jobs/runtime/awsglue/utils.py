"""getResolvedOptions: a job's arguments, from sys.argv.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

# What Glue itself passes, or lets a user pass, without being asked for; there whether or not it was given.
_RESERVED = (
    "job-bookmark-option",
    "job-bookmark-from",
    "job-bookmark-to",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "encryption-type",
    "enable-data-lineage",
    "RedshiftTempDir",
    "TempDir",
)


class GlueArgumentError(Exception):
    """An option that the script asks for is missing, or can't be read."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """The values of `options` in `args` (a sys.argv), by name.

    Names may be abbreviated in `args`, as in every Glue before 6.0. Hyphens in a name are underscores in the result.

    Raises:
        GlueArgumentError: one of them is missing.
    """
    parser = _Parser(add_help=False)
    for name in dict.fromkeys(options):
        if name.startswith("--"):
            raise GlueArgumentError(f"ask for {name[2:]!r}, not for {name!r}")
        parser.add_argument(f"--{name}", required=True)
    for name in _RESERVED:
        if name not in options:
            parser.add_argument(f"--{name}", required=False)
    parsed, _ = parser.parse_known_args(list(args[1:]))
    return vars(parsed)

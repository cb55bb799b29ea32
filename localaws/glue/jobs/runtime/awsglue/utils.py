"""getResolvedOptions, which reads a job's arguments from sys.argv.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html

Glue reserves the names of the arguments that it passes or reads itself. They are in the result whether or not they were
given, and a script that asks for one fails; only TempDir may be asked for, and is never required. For the other names,
Glue does what argparse does: it takes abbreviations (every Glue before 6.0) and the last of two values, and refuses a
name that is asked for twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from awsglue._bookmarks import BookmarkOption

_BOOKMARK = "job-bookmark-option"
_BOOKMARK_RANGE = ("job-bookmark-from", "job-bookmark-to")
# The old name of --job-bookmark-option, and its old values with the current ones.
_CONTINUATION = "continuation-option"
_CONTINUATIONS = {
    "continuation-enabled": BookmarkOption.ENABLE,
    "continuation-readonly": BookmarkOption.PAUSE,
    "continuation-ignore": BookmarkOption.DISABLE,
}
# argparse refuses a script that asks for one of these, because the option exists already.
_TAKEN = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "encryption-type", "enable-data-lineage")
_TEMPORARY = ("TempDir", "RedshiftTempDir")
# Names that a script may not ask for, with their spelling in Glue's error.
_RESERVED = {
    **{name: name for name in (_CONTINUATION, _BOOKMARK)},
    **{name: f"--{name}" for name in _BOOKMARK_RANGE},
    **{f"--{name}": f"--{name}" for name in _TAKEN},
}


class GlueArgumentError(Exception):
    """An option that the script asks for is missing, or can't be read."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """Return the values of `options` in `args` (a sys.argv), and those of Glue's own arguments, by name.

    Hyphens in a name are underscores in the result.

    Raises:
        GlueArgumentError: an option is missing, or its value is not one of those that it takes.
        RuntimeError: an option of job bookmarks is asked for, or the bookmark arguments contradict each other.
        argparse.ArgumentError: another reserved name is asked for, or a name is asked for twice.
    """
    for name, shown in _RESERVED.items():
        if name in options:
            raise RuntimeError(f"Using reserved arguments {shown}")
    found = vars(_parser(options).parse_known_args(list(args[1:]))[0])
    if found["TempDir"] is None:
        found["TempDir"] = found["RedshiftTempDir"]
    found["RedshiftTempDir"] = found["TempDir"]
    continuation = found.pop("continuation_option")
    found["job_bookmark_option"] = str(
        found["job_bookmark_option"] or _CONTINUATIONS.get(continuation, BookmarkOption.DISABLE)
    )
    _check_bookmark_range(found)
    return found


def _parser(options: Sequence[str]) -> _Parser:
    """Return a parser of Glue's own arguments and, as required ones, `options`."""
    # Like Glue, it takes argparse's abbreviations and --help.
    parser = _Parser()
    choices = {
        _BOOKMARK: [str(continuation) for continuation in _CONTINUATIONS.values()],
        _CONTINUATION: list(_CONTINUATIONS),
        "encryption-type": ["sse-s3"],
    }
    for name in (_BOOKMARK, _CONTINUATION, *_BOOKMARK_RANGE, *_TAKEN, *_TEMPORARY):
        parser.add_argument(f"--{name}", choices=choices.get(name))
    for name in options:
        if name not in _TEMPORARY:
            parser.add_argument(f"--{name}", required=True)
    return parser


def _check_bookmark_range(found: dict[str, Any]) -> None:
    """Check that --job-bookmark-from and --job-bookmark-to are given together, and only for a paused bookmark."""
    missing = [f"--{name}" for name in _BOOKMARK_RANGE if found[name.replace("-", "_")] is None]
    if found["job_bookmark_option"] == BookmarkOption.PAUSE:
        if len(missing) == 1:
            raise RuntimeError(f"Missing option or value for {missing[0]}")
    elif not missing:
        raise RuntimeError(f"Invalid option(s){' '.join(f'--{name}' for name in _BOOKMARK_RANGE)}")

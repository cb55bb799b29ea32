"""The Job class, which marks the beginning and the end of a run that keeps a bookmark.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html and
https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsglue import _bookmarks, _run


class Job:
    """``job = Job(glueContext); job.init(args["JOB_NAME"], args); …; job.commit()``"""

    def __init__(self, glue_context: Any) -> None:
        self._glue_context = glue_context
        self._initialized = False

    def init(self, job_name: str, args: Mapping[str, Any] | None = None) -> None:
        """Begin the run: load the bookmark as --job-bookmark-option says."""
        given = {
            **_run.current.arguments,
            **{f"--{key.replace('_', '-')}": value for key, value in (args or {}).items()},
        }
        value = given.get("--job-bookmark-option") or _bookmarks.BookmarkOption.DISABLE
        try:
            option = _bookmarks.BookmarkOption(value)
        except ValueError:
            allowed = ", ".join(_bookmarks.BookmarkOption)
            raise ValueError(f"--job-bookmark-option is {value!r}; it must be one of {allowed}") from None
        _bookmarks.current.begin(option)
        self._initialized = True

    def isInitialized(self) -> bool:
        """Whether `init` was called."""
        return self._initialized

    def commit(self) -> None:
        """End the run: save the bookmark, if it is enabled, so that what was read so far is not read again."""
        if not self._initialized:
            raise RuntimeError("job.commit() needs a job.init(args['JOB_NAME'], args) before it")
        _bookmarks.current.commit()

"""The lines of a crawl in CloudWatch Logs: group ``/aws-glue/crawlers``, one stream per crawler."""

from __future__ import annotations

import logging
import time

from moto.logs.models import logs_backends

from localaws.core.context import Context
from localaws.iam.service_roles import ServiceRole

log = logging.getLogger(__name__)

LOG_GROUP = "/aws-glue/crawlers"
_BATCH = 100


class CrawlLog:
    """Writes lines that start with the crawl's id, which the API calls ``MessagePrefix``."""

    def __init__(self, context: Context, role: ServiceRole, stream: str, crawl_id: str) -> None:
        self._context = context
        self._role = role
        self._backend = logs_backends[context.account_id][role.region]
        self._stream = stream
        self._prefix = f"[{crawl_id}]"
        self._waiting: list[dict[str, int | str]] = []

    def __call__(self, line: str) -> None:
        """Add a line, such as ``INFO : Created table t in database d``."""
        self._waiting.append({"timestamp": int(time.time() * 1000), "message": f"{self._prefix} {line}"})
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Send all waiting lines to CloudWatch Logs. An error there does not end the crawl."""
        if not self._waiting:
            return
        try:
            self._put(self._waiting)
        except Exception:
            log.exception("Log lines of %s are lost", self._stream)
        self._waiting = []

    def _put(self, lines: list[dict[str, int | str]]) -> None:
        if not self._role.may_log(LOG_GROUP, self._stream):
            return
        groups = self._backend.groups
        if LOG_GROUP not in groups:
            self._backend.create_log_group(LOG_GROUP, {})
        if self._stream not in groups[LOG_GROUP].streams:
            self._backend.create_log_stream(LOG_GROUP, self._stream)
        self._backend.put_log_events(LOG_GROUP, self._stream, lines)
        self._context.state.save_soon("logs")

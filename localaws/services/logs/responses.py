"""The HTTP side of CloudWatch Logs: moto's, as it is."""

from __future__ import annotations

from moto.logs.responses import LogsResponse


class LocalLogsResponse(LogsResponse):
    """Answers the requests to CloudWatch Logs."""

"""Where the API of CloudWatch Logs answers."""

from __future__ import annotations

from localaws.logs.responses import LocalLogsResponse

url_bases = [r"https?://logs\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": LocalLogsResponse.dispatch}

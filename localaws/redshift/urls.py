"""The URLs of the Redshift API."""

from __future__ import annotations

from localaws.redshift.responses import LocalRedshiftResponse

url_bases = [r"https?://redshift\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": LocalRedshiftResponse.dispatch}

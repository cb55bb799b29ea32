"""The URLs of the Redshift Data API."""

from __future__ import annotations

from localaws.redshift.data_api.responses import LocalRedshiftDataResponse

url_bases = [r"https?://redshift-data\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": LocalRedshiftDataResponse.dispatch}

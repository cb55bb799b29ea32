"""The paths of the tagging API: moto's."""

from __future__ import annotations

from moto.resourcegroupstaggingapi.urls import url_bases as url_bases
from moto.resourcegroupstaggingapi.urls import url_paths as url_paths

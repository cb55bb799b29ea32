"""Where STS answers: as moto's does."""

from __future__ import annotations

from moto.sts.urls import url_bases as url_bases
from moto.sts.urls import url_paths as url_paths

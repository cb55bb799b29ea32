"""moto's paths of STS, answered by this package."""

from __future__ import annotations

from moto.sts.urls import url_bases as url_bases
from moto.sts.urls import url_paths as moto_paths

from localaws.sts.responses import LocalSTSResponse

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, LocalSTSResponse.dispatch)

"""The URLs of IAM: the same as moto's."""

from __future__ import annotations

from moto.iam.urls import url_bases as url_bases
from moto.iam.urls import url_paths as url_paths

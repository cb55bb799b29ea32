"""SNS's path, answered by this package. Messages are not signed here, so there are no certificates to fetch."""

from moto.sns.urls import url_bases

from localaws.sns.responses import LocalSNSResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": LocalSNSResponse.dispatch}

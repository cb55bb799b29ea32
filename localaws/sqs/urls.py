"""moto's paths of SQS, answered by this package."""

from moto.sqs.urls import url_bases
from moto.sqs.urls import url_paths as moto_paths

from localaws.sqs.responses import LocalSQSResponse

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, LocalSQSResponse.dispatch)

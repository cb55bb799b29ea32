"""moto's paths of Lambda, answered by this package."""

from moto.awslambda.urls import url_bases
from moto.awslambda.urls import url_paths as moto_paths

from localaws.lambda_.responses import LocalLambdaResponse

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, LocalLambdaResponse.dispatch)

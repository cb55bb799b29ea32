"""moto's paths of Secrets Manager, answered by this package."""

from moto.secretsmanager.urls import url_bases
from moto.secretsmanager.urls import url_paths as moto_paths

from localaws.secretsmanager.responses import LocalSecretsManagerResponse

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, LocalSecretsManagerResponse.dispatch)

"""moto's paths of Secrets Manager."""

from moto.secretsmanager.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]

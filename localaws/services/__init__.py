"""The API faces: subclasses of moto's backends, in moto's own three rooms (models, responses, urls).

moto finds the URLs of a backend by the name of its class's module, so each folder here must hold these three.
"""

from __future__ import annotations

from importlib import import_module

# moto's module of the service, its dictionary of backends, and the class that takes the backend's place.
_REPLACED = {
    "s3": ("s3_backends", "LocalS3Backend"),
    "awslambda": ("lambda_backends", "LocalLambdaBackend"),
    "glue": ("glue_backends", "LocalGlueBackend"),
    "iam": ("iam_backends", "LocalIAMBackend"),
    "logs": ("logs_backends", "LocalLogsBackend"),
    "redshift": ("redshift_backends", "LocalRedshiftBackend"),
    "resourcegroupstaggingapi": ("resourcegroupstaggingapi_backends", "LocalTaggingBackend"),
    "redshiftdata": ("redshiftdata_backends", "LocalRedshiftDataBackend"),
    "secretsmanager": ("secretsmanager_backends", "LocalSecretsManagerBackend"),
    "sns": ("sns_backends", "LocalSNSBackend"),
    "sqs": ("sqs_backends", "LocalSQSBackend"),
    "sts": ("sts_backends", "LocalSTSBackend"),
}


def register() -> None:
    """Put this lab's backends in the place of moto's. Call it before any backend is made."""
    import_module("localaws.services.reset").register()
    for service, (backends, class_name) in _REPLACED.items():
        ours = import_module(f"localaws.services.{service}.models")
        getattr(import_module(f"moto.{service}.models"), backends).backend = getattr(ours, class_name)

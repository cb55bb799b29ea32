"""Puts this package's backends in the place of moto's.

moto finds the URLs of a backend by the name of its class's module, so each service has moto's three modules: models,
responses and urls.
"""

from __future__ import annotations

from importlib import import_module

# moto's module of the service, and its dictionary of backends; this package's service, and the class that takes over.
_REPLACED = (
    ("s3", "s3_backends", "s3", "LocalS3Backend"),
    ("awslambda", "lambda_backends", "lambda_", "LocalLambdaBackend"),
    ("glue", "glue_backends", "glue", "LocalGlueBackend"),
    ("iam", "iam_backends", "iam", "LocalIAMBackend"),
    ("logs", "logs_backends", "logs", "LocalLogsBackend"),
    ("redshift", "redshift_backends", "redshift", "LocalRedshiftBackend"),
    ("resourcegroupstaggingapi", "resourcegroupstaggingapi_backends", "tagging", "LocalTaggingBackend"),
    ("redshiftdata", "redshiftdata_backends", "redshift.data_api", "LocalRedshiftDataBackend"),
    ("secretsmanager", "secretsmanager_backends", "secretsmanager", "LocalSecretsManagerBackend"),
    ("sns", "sns_backends", "sns", "LocalSNSBackend"),
    ("sqs", "sqs_backends", "sqs", "LocalSQSBackend"),
    ("sts", "sts_backends", "sts", "LocalSTSBackend"),
)


def register() -> None:
    """Replace moto's backends by this package's. Call it before any backend is made."""
    import_module("localaws.server.reset").register()
    for service, backends, folder, class_name in _REPLACED:
        ours = import_module(f"localaws.{folder}.models")
        getattr(import_module(f"moto.{service}.models"), backends).backend = getattr(ours, class_name)

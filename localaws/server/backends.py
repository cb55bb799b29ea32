"""Replace moto's backends with this package's.

moto finds the URLs of a backend by the name of its class's module, so each service has moto's three modules: models,
responses and urls.
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.redshift.models import redshift_backends
from moto.redshiftdata.models import redshiftdata_backends
from moto.resourcegroupstaggingapi.models import resourcegroupstaggingapi_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.sts.models import sts_backends

from localaws.core.context import ACCOUNT_ID
from localaws.ec2 import rules
from localaws.glue.models import LocalGlueBackend
from localaws.iam.models import LocalIAMBackend
from localaws.lambda_.models import LocalLambdaBackend
from localaws.logs.models import LocalLogsBackend
from localaws.redshift.data_api.models import LocalRedshiftDataBackend
from localaws.redshift.models import LocalRedshiftBackend
from localaws.s3.models import LocalS3Backend
from localaws.secretsmanager.models import LocalSecretsManagerBackend
from localaws.server import reset
from localaws.sns.models import LocalSNSBackend
from localaws.sqs.models import LocalSQSBackend
from localaws.sts.models import LocalSTSBackend
from localaws.tagging.models import LocalTaggingBackend

_REPLACED: tuple[tuple[Any, type[Any]], ...] = (
    (s3_backends, LocalS3Backend),
    (lambda_backends, LocalLambdaBackend),
    (glue_backends, LocalGlueBackend),
    (iam_backends, LocalIAMBackend),
    (logs_backends, LocalLogsBackend),
    (redshift_backends, LocalRedshiftBackend),
    (resourcegroupstaggingapi_backends, LocalTaggingBackend),
    (redshiftdata_backends, LocalRedshiftDataBackend),
    (secretsmanager_backends, LocalSecretsManagerBackend),
    (sns_backends, LocalSNSBackend),
    (sqs_backends, LocalSQSBackend),
    (sts_backends, LocalSTSBackend),
)


def register() -> None:
    """Replace moto's backends by this package's.

    Raises:
        RuntimeError: moto has made a backend before; an account keeps the class that it began with.
    """
    reset.register()
    rules.register()
    for backends, ours in _REPLACED:
        if backends:
            raise RuntimeError(f"{ours.__name__} is registered too late: moto has made backends of this service")
        backends.backend = ours
    # moto keeps the Data API's backends under the name "redshift", since boto3 lists no regions for "redshift-data".
    # But that is another service's name, and their states would be mixed up. So the regions are given here.
    redshiftdata_backends.service_name = "redshift-data"
    redshiftdata_backends._additional_regions = list(redshift_backends[ACCOUNT_ID].regions)

"""The two deliveries of the pipeline, and the names of their resources.

Both can exist side by side. The notification `s3Events` decides which one is in use: the one whose start function it
invokes. There is no setting for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from labkit.calls import found
from labkit.names import Names
from labkit.session import Session


class Delivery(StrEnum):
    """How landed files are loaded into the table."""

    AS_DESCRIBED = "as-described"
    """The description's delivery: it uses a bookmark, and events may be lost. Notebooks 05 to 08."""

    EXACTLY_ONCE = "exactly-once"
    """The delivery with a ledger and a queue, which keeps rejected rows. Notebook 09."""


@dataclass(frozen=True)
class DeliveryNames:
    """The names of the resources that each delivery has for itself."""

    start_function: str
    start_role: str
    workflow: str
    start_trigger: str
    event_trigger: str
    job: str

    @classmethod
    def of(cls, delivery: Delivery, names: Names) -> DeliveryNames:
        """The names for this delivery in a participant's lab."""
        if delivery is Delivery.AS_DESCRIBED:
            return cls(
                names.start_function,
                names.start_role,
                names.workflow,
                names.start_trigger,
                names.event_trigger,
                names.job,
            )
        return cls(
            names.reliable_start_function,
            names.reliable_start_role,
            names.exactly_once_workflow,
            names.exactly_once_start_trigger,
            names.exactly_once_event_trigger,
            names.exactly_once_job,
        )


def in_use(session: Session) -> Delivery | None:
    """The delivery whose start function the notification invokes; None if there is no notification."""
    names = session.names
    there = found(session.client("s3").get_bucket_notification_configuration, Bucket=names.landing_bucket) or {}
    for configuration in there.get("LambdaFunctionConfigurations", []):
        if configuration.get("Id") == names.notification:
            function = configuration["LambdaFunctionArn"].rsplit(":", 1)[1]
            return Delivery.EXACTLY_ONCE if function == names.reliable_start_function else Delivery.AS_DESCRIBED
    return None

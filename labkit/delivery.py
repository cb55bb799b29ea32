"""The two deliveries of the pipeline, and the names of their resources.

They stand side by side. Which one is in use is where the notification `s3Events` points; there is no setting for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from labkit.names import Names


class Delivery(StrEnum):
    """How landed files become rows."""

    AS_DESCRIBED = "as-described"
    """The description's: a bookmark, and events that may be lost. Notebooks 05 to 08."""

    EXACTLY_ONCE = "exactly-once"
    """A ledger, a queue, and rejected rows that are kept. Notebook 09."""


@dataclass(frozen=True)
class DeliveryNames:
    """The resources that each delivery has of its own."""

    start_function: str
    start_role: str
    workflow: str
    start_trigger: str
    event_trigger: str
    job: str

    @classmethod
    def of(cls, delivery: Delivery, names: Names) -> DeliveryNames:
        """Their names in a participant's lab."""
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

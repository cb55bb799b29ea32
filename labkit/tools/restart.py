"""`lab.restart()` and `labkit restart`: back to an empty lab with the described delivery in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.data import landing, table
from labkit.delivery import Delivery
from labkit.errors import MissingStep
from labkit.show.display import Described
from labkit.steps.lab_steps import LabSteps


@dataclass(frozen=True)
class Restarted(Described):
    """What a restart removed, and which delivery is in use now."""

    removed: tuple[str, ...]
    s3events: str

    def shown(self) -> Iterator[tuple[str, str]]:
        """Yield both, in words."""
        yield "removed", ", ".join(self.removed) or "nothing: the lab is empty"
        yield "s3Events", self.s3events


def to_be_removed(lab: LabSteps) -> tuple[str, ...]:
    """What a restart would remove, in words."""
    names, found = lab.names, []
    if lab.buckets.exists(names.landing_bucket):
        files = sum(1 for _ in landing.data_files(lab.session))
        found.append(_counted(files, f"file in bucket {names.landing_bucket}"))
    if _has_table(lab):
        found.append(_counted(lab.query.count(), f"row of {lab.config.redshift_table}"))
        if lab.owner is Delivery.EXACTLY_ONCE:
            found.append(f"the ledger {names.ledger}")
    if lab.reliability.queues.exist():
        found.append(_counted(lab.reliability.waiting(), "waiting event"))
        found.append(_counted(len(lab.reliability.dead_letters()), "event that was given up"))
    if lab.job.has_bookmark():
        found.append(f"the bookmark of {names.job}")
    return tuple(filter(None, found))


def restart(lab: LabSteps, removed: tuple[str, ...]) -> Restarted:
    """Empty the lab, and put the described delivery into use if its parts are there.

    It can be interrupted and run again. `removed` is what `to_be_removed` found.
    """
    names, reliability = lab.names, lab.reliability
    if lab.delivery is Delivery.EXACTLY_ONCE:
        lab.notification.point_to(Delivery.AS_DESCRIBED)
    reliability.pause()
    for workflow in (lab.workflow, reliability.workflow):
        if workflow.exists():
            workflow.wait_until_idle()
    for job in (lab.job, reliability.job):
        if job.exists():
            job.wait_until_idle()
    if lab.buckets.exists(names.landing_bucket):
        lab.buckets.empty(names.landing_bucket)
    if lab.buckets.exists(names.staging_bucket):
        lab.buckets.empty(names.staging_bucket, "landed/", "rejects/", "temp/")
    if _has_table(lab):
        table.empty(lab.session, [f"drop table if exists {names.ledger}"])
    if lab.job.exists():
        lab.job.forget()
    lab.workflow.resume()
    delivery = lab.delivery
    points = "points to nothing: there is no notification" if delivery is None else f"points to {names.start_function}"
    return Restarted(removed, points)


def _has_table(lab: LabSteps) -> bool:
    try:
        lab.query.describe()
    except MissingStep:
        return False
    return True


def _counted(number: int, what: str) -> str:
    """The number with its noun, such as "3 files in …"; empty for 0."""
    noun, _, rest = what.partition(" ")
    return f"{number} {noun}{'' if number == 1 else 's'} {rest}".rstrip() if number else ""

"""The number of rows at each stage of the pipeline, each counted from its own source.

- landed: the records in the landed files, read from S3 (`labkit.data.landing.count_records`)
- loaded: the rows that COPY has loaded since the table was last emptied, from Redshift's `sys_load_history`
- rejected: the rows that the exactly-once job rejected, from its files in the staging bucket
- queried: `select count(*)`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.data import landing, ledger, rejects, table
from labkit.data.landing import ObjectVersion
from labkit.delivery import Delivery
from labkit.session import Session
from labkit.show.display import Described, hidden


@dataclass(frozen=True)
class Counts(Described):
    """The described delivery's rows. If landed and queried differ, rows are missing or doubled.

    `after - before` is what came in between. Rows that were missing before, and have come since, are not doubled.
    """

    landed: int
    loaded: int
    queried: int
    were_missing: int = hidden(default=0, compare=False)
    """Of a difference: the rows that were missing at its beginning."""

    @property
    def missing(self) -> int:
        """Landed records that are not in the table."""
        return max(0, self.landed - self.queried)

    @property
    def doubled(self) -> int:
        """Rows in the table that did not land, or that landed once and were loaded more than once."""
        return max(0, self.queried - self.landed - self.were_missing)

    @property
    def agree(self) -> bool:
        """Whether no row is missing and none is doubled."""
        return not self.missing and not self.doubled

    @property
    def only_wait(self) -> bool:
        """Whether the rows don't agree only because landed records are not loaded yet."""
        return self.missing > 0

    def __sub__(self, before: Counts) -> Counts:
        landed, loaded = self.landed - before.landed, self.loaded - before.loaded
        return Counts(landed, loaded, self.queried - before.queried, before.missing)

    def as_json(self) -> dict[str, Any]:
        """For programs: `labkit status --json`."""
        rows = {"landed": self.landed, "loaded": self.loaded, "queried": self.queried}
        more = {"missing": self.missing, "doubled": self.doubled, "agree": self.agree}
        return {"delivery": str(Delivery.AS_DESCRIBED), **rows, **more}

    def shown(self) -> Iterator[tuple[str, str]]:
        """The three counts, and what is missing or doubled."""
        yield from super().shown()
        if self.missing:
            yield "missing", str(self.missing)
        if self.doubled:
            yield "doubled", str(self.doubled)

    @property
    def sentence(self) -> str:
        """The counts and whether they agree, in one line."""
        if self.agree:
            return f"landed = queried: {self.landed} = {self.queried}"
        what = f"{self.missing} missing" if self.missing else f"{self.doubled} doubled"
        return f"landed {self.landed}, queried {self.queried}: {what}"


@dataclass(frozen=True)
class ExactlyOnceCounts(Described):
    """The exactly-once delivery's rows: landed = loaded + rejected, and loaded = queried.

    `after - before` is what came in between. Records that waited before, and were loaded since, may be among the rows.
    """

    landed: int
    loaded: int
    rejected: int
    queried: int
    waited: int = hidden(default=0, compare=False)
    """Of a difference: the records that waited for their load at its beginning."""

    @property
    def waiting(self) -> int:
        """Landed records that were neither loaded nor rejected."""
        return max(0, self.landed - self.loaded - self.rejected)

    @property
    def agree(self) -> bool:
        """True if each landed record was either loaded or rejected, and each loaded row is in the table once."""
        return self.loaded == self.queried and 0 <= self.loaded + self.rejected - self.landed <= self.waited

    @property
    def only_wait(self) -> bool:
        """Whether the rows don't agree only because landed records are not loaded yet."""
        return self.waiting > 0 and self.loaded == self.queried

    def as_json(self) -> dict[str, Any]:
        """For programs: `labkit status --json`."""
        rows = {"landed": self.landed, "loaded": self.loaded, "rejected": self.rejected, "queried": self.queried}
        return {"delivery": str(Delivery.EXACTLY_ONCE), **rows, "agree": self.agree}

    def __sub__(self, before: ExactlyOnceCounts) -> ExactlyOnceCounts:
        return ExactlyOnceCounts(
            self.landed - before.landed,
            self.loaded - before.loaded,
            self.rejected - before.rejected,
            self.queried - before.queried,
            before.waiting,
        )

    @property
    def sentence(self) -> str:
        """The counts and whether they agree, in one line."""
        landed, loaded = f"{self.landed}", f"{self.loaded} + {self.rejected}"
        is_landed = "=" if self.landed == self.loaded + self.rejected else "≠"
        is_queried = "=" if self.loaded == self.queried else "≠"
        return (
            f"landed {is_landed} loaded + rejected: {landed} {is_landed} {loaded}; "
            f"loaded {is_queried} queried: {self.loaded} {is_queried} {self.queried}"
        )


def count(session: Session, keys: Sequence[str] | None) -> Counts | ExactlyOnceCounts:
    """Count the rows now. With `keys`, only records of these files count as landed.

    Raises:
        MissingStep: there are no buckets, or there is no cluster.
        QueryFailed: there is no table.
    """
    landing.require_buckets(session)
    if ledger.owner(session) is Delivery.AS_DESCRIBED:
        landed = sum(landing.records_in(session, version) for version in _current(session, keys))
        return Counts(landed, table.loaded(session), table.count(session))
    named = None if keys is None else set(keys)
    versions = {(version.key, version.version): version for version in _current_or_loaded(session)}
    landed = sum(landing.records_in(session, one) for one in versions.values() if named is None or one.key in named)
    rejected = sum(reject.rows for reject in rejects.read(session) if (reject.file, reject.version) in versions)
    return ExactlyOnceCounts(landed, table.loaded(session), rejected, table.count(session))


def _current(session: Session, keys: Sequence[str] | None) -> list[ObjectVersion]:
    """The current version of each landed file, or of each of these."""
    if keys is None:
        return [version for version in landing.data_files(session) if version.is_current]
    return [version for key in keys if (version := landing.current_version(session, key))]


def _current_or_loaded(session: Session) -> list[ObjectVersion]:
    """The versions that the exactly-once delivery has to answer for.

    A version that was overwritten before a run read it is not loaded: it counts as landed only if the ledger has it.
    """
    loaded = ledger.loaded(session)
    return [one for one in landing.data_files(session) if one.is_current or (one.key, one.version) in loaded]

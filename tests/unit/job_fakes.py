"""The landing bucket and the ledger that glue/exactly_once_job.py uses, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ARGS = {"MAX_REJECTED_SHARE": "0.5", "REJECTS": "s3://staging-bucket/rejects/", "JOB_RUN_ID": "jr_1"}


@dataclass(frozen=True)
class Version:
    """An object version: its file and its name."""

    key: str
    version: str = "v1"

    @property
    def uri(self) -> str:
        return f"s3://landing-bucket/{self.key}"


@dataclass
class Landing:
    """The landing bucket: the current version of each key."""

    versions: dict[str, Version]
    refused: list[Version] = field(default_factory=list)

    def to_read(self) -> list[Version]:
        return list(self.versions.values())

    def current(self, keys: list[str]) -> list[Version]:
        return [self.versions[key] for key in keys if key in self.versions]

    def overwrite(self, key: str) -> None:
        self.versions[key] = Version(key, f"v{int(self.versions[key].version[1:]) + 1}")


def landing_of(*keys: str) -> Landing:
    return Landing({key: Version(key) for key in keys})


@dataclass
class Ledger:
    """The ledger: the versions that are loaded."""

    loaded: list[Version] = field(default_factory=list)

    def lacks(self, objects: list[Version]) -> list[Version]:
        return [item for item in objects if item not in self.loaded]

    def entry(self, counts: dict[Version, tuple[int, int]], job_run: str) -> Any:
        assert job_run == "jr_1"
        return counts

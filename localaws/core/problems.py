"""What does not work in a running lab, as `status` shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that was deployed and does not work."""

    what: str
    why: str
    fix: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.what}: {self.why}", self.fix)))

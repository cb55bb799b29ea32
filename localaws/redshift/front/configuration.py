"""What the engine tells a front at its start, as a file that only its user can read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from localaws.core.home import write_durably


@dataclass(frozen=True)
class FrontConfiguration:
    """One cluster's front."""

    identifier: str
    host: str
    port: int
    socket_directory: str
    certificate: str
    key: str
    token_key: str  # hexadecimal; signs temporary passwords
    access_key_id: (
        str  # of the cluster's own calls, as when it looks at roles; in no environment, which others could read
    )
    secret_access_key: str
    endpoint_url: str
    region: str
    account_id: str

    def write(self, file: Path) -> None:
        """Save, readable by ourselves only."""
        write_durably(file, json.dumps(dataclasses.asdict(self)).encode(), mode=0o600)

    @classmethod
    def read(cls, file: Path) -> FrontConfiguration:
        """Load what `write` saved."""
        return cls(**json.loads(file.read_text()))

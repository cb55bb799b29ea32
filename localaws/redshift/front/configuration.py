"""The configuration that the engine passes to a front at its start, in a file that only its user can read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from localaws.core.home import write_durably


@dataclass(frozen=True)
class FrontConfiguration:
    """The configuration of one cluster's front."""

    identifier: str
    host: str
    port: int
    socket_directory: str
    certificate: str
    key: str
    token_key: str  # hexadecimal; signs temporary passwords
    access_key_id: str  # for the cluster's own calls, as for roles; not in the environment, which others could read
    secret_access_key: str
    endpoint_url: str
    region: str
    account_id: str

    def write(self, file: Path) -> None:
        """Save the configuration; only our own user can read the file."""
        write_durably(file, json.dumps(dataclasses.asdict(self)).encode(), mode=0o600)

    @classmethod
    def read(cls, file: Path) -> FrontConfiguration:
        """Load what `write` saved."""
        return cls(**json.loads(file.read_text()))

"""The real AWS CLI's parser: what a command would send, without sending it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awscli.clidriver import create_clidriver


class AwsCli:
    """Reads AWS CLI commands."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}
        self._drivers: dict[str, Any] = {}

    def parameters(self, command: str, files: Path) -> dict[str, Any]:
        """The parameters that the command would send to AWS. Its placeholders for files become files in `files`."""
        line = command
        while line.startswith("#"):
            line = line.partition("\n")[2]
        words = [_variables(word) for word in shlex.split(line)]
        assert words[0] == "aws"
        for name in re.findall(r"\b[\w-]+\.(?:bin|txt)\b", line):
            (files / name).write_bytes(ZIP if name == "zip-file.bin" else b"content")
        driver = self._driver(words[1])
        here = Path.cwd()
        os.chdir(files)
        try:
            code = driver.main([*words[1:], "--region", "us-east-1"])
        finally:
            os.chdir(here)
        assert code == 0, command
        return self.sent

    def _driver(self, service: str) -> Any:
        if service == "ec2" or service not in self._drivers:  # a command of ec2 leaves something behind in its driver
            self._drivers[service] = create_clidriver()
            self._drivers[service].session.register("calling-command.*", self._keep)
        return self._drivers[service]

    def _keep(self, call_parameters: Mapping[str, Any], **_others: Any) -> int:
        self.sent = dict(call_parameters)
        for value in self.sent.values():
            if hasattr(value, "close"):
                value.close()
        return 0  # the command's exit code; the CLI then sends nothing


ZIP = b"PK\x05\x06" + bytes(18)


def _variables(word: str) -> str:
    return re.sub(r"^\$\{(\w+):\?.*\}$", r"***", word)

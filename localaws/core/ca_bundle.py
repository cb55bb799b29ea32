"""Which CAs the processes of a lab trust: the public ones and the lab's own (certificates.py)."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

from localaws.core.home import Home

_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")  # as `openssl rehash` names a certificate


def environment(home: Home) -> dict[str, str]:
    """Return the variables that make a child process trust the public CAs and the local one.

    OpenSSL reads all of SSL_CERT_FILE for each connection, which takes 26 ms for the public CAs. In SSL_CERT_DIR it
    looks up only the CA that it needs. So if the system has the public CAs as such a directory, that is used.
    """
    bundle = str(home.ca_bundle)
    directory = _directory(chosen(home))
    found = {"SSL_CERT_FILE": str(home.ca_file), "SSL_CERT_DIR": directory} if directory else {"SSL_CERT_FILE": bundle}
    return {**found, "AWS_CA_BUNDLE": bundle}


def _directory(file: Path | None) -> str | None:
    """Return where OpenSSL can look up the public CAs; None if nowhere, or if the shell names a file with others."""
    directory = ssl.get_default_verify_paths().capath
    if directory is None or (file is not None and file.parent.resolve() != Path(directory).resolve()):
        return None
    return directory if any(_HASHED.fullmatch(entry.name) for entry in Path(directory).glob("*.*")) else None


def chosen(home: Home) -> Path | None:
    """Return the file of CAs that the user's shell names; None if it names none, or one of a lab."""
    file = os.environ.get("SSL_CERT_FILE")
    # A shell that ran `labkit env` before names a bundle that may be ours, or another lab's.
    if file and Path(file).is_file() and Path(file).name != home.ca_bundle.name:
        return Path(file)
    return None

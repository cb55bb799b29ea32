"""Builds the zips of the Lambda functions, with the packages that the runtime lacks.

Lambda's Python runtime has boto3, but faker has to be in the zip. The zip holds only the part of faker that the
generator uses: 1 MB instead of 14, which also makes the cold start fast. The same code gives the same bytes, so an
unchanged function is not deployed again.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from labkit import project
from labkit.errors import LabError

FAKER_PROVIDERS = {"date_time", "python"}
FAKER_LOCALE = "en_US"
LEFT_OUT = {"contrib", "sphinx", "cli.py", "__main__.py", "documentor.py"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold. It is fixed, so that equal code gives equal bytes."""


def package(function: str) -> bytes:
    """The deployable zip of `lambdas/<function>.py`.

    Raises:
        LabError: the source file or the package faker is missing.
    """
    code = project.file("lambdas", f"{function}.py").read_bytes()
    files = {f"{function}.py": code}
    if b"from faker import" in code:
        files |= {name: path.read_bytes() for name, path in _faker()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return packed.getvalue()


def code_hash(package: bytes) -> str:
    """The hash that Lambda reports for a zip (`CodeSha256`)."""
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def _faker() -> Iterator[tuple[str, Path]]:
    """Yield (name in the zip, file) for the part of faker that is needed."""
    spec = importlib.util.find_spec("faker")
    if spec is None or spec.origin is None:
        raise LabError("The package faker is not installed.", fix=project.INSTALL_AGAIN)
    root = Path(spec.origin).parent
    for file in root.rglob("*.py"):
        place = file.relative_to(root)
        if _needed(place):
            yield f"faker/{place.as_posix()}", file


def _needed(place: Path) -> bool:
    if place.parts[0] in LEFT_OUT:
        return False
    if place.parts[0] != "providers" or len(place.parts) == 2:
        return True
    provider, *rest = place.parts[1:]
    return provider in FAKER_PROVIDERS and (len(rest) == 1 or rest[0] == FAKER_LOCALE)

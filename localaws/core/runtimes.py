"""What a function and a job can import: directories of links to just the packages that AWS has there.

A worker starts as ``python -S`` with one of these directories on its path. So it sees the runtime's packages, and
nothing else of the server's environment: if code imports a module that it forgot to package, that fails here as it
would on AWS.

- Lambda's Python runtimes carry boto3 and the runtime client:
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
- Glue's Spark jobs carry PySpark and the modules listed in
  https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html, of which these
  are the ones that a pipeline of this kind uses.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from localaws.core.home import Home

FUNCTION_PACKAGES = ("awslambdaric", "boto3")
JOB_PACKAGES = ("boto3", "numpy", "pandas", "py4j", "pyarrow", "pyspark", "redshift_connector")


class RuntimePackageMissing(RuntimeError):
    """A package that the runtime needs isn't installed in the server's environment, or lists no files."""

    def __init__(self, package: str, runtime: str) -> None:
        super().__init__(
            f"The {runtime} runtime needs the package {package!r}, which this environment lacks."
            " Install it with `make setup`, or with pip."
        )


def function_path(home: Home) -> Path:
    """Return the directory that a function sees beside its own zip: boto3, awslambdaric and their dependencies."""
    return link_packages(home.cache / "runtimes", "function", FUNCTION_PACKAGES)


def job_path(home: Home) -> Path:
    """Return the directory that a Glue job sees beside its script and ``awsglue``: PySpark, boto3 and so on."""
    return link_packages(home.cache / "runtimes", "job", JOB_PACKAGES)


def job_packages() -> dict[str, str]:
    """Return the versions of all packages that a Glue job sees, by canonical name."""
    return {name: _distribution(name, "job").version for name in _with_dependencies(JOB_PACKAGES, "job")}


def link_packages(parent: Path, runtime: str, packages: Iterable[str]) -> Path:
    """Make ``parent/runtime-DIGEST`` with a link to each top-level module of `packages` and their dependencies.

    The digest is of the links themselves, so an environment that changed gets a new directory and a running
    worker keeps its old one. Raises :class:`RuntimePackageMissing`.
    """
    links = {
        name: target
        for package in sorted(_with_dependencies(packages, runtime))
        for name, target in _top_level(package, runtime).items()
    }
    listing = "\n".join(f"{name} {target}" for name, target in sorted(links.items()))
    directory = parent / f"{runtime}-{hashlib.sha256(listing.encode()).hexdigest()[:12]}"
    if directory.is_dir():
        return directory
    parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{runtime}-", dir=parent))
    for name, target in links.items():
        (building / name).symlink_to(target)
    # Workers may run as another user than the server.
    building.chmod(0o755)
    try:
        os.rename(building, directory)
    except OSError:
        # Somebody else made the same directory in the meantime: theirs is as good.
        shutil.rmtree(building)
        if not directory.is_dir():
            raise
    return directory


def _with_dependencies(packages: Iterable[str], runtime: str) -> set[str]:
    """The canonical names of `packages` and of everything that they require here, extras left out."""
    found: set[str] = set()
    waiting = [canonicalize_name(package) for package in packages]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for line in _distribution(package, runtime).requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return found


def _top_level(package: str, runtime: str) -> dict[str, Path]:
    """The files and directories that `package` puts right into site-packages, by name."""
    distribution = _distribution(package, runtime)
    if not distribution.files:
        raise RuntimePackageMissing(package, runtime)
    names = {file.parts[0] for file in distribution.files}
    # ".." leads to scripts. *.pth files work only in a site directory, which this is not.
    wanted = (name for name in names if name not in {"..", "__pycache__"} and not name.endswith(".pth"))
    return {name: Path(str(distribution.locate_file(name))).resolve() for name in wanted}


def _distribution(package: str, runtime: str) -> metadata.Distribution:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError as error:
        raise RuntimePackageMissing(package, runtime) from error

"""The include paths of S3 targets.

AWS: "For Amazon S3 data stores, include path syntax is bucket-name/folder-name/file-name.ext". So an include path is a
bucket, a folder or a single object
(https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from localaws.glue.crawlers.naming import Exclusions


@dataclass(frozen=True)
class S3Target:
    """One include path, a folder or a single object, and what is left out below it."""

    bucket: str
    path: str  # as the include path has it, without the bucket; a folder may lack its last slash
    exclusions: Exclusions
    sample_size: int | None = None  # files to look at in each folder; None is all
    queue_arn: str | None = None  # of the S3 events that tell what changed
    prefix: str = ""  # the folder: ends in "/", or is empty
    name: str = ""  # of the object in `prefix`, if the include path is a single object

    @classmethod
    def of(cls, definition: dict[str, Any]) -> S3Target:
        """Read a target in the API's form; S3Reader.resolve then decides whether it is a folder or an object.

        Raises:
            ValueError: the path is not an S3 path, or an exclusion can't be read.
        """
        given = str(definition.get("Path", ""))
        scheme, _, rest = given.partition("://")
        bucket, _, path = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not bucket:
            raise ValueError(f"The S3 path {given!r} must be of the form s3://bucket/prefix")
        exclusions = Exclusions(definition.get("Exclusions") or [])
        return cls(bucket, path, exclusions, definition.get("SampleSize"), definition.get("EventQueueArn"), path)

    def as_folder(self) -> S3Target:
        """Return this target with its path as a folder or the whole bucket."""
        return replace(self, prefix=self.path if self.path.endswith("/") or not self.path else self.path + "/")

    def as_object(self) -> S3Target:
        """Return this target with its path as a single object."""
        folder, slash, name = self.path.rpartition("/")
        return replace(self, prefix=folder + slash, name=name)

    @property
    def include_path(self) -> str:
        """``s3://bucket/folder/`` or ``s3://bucket/folder/object.json``, as it was given."""
        return f"s3://{self.bucket}/{self.path}"

    @property
    def location(self) -> str:
        """``s3://bucket/folder/``: the folder, or the one that the object lies in."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def excluded(self) -> list[str]:
        """The exclusions, each after the include path that it is relative to."""
        return [f"{self.location}{self.name and self.name + '/'}{pattern}" for pattern in self.exclusions.patterns]

    def covers(self, location: str) -> bool:
        """Whether a crawl of this target finds what lies at `location`, if anything does."""
        if self.path.endswith("/") or not self.path:
            return location.startswith(self.include_path)
        return location == self.include_path or location.startswith(self.include_path + "/")

    def wants(self, path: str) -> bool:
        """Whether to crawl the file at `path`, relative to the folder."""
        if self.name:
            return path == self.name
        if path.endswith("/") or not path or self.exclusions.match(path):
            return False
        # Spark and Hive treat names that start with _ or . as their own bookkeeping, and so does the crawler.
        return not any(part.startswith(("_", ".")) and "=" not in part for part in path.split("/"))


def object_paths(targets: Iterable[S3Target]) -> frozenset[str]:
    """Return the include paths of `targets` that may be single objects."""
    return frozenset(target.include_path for target in targets if target.path and not target.path.endswith("/"))

"""The landing bucket for exactly_once_job: which object versions it has, and which ones an event named.

The start function (lambdas/start_workflow_reliably.py) writes a *marker* for each file that has landed:
`landed/<key>/<sequencer>` in the bucket of --TempDir. A run that the start function started reads the objects that
have markers, and deletes these markers when the rows are loaded. Any other run reads the whole landing bucket.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlparse

import boto3

MARKERS = "landed/"
FEW = 50
"""Up to this number of objects are looked up one by one. For more, the bucket is listed."""

glue, s3 = boto3.client("glue"), boto3.client("s3")


class TooManyRejects(Exception):
    """A larger share of a file's rows can't be loaded than the job allows."""

    def __init__(self, uris):
        super().__init__(
            f"Nothing was loaded from {', '.join(uris[:5])}{' and others' if uris[5:] else ''}: the share of rows that"
            " can't be loaded is larger than --MAX_REJECTED_SHARE. The rejected rows, in the staging bucket, say why."
            " Land a corrected file, delete this one, or raise --MAX_REJECTED_SHARE."
        )


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object in the landing bucket."""

    bucket: str
    key: str
    version: str

    @property
    def uri(self):
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self):
        """The key as the ledger stores it: percent-encoded, so that it can stand in any SQL."""
        return quote(self.key, safe="/")


class Landing:
    """The landing bucket: the objects that are in it now, and the objects that have markers."""

    def __init__(self, location, args):
        """`location` is the crawled table's, s3://BUCKET/PREFIX; `args` are the job's arguments."""
        self.bucket, _, self._prefix = location.removeprefix("s3://").partition("/")
        self._marker_bucket = urlparse(args["TempDir"]).netloc
        self.refused = []
        # The markers are listed before any object is looked up: a file that lands later has a marker of its own,
        # which this run does not delete.
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._marker_bucket, Prefix=MARKERS)
        self._markers = [item["Key"] for page in pages for item in page.get("Contents", [])]
        keys = {_key_of(marker) for marker in self._markers}
        self._event = is_started_by_event(args)
        # A marker without a key stands for an object whose key was too long for a marker.
        self._marked = sorted(keys) if "" not in keys and self._event else None

    def to_read(self):
        """The ObjectVersions that this run has to read: those with markers, or all if no event started the run."""
        return self.current(self._marked) if self._marked is not None else self.all()

    def all(self):
        """The current version of every data file, as ObjectVersions."""
        return [item for item in self._listed(Prefix=self._prefix) if is_data_key(item.key)]

    def current(self, keys):
        """The current version of each of these keys, as ObjectVersions; deleted objects are left out."""
        if len(keys) <= FEW:
            with ThreadPoolExecutor(8) as threads:
                return [item for item in threads.map(self._looked_up, keys) if item]
        wanted = set(keys)
        # A listing starts after its KeyMarker. The first key without its last character sorts before the first key.
        return [item for item in self._listed(last=max(keys), KeyMarker=min(keys)[:-1]) if item.key in wanted]

    def finish(self):
        """Delete the markers of the files that are loaded, if this run was started for them.

        A run that was started by hand deletes no markers: it may have another target table, or another ledger.

        Raises:
            TooManyRejects: some files were refused as a whole. All others are loaded. The markers of the refused
                files stay.
        """
        refused = {item.key for item in self.refused}
        done = [marker for marker in self._markers if _key_of(marker) not in refused]
        for start in range(0, len(done) if self._event else 0, 1000):
            entries = [{"Key": marker} for marker in done[start : start + 1000]]
            s3.delete_objects(Bucket=self._marker_bucket, Delete={"Objects": entries, "Quiet": True})
        if self.refused:
            raise TooManyRejects([item.uri for item in self.refused])

    def _looked_up(self, key):
        try:
            return self._version(key, s3.head_object(Bucket=self.bucket, Key=key))
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "404":  # deleted since
                return None
            raise

    def _listed(self, last=None, **where):
        """All current versions, up to and including the key `last`."""
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, **where):
            for item in page.get("Versions", []):
                if last is not None and item["Key"] > last:
                    return
                if item["IsLatest"]:
                    yield self._version(item["Key"], item)

    def _version(self, key, answer):
        version = answer.get("VersionId", "null")
        if version == "null":  # without versioning, the content's hash and the time have to serve as the version
            version = f"{answer['ETag']}@{answer['LastModified']:%Y%m%dT%H%M%S}".replace('"', "")
        return ObjectVersion(self.bucket, key, version)


def is_started_by_event(args):
    """Whether the start function started this run, according to the properties of the workflow run."""
    if "WORKFLOW_RUN_ID" not in args:
        return False
    run = glue.get_workflow_run_properties(Name=args["WORKFLOW_NAME"], RunId=args["WORKFLOW_RUN_ID"])
    return run["RunProperties"].get("read") == "landed"


def is_data_key(key):
    """Whether the object with this key is a data file. Spark ignores files whose names begin with _ or a dot."""
    name = key.rpartition("/")[2]
    return name.endswith(".json") and not name.startswith(("_", "."))


def _key_of(marker):
    return marker.removeprefix(MARKERS).rpartition("/")[0]

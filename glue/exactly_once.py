"""What makes s3_to_redshift_job exactly-once: it reads each object version once, and remembers it with its rows.

A run that an event started reads the objects that have a *marker* (see lambdas/start_workflow_function.py); any other
run reads all that is in the landing bucket. Of either, it leaves out what the *ledger* has: a table in Redshift with a
row for each object version that was loaded. The rows of a version and its line in the ledger are written in one
transaction, which holds a lock on the ledger: two runs, or a run and what a killed one left behind, can't both load it.

Nothing here rests on the job's bookmark, on the order of events, or on how often they come.
"""

import hashlib
import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlparse

import boto3
import redshift_connector

MARKERS = "landed/"
SUFFIX = ".json"
FILES_A_PART = 10_000  # Redshift takes statements of up to 16 MB: so many lines of the ledger fit into one
FEW = 50  # so many objects are asked for one by one; of more, the bucket is listed
ROUNDS = 20

glue, s3, secrets = boto3.client("glue"), boto3.client("s3"), boto3.client("secretsmanager")


class TooManyRejects(Exception):
    """More rows of a file can't be loaded than the job allows."""

    def __init__(self, uris):
        super().__init__(
            f"Nothing was loaded of {', '.join(uris[:5])}{' and others' if uris[5:] else ''}: more of the rows can't be"
            " than --MAX_REJECTED_SHARE allows. The rejected rows, in the staging bucket, say why. Land the file anew,"
            " put right, or delete it, or allow more."
        )


class KeepsChanging(Exception):
    """Objects were overwritten each time that they were read."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object of the landing bucket."""

    bucket: str
    key: str
    version: str

    @property
    def uri(self):
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self):
        """The key as the ledger has it: percent-encoded, so that it can stand in any SQL."""
        return quote(self.key, safe="/")


class Landing:
    """The landing bucket: what is in it now, and what the markers say has come."""

    def __init__(self, args):
        """Args are the job's."""
        found = glue.get_table(DatabaseName=args["SOURCE_DATABASE"], Name=args["SOURCE_TABLE"])["Table"]
        self.location = found["StorageDescriptor"]["Location"]
        self.bucket, _, self._prefix = self.location.removeprefix("s3://").partition("/")
        self._marker_bucket = urlparse(args["TempDir"]).netloc
        self.refused = []
        # Listed before any object is looked at: what lands later has a marker of its own, and that stays.
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._marker_bucket, Prefix=MARKERS)
        self._markers = [item["Key"] for page in pages for item in page.get("Contents", [])]
        keys = {_key_of(marker) for marker in self._markers}
        self._event = is_started_by_event(args)
        # A marker without a key is of an object whose name was too long for it.
        self._marked = sorted(keys) if "" not in keys and self._event else None

    def read(self):
        """What this run is to read: the objects with markers, or for a run that no event started, all of them."""
        return self.now(self._marked) if self._marked is not None else self.all()

    def all(self):
        """All that is there now, as ObjectVersions."""
        return [item for item in self._listed(Prefix=self._prefix) if is_data(item.key)]

    def now(self, keys):
        """What is there now of these keys, as ObjectVersions."""
        if len(keys) <= FEW:
            with ThreadPoolExecutor(8) as threads:
                return [item for item in threads.map(self._asked, keys) if item]
        wanted = set(keys)
        # A listing begins after its KeyMarker, and what a key begins with comes before it.
        return [item for item in self._listed(last=max(keys), KeyMarker=min(keys)[:-1]) if item.key in wanted]

    def finish(self):
        """Delete the markers of what is loaded, if it was for them that the run was started.

        A run by hand may have had another target, or another ledger.

        Raises:
            TooManyRejects: there are files that were refused as a whole. All else is loaded; their markers stay.
        """
        refused = {item.key for item in self.refused}
        done = [marker for marker in self._markers if _key_of(marker) not in refused]
        for start in range(0, len(done) if self._event else 0, 1000):
            entries = [{"Key": marker} for marker in done[start : start + 1000]]
            s3.delete_objects(Bucket=self._marker_bucket, Delete={"Objects": entries, "Quiet": True})
        if self.refused:
            raise TooManyRejects([item.uri for item in self.refused])

    def _asked(self, key):
        try:
            return self._version(key, s3.head_object(Bucket=self.bucket, Key=key))
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "404":  # deleted since
                return None
            raise

    def _listed(self, last=None, **where):
        """All current versions, to the key `last`."""
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, **where):
            for item in page.get("Versions", []):
                if last is not None and item["Key"] > last:
                    return
                if item["IsLatest"]:
                    yield self._version(item["Key"], item)

    def _version(self, key, answer):
        version = answer.get("VersionId", "null")
        if version == "null":  # the bucket has no versioning: content and time have to do
            version = f"{answer['ETag']}@{answer['LastModified']:%Y%m%dT%H%M%S}".replace('"', "")
        return ObjectVersion(self.bucket, key, version)


class Ledger:
    """The table in Redshift that knows which object versions are loaded."""

    def __init__(self, connection, table):
        """`connection` is Glue's, with a secret; `table` is SCHEMA.TABLE."""
        self.table = table
        properties = glue.get_connection(Name=connection)["Connection"]["ConnectionProperties"]
        address = urlparse(properties["JDBC_CONNECTION_URL"].removeprefix("jdbc:"))
        secret = json.loads(secrets.get_secret_value(SecretId=properties["SECRET_ID"])["SecretString"])
        self._connection = redshift_connector.connect(
            host=address.hostname,
            port=address.port,
            database=address.path.lstrip("/"),
            user=secret["username"],
            password=secret["password"],
        )
        self._connection.autocommit = True

    def lacks(self, objects):
        """Those of the objects whose version is not loaded."""
        if not objects:
            return []
        self._make()
        named = ""
        if len(objects) <= FILES_A_PART:
            named = f" where object in ({', '.join(_literal(item.name) for item in objects)})"
        loaded = {tuple(row) for row in self._execute(f"select object, version from {self.table}{named}").fetchall()}
        return [item for item in objects if (item.name, item.version) not in loaded]

    def entry(self, counts, job_run):
        """SQL that enters what is being loaded, {ObjectVersion: (rows, rejected rows)}: preactions of Glue's writer.

        It fails where one of them is there already. Redshift enforces no keys, but it does enforce NOT NULL: the
        version that is entered is null for an object version that the ledger has, and the lock sees to it that what it
        has can't change until all is committed.
        """
        lines = ", ".join(
            f"({_literal(item.name)}, {_literal(item.version)}, {rows}, {rejected})"
            for item, (rows, rejected) in counts.items()
        )
        # The writer's own CREATE TABLE came before in this transaction, and with it Redshift's snapshot, in which what
        # the lock waits for would be missing: https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html.
        # The writer splits at each semicolon, and wants it all on one line.
        return (
            f"commit; lock {self.table};"
            " create temp table now_loaded (object varchar(4096), version varchar(1100), good bigint, bad bigint);"
            f" insert into now_loaded values {lines};"
            f" insert into {self.table} (object, version, loaded_rows, rejected_rows, job_run, loaded_at)"
            f" select n.object, case when l.object is null then n.version end, n.good, n.bad, {_literal(job_run)},"
            f" getdate() from now_loaded n left join {self.table} l on l.object = n.object and l.version = n.version"
        )

    def _make(self):
        schema, _, name = self.table.partition(".")
        there = "select 1 from information_schema.tables where table_schema = '{}' and table_name = '{}'"
        if self._execute(there.format(schema, name)).fetchall():
            return
        self._execute(f"create schema if not exists {schema}")
        self._execute(
            f"create table if not exists {self.table} (object varchar(4096) not null, version varchar(1100) not null,"
            " loaded_rows bigint not null, rejected_rows bigint not null, job_run varchar(256) not null,"
            " loaded_at timestamp not null)"
        )

    def _execute(self, sql):
        cursor = self._connection.cursor()
        cursor.execute(sql)
        return cursor


class Part:
    """Object versions that are loaded together: `objects` is {URI: ObjectVersion}."""

    def __init__(self, landing, ledger, job_run, objects):
        self.objects = {item.uri: item for item in objects}
        self.overwritten = []
        self._landing, self._ledger, self._job_run = landing, ledger, job_run

    def enter(self, counts, too_bad):
        """(SQL that enters into the ledger what is loaded, URIs of what must not be); call it when all is read.

        `counts` is {URI: (good rows, rejected rows)}, `too_bad` are the URIs of files that are refused as a whole. What
        was read of an object is the version that it had before only if it has that version still; what has not is left
        for the next part. Without SQL there is nothing to load.
        """
        current = set(self._landing.now([item.key for item in self.objects.values()]))
        self.overwritten = [item for item in self.objects.values() if item not in current]
        self._landing.refused += [self.objects[uri] for uri in too_bad]
        left_out = {item.uri for item in self.overwritten} | set(too_bad)
        rows = {item: counts.get(uri, (0, 0)) for uri, item in self.objects.items() if uri not in left_out}
        return self._ledger.entry(rows, self._job_run) if rows else None, sorted(left_out)


class AsDescribed:
    """All of the landing bucket, without a ledger."""

    def __init__(self, landing):
        self.objects = {item.uri: item for item in landing.all()}

    def enter(self, counts, too_bad):
        """As `Part.enter`: no SQL, and all is loaded or nothing, since a bookmark does not tell files apart."""
        if refused := [uri for uri in too_bad if uri in self.objects]:  # what is no .json file is all rejects anyway
            raise TooManyRejects(refused)
        return "" if counts else None, []


def parts(landing, ledger, args):
    """A Part of what the ledger lacks, and further ones until it lacks nothing of what this run is to read.

    The caller loads each before it asks for the next.

    Raises:
        KeepsChanging: objects were overwritten so often that there is no end to be seen.
    """
    unread = ledger.lacks(landing.read())
    for _ in range(len(unread) // FILES_A_PART + ROUNDS):
        if not unread:
            return
        part = Part(landing, ledger, args.get("JOB_RUN_ID", "unknown"), unread[:FILES_A_PART])
        yield part
        again = landing.now([item.key for item in part.overwritten])
        unread = unread[FILES_A_PART:] + ledger.lacks(again)
    if unread:
        raise KeepsChanging(f"{len(unread)} objects were overwritten each time they were read, such as {unread[0].uri}")


def is_started_by_event(args):
    """Did the start function start this run? It says so in the run's properties."""
    if "WORKFLOW_RUN_ID" not in args:
        return False
    run = glue.get_workflow_run_properties(Name=args["WORKFLOW_NAME"], RunId=args["WORKFLOW_RUN_ID"])
    return run["RunProperties"].get("read") == "landed"


def _key_of(marker):
    return marker.removeprefix(MARKERS).rpartition("/")[0]


def is_data(key):
    """Does s3Events tell of such a key? Names that begin with _ or . are hidden from Spark."""
    name = key.rpartition("/")[2]
    return name.endswith(SUFFIX) and not name.startswith(("_", "."))


def keep_rejects(rejects, objects, directory):
    """Write rejected rows to `directory` in S3: for each object version one file, a JSON object for each row.

    `rejects` are the rows with their `source_file`, `reason` and text (`row`); `objects` is {source_file:
    ObjectVersion}. The same version gives the same file, however often it is tried.
    """
    bucket, _, prefix = directory.removeprefix("s3://").partition("/")
    reasons = defaultdict(lambda: defaultdict(list))
    for reject in rejects:
        file = reject["source_file"]
        # Without a ledger the job also reads what is no .json file, and no version of it is known.
        item = objects.get(file) or ObjectVersion(*file.removeprefix("s3://").split("/", 1), "@")
        reasons[item][reject["row"]].append(reject["reason"])
    for item, by_text in reasons.items():
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _numbered(item, by_text))
        which = hashlib.sha256(f"{item.key} {item.version}".encode()).hexdigest()[:16]
        key = f"{prefix.rstrip('/')}/{item.key.rpartition('/')[2][:100]}-{which}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode())


def _numbered(item, by_text):
    """The rejected rows of an object, with their line numbers: Spark does not count lines."""
    which = {} if "@" in item.version else {"VersionId": item.version}
    left = {text: list(reasons) for text, reasons in by_text.items()}
    repeats = defaultdict(int)
    lines = []
    for number, raw in enumerate(s3.get_object(Bucket=item.bucket, Key=item.key, **which)["Body"].iter_lines(), 1):
        text = raw.decode("utf-8", "replace")
        if text in left:
            lines.append((number, text))
            repeats[text] += 1
    for number, text in lines:
        share = len(left[text]) // repeats[text]  # a line that is an array can hold several
        for reason in left[text][:share]:
            yield {"file": item.uri, "version": item.version, "line": number, "reason": reason, "row": text}
    for text in left.keys() - repeats.keys():
        for reason in left[text]:
            yield {"file": item.uri, "version": item.version, "line": None, "reason": reason, "row": text}


def _literal(text):
    return "'" + text.replace("'", "''") + "'"

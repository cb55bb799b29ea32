"""The files of one test: which have landed, and how the rows in Redshift differ from them."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from tests.pipeline.rows import Content, Row, content

if TYPE_CHECKING:
    from tests.pipeline.conftest import ShellLab

_blocks = itertools.count(1)
BLOCK = 1_000_000_000
SHOWN = 5
"""So many rows of a difference are shown."""


@dataclass(frozen=True)
class Version:
    """One version of an object, as S3 lists it."""

    key: str
    version: str
    newest: bool
    content: Content = field(repr=False)


class Landing:
    """Lands files below a prefix of its own, with transaction ids that nobody else uses.

    What must be in Redshift is worked out from S3's list of versions, since of a PUT that was not answered nobody
    knows whether it was done, and from the bodies that were put, known by their MD5.
    """

    def __init__(self, lab: ShellLab, name: str, seed: int = 1) -> None:
        self.lab = lab
        self.dice = random.Random(seed)
        self._first = next(_blocks) * BLOCK
        self._numbers: Iterator[int] = itertools.count(self._first)
        self.prefix = f"{name}-{self._first // BLOCK}/"
        self._contents: dict[str, Content] = {}
        self._acknowledged: set[tuple[str, str]] = set()

    def content(self, rows: int = 10, bad: int = 0) -> Content:
        """A new file's content: no other has these rows."""
        made = content(self.dice, self._numbers, rows, bad)
        self._contents[hashlib.md5(made.body, usedforsecurity=False).hexdigest()] = made
        return made

    def put(self, name: str, made: Content | None = None) -> str:
        """Land a file (a new one without `made`), and return its version."""
        made = made or self.content()
        key = self.prefix + name
        answer = self.lab.client("s3").put_object(Bucket=self.lab.config["landing_bucket"], Key=key, Body=made.body)
        version = str(answer.get("VersionId", "null"))
        self._acknowledged.add((key, version))
        return version

    def put_in_the_end(self, name: str, made: Content, seconds: float = 60) -> None:
        """Land a file, trying again for as long as nobody answers."""

        def landed() -> bool:
            try:
                self.put(name, made)
            except (BotoCoreError, ClientError):
                return False
            return True

        self.lab.wait(landed, seconds)

    def versions(self) -> list[Version]:
        """All versions of this landing's objects."""
        pages = self.lab.client("s3").get_paginator("list_object_versions")
        found = []
        for page in pages.paginate(Bucket=self.lab.config["landing_bucket"], Prefix=self.prefix):
            for one in page.get("Versions", []):
                made = self._contents[one["ETag"].strip('"')]
                found.append(Version(one["Key"], one["VersionId"], one["IsLatest"], made))
        return found

    def loaded(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """What the ledger has of this landing: for each (key, version) how many rows were loaded and rejected."""
        found = defaultdict(list)
        for name, version, good, bad in self.lab.ledger("object, version, loaded_rows, rejected_rows"):
            if (key := unquote(name)).startswith(self.prefix):
                found[key, version].append((good, bad))
        return found

    def rows(self) -> Counter[Row]:
        """The rows of the table that came from this landing, and how often each is there."""
        below = self._first + BLOCK
        sql = f"select * from toll_table where transaction_id >= {self._first} and transaction_id < {below}"
        return Counter(self.lab.rows(sql))

    def unread(self) -> list[str]:
        """The keys whose newest version is not in the ledger."""
        loaded = self.loaded()
        return [one.key for one in self.versions() if one.newest and (one.key, one.version) not in loaded]

    def differences(self) -> list[str]:
        """In words: what is not as "each good row of each version that was read, exactly once" wants it."""
        versions = {(one.key, one.version): one for one in self.versions()}
        loaded = self.loaded()
        found = [f"acknowledged, and not in S3: {one}" for one in self._acknowledged - set(versions)]
        found += [f"in the ledger, and not in S3: {one}" for one in set(loaded) - set(versions)]
        found += [f"unread: {key}" for key in self.unread()]
        read = [version for name, version in versions.items() if name in loaded]
        for one in read:
            entries = loaded[one.key, one.version]
            if entries != [(len(one.content.good), len(one.content.bad))]:
                found.append(f"in the ledger as {entries}: {one}")
        expected = Counter(row for version in read for row in version.content.good)
        actual = self.rows()
        found += _shown("missing", expected - actual)
        found += _shown("too many", actual - expected)
        bad = Counter((one.key, one.version, at, text) for one in read for at, text in one.content.bad)
        # What was overwritten while it was read is set aside, too, and not loaded.
        kept = Counter({one: count for one, count in self.rejects().items() if one[:2] in loaded})
        found += [f"rejected, and not kept: {one}" for one in bad - kept]
        found += [f"kept as rejected, and not landed so: {one}" for one in kept - bad]
        return found

    def rejects(self) -> Counter[tuple[str, str, int, str]]:
        """What the job set aside of this landing: key, version, line number and text, and how often."""
        found: Counter[tuple[str, str, int, str]] = Counter()
        for reject in self.lab.rejects():
            assert reject["reason"], reject
            key = reject["file"].removeprefix(f"s3://{self.lab.config['landing_bucket']}/")
            found[key, reject["version"], reject["line"], reject["row"]] += 1
        return found

    def settle(self, seconds: float = 120) -> None:
        """Wait until the pipeline is quiet and every object read; then all must be there, row for row.

        Raises:
            AssertionError: it does not come to rest, or what is in Redshift is not what landed.
        """
        self.lab.wait_until_quiet(seconds, also=self.unread)
        differences = self.differences()
        assert not differences, "\n".join(differences)


def _shown(what: str, rows: Counter[Row]) -> list[str]:
    few = ", ".join(f"{row} ({count}×)" for row, count in rows.most_common(SHOWN))
    return [f"{what}: {rows.total()} rows, such as {few}"] if rows else []

"""S3 in memory, as far as the modules of glue/ call it: versions, delete markers, and listings in small pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

A_PAGE = 2
"""Keys in one answer. S3 has 1,000: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""


class Buckets:
    """The objects of all buckets; those of `versioned` keep their versions."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, *versioned: str) -> None:
        self.versioned = versioned
        self.calls: list[str] = []
        self._objects: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._count = 0

    def put_object(self, Bucket: str, Key: str, Body: bytes = b"") -> dict[str, Any]:
        return self._add(Bucket, Key, Body)

    def delete_object(self, Bucket: str, Key: str) -> None:
        if Bucket in self.versioned:
            self._add(Bucket, Key, None)
        else:
            self._objects.get(Bucket, {}).pop(Key, None)

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> None:
        for item in Delete["Objects"]:
            self.delete_object(Bucket, item["Key"])

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        self.calls.append("head_object")
        versions = self._objects.get(Bucket, {}).get(Key, [])
        if not versions or versions[0]["body"] is None:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        return self._described(Bucket, versions[0])

    def get_object(self, Bucket: str, Key: str, VersionId: str = "") -> dict[str, Any]:
        versions = self._objects[Bucket][Key]
        found = next(one for one in versions if VersionId in ("", one["id"]))
        return {"Body": SimpleNamespace(read=lambda: found["body"])}

    def keys(self, bucket: str) -> list[str]:
        """The keys of the current objects, in the order of their bytes."""
        current = {key for key, versions in self._objects.get(bucket, {}).items() if versions[0]["body"] is not None}
        return sorted(current, key=str.encode)

    def bodies(self, bucket: str) -> dict[str, bytes]:
        """The current objects."""
        return {key: self._objects[bucket][key][0]["body"] for key in self.keys(bucket)}

    def get_paginator(self, operation: str) -> Any:
        self.calls.append(operation)
        listing = {"list_objects_v2": self._listed, "list_object_versions": self._versions}[operation]
        return SimpleNamespace(paginate=listing)

    def _listed(self, Bucket: str, Prefix: str = "") -> Iterator[dict[str, Any]]:
        keys = [key for key in self.keys(Bucket) if key.startswith(Prefix)]
        if not keys:
            yield {"KeyCount": 0}
        for start in range(0, len(keys), A_PAGE):
            yield {"Contents": [{"Key": key} for key in keys[start : start + A_PAGE]]}

    def _versions(self, Bucket: str, Prefix: str = "", KeyMarker: str = "") -> Iterator[dict[str, Any]]:
        """The newest version of a key first; keys after `KeyMarker` alone."""
        found = [
            {"Key": key, "IsLatest": place == 0, "deleted": one["body"] is None, **self._described(Bucket, one, "null")}
            for key, versions in sorted(self._objects.get(Bucket, {}).items(), key=lambda item: item[0].encode())
            for place, one in enumerate(versions)
            if key.startswith(Prefix) and key.encode() > KeyMarker.encode()
        ]
        for start in range(0, len(found), A_PAGE):
            page: dict[str, list[dict[str, Any]]] = {}
            for one in found[start : start + A_PAGE]:
                page.setdefault("DeleteMarkers" if one.pop("deleted") else "Versions", []).append(one)
            yield page

    def _add(self, bucket: str, key: str, body: bytes | None) -> dict[str, Any]:
        self._count += 1
        one = {"id": f"v{self._count}", "body": body, "at": datetime(2026, 11, 22, 10, 0, self._count % 60, 5, UTC)}
        versions = self._objects.setdefault(bucket, {}).setdefault(key, [])
        if bucket not in self.versioned:
            versions.clear()
        versions.insert(0, one)
        return self._described(bucket, one)

    def _described(self, bucket: str, one: dict[str, Any], unversioned: str = "") -> dict[str, Any]:
        version = one["id"] if bucket in self.versioned else unversioned
        etag = f'"{hashlib.md5(one["body"] or b"").hexdigest()}"'
        return {"ETag": etag, "LastModified": one["at"], **({"VersionId": version} if version else {})}

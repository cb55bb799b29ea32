"""Two buckets: data lands in one, and the job stages its loads in the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.calls import found
from labkit.show.display import Described, Fact, Removed
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step


@dataclass(frozen=True)
class BucketsMade(Described):
    """The two buckets."""

    landing: str
    staging: str


class Buckets(Step[BucketsMade]):
    """The landing and the staging bucket, both private."""

    name = "buckets"
    notebook = "00_start"
    makes = "two S3 buckets: landing and staging"

    @names_all_missing
    def create(self) -> BucketsMade:
        """Make both buckets, private and tagged."""
        self.lab.consent(self.name)
        s3 = self.aws("s3")
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            if not self.exists(bucket):
                # us-east-1 is S3's default region, and the only one that must not be named.
                place = {"LocationConstraint": self.config.region}
                where = {} if self.config.region == "us-east-1" else {"CreateBucketConfiguration": place}
                s3.create_bucket(Bucket=bucket, **where)
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=PRIVATE)
            if bucket == self.names.landing_bucket:
                # The job loads each version of an object once, so it must be able to tell versions apart.
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": self.tag_list})
        return self.describe()

    def describe(self) -> BucketsMade:
        """The buckets' names."""
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            if not self.exists(bucket):
                raise self.missing(f"Bucket {bucket}")
        return BucketsMade(self.names.landing_bucket, self.names.staging_bucket)

    def facts(self) -> Iterator[Fact]:
        """Both buckets exist and block public access, and the landing bucket keeps object versions."""
        s3 = self.aws("s3")
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            exists = self.exists(bucket)
            yield Fact(exists, f"bucket {bucket} exists", self.fix)
            if exists:
                block = found(s3.get_public_access_block, Bucket=bucket)
                private = bool(block) and block["PublicAccessBlockConfiguration"] == PRIVATE
                yield Fact(private, f"bucket {bucket} blocks public access", self.fix)
        versioning = found(s3.get_bucket_versioning, Bucket=self.names.landing_bucket) or {}
        kept = versioning.get("Status") == "Enabled"
        yield Fact(kept, f"bucket {self.names.landing_bucket} keeps the versions of its objects", self.fix)

    def destroy(self) -> Removed:
        """Empty and delete both buckets."""
        gone = []
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            if self.exists(bucket):
                self.empty(bucket)
                self.aws("s3").delete_bucket(Bucket=bucket)
                gone.append(f"bucket {bucket}")
        return Removed(self.name, tuple(gone))

    def exists(self, bucket: str) -> bool:
        """Whether there is a bucket with this name."""
        return found(self.aws("s3").head_bucket, Bucket=bucket) is not None

    def empty(self, bucket: str, *prefixes: str) -> int:
        """Delete all objects of a bucket, or those below the prefixes, with all their versions; return how many."""
        s3, deleted = self.aws("s3"), 0
        for prefix in prefixes or ("",):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
                if objects:
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
                deleted += len(objects)
        return deleted


PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}

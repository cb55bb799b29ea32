"""The actions that a bucket's policy may name: those on buckets, on objects and on the account.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from functools import lru_cache

from localaws.iam.patterns import wildcards

_NAMES_BUCKETS = """
    CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
    DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac
    GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration
    GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy
    GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging
    GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
    GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration
    ListBucket ListBucketMultipartUploads ListBucketVersions ListTagsForResource PauseReplication
    PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS
    PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls
    PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning
    PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration
    PutLifecycleConfiguration PutMetricsConfiguration PutReplicationConfiguration TagResource UntagResource
    UpdateBucketMetadataAnnotationTableConfiguration UpdateBucketMetadataInventoryTableConfiguration
    UpdateBucketMetadataJournalTableConfiguration
"""
_OF_BUCKETS = frozenset(_NAMES_BUCKETS.split())
_NAMES_OBJECTS = """
    AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging
    DeleteObjectVersion DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl
    GetObjectAnnotation GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
    GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAnnotation
    GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent
    InitiateReplication ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations
    ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold
    PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionAnnotation PutObjectVersionTagging
    ReplicateDelete ReplicateObject ReplicateTags RestoreObject UpdateObjectEncryption
"""
_OF_OBJECTS = frozenset(_NAMES_OBJECTS.split())
_NAMES_THE_ACCOUNT = """
    CreateAccessPoint CreateJob CreateMultiRegionAccessPoint GetAccountPublicAccessBlock ListAccessPoints
    ListAllMyBuckets ListJobs ListMultiRegionAccessPoints ListStorageLensConfigurations
    PutAccountPublicAccessBlock
"""
_OF_THE_ACCOUNT = frozenset(_NAMES_THE_ACCOUNT.split())


def is_known(action: str) -> bool:
    """Whether an action, perhaps with wildcards, matches any of S3's actions."""
    return bool(_matching(action) & (_OF_BUCKETS | _OF_OBJECTS | _OF_THE_ACCOUNT))


def applies(action: str, resources: list[str]) -> bool:
    """Whether an action applies to one of these ARNs, which may have wildcards."""
    found = _matching(action)
    objects = any("/" in resource or resource.endswith("*") for resource in resources)
    buckets = any("/" not in resource for resource in resources)
    return bool((buckets and found & _OF_BUCKETS) or (objects and found & _OF_OBJECTS))


@lru_cache(maxsize=1024)
def _matching(action: str) -> frozenset[str]:
    name = action if action == "*" else action.partition(":")[2]
    pattern = wildcards(name, ignore_case=True)
    return frozenset(each for each in _OF_BUCKETS | _OF_OBJECTS | _OF_THE_ACCOUNT if pattern.fullmatch(each))

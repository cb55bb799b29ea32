"""The HTTP side of a bucket's settings: its ACL, tags, Block Public Access, ownership and encryption.

The document in a request was parsed before (server/bodies.py).
"""

from __future__ import annotations

from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import MalformedXML
from moto.s3.models import FakeAcl, get_canned_acl
from moto.s3.responses import S3Response

from localaws.core.call import ASKER, DOCUMENT
from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused
from localaws.s3 import tags
from localaws.s3.models import LocalS3Backend

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class SettingsResponse(S3Response):
    """Answers requests about a bucket's settings."""

    @property
    def backend(self) -> LocalS3Backend:
        """The backend of the caller's account."""
        found = super().backend
        assert isinstance(found, LocalS3Backend)
        return found

    @property
    def document(self) -> Any:
        """The content of the request's document, under the names in AWS's model."""
        return self.request.environ.get(DOCUMENT) or {}

    def _bucket_response_put(self, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "policy" in querystring:
            self.backend.put_bucket_policy(bucket_name, self.body, request.environ[ASKER])
            return 204, {}, ""
        if "versioning" in querystring:
            return self._put_versioning(bucket_name)
        if "encryption" in querystring:
            return self._put_encryption(bucket_name)
        if "object-lock" in querystring and self.body and not self.document:
            raise MalformedXML()
        if unsupported := set(self.document) & {"Location", "Bucket", "Tags"}:  # of CreateBucket
            raise UnsupportedOperation(f"{min(unsupported)} of CreateBucket")
        return super()._bucket_response_put(request, bucket_name, querystring)

    def _get_location_constraint(self) -> str | None:
        """The region for a new bucket, if the document has one. moto fails on an empty constraint."""
        return self.document.get("LocationConstraint") or None

    def _response_options(self, headers: Any, bucket_name: str) -> TYPE_RESPONSE:
        """Refuse a preflight request: no bucket accepts cross-origin requests."""
        self.backend.get_bucket(bucket_name)
        raise Refused(403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")

    def _get_cors_headers_other(self) -> dict[str, Any]:
        return {}

    def _put_versioning(self, bucket_name: str) -> TYPE_RESPONSE:
        if self.document.get("MFADelete") == "Enabled":
            raise UnsupportedOperation("MfaDelete of PutBucketVersioning")
        if "Status" not in self.document:
            code = "IllegalVersioningConfigurationException"
            raise Refused(400, code, "The Versioning element must be specified")
        self.backend.put_bucket_versioning(bucket_name, self.document["Status"])
        return 200, {}, ""

    def _put_encryption(self, bucket_name: str) -> TYPE_RESPONSE:
        """Accept SSE-S3, which every bucket has already; refuse any other encryption."""
        rules = self.document["Rules"]
        if len(rules) != 1:
            raise MalformedXML()
        for rule in rules:
            default = rule.get("ApplyServerSideEncryptionByDefault") or {}
            algorithm = default.get("SSEAlgorithm", "AES256")
            refused = [name for name in ("BucketKeyEnabled", "BlockedEncryptionTypes") if rule.get(name)]
            if algorithm != "AES256" or "KMSMasterKeyID" in default:
                refused.insert(0, algorithm)
            if refused:
                raise UnsupportedOperation(f"{refused[0]} of PutBucketEncryption")
        # moto reads it when an object is copied onto itself.
        self.backend.put_bucket_encryption(bucket_name, {"Rule": rules[0]})
        return 200, {}, ""

    def get_bucket_encryption(self) -> TYPE_RESPONSE:
        """Answer with SSE-S3, the only encryption here, which every bucket has.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
        """
        self.backend.get_bucket(self.bucket_name)
        default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
        self.data["Action"] = "GetBucketEncryption"
        return self.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [default]}}))

    def get_bucket_policy_status(self) -> TYPE_RESPONSE:
        """Answer whether the bucket's policy is public. Raise NoSuchBucketPolicy if it has none."""
        public = self.backend.has_public_policy(self.bucket_name)
        self.data["Action"] = "GetBucketPolicyStatus"
        return self.serialized(ActionResult({"PolicyStatus": {"IsPublic": public}}))

    def _acl_from_headers(self, headers: Any) -> FakeAcl:
        """Return the requested ACL. Unlike in moto, an object without an ACL does not get its bucket's."""
        return get_canned_acl(headers.get("x-amz-acl") or "private")

    def _parse_pab_config(self) -> dict[str, Any]:
        return {"PublicAccessBlockConfiguration": {name: bool(self.document.get(name)) for name in _BLOCKS}}

    def _ownership_rule_from_body(self) -> Any:
        return self.document["Rules"][0]["ObjectOwnership"]

    def _bucket_tagging_from_body(self) -> dict[str, str]:
        return tags.of_bucket(tags.of_document(self.document))

    def _tagging_from_xml(self) -> dict[str, str]:
        return tags.of_object(tags.of_document(self.document))

    def _tagging_from_headers(self, headers: Any) -> dict[str, str]:
        return tags.of_header(headers.get("x-amz-tagging") or "")

"""The tagged resources of all services in a region: moto's list, and those that moto leaves out.

Pages are in the order of the ARNs, so a resource that is created or deleted between two pages does not shift others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.resource_tagging import TaggedResource, iter_taggable_backends, make_tag_matcher, match_resource_type
from moto.ec2.models import ec2_backends
from moto.redshift.models import redshift_backends
from moto.resourcegroupstaggingapi.exceptions import ResourceGroupsTaggingAPIError
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.s3.models import s3_backends

from localaws.iam.regions import PARTITION


class LocalTaggingBackend(ResourceGroupsTaggingAPIBackend):
    """The tagging API of one region."""

    def get_resources(
        self,
        pagination_token: str | None = None,
        resources_per_page: int = 50,
        tags_per_page: int = 100,
        tag_filters: list[dict[str, Any]] | None = None,
        resource_type_filters: list[str] | None = None,
        resource_arn_list: list[str] | None = None,
    ) -> tuple[str | None, list[TaggedResource]]:
        """Return the token of the next page, and a page of the tagged resources that match all filters.

        Raises:
            ResourceGroupsTaggingAPIError: the token is not valid.
        """
        after, matches = _arn_of(pagination_token), make_tag_matcher(tag_filters)
        wanted = [
            resource
            for resource in sorted(self._tagged(), key=lambda each: each.arn)
            if resource.arn > after
            and matches(resource.tags)
            and match_resource_type(resource.resource_type, resource_type_filters)
            and (not resource_arn_list or resource.arn in resource_arn_list)
        ]
        page: list[TaggedResource] = []
        tags = 0
        for resource in wanted[:resources_per_page]:
            tags += len(resource.tags)
            if page and tags > tags_per_page:
                break
            page.append(resource)
        return (_token_of(page[-1].arn) if len(page) < len(wanted) else None), page

    def _tagged(self) -> Iterator[TaggedResource]:
        """Yield each resource in the region that has a tag, once."""
        for backend in iter_taggable_backends(self.account_id, self.region_name):
            for resource in backend.iter_tagged_resources():
                if resource.tags and self._is_here(resource.arn):
                    yield resource
        yield from self._of_ec2()
        yield from self._of_redshift()
        yield from self._of_lambda()

    def _is_here(self, arn: str) -> bool:
        """Whether a bucket is in this region: S3 has one list for all of them."""
        if not arn.startswith(f"arn:{PARTITION}:s3:::"):
            return True
        bucket = s3_backends[self.account_id][PARTITION].buckets.get(arn.rpartition(":")[2])
        return bucket is not None and bucket.region_name == self.region_name

    def _of_ec2(self) -> Iterator[TaggedResource]:
        ec2: Any = ec2_backends[self.account_id][self.region_name]
        kinds = {
            # A deleted endpoint is still described for a while.
            "vpc-endpoint": [key for key, each in list(ec2.vpc_end_points.items()) if each.state != "deleted"],
            "elastic-ip": [address.allocation_id for address in ec2.addresses],
            "network-acl": ec2.network_acls,
            "dhcp-options": ec2.dhcp_options_sets,
            "egress-only-internet-gateway": ec2.egress_only_internet_gateways,
        }
        for kind, identifiers in kinds.items():
            for identifier in list(identifiers):
                if tags := ec2.tags.get(identifier):
                    yield TaggedResource(self._arn("ec2", f"{kind}/{identifier}"), dict(tags), f"ec2:{kind}")

    def _of_redshift(self) -> Iterator[TaggedResource]:
        redshift: Any = redshift_backends[self.account_id][self.region_name]
        kinds = {
            "cluster": redshift.clusters,
            "subnetgroup": redshift.subnet_groups,
            "parametergroup": redshift.parameter_groups,
        }
        for kind, resources in kinds.items():
            for name, resource in list(resources.items()):
                if resource.tags:
                    tags = {tag["Key"]: tag["Value"] for tag in resource.tags}
                    yield TaggedResource(self._arn("redshift", f"{kind}:{name}"), tags, f"redshift:{kind}")

    def _of_lambda(self) -> Iterator[TaggedResource]:
        functions: Any = lambda_backends[self.account_id][self.region_name]
        for mapping in functions.list_event_source_mappings(None, None):
            if mapping.tags:
                yield TaggedResource(mapping.arn, dict(mapping.tags), "lambda:event-source-mapping")

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{PARTITION}:{service}:{self.region_name}:{self.account_id}:{resource}"


def _token_of(arn: str) -> str:
    return base64.urlsafe_b64encode(arn.encode()).decode()


def _arn_of(token: str | None) -> str:
    """The last ARN of the page before; "" for the first page."""
    try:
        arn = base64.b64decode(token or "", altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        arn = "no token"
    if token and not arn.startswith("arn:"):
        raise ResourceGroupsTaggingAPIError("InvalidParameterException", "PaginationToken is invalid")
    return arn

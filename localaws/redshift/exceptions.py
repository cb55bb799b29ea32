"""Errors that moto's Redshift lacks.

Source: https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html and each operation's page.
"""

from __future__ import annotations

from moto.redshift.exceptions import RedshiftClientError


class InvalidClusterState(RedshiftClientError):
    """The cluster is in a state in which the call is not possible."""

    def __init__(self, identifier: str, status: str) -> None:
        super().__init__("InvalidClusterState", f"Cluster {identifier} is in state {status}.")


class UnsupportedOperation(RedshiftClientError):
    """AWS supports this operation, the embedded AWS does not."""

    def __init__(self, what: str) -> None:
        super().__init__("UnsupportedOperation", f"{what} is not supported by the embedded AWS.")


class CustomDomainAssociationNotFound(RedshiftClientError):
    """There is no such custom domain: in the embedded AWS, no cluster has one."""

    def __init__(self, domain: str) -> None:
        super().__init__(
            "CustomDomainAssociationNotFoundFault", f"No custom domain association was found for {domain}."
        )


class InvalidParameterValue(RedshiftClientError):
    """A parameter's value breaks one of AWS's rules."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterValue", message)


class GroupState(RedshiftClientError):
    """A group exists already, or can't be deleted: a cluster uses it, or it is the default group."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)

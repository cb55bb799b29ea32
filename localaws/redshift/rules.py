"""Checks of the parameters of CreateCluster and ModifyCluster.

Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from moto.ec2.models import EC2Backend

from localaws.redshift.exceptions import InvalidParameterValue
from localaws.redshift.postgres import roles

# AWS no longer lets you create dc2 clusters (2025); the embedded AWS still does.
NODE_TYPES = (
    "dc2.large",
    "dc2.8xlarge",
    "ra3.large",
    "ra3.xlplus",
    "ra3.4xlarge",
    "ra3.16xlarge",
    "rg.large",
    "rg.xlarge",
    "rg.4xlarge",
)
_MOST_NODES = 100
_FAMILIES = ("redshift-1.0", "redshift-2.0")
_DAY = "(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]"
_WINDOW = re.compile(f"{_DAY}-{_DAY}", re.IGNORECASE)
# Reserved words, which can't be the name of a database or a user:
# https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html (only those that people are likely to try)
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        all analyse analyze and any array as asc between both case cast check collate column constraint create cross
        default delete desc distinct do else end except false for foreign from full grant group having in inner
        intersect into is join left like limit minus natural new not null off old on only open or order outer
        parallel partition primary references right select session_user some table tag then to top trailing true
        union unique user using verbose when where with without public template0 template1 padb_harvest
        """,
    )
)


def check_identifier(identifier: str) -> None:
    """Check for 1 to 63 lower-case letters, digits and single hyphens; a letter first, no hyphen last."""
    if not re.fullmatch(r"[a-z](?:[a-z0-9]|-(?!-))*", identifier) or identifier.endswith("-") or len(identifier) > 63:
        raise InvalidParameterValue(
            f"The parameter ClusterIdentifier is not a valid identifier: {identifier}. Identifiers must begin with a "
            "letter; must contain only lowercase ASCII letters, digits, and hyphens; and must not end with a hyphen "
            "or contain two consecutive hyphens."
        )


def check_node_type(node_type: str) -> None:
    """Check for one of AWS's node types, or dc2."""
    if node_type not in NODE_TYPES:
        raise InvalidParameterValue(f"Invalid node type: {node_type}. Valid node types are {', '.join(NODE_TYPES)}.")


def check_nodes(number: int | None) -> None:
    """Check for a number from 1 to 100, or None."""
    if number is not None and not 1 <= number <= _MOST_NODES:
        raise InvalidParameterValue(f"Number of nodes must be between 1 and {_MOST_NODES}.")


def check_maintenance_window(window: str | None) -> None:
    """Check for a window such as sun:05:00-sun:05:30, in UTC."""
    if window and not _WINDOW.fullmatch(window):
        raise InvalidParameterValue(
            f"The parameter PreferredMaintenanceWindow is not valid: {window}. Its format is ddd:hh24:mi-ddd:hh24:mi."
        )


def check_family(family: str) -> None:
    """Check for a parameter group family that AWS has."""
    if family not in _FAMILIES:
        raise InvalidParameterValue(f"ParameterGroupFamily {family} is not a valid parameter group family")


def check_network(ec2: EC2Backend, security_groups: Iterable[str], zone: str | None) -> None:
    """Check that the security groups and the availability zone exist."""
    for group in security_groups:
        if ec2.get_security_group_from_id(group) is None:
            raise InvalidParameterValue(f"Invalid security group, groupId= {group}, groupName= ")
    if zone and zone not in {each.name for each in ec2.describe_availability_zones()}:
        raise InvalidParameterValue(f"{zone} is not a valid availability zone.")


def check_database(name: str) -> None:
    """Check for 1 to 64 lower-case letters, digits and signs (_ $); a letter or _ first; not a reserved word."""
    if not re.fullmatch(r"[a-z_][a-z0-9_$]{0,63}", name):
        raise InvalidParameterValue(
            f"The parameter DBName is not valid: {name}. It must contain 1 to 64 alphanumeric characters, "
            "only lowercase letters, and must not begin with a digit."
        )
    if name in _RESERVED:
        raise InvalidParameterValue(f"The parameter DBName can not be a reserved word: {name}.")


def check_user(name: str) -> None:
    """Check for 1 to 127 letters, digits and some signs; a letter first; not a reserved word."""
    if not re.fullmatch(r"[A-Za-z][\w+.@-]{0,126}", name, re.ASCII):
        raise InvalidParameterValue(
            f"The parameter MasterUsername is not valid: {name}. It must begin with a letter and contain only "
            "alphanumeric characters, underscores, plus signs, periods, at symbols and hyphens."
        )
    if name.lower() in _RESERVED | roles.INTERNAL or name.lower().startswith("pg_"):
        raise InvalidParameterValue(f"The parameter MasterUsername can not be a reserved word: {name}.")


def check_password(password: str) -> None:
    """Check for 8 to 64 printable ASCII characters, not / @ " ' \\ or space; with upper case, lower case and digits."""
    prefix = "The parameter MasterUserPassword"
    if not 8 <= len(password) <= 64:
        raise InvalidParameterValue(f"{prefix} must contain between 8 and 64 characters.")
    if not re.fullmatch(r"[!-~]+", password) or re.search(r"""['"\\/@]""", password):
        raise InvalidParameterValue(
            f"{prefix} is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ', '\\', "
            "''' may be used."
        )
    for pattern, what in (("[A-Z]", "uppercase letter"), ("[a-z]", "lowercase letter"), ("[0-9]", "number")):
        if not re.search(pattern, password):
            raise InvalidParameterValue(f"{prefix} must contain at least one {what}.")

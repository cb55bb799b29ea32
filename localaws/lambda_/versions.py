"""Versions and aliases of functions, where moto differs from AWS.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

import copy
import re
import uuid
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError, ValidationException
from moto.awslambda.models import LambdaAlias, LambdaBackend, LambdaFunction

if TYPE_CHECKING:
    _Base = LambdaBackend
else:
    _Base = object

_ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")


class VersionInUse(LambdaClientError):
    """An alias points to the version that should be deleted."""

    code = 409

    def __init__(self, aliases: list[str]) -> None:
        super().__init__(
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [" + ", ".join(aliases) + "]",
        )


class VersionOperations(_Base):
    """PublishVersion and similar operations."""

    def publish_version(self, function_name: str, description: str | None = "") -> LambdaFunction:
        """Publish $LATEST under the next number. If nothing changed since the last version, return that one."""
        latest = self._lambdas.get_function_by_name_or_arn_forbid_qualifier(function_name)
        versions: list[LambdaFunction] = self._lambdas._functions[latest.function_name]["versions"]
        if versions and not latest.code_or_config_updated:
            return versions[-1]
        latest.code_or_config_updated = False
        # The number of a deleted version is not used again.
        number = max([latest.published, *(int(each.version) for each in versions)]) + 1  # type: ignore[attr-defined]
        latest.published = number  # type: ignore[attr-defined]
        version = copy.copy(latest)
        version.set_version(number)
        version.event_invoke_config = []
        if description:
            version.description = description
        versions.append(version)
        self._lambdas._arns[version.function_arn] = version
        return version

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        """Delete a function, or one version of it.

        Raises:
            InvalidParameterValueException: it is $LATEST, which can only be deleted with the function, or an alias.
            VersionInUse: an alias points to the version.
        """
        arn = arn_asked(self.get_function(function_name, qualifier), function_name, qualifier)
        asked = qualifier_of(arn)
        if asked == "$LATEST":
            raise InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
        if asked is not None:
            aliases = self.list_aliases(arn.split(":")[6])
            if any(alias.name == asked for alias in aliases):
                raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
            if users := [alias.name for alias in aliases if alias.function_version == asked]:
                raise VersionInUse(users)
        super().delete_function(function_name, qualifier)

    def create_alias(self, name: str, *arguments: Any, **parameters: Any) -> LambdaAlias:
        """Create an alias of a version.

        Raises:
            ValidationException: the name could be a version's number, or has invalid characters.
        """
        if not _ALIAS.fullmatch(name):
            raise ValidationException(name, "name", f"Member must satisfy regular expression pattern: {_ALIAS.pattern}")
        return super().create_alias(name, *arguments, **parameters)

    def update_alias(self, *arguments: Any, **parameters: Any) -> LambdaAlias:
        """Change the version that an alias points to, or its description."""
        alias = super().update_alias(*arguments, **parameters)
        alias.revision_id = str(uuid.uuid4())
        return alias


def qualifier_of(arn: str) -> str | None:
    """Return the version or alias in a function's ARN; None if it has none."""
    parts = arn.split(":")
    return parts[7] if len(parts) == 8 else None


def arn_asked(function: LambdaFunction, name: str, qualifier: str | None) -> str:
    """Return the function's ARN with the version or alias in `name` (which may be an ARN), or else with `qualifier`."""
    arn = ":".join(function.function_arn.split(":")[:7])
    parts = name.split(":")
    asked = parts[7] if len(parts) == 8 else parts[1] if len(parts) == 2 else qualifier
    return f"{arn}:{asked}" if asked else arn

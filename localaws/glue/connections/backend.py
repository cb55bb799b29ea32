"""Connections: how a crawler or a job reaches a database."""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.glue.exceptions import AlreadyExistsException, EntityNotFoundException, InvalidInputException
from moto.glue.models import GlueBackend

from localaws.core import context
from localaws.glue.crawlers.jdbc import ConnectionRefused, connect

_SHOWN = (
    "Name", "Description", "ConnectionType", "MatchCriteria", "ConnectionProperties", "PhysicalConnectionRequirements",
)  # fmt: skip
# Other ways to define how a program connects, which crawlers and jobs would ignore here.
_UNSUPPORTED = (
    "SparkProperties", "AthenaProperties", "PythonProperties", "AuthenticationConfiguration",
    "ValidateForComputeEnvironments",
)  # fmt: skip
_SECRET_PROPERTIES = frozenset({"PASSWORD", "ENCRYPTED_PASSWORD"})


class Connection:
    """A connection as CreateConnection defined it, with the results of its tests."""

    def __init__(self, arn: str, definition: dict[str, Any]) -> None:
        self.arn = arn
        self.definition = definition
        self.created = self.updated = utcnow()
        self.validated: Any = None  # when TestConnection last succeeded
        self.status = "READY"
        self.status_reason = ""

    @property
    def name(self) -> str:
        return str(self.definition["Name"])

    @property
    def properties(self) -> dict[str, str]:
        """Its ConnectionProperties, including the password."""
        return dict(self.definition.get("ConnectionProperties") or {})

    def as_dict(self, hide_password: bool = False) -> dict[str, Any]:
        """Return the API's `Connection`; with `hide_password`, without the password, as on AWS."""
        shown = {name: self.definition[name] for name in _SHOWN if self.definition.get(name) is not None}
        if hide_password:
            shown["ConnectionProperties"] = {
                name: value for name, value in self.properties.items() if name not in _SECRET_PROPERTIES
            }
        shown |= {"CreationTime": self.created, "LastUpdatedTime": self.updated, "Status": self.status}
        if self.status_reason:
            shown["StatusReason"] = self.status_reason
        if self.validated:
            shown["LastConnectionValidationTime"] = self.validated
        return shown


class ConnectionOperations(GlueBackend):
    """CreateConnection and the other operations on connections."""

    @property
    def local_connections(self) -> dict[str, Connection]:
        """All connections by name."""
        return self.connections  # type: ignore[return-value]  # moto's dictionary, with our connections in it

    def define_connection(self, definition: dict[str, Any], tags: dict[str, str] | None) -> str:
        """Create the connection that `definition`, a ConnectionInput, describes; return its status.

        Raises:
            AlreadyExistsException: a connection with this name exists.
            InvalidInputException: the definition is not valid, or ValidateCredentials found that it does not work.
        """
        _check(definition)
        if definition.get("ValidateCredentials"):
            self._try(definition)
        name = definition["Name"]
        if name in self.local_connections:
            raise AlreadyExistsException(f"Connection with name {name}")
        arn = f"arn:{self.partition}:glue:{self.region_name}:{self.account_id}:connection/{name}"
        connection = self.local_connections[name] = Connection(arn, definition)
        self.tag_resource(arn, tags or {})
        # A job usually follows a connection: start warming up Spark for it now.
        context.current().ports.jobs.prepare()
        return connection.status

    def find_connection(self, name: str) -> Connection:
        """Return the connection called `name`.

        Raises:
            EntityNotFoundException: there is no such connection.
        """
        try:
            return self.local_connections[name]
        except KeyError:
            raise EntityNotFoundException(f"Connection {name} not found.") from None

    def redefine_connection(self, name: str, definition: dict[str, Any]) -> None:
        """Replace a connection's definition.

        Raises:
            EntityNotFoundException: there is no such connection.
            InvalidInputException: the definition is not valid.
        """
        connection = self.find_connection(name)
        definition = {**definition, "Name": definition.get("Name") or name}
        if definition["Name"] != name:
            raise InvalidInputException("UpdateConnection", "The name of a connection can't be changed")
        _check(definition)
        connection.definition = definition
        connection.updated = utcnow()
        connection.validated, connection.status, connection.status_reason = None, "READY", ""

    def remove_connection(self, name: str) -> None:
        """Delete a connection.

        Raises:
            EntityNotFoundException: there is no such connection.
        """
        self.tagger.delete_all_tags_for_resource(self.find_connection(name).arn)
        del self.local_connections[name]

    def try_connection(self, name: str) -> None:
        """Connect through a connection, for real.

        Raises:
            EntityNotFoundException: there is no such connection.
            InvalidInputException: it does not work; the message says why.
        """
        connection = self.find_connection(name)
        try:
            self._try(connection.definition)
            connection.validated, connection.status_reason = utcnow(), ""
        except InvalidInputException as error:
            connection.status_reason = str(error.message)
            raise

    def try_definition(self, definition: dict[str, Any]) -> None:
        """Connect as a TestConnectionInput says.

        Raises:
            InvalidInputException: it does not work; the message says why.
        """
        self._try(definition)

    def _try(self, definition: dict[str, Any]) -> None:
        if (kind := definition.get("ConnectionType")) != "JDBC":
            raise InvalidInputException(
                "TestConnection", f"The embedded AWS can test connections of type JDBC only, not {kind}"
            )
        try:
            with connect(context.current(), self.region_name, definition) as open_connection:
                open_connection.execute("select 1")
        except ConnectionRefused as error:
            raise InvalidInputException("TestConnection", f"Test connection failed: {error}") from None


def _check(definition: dict[str, Any]) -> None:
    """Check a ConnectionInput as AWS does; the error names what is missing or not supported."""
    for name in _UNSUPPORTED:
        if definition.get(name):
            raise InvalidInputException(
                "CreateConnection", f"The embedded AWS does not support this connection setting: {name}"
            )
    for name in ("Name", "ConnectionType"):
        if not definition.get(name):
            raise InvalidInputException("CreateConnection", f"{name} is required")
    properties = definition.get("ConnectionProperties") or {}
    if definition["ConnectionType"] != "JDBC":
        return
    missing = [] if properties.get("JDBC_CONNECTION_URL") else ["JDBC_CONNECTION_URL"]
    if not properties.get("SECRET_ID"):
        missing += [name for name in ("USERNAME", "PASSWORD") if not properties.get(name)]
    if missing:
        raise InvalidInputException(
            "CreateConnection",
            f"Validation for connection properties failed: {', '.join(missing)} missing. "
            "A JDBC connection needs JDBC_CONNECTION_URL, and SECRET_ID or USERNAME and PASSWORD.",
        )
    if not str(properties["JDBC_CONNECTION_URL"]).startswith("jdbc:"):
        raise InvalidInputException(
            "CreateConnection", "Validation for connection properties failed: JDBC_CONNECTION_URL must begin with jdbc:"
        )

"""The connections' part of the Glue API."""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.glue.exceptions import EntityNotFoundException, InvalidInputException

from localaws.glue.connections.backend import Connection, ConnectionOperations
from localaws.glue.lists import Lists


class ConnectionResponses(Lists):
    """CreateConnection and the other operations on connections."""

    @property
    def _connections(self) -> ConnectionOperations:
        return cast(ConnectionOperations, self.glue_backend)

    def create_connection(self) -> ActionResult:
        status = self._connections.define_connection(self.parameters["ConnectionInput"], self.parameters.get("Tags"))
        return ActionResult({"CreateConnectionStatus": status})

    def update_connection(self) -> ActionResult:
        self._connections.redefine_connection(self.parameters["Name"], self.parameters["ConnectionInput"])
        return EmptyResult()

    def delete_connection(self) -> ActionResult:
        self._connections.remove_connection(self.parameters["ConnectionName"])
        return EmptyResult()

    def batch_delete_connection(self) -> ActionResult:
        deleted, errors = [], {}
        for name in self.parameters["ConnectionNameList"]:
            try:
                self._connections.remove_connection(name)
                deleted.append(name)
            except EntityNotFoundException as error:
                errors[name] = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": str(error.message)}
        return ActionResult({"Succeeded": deleted, "Errors": errors})

    def get_connection(self) -> ActionResult:
        connection = self._connections.find_connection(self.parameters["Name"])
        return ActionResult({"Connection": connection.as_dict(bool(self.parameters.get("HidePassword")))})

    def get_connections(self) -> ActionResult:
        wanted = self.parameters.get("Filter") or {}
        if wanted.get("ConnectionSchemaVersion"):
            raise InvalidInputException("GetConnections", "The embedded AWS does not support ConnectionSchemaVersion")
        found = [one for one in self._connections.local_connections.values() if _matches(one, wanted)]
        shown, token = self.page_by_name(found, lambda connection: connection.name)
        hide = bool(self.parameters.get("HidePassword"))
        return self.paged("ConnectionList", [one.as_dict(hide) for one in shown], token)

    def test_connection(self) -> ActionResult:
        if name := self.parameters.get("ConnectionName"):
            self._connections.try_connection(name)
        elif definition := self.parameters.get("TestConnectionInput"):
            self._connections.try_definition(definition)
        else:
            raise InvalidInputException("TestConnection", "ConnectionName or TestConnectionInput is required")
        return EmptyResult()


def _matches(connection: Connection, wanted: dict[str, Any]) -> bool:
    kind, criteria = wanted.get("ConnectionType"), set(wanted.get("MatchCriteria") or [])
    definition = connection.definition
    return (not kind or definition["ConnectionType"] == kind) and criteria <= set(definition.get("MatchCriteria") or [])

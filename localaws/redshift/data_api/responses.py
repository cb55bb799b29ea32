"""Requests and responses of the Data API."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import BaseResponse
from moto.redshiftdata.models import redshiftdata_backends

from localaws.redshift.data_api import catalog
from localaws.redshift.data_api.access import Access
from localaws.redshift.data_api.exceptions import ValidationException, not_supported
from localaws.redshift.data_api.models import LocalRedshiftDataBackend

_REFUSED = ("SessionKeepAliveSeconds", "SessionId", "WithEvent")


class LocalRedshiftDataResponse(BaseResponse):
    """The operations of `redshift-data`."""

    def __init__(self) -> None:
        super().__init__(service_name="redshift-data")

    @property
    def backend(self) -> LocalRedshiftDataBackend:
        return cast(LocalRedshiftDataBackend, redshiftdata_backends[self.current_account][self.region])

    @property
    def request(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self.body or "{}"))

    def execute_statement(self) -> TYPE_RESPONSE:
        request = self._submission()
        self._require(request, "Sql")
        statements = [(str(request["Sql"]), self._parameters(request))]
        return self._submit(request, statements, is_batch=False)

    def batch_execute_statement(self) -> TYPE_RESPONSE:
        request = self._submission()
        self._require(request, "Sqls")
        parameters = self._parameters(request)
        if parameters:
            raise not_supported("BatchExecuteStatement with Parameters")
        return self._submit(request, [(str(sql), []) for sql in request["Sqls"]], is_batch=True)

    def describe_statement(self) -> TYPE_RESPONSE:
        request = self._waited()
        statement = self.backend.statement(request["Id"])
        number = request["Id"].partition(":")[2]
        if number and statement.is_batch and 1 <= int(number) <= len(statement.parts):
            return _json(statement.parts[int(number) - 1].describe())
        return _json(statement.describe())

    def get_statement_result(self) -> TYPE_RESPONSE:
        request = self._waited()
        part, columns, rows, more = self.backend.result(request["Id"], _offset(request))
        answer = {"ColumnMetadata": columns, "Records": rows, "TotalNumRows": part.rows}
        return _json(_with_next(answer, more))

    def cancel_statement(self) -> TYPE_RESPONSE:
        request = self.request
        self._require(request, "Id")
        self.backend.cancel(request["Id"])
        return _json({"Status": True})

    def list_statements(self) -> TYPE_RESPONSE:
        request = self.request
        found = self.backend.listed(
            request.get("Status"),
            request.get("StatementName"),
            request.get("Database"),
            request.get("ClusterIdentifier"),
        )
        return _page(request, "Statements", [statement.list_entry() for statement in found], most=100)

    def list_databases(self) -> TYPE_RESPONSE:
        request = self.request
        return _page(request, "Databases", catalog.databases(self._access(request), self.region))

    def list_schemas(self) -> TYPE_RESPONSE:
        request = self.request
        found = catalog.schemas(self._access(request), self.region, request.get("SchemaPattern"))
        return _page(request, "Schemas", found)

    def list_tables(self) -> TYPE_RESPONSE:
        request = self.request
        patterns = (request.get("SchemaPattern"), request.get("TablePattern"))
        return _page(request, "Tables", catalog.tables(self._access(request), self.region, *patterns))

    def describe_table(self) -> TYPE_RESPONSE:
        request = self.request
        self._require(request, "Table")
        access = self._access(request)
        columns = catalog.columns(access, self.region, request.get("Schema"), request["Table"])
        return _page({**request, "_extra": {"TableName": request["Table"]}}, "ColumnList", columns)

    def get_statement_result_v2(self) -> TYPE_RESPONSE:
        raise not_supported("GetStatementResultV2")

    def list_sessions(self) -> TYPE_RESPONSE:
        raise not_supported("ListSessions")

    def _submission(self) -> dict[str, Any]:
        request = self.request
        for name in _REFUSED:
            if request.get(name):
                raise not_supported(name)
        if request.get("ResultFormat", "JSON") != "JSON":
            raise not_supported(f"ResultFormat {request['ResultFormat']}")
        return request

    def _submit(
        self, request: dict[str, Any], statements: list[tuple[str, list[dict[str, str]]]], *, is_batch: bool
    ) -> TYPE_RESPONSE:
        statement = self.backend.submit(
            self._access(request),
            statements,
            is_batch=is_batch,
            in_transaction=request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION",
            name=request.get("StatementName"),
            token=request.get("ClientToken"),
        )
        if "WaitTimeSeconds" in request:
            self.backend.wait(statement.id, float(request["WaitTimeSeconds"]))
            has_result = any(part.has_result for part in statement.parts)
            return _json({**statement.answer(), "Status": statement.status.value, "HasResultSet": has_result})
        return _json(statement.answer())

    def _access(self, request: dict[str, Any]) -> Access:
        if request.get("ConnectedDatabase"):
            request = {**request, "Database": request["ConnectedDatabase"]}
        return Access.of(request, self.current_account, self.region)

    def _waited(self) -> dict[str, Any]:
        request = self.request
        self._require(request, "Id")
        if "WaitTimeSeconds" in request:
            self.backend.wait(request["Id"], float(request["WaitTimeSeconds"]))
        return request

    @staticmethod
    def _parameters(request: dict[str, Any]) -> list[dict[str, str]]:
        parameters = request.get("Parameters", [])
        if not all(isinstance(parameter.get("value"), str) and parameter.get("name") for parameter in parameters):
            raise ValidationException("Each parameter needs a name and a value, both strings.")
        return [{"name": parameter["name"], "value": parameter["value"]} for parameter in parameters]

    @staticmethod
    def _require(request: dict[str, Any], name: str) -> None:
        if not request.get(name):
            raise ValidationException(f"{name} is a required parameter.")


def _json(answer: dict[str, Any]) -> TYPE_RESPONSE:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer)


def _page(request: dict[str, Any], name: str, found: list[Any], most: int = 1000) -> TYPE_RESPONSE:
    """Return one page of a list, with the token for the next."""
    begin, size = _offset(request), min(int(request.get("MaxResults") or most), most)
    more = begin + size if begin + size < len(found) else None
    return _json(_with_next({**request.get("_extra", {}), name: found[begin : begin + size]}, more))


def _with_next(answer: dict[str, Any], offset: int | None) -> dict[str, Any]:
    if offset is None:
        return answer
    return {**answer, "NextToken": base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()}


def _offset(request: dict[str, Any]) -> int:
    token = request.get("NextToken")
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("offset:"))
    except ValueError as error:
        raise ValidationException("NextToken is not valid.") from error

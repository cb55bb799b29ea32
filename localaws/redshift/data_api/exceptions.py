"""The Data API's errors, in its shape (with `Message` in upper case, as in botocore's model).

Source: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html#API_ExecuteStatement_Errors
"""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError


class DataApiError(JsonRESTError):
    """An error with the members that the API's model gives it."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        self.description = json.dumps({"__type": code, "Message": message, "message": message, **members})


class ValidationException(DataApiError):
    """The request is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceNotFoundException(DataApiError):
    """There is no such statement, or it has no result."""

    def __init__(self, message: str, resource: str) -> None:
        super().__init__("ResourceNotFoundException", message, ResourceId=resource)


class DatabaseConnectionException(DataApiError):
    """The database refused the connection."""

    code = 500

    def __init__(self, message: str) -> None:
        super().__init__("DatabaseConnectionException", message)


class ActiveStatementsExceededException(DataApiError):
    """Too many statements are active."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "ActiveStatementsExceededException", f"Active statements exceeded the allowed quota ({limit})."
        )


def not_supported(what: str) -> ValidationException:
    """Return the error for a feature that AWS has and the embedded AWS does not."""
    return ValidationException(f"{what} is not supported by the embedded AWS.")

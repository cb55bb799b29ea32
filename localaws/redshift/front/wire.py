"""PostgreSQL's wire protocol, version 3: message names, parsing helpers, and the messages that the front writes.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from localaws.redshift.errors import Notice, SqlError

# Startup requests, sent in place of a protocol version
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102
PROTOCOL_3_0 = 196608

# From the client
BIND = b"B"
CLOSE = b"C"
COPY_DATA = b"d"
COPY_DONE = b"c"
COPY_FAIL = b"f"
DESCRIBE = b"D"
EXECUTE = b"E"
FLUSH = b"H"
FUNCTION_CALL = b"F"
PARSE = b"P"
PASSWORD = b"p"
QUERY = b"Q"
SYNC = b"S"
TERMINATE = b"X"

FROM_CLIENT = frozenset((BIND, CLOSE, COPY_DATA, COPY_DONE, COPY_FAIL, DESCRIBE, EXECUTE, FLUSH, FUNCTION_CALL, PARSE))
FROM_CLIENT |= {QUERY, SYNC, TERMINATE}

# From the server
AUTHENTICATION = b"R"
BACKEND_KEY_DATA = b"K"
COMMAND_COMPLETE = b"C"
COPY_IN_RESPONSE = b"G"
COPY_OUT_RESPONSE = b"H"
DATA_ROW = b"D"
ERROR_RESPONSE = b"E"
NEGOTIATE_PROTOCOL = b"v"
NOTICE_RESPONSE = b"N"
PARAMETER_STATUS = b"S"
PARSE_COMPLETE = b"1"
READY_FOR_QUERY = b"Z"

AUTHENTICATION_OK = 0
AUTHENTICATION_CLEARTEXT = 3
AUTHENTICATION_MD5 = 5

# Transaction status, in ReadyForQuery
IDLE = b"I"
IN_TRANSACTION = b"T"
FAILED = b"E"

MAX_MESSAGE = 1 << 30

_HEADER = struct.Struct("!cI")
_INT = struct.Struct("!I")


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return one message: its kind, its length and its body."""
    return _HEADER.pack(kind, len(body) + 4) + body


def string(text: str) -> bytes:
    """Return a String: zero-terminated."""
    return text.encode() + b"\0"


def query(sql: str) -> bytes:
    """Return a simple Query."""
    return message(QUERY, string(sql))


def ready(status: bytes) -> bytes:
    """Return a ReadyForQuery."""
    return message(READY_FOR_QUERY, status)


def parameter_status(name: str, value: str) -> bytes:
    """Return a ParameterStatus."""
    return message(PARAMETER_STATUS, string(name) + string(value))


def authentication(code: int, data: bytes = b"") -> bytes:
    """Return an AuthenticationOk, -CleartextPassword or -MD5Password."""
    return message(AUTHENTICATION, _INT.pack(code) + data)


def startup(parameters: dict[str, str]) -> bytes:
    """Return a StartupMessage."""
    body = _INT.pack(PROTOCOL_3_0)
    body += b"".join(string(name) + string(value) for name, value in parameters.items()) + b"\0"
    return _INT.pack(len(body) + 4) + body


def cancel_request(key: bytes) -> bytes:
    """Return a CancelRequest; `key` is the body of BackendKeyData."""
    return _INT.pack(8 + len(key)) + _INT.pack(CANCEL_REQUEST) + key


def error(failure: SqlError) -> bytes:
    """Return an ErrorResponse."""
    fields = [("S", failure.severity), ("V", failure.severity), ("C", failure.sqlstate), ("M", failure.message)]
    optional = [("D", failure.detail), ("H", failure.hint), ("W", failure.where)]
    optional.append(("P", str(failure.position) if failure.position is not None else None))
    return message(ERROR_RESPONSE, _fields(fields, optional))


def notice(said: Notice) -> bytes:
    """Return a NoticeResponse."""
    fields = [("S", said.severity), ("V", said.severity), ("C", said.sqlstate), ("M", said.message)]
    return message(NOTICE_RESPONSE, _fields(fields, [("D", said.detail), ("H", said.hint), ("W", said.where)]))


def _fields(fields: list[tuple[str, str]], optional: list[tuple[str, str | None]]) -> bytes:
    present = fields + [(name, value) for name, value in optional if value is not None]
    return b"".join(name.encode() + string(value) for name, value in present) + b"\0"


def parse_fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse or NoticeResponse by their letters."""
    parts = body.rstrip(b"\0").split(b"\0")
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in parts if part}


def parse_error(body: bytes) -> SqlError:
    """Return the SqlError for an ErrorResponse."""
    fields = parse_fields(body)
    return SqlError(
        fields.get("C", "XX000"),
        fields.get("M", ""),
        detail=fields.get("D"),
        hint=fields.get("H"),
        where=fields.get("W"),
        position=int(fields["P"]) if "P" in fields else None,
        severity=fields.get("V", fields.get("S", "ERROR")),
    )


def parse_notice(body: bytes) -> Notice:
    """Return the Notice for a NoticeResponse."""
    fields = parse_fields(body)
    return Notice(
        fields.get("M", ""),
        severity=fields.get("V", fields.get("S", "NOTICE")),
        sqlstate=fields.get("C", "00000"),
        detail=fields.get("D"),
        hint=fields.get("H"),
        where=fields.get("W"),
    )


def parse_startup(body: bytes) -> dict[str, str]:
    """Return the parameters of a StartupMessage; `body` begins after the protocol version.

    Raises:
        SqlError: its layout is wrong.
    """
    if not body.endswith(b"\0"):
        raise violation("invalid startup packet layout: expected terminator as last byte")
    words = body.split(b"\0")
    pairs = zip(words[::2], words[1::2], strict=False)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in pairs if name}


def violation(message: str) -> SqlError:
    """Return the error that ends a session whose client broke the protocol."""
    return SqlError("08P01", message, severity="FATAL")


def whole_string(body: bytes) -> bytes:
    """Return the only String in a message's body, without its zero.

    Raises:
        SqlError: the body is not one String.
    """
    if not body or body.find(b"\0") != len(body) - 1:
        raise violation("invalid message format")
    return body[:-1]


def two_strings(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the two Strings at the start of a message's body, and what follows them.

    Raises:
        SqlError: the body does not begin with two Strings.
    """
    parts = body.split(b"\0", 2)
    if len(parts) != 3:
        raise violation("invalid message format")
    return parts[0], parts[1], parts[2]


def parse_data_row(body: bytes) -> tuple[str | None, ...]:
    """Return the values of a DataRow in text format."""
    (count,) = struct.unpack_from("!H", body)
    values: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[at : at + length].decode())
            at += length
    return tuple(values)


def split_messages(data: bytes | bytearray) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, the start and the end of each complete message at the start of `data`."""
    at, end = 0, len(data)
    while at + 5 <= end:
        kind, length = _HEADER.unpack_from(data, at)
        if at + 1 + length > end:
            return
        yield kind, at, at + 1 + length
        at += 1 + length

"""Results of statements: typed fields, kept in files, so that they are still there after a restart of the server.

A result is a text file: the first line has the columns, each other line a row, in the form that GetStatementResult
returns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from localaws.core import context

PAGE = 1 << 20  # approximate size of one response, in bytes
_TYPES = {
    16: "bool", 17: "varbyte", 18: "char", 19: "varchar", 20: "int8", 21: "int2", 23: "int4", 25: "varchar",
    26: "oid", 700: "float4", 701: "float8", 705: "varchar", 1042: "bpchar", 1043: "varchar", 1082: "date",
    1083: "time", 1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1266: "timetz", 1700: "numeric",
    114: "super", 3802: "super",
}  # fmt: skip
_INTEGERS = frozenset({20, 21, 23, 26})
_FLOATS = frozenset({700, 701})
_SIGNED = frozenset({20, 21, 23, 700, 701, 1700})
_PRECISIONS = {16: 1, 20: 19, 21: 5, 23: 10, 26: 10, 700: 8, 701: 17, 1082: 13, 1114: 29, 1184: 35}
_NAMELESS_TABLE = (None, "", "", True)


def directory() -> Path:
    """Return the directory of the results; create it if needed."""
    place = context.current().home.statements
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def _file(statement_id: str) -> Path:
    return directory() / statement_id.replace(":", "_")


def store(statement_id: str, cursor: psycopg.Cursor[Any]) -> tuple[int, int]:
    """Write the result in `cursor` to a file, and return its number of rows and bytes."""
    result = cursor.pgresult
    assert result is not None
    oids = [result.ftype(column) for column in range(result.nfields)]
    size = 0
    with _file(statement_id).open("w") as stream:
        stream.write(json.dumps(_columns(cursor, result, oids)) + "\n")
        for row in range(result.ntuples):
            values = [result.get_value(row, column) for column in range(result.nfields)]
            size += sum(len(value) for value in values if value is not None)
            stream.write(json.dumps([_field(value, oid) for value, oid in zip(values, oids, strict=True)]) + "\n")
    return result.ntuples, size


def read(statement_id: str, offset: int) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]], int | None]:
    """Return the columns, the page of rows at byte `offset` (0: the first page), and where the next page begins.

    Raises:
        FileNotFoundError: there is no result, or it was deleted.
    """
    with _file(statement_id).open("rb") as stream:
        columns = json.loads(stream.readline())
        begin = offset or stream.tell()
        stream.seek(begin)
        rows = []
        while line := stream.readline():
            rows.append(json.loads(line))
            if stream.tell() - begin >= PAGE:
                break
        end = stream.tell()
        more = end if stream.read(1) else None
    return columns, rows, more


def forget(statement_id: str) -> None:
    """Delete a statement's result, if there is one."""
    _file(statement_id).unlink(missing_ok=True)


def _field(value: bytes | None, oid: int) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    text = value.decode()
    if oid in _INTEGERS:
        return {"longValue": int(text)}
    if oid in _FLOATS:
        number = float(text)
        # JSON does not have Infinity and NaN.
        return {"doubleValue": number} if abs(number) < float("inf") else {"stringValue": text}
    if oid == 16:
        return {"booleanValue": text == "t"}
    return {"stringValue": text}


def _columns(cursor: psycopg.Cursor[Any], result: Any, oids: Sequence[int]) -> list[dict[str, Any]]:
    origins = _origins(cursor.connection, {result.ftable(column) for column in range(result.nfields)} - {0})
    described = []
    for number, oid in enumerate(oids):
        name = result.fname(number).decode()
        table = origins.get((result.ftable(number), result.ftablecol(number)), _NAMELESS_TABLE)
        described.append(metadata(name, oid, result.fmod(number), *table))
    return described


def metadata(
    name: str, oid: int, modifier: int, default: str | None, schema: str, table: str, nullable: bool
) -> dict[str, Any]:
    """Return a ColumnMetadata: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ColumnMetadata.html."""
    kind = _TYPES.get(oid, "varchar")
    length = precision = scale = 0
    if kind in ("varchar", "bpchar"):
        length = precision = modifier - 4 if modifier >= 4 else 65535
    elif oid == 1700:
        precision, scale = ((modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF) if modifier >= 4 else (38, 0)
        length = precision
    else:
        precision = _PRECISIONS.get(oid, 0)
        scale = {700: 8, 701: 17, 1114: 6, 1184: 6}.get(oid, 0)
    described = {
        "isCaseSensitive": kind in ("varchar", "bpchar", "char"),
        "isCurrency": False,
        "isSigned": oid in _SIGNED,
        "label": name,
        "length": length,
        "name": name,
        "nullable": int(nullable),
        "precision": precision,
        "scale": scale,
        "schemaName": schema,
        "tableName": table,
        "typeName": kind,
    }
    return described if default is None else {**described, "columnDefault": default}


def _origins(
    connection: psycopg.Connection[Any], tables: set[int]
) -> dict[tuple[int, int], tuple[str | None, str, str, bool]]:
    """Return each column's default, schema, table and whether it may be NULL, by table and column number."""
    if not tables:
        return {}
    listed = ", ".join(str(table) for table in sorted(tables))
    rows = connection.execute(
        "select a.attrelid::int8, a.attnum::int4, pg_get_expr(d.adbin, d.adrelid), n.nspname, c.relname, a.attnotnull"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        f" where a.attrelid in ({listed}) and a.attnum > 0"
    ).fetchall()
    return {(row[0], row[1]): (row[2], row[3], row[4], not row[5]) for row in rows}

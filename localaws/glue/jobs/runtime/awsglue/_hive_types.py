"""Parses types as the Data Catalog writes them (in Hive's notation) into Spark's types.

The notation has the names of a struct's fields as they are, without quotes: ``struct<a-b:int,c d:array<string>>``
(https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html: Type is any single-line string). So a name may contain
the notation's own punctuation. A name then ends at the first colon after which the rest can be parsed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pyspark.sql import types as T
from pyspark.sql.types import ArrayType, DataType, DecimalType, MapType, StructField, StructType

from awsglue._errors import NotSupportedLocally
from awsglue._fields import quoted
from awsglue._type_names import SPARK_NAMES, atomic_type

_ATOMIC: dict[str, DataType] = {
    kind.simpleString(): kind
    for kind in (
        T.BinaryType(), T.BooleanType(), T.ByteType(), T.DateType(), T.DoubleType(), T.FloatType(), T.IntegerType(),
        T.LongType(), T.ShortType(), T.StringType(), T.TimestampType(),
    )
}  # fmt: skip
_NESTED = re.compile(r"^(struct|array|map)<.*>$", re.DOTALL | re.IGNORECASE)
_Read = tuple[DataType, int]
"""A type, and the position after it."""


def spark_type(name: str) -> str:
    """Spark's name of the type that Glue or the catalog calls `name`."""
    return ddl(parse(name)) if _NESTED.match(name.strip()) else atomic_type(name)


@lru_cache(maxsize=1024)
def parse(text: str, *, exact_names: bool = False) -> DataType:
    """Return the Spark type for `text`, a type in the catalog.

    Args:
        text: the type in Hive's notation.
        exact_names: whether blanks and backticks around a field's name belong to it, as in a type that a crawler wrote;
            otherwise they are taken as layout and quotes, from someone who typed the type.

    Raises:
        NotSupportedLocally: there is no such type here.
    """
    text = text.strip()
    found = _Parser(text, exact_names).type_at(0)
    if found is None or found[1] < len(text):
        raise NotSupportedLocally(f"the type {text!r}", [*SPARK_NAMES, "array<>", "map<>", "struct<>"])
    return found[0]


def ddl(kind: DataType) -> str:
    """Return `kind` in Spark's notation, in which names are quoted."""
    if isinstance(kind, StructType):
        return f"struct<{','.join(f'{quoted(field.name)}:{ddl(field.dataType)}' for field in kind.fields)}>"
    if isinstance(kind, ArrayType):
        return f"array<{ddl(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"map<{ddl(kind.keyType)},{ddl(kind.valueType)}>"
    return str(kind.simpleString())


class _Parser:
    def __init__(self, text: str, exact_names: bool) -> None:
        self._text = text
        self._exact_names = exact_names
        self._known: dict[int, _Read | None] = {}

    def type_at(self, start: int) -> _Read | None:
        """Return the type that begins at `start`, or None."""
        if start not in self._known:
            self._known[start] = self._type(start)
        return self._known[start]

    def _type(self, start: int) -> _Read | None:
        start = self._skip_blanks(start)
        opening = self._text.find("<", start)
        word = self._text[start:opening].strip().lower() if opening >= 0 else ""
        if word == "array":
            element = self.type_at(opening + 1)
            return element and self._closed(ArrayType(element[0]), element[1])
        if word == "map":
            key = self.type_at(opening + 1)
            value = key and self._next_is(",", key[1]) and self.type_at(self._skip_blanks(key[1]) + 1)
            return self._closed(MapType(key[0], value[0]), value[1]) if key and value else None
        if word == "struct":
            return self._closed(StructType([]), opening + 1) or self._struct(opening + 1)
        return self._atomic(start)

    def _struct(self, start: int) -> _Read | None:
        """Return the struct whose first field begins at `start`, or None. If the rest can't be parsed, a name extends
        to its next colon."""
        chosen: list[tuple[int, int, StructField]] = []
        unreadable: set[int] = set()
        begin, colon = start, start - 1
        while True:
            colon = self._text.find(":", colon + 1)
            if colon < 0:
                if not chosen:
                    return None
                unreadable.add(begin)
                begin, colon, _ = chosen.pop()
                continue
            found = self.type_at(colon + 1)
            if found is None:
                continue
            kind, end = found
            field = StructField(self._name(begin, colon), kind)
            if self._next_is(">", end):
                return self._closed(StructType([*(earlier for _, _, earlier in chosen), field]), end)
            following = self._skip_blanks(end) + 1
            if self._next_is(",", end) and following not in unreadable:
                chosen.append((begin, colon, field))
                begin, colon = following, following - 1

    def _name(self, begin: int, end: int) -> str:
        name = self._text[begin:end]
        if self._exact_names:
            return name
        name = name.strip()
        if len(name) > 1 and name.startswith("`") and name.endswith("`"):
            return name[1:-1].replace("``", "`")
        return name

    def _atomic(self, start: int) -> _Read | None:
        """Return the type of single values at `start`, or None; it ends before a delimiter outside parentheses."""
        end, depth = start, 0
        while end < len(self._text) and (depth or self._text[end] not in ",:<>"):
            depth += {"(": 1, ")": -1}.get(self._text[end], 0)
            end += 1
        try:
            name = atomic_type(self._text[start:end])
        except NotSupportedLocally:
            return None
        return _ATOMIC.get(name) or _decimal(name), end

    def _closed(self, kind: DataType, place: int) -> _Read | None:
        return (kind, self._skip_blanks(place) + 1) if self._next_is(">", place) else None

    def _next_is(self, character: str, place: int) -> bool:
        place = self._skip_blanks(place)
        return self._text[place : place + 1] == character

    def _skip_blanks(self, place: int) -> int:
        while self._text[place : place + 1].isspace():
            place += 1
        return place


def _decimal(name: str) -> DecimalType:
    precision, scale = name.partition("(")[2].rstrip(")").split(",")
    return DecimalType(int(precision), int(scale))

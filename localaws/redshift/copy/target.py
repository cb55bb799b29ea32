"""The table that a COPY loads: its columns and their types, and PostgreSQL's COPY statements for it."""

from __future__ import annotations

from dataclasses import dataclass

from localaws.redshift.copy.parse import CopyStatement
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.statements import ClientSession

_CHARACTER = frozenset({"varchar", "bpchar", "text", "char", "name"})
_SHOWN = {"bpchar": "char", "text": "varchar", "jsonb": "super", "bytea": "varbyte"}
_LONG_NAMES = {
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "REAL", "float8": "DOUBLE PRECISION",
    "bool": "BOOLEAN", "timestamptz": "TIMESTAMPTZ", "numeric": "DECIMAL", "bpchar": "CHAR", "text": "VARCHAR",
    "jsonb": "SUPER", "bytea": "VARBYTE",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column; `type` is PostgreSQL's short name of its base type."""

    name: str
    type: str
    modifier: int
    not_null: bool
    identity: bool

    @property
    def is_character(self) -> bool:
        """Whether an empty field is an empty string (for other types it is NULL)."""
        return self.type in _CHARACTER

    @property
    def length(self) -> int | None:
        """The largest number of bytes in a CHAR or VARCHAR column; None if there is no limit, or for another type."""
        return self.modifier - 4 if self.type in ("varchar", "bpchar") and self.modifier >= 4 else None

    @property
    def precision_and_scale(self) -> tuple[int, int] | None:
        """The precision and scale of a NUMERIC(p, s); otherwise None."""
        if self.type != "numeric" or self.modifier < 4:
            return None
        return (self.modifier - 4) >> 16 & 0xFFFF, (self.modifier - 4) & 0x7FF

    @property
    def shown_type(self) -> str:
        """The type's name in stl_load_errors."""
        return _SHOWN.get(self.type, self.type)

    @property
    def long_type(self) -> str:
        """The type's name in DDL and in errors about Parquet."""
        return _LONG_NAMES.get(self.type, self.type.upper())

    @property
    def shown_length(self) -> str:
        """stl_load_errors.col_length: the length, or "precision, scale", or "0" if the type has neither."""
        if self.precision_and_scale:
            return "{}, {}".format(*self.precision_and_scale)
        return str(self.length or 0)


@dataclass(frozen=True)
class Target:
    """The table, and the columns that the files contain, in the files' order."""

    table_id: int
    schema: str
    table: str
    shown_table: str
    columns: tuple[Column, ...]

    @property
    def scales(self) -> dict[str, int]:
        """The scale of each DECIMAL column."""
        return {column.name: column.precision_and_scale[1] for column in self.columns if column.precision_and_scale}

    def copy_sql(self, options: str, staging: Staging | None = None) -> str:
        """Return PostgreSQL's `COPY table (columns) FROM STDIN (options)`, into the table or its staging table."""
        return f"COPY {staging.name if staging else self.name} ({self.names}) FROM STDIN ({options})"

    @property
    def name(self) -> str:
        """The quoted name, with the schema."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.table)}"

    @property
    def names(self) -> str:
        """The quoted names of the columns."""
        return ", ".join(quote_identifier(column.name) for column in self.columns)

    def listed(self, *, character: bool) -> str:
        """Return the quoted names of the columns that are, or are not, of a character type."""
        return ", ".join(quote_identifier(column.name) for column in self.columns if column.is_character is character)


class Staging:
    """A temporary table whose decimal columns have no scale: PostgreSQL would round to the scale, COPY truncates.

    Its other columns have the target's types without their lengths, which the INSERT checks.
    """

    name = "pg_temp.localaws_copy"

    def __init__(self, target: Target) -> None:
        scales = target.scales
        columns, values = [], []
        for column in target.columns:
            name = quote_identifier(column.name)
            columns.append(f"{name} pg_catalog.{quote_identifier(column.type)}")
            values.append(f"pg_catalog.trunc({name}, {scales[column.name]})" if column.name in scales else name)
        self.create = f"CREATE TABLE {self.name} ({', '.join(columns)})"
        # Like COPY, the INSERT accepts values for identity columns (EXPLICIT_IDS).
        self.insert = (
            f"INSERT INTO {target.name} ({target.names}) OVERRIDING SYSTEM VALUE "
            f"SELECT {', '.join(values)} FROM {self.name}"
        )
        self.drop = f"DROP TABLE {self.name}"


def find_target(statement: CopyStatement, session: ClientSession) -> Target:
    """Look the table up in the client's session.

    Raises:
        SqlError: there is no such table or column.
    """
    name = quote_identifier(statement.table)
    if statement.schema:
        name = f"{quote_identifier(statement.schema)}.{name}"
    found = session.query(
        "select c.oid, n.nspname, c.relname from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        f" where c.oid = pg_catalog.to_regclass({quote_literal(name)}) and c.relkind in ('r', 'p', 'v', 'm', 'f')"
    )
    if not found:
        raise SqlError("42P01", f"Cannot COPY into nonexistent table {statement.table}")
    table_id, schema, table = found[0]
    assert table_id is not None
    assert schema is not None
    assert table is not None
    columns = _columns(session, int(table_id))
    return Target(int(table_id), schema, table, statement.shown_table, _chosen(statement, columns))


def _columns(session: ClientSession, table_id: int) -> list[Column]:
    # The type of a column may be a domain: then the domain's base type and its length count.
    rows = session.query(
        "select a.attname, b.typname, case when t.typtype = 'd' then t.typtypmod else a.atttypmod end,"
        " a.attnotnull or t.typnotnull, a.attidentity <> ''"
        " from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid"
        " join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end"
        f" where a.attrelid = {table_id} and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''"
        " order by a.attnum"
    )
    return [
        Column(str(name), str(kind), int(modifier or -1), not_null == "t", identity == "t")
        for name, kind, modifier, not_null, identity in rows
    ]


def _chosen(statement: CopyStatement, columns: list[Column]) -> tuple[Column, ...]:
    explicit = statement.options.explicit_ids
    if statement.columns is None:
        return tuple(column for column in columns if explicit or not column.identity)
    by_name = {column.name: column for column in columns}
    chosen = []
    for name in statement.columns:
        column = by_name.get(name) or by_name.get(name.lower())
        if column is None:
            raise SqlError("42703", f'column "{name}" of relation "{statement.table}" does not exist')
        chosen.append(column)
    return tuple(chosen)


def quote_identifier(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` as a string constant that does not depend on standard_conforming_strings."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

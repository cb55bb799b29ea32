"""SHOW DATABASES, SCHEMAS, TABLES and COLUMNS become queries of the system views.

https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html and its neighbours.
"""

from __future__ import annotations

from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind

_TABLES = "database_name, schema_name, table_name, table_type, table_acl, remarks"


def rewrite(sentence: Sentence) -> bool:
    """Rewrite a SHOW of catalog objects; return False if it is the SHOW of a setting."""
    what = sentence.text(1)
    if what == "DATABASES":
        _replace(sentence, 2, "* from pg_catalog.svv_redshift_databases where true", "database_name")
    elif sentence.reads(1, "SCHEMAS", "FROM", "DATABASE"):
        names, at = _names(sentence, 4)
        query = f"* from pg_catalog.svv_all_schemas where database_name = {_literal(names[-1])}"
        _replace(sentence, at, query, "schema_name")
    elif sentence.reads(1, "TABLES", "FROM", "SCHEMA"):
        names, at = _names(sentence, 4)
        where = _where(("schema_name", "database_name"), names)
        _replace(sentence, at, f"{_TABLES} from pg_catalog.svv_all_tables where {where}", "table_name")
    elif sentence.reads(1, "COLUMNS", "FROM", "TABLE"):
        names, at = _names(sentence, 4)
        where = _where(("table_name", "schema_name", "database_name"), names)
        if len(names) == 1:
            where += " and schema_name = any (current_schemas(false))"
        _replace(sentence, at, f"* from pg_catalog.svv_all_columns where {where}", "column_name", "ordinal_position")
    elif what in ("TABLE", "VIEW", "GRANTS", "PROCEDURES", "FUNCTIONS", "PARAMETERS", "CONSTRAINTS", "DATASHARES"):
        raise SqlError("0A000", f"SHOW {what} is not supported by this embedded Redshift")
    else:
        return False
    return True


def _names(sentence: Sentence, at: int) -> tuple[list[str], int]:
    """Return the parts of the dotted name at `at`, and where it ends."""
    names = [sentence[at].name if at < len(sentence) else ""]
    while sentence.text(at + 1) == "." and at + 2 < len(sentence):
        at += 2
        names.append(sentence[at].name)
    if not all(names):
        raise SqlError("42601", f'syntax error at or near "{sentence.text(at) or sentence.text(at - 1)}"')
    return names, at + 1


def _where(columns: tuple[str, ...], names: list[str]) -> str:
    pairs = zip(columns, reversed(names), strict=False)
    return " and ".join(f"{column} = {_literal(name)}" for column, name in pairs)


def _replace(sentence: Sentence, at: int, query: str, name: str, order: str | None = None) -> None:
    """Replace the statement by the query, with the LIKE and LIMIT that follow from `at` on."""
    limit = ""
    if sentence.text(at) == "LIKE" and at + 1 < len(sentence):
        query += f" and {name} like {sentence.output(at + 1)}"
        at += 2
    if sentence.text(at) == "LIMIT" and at + 1 < len(sentence) and sentence[at + 1].kind == Kind.NUMBER:
        limit = f" limit {sentence.output(at + 1)}"
        at += 2
    if at < len(sentence):
        raise SqlError("42601", f'syntax error at or near "{sentence[at].text}"', position=sentence[at].start + 1)
    # The columns of a table stay together, in their order.
    by = f"database_name, {'schema_name, ' if name != 'database_name' else ''}{order or name}"
    sentence.replace(0, len(sentence), f"select {query} order by {by}{limit}")


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"E'{escaped}'"

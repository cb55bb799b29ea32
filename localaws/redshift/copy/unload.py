"""UNLOAD: writes a query's rows to S3 as text, CSV, JSON or Parquet.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from localaws.redshift import dialect
from localaws.redshift.copy.access import s3_client
from localaws.redshift.copy.parse import Authorization, AuthorizationParameters, Format, not_supported
from localaws.redshift.copy.source import s3_error, split_url
from localaws.redshift.copy.target import quote_literal
from localaws.redshift.copy.words import Words
from localaws.redshift.errors import Notice, SqlError
from localaws.redshift.sql.statements import ClientSession, StatementContext, StatementResult
from localaws.redshift.sql.tokens import Kind, Token


@dataclass(frozen=True)
class UnloadStatement:
    """`UNLOAD ('query') TO 's3://…' authorization options`."""

    query: str
    target: str
    authorization: Authorization = field(default_factory=Authorization)
    format: Format = Format.DELIMITED
    delimiter: str | None = None
    null_as: str = ""
    header: bool = False
    compress: bool = False
    manifest: bool = False
    parallel: bool = True
    allow_overwrite: bool = False
    clean_path: bool = False
    add_quotes: bool = False
    region: str | None = None
    max_file_size: int = 6_200_000_000  # bytes
    extension: str | None = None


_UNSUPPORTED = {"partition", "encrypted", "kms_key_id", "master_symmetric_key", "fixedwidth", "bzip2", "zstd", "escape"}
_UNITS = {"mb": 1 << 20, "gb": 1 << 30}


def parse_unload(statement: Sequence[Token]) -> UnloadStatement:
    """Parse an UNLOAD statement.

    Raises:
        SqlError: 42601 if this is not a valid UNLOAD; 0A000, with the parameter's name, if a parameter isn't supported.
    """
    words = Words(statement)
    words.expect("unload")
    words.expect("(")
    query = words.take().value if words.peek.kind is Kind.DOLLAR else words.string()
    words.expect(")")
    words.expect("to")
    parsed = UnloadStatement(dialect.rewrite(query.strip().rstrip(";")), words.string())
    authorization = AuthorizationParameters(words, "UNLOAD")
    while not words.at_end:
        if words.accept(",", "with"):
            continue
        option = words.take()
        if option.kind is not Kind.WORD:
            raise words.error(option)
        if option.value in _UNSUPPORTED:
            raise not_supported("UNLOAD", option.upper)
        if not authorization.accept(option.value):
            parsed = replace(parsed, **_option(words, option.value))
    if not parsed.target.startswith("s3://"):
        raise not_supported("UNLOAD", f"TO '{parsed.target}'")
    return replace(parsed, authorization=authorization.checked())


def _option(words: Words, name: str) -> dict[str, Any]:
    match name:
        case "format":
            words.accept("as")
            return _option(words, words.expect("csv", "json", "parquet"))
        case "csv" | "json" | "parquet":
            return {"format": Format(name)}
        case "header" | "manifest":
            if name == "manifest" and words.accept("verbose"):
                raise not_supported("UNLOAD", "MANIFEST VERBOSE")
            return {name: True}
        case "gzip":
            return {"compress": True}
        case "allowoverwrite":
            return {"allow_overwrite": True}
        case "cleanpath":
            return {"clean_path": True}
        case "addquotes":
            return {"add_quotes": True}
        case "delimiter" | "null" | "region" | "extension":
            words.accept("as")
            return {"null_as" if name == "null" else name: words.string()}
        case "parallel":
            return {"parallel": words.accept("on", "off", "true", "false") not in ("off", "false")}
        case "maxfilesize":
            words.accept("as")
            size = float(words.take().value)
            return {"max_file_size": int(size * _UNITS[words.accept("mb", "gb") or "mb"])}
        case "rowgroupsize":
            raise not_supported("UNLOAD", "ROWGROUPSIZE")
    raise SqlError("42601", f'syntax error at or near "{name}"')


def unload(tokens: Sequence[Token], session: ClientSession, context: StatementContext) -> StatementResult:
    """Run an UNLOAD.

    Raises:
        SqlError: the query or S3 failed, or the destination is not empty and ALLOWOVERWRITE is not given.
    """
    statement = parse_unload(tokens)
    s3 = s3_client(statement.authorization, statement.region, session, context)
    bucket, prefix = split_url(statement.target)
    try:
        _make_room(statement, s3, bucket, prefix)
        with tempfile.TemporaryDirectory(prefix="localaws-unload-") as directory:
            path = Path(directory, "rows")
            rows = _write(statement, session, path)
            if rows:
                _upload(statement, s3, bucket, prefix, path)
    except (ClientError, BotoCoreError) as error:
        raise s3_error(error) from error
    return StatementResult("UNLOAD", [Notice(f"UNLOAD completed, {rows} record(s) unloaded successfully.")])


def _make_room(statement: UnloadStatement, s3: Any, bucket: str, prefix: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    present = [found["Key"] for page in pages for found in page.get("Contents", ())]
    if statement.clean_path:
        for key in present:
            s3.delete_object(Bucket=bucket, Key=key)
    elif present and not statement.allow_overwrite:
        raise SqlError(
            "XX000",
            f"Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
            f"removing the target files in S3, or using the ALLOWOVERWRITE option. (s3://{bucket}/{present[0]})",
        )


def _write(statement: UnloadStatement, session: ClientSession, path: Path) -> int:
    """Write the rows to a local file, and return how many there are."""
    writers: dict[Format, Callable[[UnloadStatement, ClientSession, BinaryIO], int]] = {
        Format.DELIMITED: _write_text,
        Format.CSV: _write_csv,
        Format.JSON: _write_json,
        Format.PARQUET: _write_parquet,
    }
    compressed = statement.compress and statement.format is not Format.PARQUET
    with path.open("wb") as raw:
        if not compressed:
            return writers[statement.format](statement, session, raw)
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as stream:
            return writers[statement.format](statement, session, stream)  # type: ignore[arg-type]


def _copy_out(statement: UnloadStatement, session: ClientSession, stream: BinaryIO, options: str) -> int:
    rows = 0
    with closing(session.copy_out(f"COPY ({statement.query}) TO STDOUT ({options})")) as copied:
        for row in copied:
            stream.write(row)
            rows += 1
    return rows - (1 if statement.header else 0)


def _write_csv(statement: UnloadStatement, session: ClientSession, stream: BinaryIO) -> int:
    options = f"FORMAT csv, HEADER {statement.header}, NULL {quote_literal(statement.null_as)}"
    return _copy_out(statement, session, stream, f"{options}, DELIMITER {quote_literal(statement.delimiter or ',')}")


def _write_text(statement: UnloadStatement, session: ClientSession, stream: BinaryIO) -> int:
    delimiter = statement.delimiter or "|"
    if statement.add_quotes:
        options = f"FORMAT csv, HEADER {statement.header}, FORCE_QUOTE *, NULL {quote_literal(statement.null_as)}"
        return _copy_out(statement, session, stream, f"{options}, DELIMITER {quote_literal(delimiter)}")
    with closing(_rows(statement, session)) as rows:
        names = next(rows)
        if statement.header:
            stream.write((delimiter.join(str(name) for name in names) + "\n").encode())
        count = 0
        for row in rows:
            fields = (statement.null_as if field is None else field for field in row)
            stream.write((delimiter.join(fields) + "\n").encode())
            count += 1
    return count


def _rows(statement: UnloadStatement, session: ClientSession) -> Generator[tuple[str | None, ...], None, None]:
    """Yield the column names, then the rows, as PostgreSQL's text. Close the generator."""
    escapes = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

    def value(field: str) -> str | None:
        if field == "\\N":
            return None
        if "\\" not in field:
            return field
        parts = field.split("\\\\")
        return "\\".join(
            "".join([pieces[0], *(escapes.get(piece[:1], piece[:1]) + piece[1:] for piece in pieces[1:])])
            for pieces in (part.split("\\") for part in parts)
        )

    with closing(session.copy_out(f"COPY ({statement.query}) TO STDOUT (FORMAT text, HEADER true)")) as lines:
        for line in lines:
            yield tuple(value(field) for field in line.decode().removesuffix("\n").split("\t"))


def _write_json(statement: UnloadStatement, session: ClientSession, stream: BinaryIO) -> int:
    inner = f"select pg_catalog.row_to_json(localaws_row) from ({statement.query}) localaws_row"
    count = 0
    with closing(_rows(replace(statement, query=inner), session)) as rows:
        next(rows)  # the header
        for (line,) in rows:
            stream.write(f"{line}\n".encode())
            count += 1
    return count


def _write_parquet(statement: UnloadStatement, session: ClientSession, stream: BinaryIO) -> int:
    # Imported only when needed: pyarrow takes 50 MB, which a front without such files saves.
    from localaws.redshift.copy import unload_parquet

    schema = unload_parquet.schema_of(statement.query, session)
    with closing(_rows(statement, session)) as rows:
        next(rows)  # the header
        return unload_parquet.write(rows, schema, stream)


def _upload(statement: UnloadStatement, s3: Any, bucket: str, prefix: str, path: Path) -> None:
    """Upload the file with the key that slice 0 (or PARALLEL OFF) would use, and the manifest beside it."""
    names = {Format.PARQUET: ".parquet", Format.CSV: "", Format.JSON: "", Format.DELIMITED: ""}
    extension = names[statement.format]
    if statement.compress and statement.format is not Format.PARQUET:
        extension += ".gz"
    if statement.extension is not None:
        extension = f".{statement.extension.lstrip('.')}"
    if path.stat().st_size > statement.max_file_size:
        raise not_supported("UNLOAD", "a result larger than MAXFILESIZE")
    key = f"{prefix}{'0000_part_00' if statement.parallel else '000'}{extension}"
    size = path.stat().st_size
    with path.open("rb") as stream:
        s3.put_object(Bucket=bucket, Key=key, Body=stream)
    if statement.manifest:
        entry = {"url": f"s3://{bucket}/{key}", "meta": {"content_length": size}}
        s3.put_object(Bucket=bucket, Key=f"{prefix}manifest", Body=json.dumps({"entries": [entry]}).encode())

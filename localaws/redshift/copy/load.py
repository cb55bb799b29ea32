"""COPY: finds the files, loads them one by one in the client's transaction, and records the load history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from botocore.exceptions import ClientError

from localaws.redshift.copy import history
from localaws.redshift.copy.access import s3_client
from localaws.redshift.copy.delimited import DelimitedReader
from localaws.redshift.copy.json_format import JsonReader, parse_jsonpaths
from localaws.redshift.copy.parse import CopyStatement, Format, parse_copy
from localaws.redshift.copy.records import FastCopy, NotFast, Reader
from localaws.redshift.copy.row_by_row import ExactLoad
from localaws.redshift.copy.source import FetchedFile, fetched, find_files, s3_error, split_url
from localaws.redshift.copy.target import Staging, Target, find_target
from localaws.redshift.errors import Notice, SqlError
from localaws.redshift.sql.statements import ClientSession, StatementContext, StatementResult
from localaws.redshift.sql.tokens import Token

log = logging.getLogger(__name__)


def copy(tokens: Sequence[Token], session: ClientSession, context: StatementContext) -> StatementResult:
    """Run a COPY.

    Raises:
        SqlError: nothing was loaded; the message has the reason, or stl_load_errors has it row by row.
    """
    statement = parse_copy(tokens)
    record = history.LoadRecord(statement)
    try:
        _Copy(statement, session, context, record).run()
    except Exception as error:
        try:
            history.write(record, session, context, status="aborted", failure=str(error))
        except (psycopg.Error, SqlError):
            log.exception("The load history of %s could not be written", statement.source)
        raise
    query_id = history.write(record, session, context, status="completed", failure=None)
    session.query(
        f"select pg_catalog.set_config('localaws.last_copy_count', '{record.rows}', false),"
        f" pg_catalog.set_config('localaws.last_copy_id', '{query_id}', false)"
    )
    return StatementResult("COPY", _notices(statement, record))


def _notices(statement: CopyStatement, record: history.LoadRecord) -> list[Notice]:
    table = statement.table
    notices = []
    if record.errors:
        notices.append(
            Notice(
                f"Load into table '{table}' completed, {len(record.errors)} record(s) could not be loaded.  "
                "Check 'stl_load_errors' system table for details."
            )
        )
    if statement.options.no_load:
        return notices
    loaded = f"Load into table '{table}' completed, {record.rows} record(s) loaded successfully."
    return [*notices, Notice(loaded)]


class _Copy:
    """One COPY while it runs."""

    def __init__(
        self, statement: CopyStatement, session: ClientSession, context: StatementContext, record: history.LoadRecord
    ) -> None:
        self._statement = statement
        self._options = statement.options
        self._session = session
        self._context = context
        self._record = record

    def run(self) -> None:
        target = self._record.target = find_target(self._statement, self._session)
        region = self._options.region or self._context.region
        s3 = s3_client(self._statement.authorization, self._options.region, self._session, self._context)
        files = find_files(self._statement, s3)
        self._record.file_count = len(files)
        self._record.file_bytes = sum(file.size for file in files)
        if self._options.no_load:
            self._session.execute("savepoint localaws_noload")
        load = self._loader(target, s3, region)
        with fetched(files, s3, self._options.compression) as arriving:
            for file in arriving:
                self._session.check_cancelled()
                self._load(file, load)
        if self._options.no_load:
            self._session.execute("rollback to savepoint localaws_noload")
            self._record.rows = 0

    def _load(self, file: FetchedFile, load: Callable[[FetchedFile], int]) -> None:
        started = datetime.now(UTC)
        rows = load(file)
        self._record.rows += rows
        self._record.scanned.append(
            history.ScannedFile(file.source.url, file.source.size, rows, started, datetime.now(UTC))
        )

    def _loader(self, target: Target, s3: Any, region: str) -> Callable[[FetchedFile], int]:
        if self._options.format is Format.PARQUET:
            return lambda file: self._parquet(file, target, region)
        reader: Reader
        if self._options.format is Format.JSON:
            mapping = self._options.json_mapping
            paths = parse_jsonpaths(_read(s3, mapping)) if mapping.startswith("s3://") else None
            reader = JsonReader(target, self._options, paths)
        else:
            reader = DelimitedReader(target, self._options)
        return lambda file: self._text(file, target, reader)

    def _parquet(self, file: FetchedFile, target: Target, region: str) -> int:
        if file.source.size == 0 and file.source.key.endswith("/"):
            return 0  # the object that marks an empty folder
        # Imported only when needed: pyarrow takes 50 MB, which a front without such files saves.
        from localaws.redshift.copy.parquet import parquet_csv

        rows = parquet_csv(file.path, file.source, target, region)
        return self._session.copy_in(target.copy_sql("FORMAT csv, NULL ''"), rows).rows

    def _text(self, file: FetchedFile, target: Target, reader: Reader) -> int:
        if file.path.stat().st_size == 0:
            return 0
        loaded = self._fast(target, reader, file.path)
        if loaded is not None:
            return loaded
        # A load fails when its errors reach MAXERROR: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
        allowed = max(self._options.max_error, 1) - 1 - len(self._record.errors)
        exact = ExactLoad(self._session, target, self._options, reader, file.path, file.source.url)
        rows = exact.load(allowed)
        self._record.errors += exact.errors
        if rows is None:
            table = self._statement.table
            raise SqlError(
                "XX000", f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."
            )
        return rows

    def _fast(self, target: Target, reader: Reader, path: Path) -> int | None:
        """Load the file at full speed; if it holds something unusual, load nothing and return None."""
        fast = reader.fast(path)
        if fast is None:
            return None
        self._session.execute("savepoint localaws_copy")
        try:
            rows = self._truncate(target, fast) if fast.truncate else self._copy_in(target, fast)
        except NotFast:
            self._session.execute("rollback to savepoint localaws_copy")
            return None
        except SqlError as error:
            # 22, 23: a row is bad. 0A: PostgreSQL does not support this delimiter or quote.
            # 42501: the user may not create temporary tables; reading row by row needs none.
            no_staging = fast.truncate and error.sqlstate == "42501"
            if error.sqlstate[:2] not in ("22", "23", "0A") and not no_staging:
                raise
            self._session.execute("rollback to savepoint localaws_copy")
            return None
        self._session.execute("release savepoint localaws_copy")
        return rows

    def _copy_in(self, target: Target, fast: FastCopy) -> int:
        return self._session.copy_in(target.copy_sql(fast.options), fast.chunks).rows

    def _truncate(self, target: Target, fast: FastCopy) -> int:
        """Load the file through a staging table, which keeps all digits of a decimal."""
        staging = Staging(target)
        self._session.execute(staging.create)
        rows = self._session.copy_in(target.copy_sql(fast.options, staging), fast.chunks).rows
        self._session.execute(staging.insert)
        self._session.execute(staging.drop)
        return rows


def _read(s3: Any, url: str) -> bytes:
    bucket, key = split_url(url)
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise s3_error(error) from error
    return content

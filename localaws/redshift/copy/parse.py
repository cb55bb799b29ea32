"""Parses COPY statements into a typed description of the load.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html and its pages on parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from localaws.redshift.copy.words import Words
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind, Token


class Format(StrEnum):
    """The format of the files; the values are those of sys_load_history.file_format."""

    DELIMITED = "txt"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class Compression(StrEnum):
    """How the files are compressed."""

    NONE = ""
    GZIP = "gzip"
    BZIP2 = "bzip2"
    ZSTD = "zstd"


@dataclass(frozen=True)
class Authorization:
    """The credentials for S3: a chain of roles ("default" is the cluster's default role), or an access key."""

    roles: tuple[str, ...] = ()
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None


@dataclass(frozen=True)
class CopyOptions:
    """The parameters of a COPY, with Redshift's defaults."""

    format: Format = Format.DELIMITED
    json_mapping: str = "auto"  # "auto", "auto ignorecase" or the address of a jsonpaths file
    compression: Compression = Compression.NONE
    delimiter: str | None = None
    quote: str = '"'
    null_as: str | None = None
    manifest: bool = False
    ignore_header: int = 0
    max_error: int = 0
    region: str | None = None
    empty_as_null: bool = False
    blanks_as_null: bool = False
    truncate_columns: bool = False
    trim_blanks: bool = False
    remove_quotes: bool = False
    escape: bool = False
    fill_record: bool = False
    ignore_blank_lines: bool = False
    explicit_ids: bool = False
    accept_invalid_characters: str | None = None  # the replacement; "" removes them
    date_format: str | None = None
    time_format: str | None = None
    round_decimals: bool = False
    no_load: bool = False

    @property
    def field_delimiter(self) -> str:
        """The character between fields: DELIMITER, by default `|`, or a comma in CSV."""
        return self.delimiter or ("," if self.format is Format.CSV else "|")


@dataclass(frozen=True)
class CopyStatement:
    """`COPY table FROM source authorization options`."""

    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    source: str
    authorization: Authorization
    options: CopyOptions = field(default_factory=CopyOptions)

    @property
    def shown_table(self) -> str:
        """The table's name in messages."""
        return f"{self.schema}.{self.table}" if self.schema else self.table


_UNSUPPORTED = {
    "avro", "orc", "shapefile", "fixedwidth", "lzop", "encrypted", "master_symmetric_key", "readratio", "ssh",
    "encoding", "acceptanydate", "serializetojson", "sse",
}  # fmt: skip


def parse_copy(statement: Sequence[Token]) -> CopyStatement:
    """Parse a COPY statement.

    Raises:
        SqlError: 42601 if this is not a valid COPY; 0A000, with the parameter's name, if a parameter isn't supported.
    """
    words = Words(statement)
    words.expect("copy")
    names = [words.identifier()]
    while words.accept("."):
        names.append(words.identifier())
    if len(names) > 3:
        raise words.error()
    columns = None
    if words.accept("("):
        listed = [words.identifier()]
        while words.accept(","):
            listed.append(words.identifier())
        words.expect(")")
        columns = tuple(listed)
    words.expect("from")
    source = words.string()
    authorization, options = _Parameters(words).read()
    if not source.startswith("s3://"):
        scheme = source.partition("://")[0] if "://" in source else source
        raise not_supported("COPY", f"FROM '{scheme}://…'" if "://" in source else "the data source")
    _check(options)
    return CopyStatement(names[-2] if len(names) > 1 else None, names[-1], columns, source, authorization, options)


def not_supported(command: str, what: str) -> SqlError:
    """Return the error for a feature that Redshift has and the local Redshift does not."""
    return SqlError("0A000", f"{command}: {what} is not supported by the local Redshift")


class AuthorizationParameters:
    """IAM_ROLE, CREDENTIALS and the access key parameters, which COPY and UNLOAD share."""

    def __init__(self, words: Words, command: str) -> None:
        self.words = words
        self.command = command
        self.authorization = Authorization()

    def accept(self, word: str) -> bool:
        """Read the parameter that `word` begins; return False if it is not one of these parameters."""
        match word:
            case "iam_role":
                if self.words.accept("default"):
                    roles = "default"
                else:
                    self.words.accept("as")
                    roles = self.words.string()
                self._set(roles=tuple(role.strip() for role in roles.split(",")))
            case "credentials":
                self.words.accept("as")
                self._credentials(self.words.string())
            case "access_key_id" | "secret_access_key" | "session_token":
                self.words.accept("as")
                self._set(**{word: self.words.string()})
            case _:
                return False
        return True

    def checked(self) -> Authorization:
        """Return the authorization. Raises SqlError if it is missing or incomplete, or there are two."""
        given = self.authorization
        if not given.roles and not (given.access_key_id and given.secret_access_key):
            raise SqlError("42601", f"CREDENTIALS argument is required but not specified for {self.command}")
        if given.roles and given.access_key_id:
            raise SqlError("42601", "conflicting or redundant options: IAM_ROLE and ACCESS_KEY_ID")
        return given

    def _credentials(self, text: str) -> None:
        names = {
            "aws_iam_role": "roles",
            "aws_access_key_id": "access_key_id",
            "aws_secret_access_key": "secret_access_key",
            "token": "session_token",
        }
        for part in filter(None, (part.strip() for part in text.split(";"))):
            name, _, value = part.partition("=")
            if name.strip().lower() == "master_symmetric_key":
                raise not_supported(self.command, "master_symmetric_key")
            if name.strip().lower() not in names or not value:
                raise SqlError(
                    "XX000", "Invalid credentials. Must be of the format: credentials 'aws_iam_role=...' or "
                    "'aws_access_key_id=...;aws_secret_access_key=...[;token=...]'"
                )  # fmt: skip
            attribute = names[name.strip().lower()]
            self._set(**{attribute: tuple(value.strip().split(",")) if attribute == "roles" else value.strip()})

    def _set(self, **values: str | tuple[str, ...]) -> None:
        self.authorization = replace(self.authorization, **values)  # type: ignore[arg-type]


class _Parameters:
    """Reads the parameters after the source, in any order."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.options = CopyOptions()
        self.authorization = AuthorizationParameters(words, "COPY")
        self._readers: dict[str, Callable[[], None]] = {
            "format": self._format,
            "csv": lambda: self._set(format=Format.CSV),
            "json": self._json,
            "parquet": lambda: self._set(format=Format.PARQUET),
            "gzip": lambda: self._set(compression=Compression.GZIP),
            "bzip2": lambda: self._set(compression=Compression.BZIP2),
            "zstd": lambda: self._set(compression=Compression.ZSTD),
            "delimiter": lambda: self._set(delimiter=self._character()),
            "quote": lambda: self._set(quote=self._character()),
            "null": lambda: self._set(null_as=self._text()),
            "manifest": lambda: self._set(manifest=True),
            "ignoreheader": lambda: self._set(ignore_header=self._number()),
            "maxerror": lambda: self._set(max_error=self._number()),
            "region": lambda: self._set(region=self._text()),
            "emptyasnull": lambda: self._set(empty_as_null=True),
            "blanksasnull": lambda: self._set(blanks_as_null=True),
            "truncatecolumns": lambda: self._set(truncate_columns=True),
            "trimblanks": lambda: self._set(trim_blanks=True),
            "removequotes": lambda: self._set(remove_quotes=True),
            "escape": lambda: self._set(escape=True),
            "fillrecord": lambda: self._set(fill_record=True),
            "ignoreblanklines": lambda: self._set(ignore_blank_lines=True),
            "explicit_ids": lambda: self._set(explicit_ids=True),
            "acceptinvchars": lambda: self._set(accept_invalid_characters=self._replacement()),
            "dateformat": lambda: self._set(date_format=self._text()),
            "timeformat": lambda: self._set(time_format=self._text()),
            "roundec": lambda: self._set(round_decimals=True),
            "noload": lambda: self._set(no_load=True),
            # These change how Redshift stores rows, not which rows it loads: there is nothing to do here.
            "compupdate": self._on_off,
            "statupdate": self._on_off,
            "comprows": lambda: self._discard(self._number()),
        }

    def read(self) -> tuple[Authorization, CopyOptions]:
        while not self.words.at_end:
            if self.words.accept(",", "with"):
                continue
            token = self.words.take()
            if token.kind is not Kind.WORD:
                raise self.words.error(token)
            if token.value in self._readers:
                self._readers[token.value]()
            elif token.value in _UNSUPPORTED:
                raise not_supported("COPY", token.upper)
            elif not self.authorization.accept(token.value):
                raise self.words.error(token)
        return self.authorization.checked(), self.options

    def _set(self, **values: object) -> None:
        self.options = replace(self.options, **values)  # type: ignore[arg-type]

    def _format(self) -> None:
        self.words.accept("as")
        name = self.words.take()
        match name.value:
            case "csv" | "json" | "parquet" as known:
                self._readers[known]()
            case other if other in _UNSUPPORTED:
                raise not_supported("COPY", f"FORMAT {other.upper()}")
            case _:
                raise self.words.error(name)

    def _json(self) -> None:
        self.words.accept("as")
        mapping = self.words.accept_string() or "auto"
        if mapping.lower() in ("auto", "auto ignorecase"):
            mapping = mapping.lower()
        elif not mapping.startswith("s3://"):
            raise not_supported("COPY", f"FORMAT JSON '{mapping}'")
        self._set(format=Format.JSON, json_mapping=mapping)

    def _text(self) -> str:
        self.words.accept("as")
        return self.words.string()

    def _number(self) -> int:
        self.words.accept("as")
        return self.words.integer()

    def _character(self) -> str:
        text = self._text()
        if len(text) != 1:
            raise not_supported("COPY", f"a delimiter or quote of {len(text)} characters")
        return text

    def _replacement(self) -> str:
        self.words.accept("as")
        text = self.words.accept_string()
        if text is not None and len(text) != 1:
            raise SqlError("42601", "ACCEPTINVCHARS: the replacement must be one character")
        return "?" if text is None else text

    def _on_off(self) -> None:
        self.words.accept("preset", "on", "off", "true", "false")

    def _discard(self, _: object) -> None:
        pass


def _check(options: CopyOptions) -> None:
    """Refuse combinations that Redshift refuses."""
    if options.max_error > 100_000:
        raise SqlError("XX000", "MAXERROR value must be between 0 and 100000")
    if options.format is Format.PARQUET:
        for given, name in (
            (options.delimiter, "DELIMITER"),
            (options.compression, "GZIP, BZIP2 or ZSTD"),
            (options.ignore_header, "IGNOREHEADER"),
            (options.max_error, "MAXERROR"),
            (options.null_as is not None, "NULL AS"),
            (options.escape, "ESCAPE"),
        ):
            if given:
                raise SqlError("0A000", f"{name} argument is not supported for PARQUET based COPY")
    if options.format is Format.CSV:
        for given, name in ((options.escape, "ESCAPE"), (options.remove_quotes, "REMOVEQUOTES")):
            if given:
                raise SqlError("42601", f"CSV is not compatible with {name}")
    if options.format is Format.JSON:
        for given, name in (
            (options.delimiter, "DELIMITER"),
            (options.ignore_header, "IGNOREHEADER"),
            (options.escape, "ESCAPE"),
            (options.remove_quotes, "REMOVEQUOTES"),
            (options.fill_record, "FILLRECORD"),
        ):
            if given:
                raise SqlError("42601", f"JSON is not compatible with {name}")

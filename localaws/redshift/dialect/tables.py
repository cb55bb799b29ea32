"""CREATE TABLE and ALTER TABLE: Redshift's keys, encodings and identity columns.

Where rows are stored (DISTKEY, SORTKEY, DISTSTYLE, ENCODE) has no meaning in a single PostgreSQL. It is passed on in a
comment: an event trigger (`compat/05_tables.sql`) reads it there, and pg_table_def and svv_table_info show it. On
Redshift, PRIMARY KEY, UNIQUE and FOREIGN KEY are only for the planner and not enforced; a primary key's columns are NOT
NULL.
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

from localaws.redshift.dialect.expressions import DECIMALS, DEFAULT_DECIMAL
from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.sql.tokens import Kind

# The default lengths and precisions of columns.
# https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html and r_Numeric_types201.html
_DEFAULT_LENGTHS = {
    "TEXT": "varchar(256)",
    "BPCHAR": "char(256)",
    "NVARCHAR": "varchar(256)",
    "VARCHAR": "varchar(256)",
    **dict.fromkeys(DECIMALS, DEFAULT_DECIMAL),
}
_COLLATIONS = ("CASE_SENSITIVE", "CASE_INSENSITIVE", "CS", "CI")
_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN")


@dataclass
class Declared:
    """What a statement declares about the storage of a table's rows."""

    table: str
    diststyle: str | None = None
    distkey: str | None = None
    sortstyle: str | None = None
    sortkey: list[str] = field(default_factory=list)
    encodings: dict[str, str] = field(default_factory=dict)

    def comment(self) -> str:
        """Return the comment for the event trigger; empty if nothing is declared."""
        said = {name: value for name, value in dataclasses.asdict(self).items() if value}
        return " /*redshift:" + json.dumps(said).replace("/", "\\/") + "*/" if len(said) > 1 else ""


def rewrite(sentence: Sentence) -> None:
    """Rewrite a statement that creates or alters a table; leave others alone."""
    declared = Declared("")
    if sentence.text(0) == "CREATE":
        _create(sentence, declared)
    elif sentence.reads(0, "ALTER", "TABLE"):
        _alter(sentence, declared)
    sentence.append(len(sentence) - 1, declared.comment())


def _create(sentence: Sentence, declared: Declared) -> None:
    at = 1
    temporary = False
    while sentence.text(at) in ("LOCAL", "TEMP", "TEMPORARY"):
        temporary |= sentence.text(at) != "LOCAL"
        at += 1
    materialized = sentence.reads(at, "MATERIALIZED", "VIEW")
    if sentence.text(at) != "TABLE" and not materialized:
        return
    at += 2 if materialized else 1
    if sentence.reads(at, "IF", "NOT", "EXISTS"):
        at += 3
    name = sentence.text(at)
    if name.startswith("#") and not temporary:
        sentence.append(0, " TEMP")
    at = _after_name(sentence, at, declared)
    if sentence.text(at) == "(":
        closing = sentence.closing(at)
        if not _is_query_behind(sentence, closing):
            _columns(sentence, at, closing, declared)
        at = closing + 1
    _attributes(sentence, at, declared)


def _after_name(sentence: Sentence, at: int, declared: Declared) -> int:
    """Return where the table's name, which may have a schema, ends."""
    while sentence.text(at + 1) == ".":
        at += 2
    if at < len(sentence):
        declared.table = sentence[at].name
    return at + 1


def _is_query_behind(sentence: Sentence, closing: int) -> bool:
    """Whether AS follows the parenthesis: then it has only column names, as in CREATE TABLE … (a, b) AS."""
    index = closing + 1
    while index < len(sentence) and sentence.text(index) != "AS":
        index += 1
    return index < len(sentence)


def _attributes(sentence: Sentence, at: int, declared: Declared) -> None:
    """Remove the attributes between the columns and AS: DISTSTYLE, DISTKEY, SORTKEY, ENCODE AUTO, BACKUP."""
    while at < len(sentence) and sentence.text(at) != "AS":
        word = sentence.text(at)
        length = 0
        if word in ("DISTSTYLE", "BACKUP", "ENCODE"):
            length = 2
            if word == "DISTSTYLE":
                declared.diststyle = sentence.text(at + 1)
        elif word in ("COMPOUND", "INTERLEAVED"):
            length = 1
            declared.sortstyle = word
        elif word in ("DISTKEY", "SORTKEY"):
            length = 2
            if sentence.text(at + 1) == "(":
                closing = sentence.closing(at + 1)
                length = closing + 1 - at
                columns = [sentence[begin].name for begin, _ in sentence.parts(at + 1, closing)]
                if word == "SORTKEY":
                    declared.sortkey = columns
                else:
                    declared.distkey = columns[0] if columns else None
        elif sentence.reads(at, "AUTO", "REFRESH"):
            length = 3
        sentence.blank(at, min(at + length, len(sentence)))
        at += length or 1


def _columns(sentence: Sentence, opening: int, closing: int, declared: Declared) -> None:
    kept: list[tuple[int, int]] = []
    parts = sentence.parts(opening, closing)
    for begin, end in parts:
        if sentence.text(begin) in _CONSTRAINTS and sentence[begin].kind == Kind.WORD:
            not_null = _constraint(sentence, begin, end)
            if not_null is None:
                kept.append((begin, end))
            elif not_null:
                sentence.replace(begin, end, not_null)
                kept.append((begin, end))
            else:
                sentence.blank(begin, end)
        else:
            if sentence.text(begin) != "LIKE":
                _column(sentence, begin, end, declared)
            kept.append((begin, end))
    # Keep commas only between the parts that are left.
    survivors = {begin for begin, _ in kept}
    seen = False
    for begin, _ in parts:
        if sentence.text(begin - 1) == "," and not (begin in survivors and seen):
            sentence.write(begin - 1, "")
        seen |= begin in survivors


def _constraint(sentence: Sentence, begin: int, end: int) -> str | None:
    """Return the text that replaces a table constraint; None for a constraint that Redshift enforces, too."""
    at = begin + 2 if sentence.text(begin) == "CONSTRAINT" else begin
    word = sentence.text(at)
    if word == "PRIMARY":
        opening = at + 2
        columns = sentence.parts(opening, sentence.closing(opening)) if sentence.text(opening) == "(" else []
        return ", ".join(f"NOT NULL {sentence.render(first, last)}" for first, last in columns)
    return "" if word in ("UNIQUE", "FOREIGN") else None


def _column(sentence: Sentence, begin: int, end: int, declared: Declared) -> None:
    """Rewrite a column's definition: its name, type and attributes."""
    _default_length(sentence, begin + 1, end)
    at = begin + 2
    while at < end:
        word = sentence.text(at)
        if word in ("(", "["):
            at = sentence.closing(at) + 1
            continue
        length = 1
        if word in ("DISTKEY", "SORTKEY", "UNIQUE"):
            sentence.blank(at, at + 1)
            if word == "DISTKEY":
                declared.distkey = sentence[begin].name
            elif word == "SORTKEY":
                declared.sortkey.append(sentence[begin].name)
        elif word == "ENCODE":
            length = 2
            declared.encodings[sentence[begin].name] = sentence.text(at + 1).lower()
            sentence.blank(at, min(at + length, end))
        elif word == "COLLATE" and sentence.text(at + 1) in _COLLATIONS:
            length = 2
            sentence.blank(at, at + length)
        elif word == "PRIMARY" and sentence.text(at + 1) == "KEY":
            length = 2
            sentence.replace(at, at + 2, "NOT NULL")
        elif word == "REFERENCES":
            length = _reference_length(sentence, at)
            sentence.blank(at, at + length)
        elif word == "IDENTITY" and sentence.text(at + 1) == "(":
            length = _identity(sentence, at)
        at += length


def _default_length(sentence: Sentence, at: int, end: int) -> None:
    word = sentence.text(at)
    if word == "CHARACTER" and sentence.text(at + 1) == "VARYING":
        if sentence.text(at + 2) != "(":
            sentence.append(at + 1, "(256)")
    elif word in _DEFAULT_LENGTHS and at < end:
        if sentence.text(at + 1) != "(":
            sentence.write(at, _DEFAULT_LENGTHS[word])
        elif word == "TEXT":
            sentence.write(at, "varchar")  # TEXT(n) is VARCHAR(n)


def _reference_length(sentence: Sentence, at: int) -> int:
    index = at + 2
    while sentence.text(index) == ".":
        index += 2
    if sentence.text(index) == "(":
        index = sentence.closing(index) + 1
    return index - at


def _identity(sentence: Sentence, at: int) -> int:
    """IDENTITY(seed, step), or GENERATED BY DEFAULT AS IDENTITY(seed, step)."""
    closing = sentence.closing(at + 1)
    values = [sentence.render(*part) for part in sentence.parts(at + 1, closing)]
    if len(values) == 2:
        prefix = "" if sentence.text(at - 1) == "AS" else "GENERATED ALWAYS AS "
        seed, step = values
        # PostgreSQL's default bounds are 1 and -1: IDENTITY(0, 1) would start outside them.
        bound = "MAXVALUE" if step.startswith("-") else "MINVALUE"
        text = f"{prefix}IDENTITY (START WITH {seed} INCREMENT BY {step} {bound} {seed})"
        sentence.replace(at, closing + 1, text)
    return closing + 1 - at


def _alter(sentence: Sentence, declared: Declared) -> None:
    at = 2
    if sentence.reads(at, "IF", "EXISTS"):
        at += 2
    at = _after_name(sentence, at, declared)
    word, following = sentence.text(at), sentence.text(at + 1)
    if word == "ADD":
        begin = at + 2 if following == "COLUMN" else at + 1
        if sentence.text(begin) in _CONSTRAINTS:
            constraint = _constraint(sentence, begin, len(sentence))
            if constraint:
                # NOT NULL for each column of the primary key
                sentence.replace(begin, len(sentence), constraint.replace(", NOT NULL", ", ADD NOT NULL"))
            elif constraint == "":
                _check_only(sentence, at)
        else:
            _column(sentence, begin, len(sentence), declared)
    elif word == "ALTER" and (
        following in ("DISTKEY", "DISTSTYLE", "SORTKEY", "COMPOUND", "ENCODE")
        or "ENCODE" in (sentence.text(at + 2), sentence.text(at + 3))
    ):
        if following != "COLUMN":
            _attributes(sentence, at + 1, declared)
        elif sentence.text(at + 3) == "ENCODE":
            declared.encodings[sentence[at + 2].name] = sentence.text(at + 4).lower()
        if (declared.distkey and sentence.text(at + 1) == "DISTSTYLE") or following == "DISTKEY":
            declared.diststyle = "KEY"
        _check_only(sentence, at)


def _check_only(sentence: Sentence, at: int) -> None:
    """Replace an action that means nothing here by one without effect: the table must still exist and be the user's."""
    sentence.replace(at, len(sentence), "SET (fillfactor = 100)")

"""Expressions and queries: functions with a syntax that PostgreSQL does not have, TOP, temporary names, types."""

from __future__ import annotations

from collections.abc import Callable

from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind

# Date parts and their abbreviations.
# https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
_DATE_PARTS = """
millennium millennia mil mils century centuries c cent cents decade decades dec decs epoch year years y yr yrs
quarter quarters qtr qtrs month months mon mons week weeks w dayofweek dow dw weekday dayofyear doy dy yearday
day days d hour hours h hr hrs minute minutes m min mins second seconds s sec secs
millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon
microsecond microseconds microsec microsecs usecond useconds us usec usecs timezone timezone_hour timezone_minute
"""
DATE_PARTS = frozenset(_DATE_PARTS.split())

# https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
DECIMALS = ("DECIMAL", "NUMERIC", "DEC")
DEFAULT_DECIMAL = "numeric(18, 0)"
_LARGEST_PRECISION = 38


def rewrite(sentence: Sentence) -> None:
    """Rewrite one statement's expressions from right to left, so that the innermost come first."""
    for index in range(len(sentence) - 1, -1, -1):
        token = sentence[index]
        if token.kind != Kind.WORD:
            continue
        if token.upper.startswith("#"):
            _temporary_name(sentence, index)
        elif sentence.text(index - 1) == ".":
            continue
        elif sentence.text(index + 1) == "(" and token.upper in _CALLS:
            _CALLS[token.upper](sentence, index, sentence.closing(index + 1))
        elif token.upper in _WORDS:
            _WORDS[token.upper](sentence, index)


# --- words ----------------------------------------------------------------------------------------------------------


def _temporary_name(sentence: Sentence, index: int) -> None:
    """#name is the name of a temporary table."""
    sentence.write(index, f'"{sentence[index].text.lower()}"')
    if sentence.text(index - 1) == "INTO" and sentence.text(index - 2) != "INSERT" and sentence.text(0) != "MERGE":
        sentence.write(index - 1, "INTO TEMP TABLE")  # SELECT … INTO #name


def _sysdate(sentence: Sentence, index: int) -> None:
    if sentence.text(index - 1) != "AS" and sentence.text(index + 1) not in ("(", "."):
        sentence.write(index, "sysdate()")


def _minus(sentence: Sentence, index: int) -> None:
    if sentence.text(index + 1) in ("SELECT", "ALL", "DISTINCT", "("):
        sentence.write(index, "EXCEPT")


def _approximate(sentence: Sentence, index: int) -> None:
    if sentence.text(index + 1) in ("COUNT", "PERCENTILE_DISC") and sentence.text(index + 2) == "(":
        sentence.write(index, "")


def _top(sentence: Sentence, index: int) -> None:
    """SELECT [ALL | DISTINCT] TOP n … becomes LIMIT n at the end of that query."""
    first = index - 1 if sentence.text(index - 1) in ("ALL", "DISTINCT") else index
    if sentence.text(first - 1) != "SELECT" or index + 1 >= len(sentence):
        return
    if sentence.text(index + 1) == "(":
        last = sentence.closing(index + 1)
    elif sentence[index + 1].kind in (Kind.NUMBER, Kind.PARAMETER):
        last = index + 1
    else:
        return  # a column with the name top
    if sentence.text(last + 1) in (",", "FROM", ")", ""):
        return
    count = sentence.render(index + 1, last + 1)
    sentence.blank(index, last + 1)
    end = last + 1
    while end < len(sentence) and sentence.text(end) not in (")", "UNION", "INTERSECT", "EXCEPT", "MINUS"):
        end = sentence.closing(end) + 1 if sentence.text(end) in ("(", "[") else end + 1
    sentence.append(min(end, len(sentence)) - 1, f" LIMIT {count}")


def _type_name(sentence: Sentence, index: int) -> None:
    """NVARCHAR is VARCHAR, and MAX is the longest possible length."""
    word = sentence.text(index)
    following = index + 2 if sentence.text(index + 1) == "VARYING" else index + 1
    if sentence.reads(following, "(", "MAX", ")"):
        sentence.write(following + 1, "65535" if "VAR" in word or following == index + 2 else "4096")
    if word == "NVARCHAR" and sentence.output(index) == sentence[index].text:
        sentence.write(index, "varchar")


def _bytes_type(sentence: Sentence, index: int) -> None:
    """VARBYTE(n), VARBINARY(n): these are types only after a name, AS or `::`."""
    before = sentence.text(index - 1)
    if before in ("AS", "::") or (index > 0 and sentence[index - 1].kind in (Kind.WORD, Kind.QUOTED)):
        end = sentence.closing(index + 1) + 1 if sentence.text(index + 1) == "(" else index + 1
        sentence.replace(index, end, "bytea")


def _decimal(sentence: Sentence, index: int) -> None:
    """A cast to DECIMAL without a precision means DECIMAL(18, 0); PostgreSQL would keep all decimals."""
    if sentence.text(index - 1) == "::" or _called(sentence, index, "CONVERT") or _is_cast_to(sentence, index):
        sentence.write(index, DEFAULT_DECIMAL)


def _called(sentence: Sentence, index: int, name: str) -> bool:
    """Whether the token is the whole first argument of a call of `name`."""
    return sentence.text(index - 1) == "(" and sentence.text(index - 2) == name and sentence.text(index + 1) == ","


def _is_cast_to(sentence: Sentence, index: int) -> bool:
    """Whether the token is the type in CAST(… AS type); after any other AS, it is an alias."""
    if sentence.text(index - 1) != "AS" or sentence.text(index + 1) != ")":
        return False
    opening = next((at for at in range(index - 1, -1, -1) if _opens(sentence, at, index)), 0)
    return sentence.text(opening - 1) in ("CAST", "TRY_CAST")


def _opens(sentence: Sentence, at: int, index: int) -> bool:
    """Whether the parenthesis that is opened at `at` is still open at `index`."""
    return sentence.text(at) == "(" and sentence.closing(at) > index


def _decimal_type(sentence: Sentence, index: int, closing: int) -> None:
    """DECIMAL(p, s): Redshift allows at most 38 digits, PostgreSQL 1000.

    Raises:
        SqlError: the precision is too large.
    """
    precision = sentence.text(index + 2)
    if precision.isdigit() and not 1 <= int(precision) <= _LARGEST_PRECISION:
        raise SqlError("22023", f"NUMERIC precision {precision} must be between 1 and {_LARGEST_PRECISION}")


# --- calls ----------------------------------------------------------------------------------------------------------


def _date_part_call(name: str) -> Callable[[Sentence, int, int], None]:
    def rule(sentence: Sentence, index: int, closing: int) -> None:
        """Write the first argument, an unquoted word on Redshift, as a string."""
        sentence.write(index, name)
        if sentence.text(index + 3) != ",":
            return
        part = sentence[index + 2]
        if part.kind in (Kind.WORD, Kind.QUOTED) and part.name in DATE_PARTS:
            sentence.write(index + 2, f"'{part.name}'")

    return rule


def _renamed(name: str) -> Callable[[Sentence, int, int], None]:
    def rule(sentence: Sentence, index: int, closing: int) -> None:
        sentence.write(index, name)

    return rule


def _nvl2(sentence: Sentence, index: int, closing: int) -> None:
    arguments = [sentence.render(*part) for part in sentence.parts(index + 1, closing)]
    if len(arguments) == 3:
        test, present, absent = arguments
        text = f"CASE WHEN ({test}) IS NOT NULL THEN {present} ELSE {absent} END"
        sentence.replace(index, closing + 1, text)


def _decode(sentence: Sentence, index: int, closing: int) -> None:
    """DECODE(expression, search, result, …, default): NULLs are equal. With two arguments it is PostgreSQL's DECODE."""
    arguments = [sentence.render(*part).strip() for part in sentence.parts(index + 1, closing)]
    if len(arguments) < 3:
        return
    value, rest = arguments[0], arguments[1:]
    whens = "".join(
        f" WHEN ({value}) IS NOT DISTINCT FROM ({search}) THEN {result}"
        for search, result in zip(rest[::2], rest[1::2], strict=False)
    )
    otherwise = f" ELSE {rest[-1]}" if len(rest) % 2 else ""
    sentence.replace(index, closing + 1, f"CASE{whens}{otherwise} END")


def _listagg(sentence: Sentence, index: int, closing: int) -> None:
    """LISTAGG(…) WITHIN GROUP (ORDER BY …): move the ORDER BY into the call."""
    if sentence.reads(closing + 1, "WITHIN", "GROUP", "("):
        opening, end = closing + 3, sentence.closing(closing + 3)
        order = sentence.render(opening + 1, end)
        sentence.replace(closing, end + 1, f" {order})")


def _median(sentence: Sentence, index: int, closing: int) -> None:
    value = sentence.render(index + 2, closing)
    if value:
        sentence.replace(index, closing + 1, f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})")


def _convert(sentence: Sentence, index: int, closing: int) -> None:
    """CONVERT(type, expression) is CAST(expression AS type)."""
    parts = sentence.parts(index + 1, closing)
    if len(parts) == 2:
        kind, value = (sentence.render(*part).strip() for part in parts)
        sentence.replace(index, closing + 1, f"CAST({value} AS {kind})")


_CALLS: dict[str, Callable[[Sentence, int, int], None]] = {
    "DATEADD": _date_part_call("date_add"),
    "DATE_ADD": _date_part_call("date_add"),
    "DATEDIFF": _date_part_call("date_diff"),
    "DATE_DIFF": _date_part_call("date_diff"),
    "DATE_PART": _date_part_call("date_part"),
    "PGDATE_PART": _date_part_call("date_part"),
    "NVL": _renamed("coalesce"),
    "NVL2": _nvl2,
    "DECODE": _decode,
    "LISTAGG": _listagg,
    "MEDIAN": _median,
    "CONVERT": _convert,
    "NVARCHAR": lambda sentence, index, closing: _type_name(sentence, index),
    "VARCHAR": lambda sentence, index, closing: _type_name(sentence, index),
    "CHAR": lambda sentence, index, closing: _type_name(sentence, index),
    "BPCHAR": lambda sentence, index, closing: _type_name(sentence, index),
    "VARBYTE": lambda sentence, index, closing: _bytes_type(sentence, index),
    "VARBINARY": lambda sentence, index, closing: _bytes_type(sentence, index),
    **dict.fromkeys(DECIMALS, _decimal_type),
}
_WORDS: dict[str, Callable[[Sentence, int], None]] = {
    "SYSDATE": _sysdate,
    "MINUS": _minus,
    "APPROXIMATE": _approximate,
    "TOP": _top,
    "NVARCHAR": _type_name,
    "CHARACTER": _type_name,
    "VARBYTE": _bytes_type,
    "VARBINARY": _bytes_type,
    **dict.fromkeys(DECIMALS, _decimal),
}
WORDS = frozenset(_CALLS) | frozenset(_WORDS)

"""QUALIFY: a filter on window functions, which PostgreSQL lacks.

    SELECT a, b AS c FROM t WHERE w QUALIFY q ORDER BY o LIMIT n

becomes a query with a subquery, which has the condition as an additional column:

    SELECT q1 AS a, q2 AS c FROM (SELECT a, b, (q) FROM t WHERE w) AS qualified (q1, q2, keep) WHERE keep
    ORDER BY o LIMIT n

https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html
"""

from __future__ import annotations

import re

from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind

_SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT", "MINUS")
_ENDS = (")", "ORDER", "LIMIT", "OFFSET", *_SET_OPERATIONS)
_LIMIT = re.compile(r" LIMIT (\d+|\$\d+)$")
_UNNAMED = '"?column?"'


def rewrite(sentence: Sentence) -> None:
    """Rewrite each SELECT with QUALIFY, the innermost first; leave others alone.

    Raises:
        SqlError: QUALIFY with a `*` in the select list, whose columns are not known here.
    """
    for index in range(len(sentence) - 1, -1, -1):
        if sentence.text(index) == "QUALIFY" and sentence[index].kind == Kind.WORD:
            select = _select_of(sentence, index)
            if select is not None:
                _rewrite(sentence, select, index)


def _select_of(sentence: Sentence, qualify: int) -> int | None:
    """Return the SELECT that a QUALIFY belongs to; None if the word is something else, such as a name."""
    if sentence.text(qualify - 1) in (".", ",", "AS") or sentence.text(qualify + 1) in ("", ",", ".", ")", "FROM"):
        return None
    depth = 0
    for index in range(qualify - 1, -1, -1):
        text = sentence.text(index)
        depth += (text == ")") - (text == "(")
        if depth < 0:
            return None
        if depth == 0 and text == "SELECT":
            return index
    return None


def _rewrite(sentence: Sentence, select: int, qualify: int) -> None:
    begin = select + 2 if sentence.text(select + 1) in ("DISTINCT", "ALL") else select + 1
    while begin < qualify and not sentence.output(begin).strip():
        begin += 1  # TOP n, which was removed before
    source = _find(sentence, begin, qualify, ("FROM",))
    if source == qualify:
        return
    items = _items(sentence, begin, source)
    names = [_name(sentence, first, last) for first, last in items]
    if any(
        sentence.text(last - 1) == "*" and sentence.text(last - 2) in (",", ".", "SELECT", "ALL", "DISTINCT")
        for _, last in items
    ):
        raise SqlError(
            "0A000",
            "QUALIFY with * is not supported by this embedded Redshift",
            hint="Name the columns in the select list.",
        )
    end = _find(sentence, qualify + 1, len(sentence), _ENDS)
    columns = [f"q{number}" for number in range(1, len(items) + 1)]
    outer = ", ".join(f"{column} AS {name}" for column, name in zip(columns, names, strict=True))
    inner = ", ".join(_expression(sentence, first, last) for first, last in items)
    relation = sentence.render(source, qualify).rstrip()
    condition = sentence.render(qualify + 1, end).strip()
    limit = _LIMIT.search(condition)  # from a TOP n; the client's own LIMIT would have ended the condition
    if limit is not None:
        condition = condition[: limit.start()]
    text = f"{sentence.render(select, begin)} {outer} FROM (SELECT {inner}, ({condition}) {relation})"
    alias = f" AS qualified ({', '.join(columns)}, keep) WHERE keep"
    sentence.replace(select, end, text + alias + (limit[0] if limit else ""))


def _find(sentence: Sentence, begin: int, end: int, wanted: tuple[str, ...]) -> int:
    index = begin
    while index < end and sentence.text(index) not in wanted:
        index = sentence.closing(index) + 1 if sentence.text(index) in ("(", "[") else index + 1
    return min(index, end)


def _items(sentence: Sentence, begin: int, end: int) -> list[tuple[int, int]]:
    items: list[tuple[int, int]] = []
    while begin <= end:
        comma = _find(sentence, begin, end, (",",))
        items.append((begin, comma))
        begin = comma + 1
    return items


def _alias(sentence: Sentence, first: int, last: int) -> int | None:
    """Return the place of an item's alias: after AS, or after an expression that can't continue with a name."""
    if last - first < 2 or sentence[last - 1].kind not in (Kind.WORD, Kind.QUOTED):
        return None
    before = sentence[last - 2]
    if before.upper == "AS" or before.text in (")", "]"):
        return last - 1
    if before.kind in (Kind.STRING, Kind.NUMBER, Kind.QUOTED) or before.upper == "END":
        return last - 1
    return last - 1 if last - first == 2 and before.kind == Kind.WORD else None


def _expression(sentence: Sentence, first: int, last: int) -> str:
    alias = _alias(sentence, first, last)
    if alias is None:
        return sentence.render(first, last).strip()
    return sentence.render(first, alias - 1 if sentence.text(alias - 1) == "AS" else alias).strip()


def _name(sentence: Sentence, first: int, last: int) -> str:
    """Return the name that PostgreSQL gives an item: its alias, or the name of its column or function."""
    alias = _alias(sentence, first, last)
    if alias is not None:
        return sentence.output(alias).strip()
    if sentence[last - 1].kind in (Kind.WORD, Kind.QUOTED) and sentence.text(last - 2) in (".", ",", ""):
        return sentence.output(last - 1).strip()
    if last - first == 1:
        return sentence.output(first).strip() if sentence[first].kind in (Kind.WORD, Kind.QUOTED) else _UNNAMED
    if sentence[first].kind == Kind.WORD and sentence.text(first + 1) == "(":
        return sentence.output(first).strip().lower()
    if sentence.text(last - 2) == "." and sentence[last - 1].name:
        return sentence.output(last - 1).strip()
    return _UNNAMED

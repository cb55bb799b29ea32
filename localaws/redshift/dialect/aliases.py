"""Lateral column aliases: references to a column's alias in the same SELECT, which PostgreSQL refuses.

    select clicks / impressions as probability, round(100 * probability, 1) as percentage from t where probability > 0.5

A name refers to an alias only if no column has this name, and only PostgreSQL knows that. So the front asks PostgreSQL,
and then expands the names that PostgreSQL does not know.
https://aws.amazon.com/about-aws/whats-new/2018/08/amazon-redshift-announces-support-for-lateral-column-alias-reference/
"""

from __future__ import annotations

from collections.abc import Iterator

from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.sql.tokens import Kind

_SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT", "MINUS")
_AFTER_THE_LIST = ("FROM", "INTO", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "OFFSET", *_SET_OPERATIONS)


def candidates(sentence: Sentence) -> frozenset[str]:
    """Return the names in a statement that may refer to an alias, or to a column."""
    return frozenset(sentence[use].name for _, _, use in _uses(sentence))


def expand(sentence: Sentence, names: frozenset[str]) -> None:
    """Replace references to these aliases by the aliases' expressions."""
    for begin, end, use in _uses(sentence):
        if sentence[use].name in names:
            sentence.write(use, f"({sentence.render(begin, end)})")


def _uses(sentence: Sentence) -> Iterator[tuple[int, int, int]]:
    """Yield each reference, from left to right: start and end of the alias's expression, and the reference's place."""
    for index in range(len(sentence)):
        if sentence.text(index) == "SELECT" and sentence[index].kind == Kind.WORD:
            yield from _uses_in(sentence, index + 1)


def _uses_in(sentence: Sentence, begin: int) -> Iterator[tuple[int, int, int]]:
    defined: dict[str, tuple[int, int]] = {}
    item = index = begin
    while index < len(sentence) and sentence.text(index) not in (*_AFTER_THE_LIST, ")"):
        if sentence.text(index) == "(":
            closing = sentence.closing(index)
            yield from _references(sentence, index, closing, defined)
            index = closing
        elif sentence.text(index) == ",":
            item = index + 1
        elif sentence.text(index) == "AS" and index + 1 < len(sentence):
            defined.setdefault(sentence[index + 1].name, (item, index))
            index += 1
        else:
            yield from _references(sentence, index, index + 1, defined)
        index += 1
    if defined:
        for first, last in _conditions(sentence, index):
            yield from _references(sentence, first, last, defined)


def _conditions(sentence: Sentence, index: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of WHERE, HAVING and QUALIFY in the SELECT whose list ends before `index`."""
    begin: int | None = None
    while index < len(sentence) and sentence.text(index) != ")" and sentence.text(index) not in _SET_OPERATIONS:
        if sentence.text(index) in _AFTER_THE_LIST:
            if begin is not None:
                yield begin, index
            begin = index + 1 if sentence.text(index) in ("WHERE", "HAVING", "QUALIFY") else None
        index = sentence.closing(index) + 1 if sentence.text(index) == "(" else index + 1
    if begin is not None:
        yield begin, index


def _references(
    sentence: Sentence, begin: int, end: int, defined: dict[str, tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    index = begin
    while index < end:
        token = sentence[index]
        if sentence.text(index) == "(" and sentence.text(index + 1) in ("SELECT", "WITH"):
            index = sentence.closing(index)  # a subquery
        elif (
            token.name in defined
            and sentence.text(index - 1) not in (".", "::", "AS")
            and sentence.text(index + 1) not in (".", "(")
        ):
            yield *defined[token.name], index
        index += 1

"""Parses the commands of a query: fields @timestamp | filter level = "ERROR" | sort @timestamp desc | limit 20."""

from __future__ import annotations

from dataclasses import dataclass

from localaws.logs.insights.filters import FilterParser, Regex
from localaws.logs.insights.rows import SYSTEM
from localaws.logs.insights.stages import (
    FUNCTIONS,
    NO_AGGREGATES_OF,
    Aggregate,
    Filter,
    Limit,
    ParseGlob,
    ParseRegex,
    Rename,
    Sort,
    Stage,
    Stats,
)
from localaws.logs.insights.words import Kind, Word, Words, malformed, unsupported

DEFAULT_LIMIT = 10_000
_HIGHEST_LIMIT = 100_000
_ELSEWHERE = frozenset(
    ("source", "unmask", "pattern", "diff", "anomaly", "dedup", "unnest", "filterindex", "lookup", "join", "estimate")
)
_ONLY_BEFORE_STATS = ("fields", "parse", "stats")
_MANY_TIMES = ("fields", "filter", "parse", "display")


@dataclass(frozen=True)
class Query:
    """The commands of a query, in their order."""

    stages: tuple[Stage, ...]
    shown: tuple[str, ...]
    """The fields that a result has; all fields if this is empty."""
    is_stats: bool


def parse_query(text: str) -> Query:
    """Parse a query.

    Raises:
        LogsClientError: AWS would refuse the query.
        UnsupportedOperation: the query uses something that is not supported here.
    """
    return _Parser(Words(text)).parse()


class _Parser:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._stages: list[Stage] = []
        self._fields: list[str] = []
        self._displayed: list[str] = []
        self._known = set(SYSTEM)
        self._seen: set[str] = set()

    def parse(self) -> Query:
        commands = {
            "fields": self._parse_fields,
            "display": self._parse_display,
            "filter": self._parse_filter,
            "parse": self._parse_parse,
            "stats": self._parse_stats,
            "sort": self._parse_sort,
            "limit": self._parse_limit,
        }
        while True:
            word = self._words.next
            name = word.value.lower()
            if word.kind is Kind.NAME and not word.quoted and name in _ELSEWHERE:
                raise unsupported(f"The command {name}")
            if not word.says(*commands):
                raise self._words.wrong()
            self._check_order(name)
            self._words.pop()
            commands[name]()
            self._seen.add(name)
            if self._words.next.kind is Kind.END:
                break
            self._words.need("|")
        is_stats = "stats" in self._seen
        shown = self._displayed or ([] if is_stats else self._fields or ["@timestamp", "@message"])
        if "limit" not in self._seen:
            self._stages.append(Limit(DEFAULT_LIMIT))
        return Query(tuple(self._stages), tuple(dict.fromkeys(shown)), is_stats)

    def _check_order(self, name: str) -> None:
        """Refuse an order of commands that AWS's guide doesn't define."""
        if name not in _MANY_TIMES and name in self._seen:
            raise unsupported(f"A second {name}")
        if name != "display":
            later = {"sort", "limit"} if name != "limit" else set()
            later |= {"stats"} if name in _ONLY_BEFORE_STATS else set()
            if found := sorted(later & self._seen):
                raise unsupported(f"{name} after {found[0]}")

    def _parse_fields(self) -> None:
        renamed = []
        while True:
            name = self._field(self._words.pop())
            self._no_more_than_a_field()
            if self._words.take("as"):
                if name in NO_AGGREGATES_OF:
                    raise unsupported(f"Another name for {name}")
                alias = self._new_name()
                renamed.append((name, alias))
                name = alias
            self._fields.append(name)
            if not self._words.take(","):
                break
        if renamed:
            self._stages.append(Rename(tuple(renamed)))

    def _parse_display(self) -> None:
        self._displayed = self._field_list()

    def _parse_filter(self) -> None:
        self._stages.append(Filter(FilterParser(self._words, self._field).parse()))

    def _parse_parse(self) -> None:
        words = self._words
        field = "@message" if words.next.kind in (Kind.TEXT, Kind.REGEX) else self._field(words.pop())
        if field in NO_AGGREGATES_OF:
            raise unsupported(f"parse of {field}")
        pattern = words.pop()
        if pattern.kind is Kind.REGEX:
            regex = Regex(pattern.value)
            regex.groups("")  # raises if a group has no name
            names = _group_names(pattern.value)
            if known := self._known & set(names):
                raise malformed(f"{min(known)} is the name of another field")
            self._known |= set(names)
            self._stages.append(ParseRegex(field, regex))
            return
        if pattern.kind is not Kind.TEXT:
            raise malformed(f"unexpected symbol found {pattern.value}")
        texts = tuple(pattern.value.split("*"))
        words.need("as")
        names = [self._new_name()]
        while words.take(","):
            names.append(self._new_name())
        if len(names) != len(texts) - 1:
            raise malformed(f"{len(texts) - 1} wildcards in a parse with {len(names)} names")
        if "" in texts[1:-1]:
            raise unsupported("parse with adjacent wildcards")
        self._stages.append(ParseGlob(field, texts, tuple(names)))

    def _parse_stats(self) -> None:
        if self._displayed:
            raise unsupported("stats after display")
        aggregates = [self._aggregate()]
        while self._words.take(","):
            aggregates.append(self._aggregate())
        by = tuple(self._field_list()) if self._words.take("by") else ()
        if set(by) & set(NO_AGGREGATES_OF):
            raise unsupported("stats by a time")
        self._stages.append(Stats(tuple(aggregates), by))
        # The events' other fields are gone after stats.
        self._known = {*by, *(each.name for each in aggregates)}
        self._fields = []

    def _aggregate(self) -> Aggregate:
        words = self._words
        start = words.next
        if start.kind is not Kind.NAME or start.quoted:
            raise words.wrong()
        function = words.pop().value.lower()
        if not words.next.says("("):
            raise words.wrong()
        if function not in FUNCTIONS:
            raise unsupported(f"The function {function}")
        words.pop()
        field = None
        if function != "count" or not (words.take("*") or words.next.says(")")):
            field = self._field(words.pop())
            self._no_more_than_a_field()
            if field in NO_AGGREGATES_OF and function != "count":
                raise unsupported(f"{function} of {field}")
        end = words.need(")").end
        name = self._new_name() if words.take("as") else words.query[start.start : end]
        return Aggregate(function, field, name)

    def _parse_sort(self) -> None:
        fields = []
        while True:
            name = self._field(self._words.pop())
            self._no_more_than_a_field()
            way = self._words.take("asc", "desc")
            if way is None:
                raise unsupported("sort without asc or desc")
            fields.append((name, way.value.lower() == "desc"))
            if not self._words.take(","):
                break
        self._stages.append(Sort(tuple(fields)))

    def _parse_limit(self) -> None:
        if self._words.next.says("any"):
            raise unsupported("limit any")
        word = self._words.next
        if word.kind is not Kind.NUMBER or not word.value.isdigit():
            raise self._words.wrong()
        if len(word.value) > len(str(_HIGHEST_LIMIT)) or not 1 <= int(word.value) <= _HIGHEST_LIMIT:
            raise malformed(f"limit must be between 1 and {_HIGHEST_LIMIT}")
        self._words.pop()
        self._stages.append(Limit(int(word.value)))

    def _field_list(self) -> list[str]:
        names = []
        while True:
            names.append(self._field(self._words.pop()))
            self._no_more_than_a_field()
            if not self._words.take(","):
                return names

    def _field(self, word: Word) -> str:
        """Return the name of the field that `word` stands for."""
        if word.kind is not Kind.NAME:
            raise malformed(f"unexpected symbol found {word.value}" if word.value else "unexpected end of the query")
        name = word.value
        if name == "@ptr" or (name.startswith("@") and not name.startswith("@@") and name not in self._known):
            raise unsupported(f"The field {name}")
        if "stats" in self._seen and name not in self._known:
            raise malformed(f"Unknown symbols found in or after stats: {name}")
        if self._words.next.says("("):
            raise unsupported(f"The function {name}")
        return name

    def _no_more_than_a_field(self) -> None:
        if self._words.next.says("+", "-", "*", "/", "%", "^"):
            raise unsupported("Arithmetic")

    def _new_name(self) -> str:
        word = self._words.next
        if word.kind is not Kind.NAME:
            raise self._words.wrong()
        if word.value in self._known:
            raise malformed(f"{word.value} is the name of another field")
        self._words.pop()
        self._known.add(word.value)
        return word.value


def _group_names(regex: str) -> list[str]:
    return [part.partition(">")[0] for part in regex.replace("(?P<", "(?<").split("(?<")[1:]]

"""Reads SQL as far as a notebook needs it: where a statement ends, which parameters it uses, where its error is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKENS = re.compile(
    r"""
      (?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^'\\]|\\.|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<cast>::)
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<end>;)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Redshift's strings may contain backslash escapes."""

POSITION = re.compile(r"\s*\bPosition: (\d+)\b;?")
NAMED_IN_A_MESSAGE = re.compile(r'"([^"]+)"|\b(?:function|column) ([\w.]+)(?=\(| )')


@dataclass(frozen=True)
class Statement:
    """One statement, without its semicolon and the blanks around it."""

    text: str

    @property
    def verb(self) -> str:
        """Its first word, in upper case."""
        return next((match.group().upper() for match in TOKENS.finditer(self.text) if match.lastgroup == "word"), "")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that are written `:name` in it, each of them once."""
        return tuple(dict.fromkeys(match.group()[1:] for match in self._parameters()))

    def place_of_error(self, message: str) -> str:
        """The line that Redshift's error message is about, with a mark below the place. Empty if it is not known."""
        position = POSITION.search(message)
        at = self._at_position(int(position[1])) if position else self._only_place(_named(message))
        if at is None or not self._is_at(message, at):
            return ""
        begin = self.text.rfind("\n", 0, at) + 1
        line = self.text[begin:].partition("\n")[0]
        indent = re.sub(r"[^\t]", " ", line[: at - begin])
        return f"{line}\n{indent}^"

    def _at_position(self, position: int) -> int:
        """The place of a position that Redshift tells, which it counts in what it got: `$1` stands for a parameter."""
        at = position - 1
        for number, match in enumerate(self._parameters(), 1):
            if match.start() >= at:
                break
            at += len(match.group()) - len(f"${number}")
        return at

    def _only_place(self, names: list[str]) -> int | None:
        """Where the name in a message is, if there is one name, at one place: Redshift tells no position for it."""
        if len(names) != 1:
            return None
        name = rf"(?<![\w.]){re.escape(names[0])}(?!\w)"
        places = [match.start() for match in re.finditer(name, self._names_only(), re.IGNORECASE)]
        return places[0] if len(places) == 1 else None

    def _names_only(self) -> str:
        """The statement with blanks in place of comments, strings and parameters."""
        return "".join(
            " " * len(match.group())
            if match.lastgroup in ("blank", "parameter") or match.group()[0] in "'$"
            else match.group()
            for match in TOKENS.finditer(self.text)
        )

    def _is_at(self, message: str, at: int) -> bool:
        """Whether the text at this place is what the message is about."""
        if not 0 <= at <= len(self.text):
            return False
        named = _named(message)
        here = self.text[at:].lstrip('"').lower()
        parts = [part.lower() for word in named for part in (word, word.rpartition(".")[2], word.partition(".")[0])]
        return not named or here.startswith((*parts, ":"))

    def _parameters(self) -> Iterator[re.Match[str]]:
        return (match for match in TOKENS.finditer(self.text) if match.lastgroup == "parameter")


def _named(message: str) -> list[str]:
    """The names and words of the statement that an error message mentions."""
    return [quoted or bare for quoted, bare in NAMED_IN_A_MESSAGE.findall(message)]


def statements(sql: str) -> tuple[Statement, ...]:
    """The statements in `sql`. What has only blanks and comments is not a statement."""
    found: list[Statement] = []
    begin = end = None
    for match in TOKENS.finditer(sql):
        if match.lastgroup == "end":
            if begin is not None:
                found.append(Statement(sql[begin:end]))
            begin = None
        elif match.lastgroup != "blank":
            begin = match.start() if begin is None else begin
            end = match.end()
    if begin is not None:
        found.append(Statement(sql[begin:end]))
    return tuple(found)

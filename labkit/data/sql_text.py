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
QUOTED_IN_A_MESSAGE = re.compile(r'"([^"]+)"|\bfunction ([\w.]+)\(')


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
        """The line that Redshift's error message points to, with a mark below the place. Empty if it is not known.

        Redshift's position counts in the statement that it got: `$1`, `$2`, … were put in place of the parameters.
        """
        found = POSITION.search(message)
        if not found:
            return ""
        at = int(found.group(1)) - 1
        for number, match in enumerate(self._parameters(), 1):
            if match.start() >= at:
                break
            at += len(match.group()) - len(f"${number}")
        if not self._is_at(message, at):
            return ""
        begin = self.text.rfind("\n", 0, at) + 1
        line = self.text[begin:].partition("\n")[0]
        indent = re.sub(r"[^\t]", " ", line[: at - begin])
        return f"{line}\n{indent}^"

    def _is_at(self, message: str, at: int) -> bool:
        """Whether the text at this place is what the message is about."""
        if not 0 <= at <= len(self.text):
            return False
        named = [word or function for word, function in QUOTED_IN_A_MESSAGE.findall(message)]
        here = self.text[at:].lstrip('"').lower()
        parts = [part.lower() for word in named for part in (word, word.rpartition(".")[2], word.partition(".")[0])]
        return not named or here.startswith((*parts, ":"))

    def _parameters(self) -> Iterator[re.Match[str]]:
        return (match for match in TOKENS.finditer(self.text) if match.lastgroup == "parameter")


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

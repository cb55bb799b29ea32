"""`lab.calls()`: the AWS calls of the last step, as a table and as AWS CLI commands."""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from labkit.recorder import Call
from labkit.show.cli_commands import SERVICES, command
from labkit.tables import LEFT, SCROLLS, text_table

READS = ("Get", "List", "Describe", "Head", "Test", "Search", "BatchGet", "Lookup", "Simulate")
PAGING = {"NextToken", "nextToken", "Marker", "ContinuationToken", "KeyMarker", "VersionIdMarker", "PaginationToken"}
"""Parameters that ask for the next page. The AWS CLI fetches all pages by itself."""

LEFT_OUT = {"Tags", "tags", "TagSpecifications", "Tagging"}
"""Parameters that the table leaves out. The commands have them."""

LONGEST, LONGEST_ROW = 60, 100
CYCLE = 4
"""Up to this many different calls that are repeated in turn are folded."""


@dataclass(frozen=True)
class MadeCalls(Sequence[Call]):
    """AWS calls in the order in which they were made. A call that was repeated, as when polling, is there once."""

    made: tuple[Call, ...]

    @classmethod
    def of(cls, calls: Sequence[Call]) -> MadeCalls:
        """Fold what was repeated."""
        return cls(tuple(_folded(calls)))

    def __len__(self) -> int:
        return len(self.made)

    def __getitem__(self, index: Any) -> Any:
        return self.made[index]

    @property
    def commands(self) -> tuple[str, ...]:
        """Each call as an AWS CLI command."""
        return tuple(map(command, self.made))

    @property
    def changes(self) -> MadeCalls:
        """Only the calls that can change something."""
        return MadeCalls(tuple(call for call in self.made if changes(call)))

    def __str__(self) -> str:
        if not self.made:
            return NONE
        rows = list(map(_row, self.made))
        return "\n".join([self._title, text_table(rows), "", "As AWS CLI commands:", *self.commands])

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self.made:
            return f"<div>{NONE}</div>"
        heads = "".join(
            f'<th style="text-align:left">{head}</th>' for head in ("", "service", "call", "with", "result")
        )
        rows = "".join(_html_row(call, _row(call)) for call in self.made)
        commands = html.escape("\n".join(self.commands))
        return (
            f'<div>{self._title}</div><div style="{SCROLLS}"><table><tr>{heads}</tr>{rows}</table>'
            "</div><details><summary>As AWS CLI commands</summary>"
            f'<pre style="{SCROLLS}">{commands}</pre></details>'
        )

    @property
    def _title(self) -> str:
        number, changing = sum(call.times for call in self.made), sum(call.times for call in self.changes)
        return f"{number} AWS call{'' if number == 1 else 's'}, {changing} of them to change something (●)"


NONE = "No AWS call was made yet."


def changes(call: Call) -> bool:
    """Whether the call can change something: its operation does not begin with Get, List, Describe and so on."""
    return not call.operation.startswith(READS)


def _row(call: Call) -> tuple[str, str, str, str, str]:
    times = f" × {call.times}" if call.times > 1 else ""
    operation = xform_name(call.operation, "-") + times
    given = ", ".join(f"{name}={_short(value)}" for name, value in call.parameters.items() if name not in LEFT_OUT)
    given = given if len(given) <= LONGEST_ROW else f"{given[: LONGEST_ROW - 1]}…"
    service = SERVICES.get(call.service, call.service)
    return "●" if changes(call) else " ", service, operation, given, call.outcome or "ok"


def _html_row(call: Call, row: Sequence[str]) -> str:
    weight = "bold" if changes(call) else "normal"
    _mark, service, operation, given, result = map(html.escape, row)
    return (
        f'<tr><td style="{LEFT}">{"●" if changes(call) else ""}</td><td style="{LEFT}">{service}</td>'
        f'<td style="{LEFT};white-space:nowrap;font-weight:{weight}">{operation}</td>'
        f'<td style="{LEFT}">{given}</td><td style="{LEFT}">{result}</td></tr>'
    )


def _short(value: Any) -> str:
    if isinstance(value, list | dict):
        value = json.dumps(value, default=str, ensure_ascii=False)
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _folded(calls: Sequence[Call]) -> Iterator[Call]:
    at = 0
    while at < len(calls):
        width, repeats = next(
            ((width, found) for width in range(1, CYCLE + 1) if (found := _repeats(calls, at, width)) > 1), (1, 1)
        )
        for place in range(at, at + width):
            same = calls[place : place + width * repeats : width]
            yield dataclasses.replace(calls[place], times=sum(call.times for call in same))
        at += width * repeats


def _repeats(calls: Sequence[Call], at: int, width: int) -> int:
    """How often the `width` calls from `at` on are made in a row."""
    block, repeats = calls[at : at + width], 1
    while True:
        following = calls[at + repeats * width : at + (repeats + 1) * width]
        if len(following) < width or not all(_alike(one, other) for one, other in zip(block, following, strict=True)):
            return repeats
        repeats += 1


def _alike(one: Call, other: Call) -> bool:
    """Whether two calls ask the same, or for pages of the same."""
    return _first_page(one).same_as(_first_page(other))


def _first_page(call: Call) -> Call:
    given = {name: value for name, value in call.parameters.items() if name not in PAGING}
    return dataclasses.replace(call, parameters=given)

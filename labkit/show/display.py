"""How results look: a small table in a notebook, plain lines in a terminal.

Displays contain no ids, times or durations, because the notebooks' stored outputs are compared with fresh ones. A
dataclass field that must not be shown is declared with `hidden()`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.tables import LEFT, cell, escaped, html_table, text_table


def hidden(**arguments: Any) -> Any:
    """A dataclass field for programs that is not shown: an id, an address, a time."""
    return dataclasses.field(repr=False, **arguments)


def show(thing: Any) -> None:
    """Show a result in the middle of a cell or a command: as HTML in a notebook, as text in a terminal."""
    if "ipykernel" in sys.modules:
        from IPython.display import display

        display(thing)
    else:
        print(thing)


class Described:
    """Base class of the frozen dataclasses that steps return. It shows all fields except the hidden ones."""

    def shown(self) -> Iterator[tuple[str, str]]:
        """Yield what is shown, as (label, text). An empty text says nothing, and is left out."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if field.repr and getattr(self, field.name) != "":
                yield field.name.replace("_", " "), _text(getattr(self, field.name))

    def __str__(self) -> str:
        return text_table(self.shown(), longest=1000)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return html_table(self.shown(), first_is_head=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)


@dataclass(frozen=True)
class Fact:
    """One thing that `check()` looked at on the target."""

    holds: bool
    what: str
    fix: str = ""

    def __str__(self) -> str:
        advice = "" if self.holds or not self.fix else f" → {self.fix}"
        return f"{'✓' if self.holds else '✗'} {self.what}{advice}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        advice = "" if self.holds or not self.fix else f" → <em>{escaped(self.fix)}</em>"
        what = escaped(self.what) if self.holds else f"<strong>{escaped(self.what)}</strong>"
        return f"{'✓' if self.holds else '✗'} {what}{advice}"


@dataclass(frozen=True)
class Check:
    """The result of checking one step: which facts hold on the target, and which don't, with the fix."""

    step: str
    facts: tuple[Fact, ...]

    @property
    def ok(self) -> bool:
        """True if everything holds."""
        return all(fact.holds for fact in self.facts)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "all checks passed" if self.ok else "not all checks passed"
        return "\n".join([f"{self.step}: {verdict}", *(f"  {fact}" for fact in self.facts)])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{fact._repr_html_()}</li>" for fact in self.facts)
        verdict = "all checks passed" if self.ok else "not all checks passed"
        return (
            f"<div><strong>{escaped(self.step)}</strong>: {verdict}"
            f'<ul style="list-style:none;padding-left:1em">{lines}</ul></div>'
        )


@dataclass(frozen=True)
class Checks:
    """The checks of several steps: which steps are ok, and what is wrong with the others. It is like their tuple."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if everything holds."""
        return all(check.ok for check in self.checks)

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, index: int) -> Check:
        return self.checks[index]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = []
        for check in self.checks:
            lines.append(f"{'✓' if check.ok else '✗'} {check.step}")
            lines.extend(f"    {fact}" for fact in check.facts if not fact.holds)
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{cell('td', '✓' if check.ok else '✗')}{cell('th', check.step)}"
            f'<td style="{LEFT}">{_failed(check)}</td></tr>'
            for check in self.checks
        )
        good = sum(check.ok for check in self.checks)
        return f"<div>{good} of {len(self.checks)} steps pass all their checks</div><table>{rows}</table>"


def _failed(check: Check) -> str:
    """What is wrong with a step, as HTML."""
    wrong = "<br>".join(fact._repr_html_() for fact in check.facts if not fact.holds)
    return wrong or f"{len(check.facts)} check{'' if len(check.facts) == 1 else 's'} passed"


@dataclass(frozen=True)
class Removed(Described):
    """What a step's `destroy()` removed, and what it could not remove."""

    step: str
    removed: tuple[str, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployed(Described):
    """What `lab.deploy()` created, step by step."""

    steps: tuple[tuple[str, Described], ...]

    def shown(self) -> Iterator[tuple[str, str]]:
        """A line for each step."""
        for name, made in self.steps:
            yield name, ", ".join(f"{label}: {text}" for label, text in made.shown())


@dataclass(frozen=True)
class Destroyed(Described):
    """What `lab.destroy()` removed, step by step."""

    steps: tuple[Removed, ...]

    def shown(self) -> Iterator[tuple[str, str]]:
        """A line for each step."""
        for removed in self.steps:
            yield removed.step, ", ".join(removed.removed) or "nothing was there"

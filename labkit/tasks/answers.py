"""What a participant may give as an answer: any sensible form of it is taken.

A 1×1 DataFrame, Series or array is its value, NumPy's numbers and texts are Python's, and text loses its outer blanks.
A `Kind` is what a task wants. It takes some more forms: "True" for True, "3" for 3, a JSON text for a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any

LONGEST = 80


def normalize(answer: Any) -> Any:
    """The answer as a plain Python value, if it is one value in a wrapping. Other answers stay as they are."""
    if isinstance(answer, bytes):
        answer = answer.decode(errors="replace")
    if isinstance(answer, str):
        return str(answer).strip()
    if hasattr(answer, "iloc"):  # pandas, which is not imported for this
        return normalize(answer.iloc[(0,) * answer.ndim]) if answer.size == 1 else answer
    if hasattr(answer, "dtype"):  # NumPy
        return normalize(answer.item()) if answer.size == 1 else answer.tolist()
    return answer


def is_blank(answer: Any) -> bool:
    """Whether nothing has been given yet."""
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip())


def describe(answer: Any) -> str:
    """The answer for a message, such as "a list, [1, 2]"."""
    name = type(answer).__name__
    if callable(answer):
        return f"a {name}, {getattr(answer, '__name__', name)}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}, {shown(answer)}"


def shown(answer: Any) -> str:
    """The answer on one line, cut if it is long."""
    text = " ".join(repr(answer).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


@dataclass(frozen=True)
class Kind:
    """A kind of answer."""

    words: str
    """What is wanted, such as "a number"."""
    take: Callable[[Any], Any]
    """Returns a normalized answer as this kind. Raises TypeError or ValueError if it is of another kind."""


def _number(answer: Any) -> int | float:
    if isinstance(answer, bool):
        raise TypeError
    if isinstance(answer, str):
        answer = float(answer)
    if not isinstance(answer, Number) or isinstance(answer, complex):
        raise TypeError
    value = float(answer)  # type: ignore[arg-type]  # a Decimal or a Fraction too
    return int(value) if value.is_integer() else value


def _boolean(answer: Any) -> bool:
    if isinstance(answer, str):
        return {"true": True, "yes": True, "false": False, "no": False}[answer.lower()]
    if not isinstance(answer, bool):
        raise TypeError
    return answer


def _text(answer: Any) -> str:
    if not isinstance(answer, str):
        raise TypeError
    return answer


def _mapping(answer: Any) -> dict[Any, Any]:
    if isinstance(answer, str):
        answer = json.loads(answer)
    if hasattr(answer, "iloc") and answer.ndim == 1:
        answer = answer.to_dict()
    if not isinstance(answer, Mapping):
        raise TypeError
    return {normalize(key): normalize(value) for key, value in answer.items()}


def _list(answer: Any) -> list[Any]:
    if isinstance(answer, str):
        answer = json.loads(answer)
    if hasattr(answer, "iloc"):
        if answer.ndim == 2 and answer.shape[1] != 1:
            raise TypeError
        answer = answer.to_numpy().ravel().tolist()
    if not isinstance(answer, list | tuple | set | frozenset):
        raise TypeError
    return [normalize(item) for item in answer]


def _function(answer: Any) -> Callable[..., Any]:
    if not callable(answer) or isinstance(answer, type):
        raise TypeError
    return answer  # type: ignore[no-any-return]


NUMBER = Kind("a number", _number)
BOOLEAN = Kind("True or False", _boolean)
TEXT = Kind("a text (str)", _text)
SQL = Kind("an SQL statement as text (str)", _text)
MAPPING = Kind("a dict", _mapping)
LIST = Kind("a list", _list)
FUNCTION = Kind("a function", _function)


def take(kind: Kind, answer: Any) -> Any:
    """Return the answer as this kind.

    Raises:
        TypeError: it is of another kind.
    """
    try:
        return kind.take(normalize(answer))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise TypeError(f"not {kind.words}") from error

"""A secret that can be used and is not shown."""

from __future__ import annotations

from typing import Any

from labkit.tables import html_table, text_table

HIDDEN = "***"


class SecretValue(dict[str, Any]):
    """The value of a secret: a dict whose display hides the password. `value["password"]` is the password."""

    def __repr__(self) -> str:
        return repr(dict(self._shown()))

    def __str__(self) -> str:
        return text_table(self._shown())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return html_table(self._shown(), first_is_head=True)

    def _shown(self) -> list[tuple[str, str]]:
        return [(key, HIDDEN if key == "password" else str(value)) for key, value in sorted(self.items())]

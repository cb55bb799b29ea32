"""The errors for filter patterns, in AWS's words."""

from __future__ import annotations


class InvalidPattern(ValueError):
    """A filter pattern that CloudWatch Logs would refuse, or that its guide doesn't define."""

    def __init__(self, message: str = "Invalid filter pattern") -> None:
        super().__init__(message)


def invalid_character(character: str) -> InvalidPattern:
    """Return the error for a character that needs double quotes."""
    return InvalidPattern(f"Invalid character(s) in term '{character}'")

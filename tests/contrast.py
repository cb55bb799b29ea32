"""WCAG's contrast ratio of two colours, for the tests of displays and pictures."""

from __future__ import annotations

LEGIBLE = 4.5
"""The least ratio for text: https://www.w3.org/TR/WCAG21/#contrast-minimum"""
LIGHT, DARK = "#ffffff", "#111111"
"""The backgrounds of JupyterLab's light and dark theme."""


def contrast(one: str, other: str) -> float:
    """The ratio of two colours, given as #rrggbb: 1 for the same colour, 21 for black on white."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""`python -m bench.compare BEFORE AFTER`: prints two stored runs of the benchmark as one Markdown table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the table: everything that either run measured, in the order of the second run."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    arguments = parser.parse_args()
    before, after = (by_name(json.loads(path.read_text())) for path in (arguments.before, arguments.after))
    print("| | before | ratio | after | ratio | goal |\n|---|---:|---:|---:|---:|---|")
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        print("| " + " | ".join([name, *shown(old), *shown(new), goal(new)]) + " |")


def by_name(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Results by their name and what they are compared to. Indented lines, which explain a result, are left out."""
    found = {}
    for result in run["results"]:
        if not result["name"].startswith(" "):
            against = f" ({result['against']})" if result["against"] else ""
            found[f"{result['name']}{against}"] = result
    return found


def shown(result: dict[str, Any] | None) -> tuple[str, str]:
    """The median and the ratio."""
    if result is None:
        return "–", ""
    digits = 2 if result["unit"] == "s" else 0
    ratio = "" if result["ratio"] is None else f"{result['ratio']:.2f} ×"
    return f"{result['median']:,.{digits}f} {result['unit']}", ratio


def goal(result: dict[str, Any] | None) -> str:
    """The later run's goal, and whether the run kept it."""
    if result is None or result["goal"] is None:
        return ""
    limit = result["goal"]
    unit = "×" if limit["of"] == "ratio" else result["unit"]
    return f"{'≥' if limit['least'] else '≤'} {limit['limit']:g} {unit}: {result['verdict']}"


if __name__ == "__main__":
    main()

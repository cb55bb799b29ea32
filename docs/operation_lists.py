"""The section of docs/fidelity.md that lists the answered operations, made from localaws/core/operations/*.toml."""

from __future__ import annotations

import re

from localaws.core.operations import vouching
from localaws.core.operations.vouching import Standing, Table
from localaws.server.models import models_of

_SECTION = re.compile(r"(<!-- operations -->\n).*?(<!-- end of operations -->)", re.DOTALL)


def render(text: str) -> str:
    """Return `text` with the section between its two marks rebuilt from the tables."""
    tables = {service: vouching.table(service) for service in vouching.services()}
    parts = [_counts(tables), *(_of_service(service, table) for service, table in tables.items())]
    section = "\n" + "\n".join(parts) + "\n"
    return _SECTION.sub(lambda match: match[1] + section + match[2], text)


def names(service: str) -> list[str]:
    """The operations of a service in botocore's model."""
    return list(models_of(service)[0].operation_names)


def _counts(tables: dict[str, Table]) -> str:
    lines = ["| service | works | state only | refused |", "|---|---|---|---|"]
    totals = [0, 0, 0]
    for service, table in tables.items():
        refused = sum(table.standing(name) is Standing.REFUSED for name in names(service))
        numbers = [len(table.works), len(table.state_only), refused]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        title = _title(service)
        place = title.lower().replace(" ", "-")
        lines.append(f"| [{title}](#operations-of-{place}) | {' | '.join(map(str, numbers))} |")
    lines.append(f"| together | {' | '.join(map(str, totals))} |")
    return "\n".join([*lines, "| any other service | 0 | 0 | all |", ""])


def _of_service(service: str, table: Table) -> str:
    parts = [f"### Operations of {_title(service)}\n"]
    for title, operations in (("Works", table.works), ("State only", table.state_only)):
        if operations:
            parts.append(f"*{title}*: {', '.join(sorted(operations))}.\n")
    parameters = [
        f"{operation} ({', '.join(sorted(refused))})" for operation, refused in sorted(table.refused_parameters.items())
    ]
    if parameters:
        parts.append(f"*Refused parameters*: {'; '.join(parameters)}.\n")
    return "\n".join(parts)


def _title(service: str) -> str:
    return str(models_of(service)[0].metadata["serviceId"])

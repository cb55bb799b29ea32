"""`make bench`: how long the lab takes, compared to the unavoidable minimum. bench/README.md explains the results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench import event, growth, http, million, startup
from bench.measure import Report
from bench.sizes import Sizes

PARTS: dict[str, Callable[[Report, Sizes], None]] = {
    "http": http.measure,
    "event": event.measure,
    "growth": growth.measure,
    "million": million.measure,
    "memory": startup.measure_memory,
    "up": startup.measure_up,
    "run": startup.measure_run,
}


def main() -> int:
    """Run the chosen parts, show each result as it comes, and store them. Return 1 if a part failed, else 0."""
    arguments = parse()
    sizes = Sizes(**{name: getattr(arguments, name) for name in Sizes.__dataclass_fields__})
    report = Report()
    about = machine()
    print(", ".join(f"{name}: {value}" for name, value in about.items()))
    for part in arguments.only:
        try:
            PARTS[part](report, sizes)
        except Exception as error:  # whatever the error is, the other parts can still be measured
            report.fail(part, error)
    missed = [result.name for result in report if result.verdict == "MISSED"]
    kept = sum(result.verdict == "kept" for result in report)
    print(f"\n{kept} goals kept, {len(missed)} missed" + "".join(f"\n  missed: {name}" for name in missed))
    print("".join(f"  failed: {why}\n" for why in report.failed), end="")
    if arguments.json:
        results = [result.as_json() for result in report]
        stored = {"machine": about, "results": results, "skipped": report.skipped, "failed": report.failed}
        arguments.json.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
    return 1 if report.failed else 0


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", type=parts, default=list(PARTS), metavar="PART,…", help=f"of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the results (see python -m bench.compare)")
    for name, what in {
        "runs": "how often what takes seconds is measured",
        "loads": "how often what takes longer is measured",
        "rows": "rows of the large load",
        "files": "files that the large load is spread over",
        "landed": "files that have landed before the event of `growth`",
        "peer_rows": "rows that the peers load",
    }.items():
        default = getattr(Sizes, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=int, default=default, metavar="N", help=f"{what} ({default:,})")
    return parser.parse_args()


def parts(text: str) -> list[str]:
    """The parts that `--only` names."""
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"there is no part {name!r}: choose of {', '.join(PARTS)}")
    return names


def machine() -> dict[str, Any]:
    """Describe the machine and the commit. The load shows whether something else was running."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {
        "commit": commit or "unknown",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    raise SystemExit(main())

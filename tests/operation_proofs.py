"""Runs the tests that the tables of operations name, and checks that each calls its operations successfully.

`make proofs` runs it. A row `CreateJob = "FILE::TEST"` of a table says that TEST proves CreateJob; here it must have
called CreateJob of that service itself, and been answered with success.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from localaws.core.operations import vouching
from localaws.server.models import models_of

TESTS = Path(__file__).parent
NO_OPERATIONS = {"PostObject", "PreflightObject"}
"""Forms and preflight requests, which botocore neither sends nor records."""
Answered = dict[tuple[str, str], set[str]]
"""By service ID and operation: the tests that were answered with success."""


def main() -> int:
    """Run the tests and print what is wrong; return the exit code."""
    rows = {
        (service, operation): proof
        for service in vouching.services()
        for operation, proof in vouching.table(service).works.items()
        if operation not in NO_OPERATIONS
    }
    with tempfile.TemporaryDirectory() as calls:
        failed = _run(sorted(set(rows.values())), Path(calls))
        answered = _answered(Path(calls))
    wrong = 0
    for (service, operation), proof in rows.items():
        tests = answered.get((models_of(service)[0].metadata["serviceId"], operation), set())
        if proof not in tests:
            wrong += 1
            others = ", ".join(sorted(tests)[:3]) or "no other test of these has it"
            print(f"{service} {operation}: {proof} gets no successful answer to it ({others})")
    print(f"{len(rows)} operations work, by {len(set(rows.values()))} tests; {wrong} of them are not proven")
    return 1 if wrong or failed else 0


def _run(proofs: list[str], calls: Path) -> bool:
    """Whether the tests fail; what they call is in `calls` then."""
    names = [str(TESTS / proof) for proof in proofs]
    options = ["-p", "tests.recording", "--calls", str(calls), "-n", "2", "--no-loadscope-reorder", "-q", "-m", ""]
    return subprocess.run([sys.executable, "-m", "pytest", *options, *names], cwd=TESTS.parent).returncode != 0


def _answered(calls: Path) -> Answered:
    answered: Answered = defaultdict(set)
    for file in calls.glob("calls-*.json"):
        for test, service, operation, status, _ in json.loads(file.read_text()):
            if 200 <= status < 300:
                answered[service, operation].add(test.removeprefix("tests/").partition("[")[0])
    return answered


if __name__ == "__main__":
    sys.exit(main())

"""Every part of the benchmark runs, with sizes that take seconds. Nothing here looks at the times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = "http,event,growth,million,memory,up"  # `run` needs minutes, and is `labkit run`, which CI does itself
SMALL = ("--runs=1", "--loads=1", "--rows=1000", "--files=5", "--landed=20", "--peer-rows=100")


@pytest.mark.nightly
def test_every_part_of_the_benchmark_runs_and_stores_its_results(root: Path, tmp_path: Path) -> None:
    stored = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--only", PARTS, *SMALL, "--json", str(stored)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(stored.read_text())
    assert found["failed"] == []
    assert len(found["results"]) > 30
    assert all(min(result["values"]) > 0 for result in found["results"])

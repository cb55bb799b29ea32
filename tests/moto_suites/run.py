"""Runs moto's own test suites against plain moto and against the embedded AWS, and compares: see README.md.

::

    python tests/moto_suites/run.py MOTO_CHECKOUT [SUITE ...] [--against plain lab] [--results DIRECTORY]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SUITES = (
    "iam",
    "ec2",
    "s3",
    "secretsmanager",
    "sqs",
    "glue",
    "redshift",
    "redshiftdata",
    "logs",
    "awslambda",
    "sts",
    "sns",
    "resourcegroupstaggingapi",
)
TARGETS = ("plain", "lab")
SUITE_SECONDS = 3600

Outcomes = dict[str, str]  # a test's name → "" if it passed, "skipped", or the first line of its error


def main() -> None:
    """Run what the command line asks for, and print the comparison."""
    parser = argparse.ArgumentParser(description="moto's test suites, against plain moto and against the embedded AWS")
    parser.add_argument("checkout", type=Path, help="moto's repository, or its unpacked source distribution")
    parser.add_argument("suites", nargs="*", default=SUITES, help=f"of {' '.join(SUITES)} (default: all)")
    parser.add_argument("--against", nargs="+", choices=TARGETS, default=TARGETS)
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "moto-suites")
    asked = parser.parse_args()
    check_version(asked.checkout)
    asked.results.mkdir(parents=True, exist_ok=True)
    for target in asked.against:
        with serving(target) as endpoint:
            for suite in asked.suites:
                run(asked.checkout, suite, endpoint, report_of(asked.results, target, suite))
    for suite in asked.suites:
        reports = [report_of(asked.results, target, suite) for target in TARGETS]
        if all(report.exists() for report in reports):
            compare(suite, *(outcomes(report) for report in reports))


def check_version(checkout: Path) -> None:
    """Check that the checkout has the version of the installed moto: other versions' tests prove nothing about it."""
    found = re.search(r'__version__ = "([^"]+)"', (checkout / "moto" / "__init__.py").read_text())
    if found is None or found[1] != version("moto"):
        sys.exit(f"{checkout} is moto {found[1] if found else '?'}; installed is {version('moto')}.")


def report_of(results: Path, target: str, suite: str) -> Path:
    """Return the file with the outcomes of a suite."""
    return results / f"{suite}-{target}.xml"


@contextmanager
def serving(target: str) -> Iterator[str]:
    """Run a server for `target`, and yield its endpoint."""
    with tempfile.TemporaryDirectory(prefix="moto-suites-") as directory:
        if target == "plain":
            with plain_moto(Path(directory)) as endpoint:
                yield endpoint
        else:
            with embedded_aws(Path(directory)) as endpoint:
                yield endpoint


@contextmanager
def plain_moto(directory: Path) -> Iterator[str]:
    """Run moto's own server, and yield its endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with (directory / "log").open("w") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log, env=environment(), cwd=directory)
        try:
            wait_for(f"http://127.0.0.1:{port}/moto-api/data.json")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


@contextmanager
def embedded_aws(directory: Path) -> Iterator[str]:
    """Run the embedded AWS, which accepts any key, and resets itself when a suite asks for it."""
    sys.path.insert(0, str(ROOT))
    import localaws

    os.environ["LOCALAWS_MOTO_API"] = "1"  # set in the server's environment, as no request can set it
    status = localaws.start(directory, enforce_iam=False, verify_signatures=False, allow_unproven=True)
    try:
        yield status.endpoint_url
    finally:
        localaws.stop(directory)


def run(checkout: Path, suite: str, endpoint: str, report: Path) -> None:
    """Run a suite against `endpoint`, and write its outcomes to `report`."""
    argv = [sys.executable, "-m", "pytest", f"tests/test_{suite}", "-q", "--tb=line", "--no-header", "-p", "one_minute"]
    argv += ["-p", "no:cacheprovider", f"--junitxml={report}"]
    settings = environment(
        TEST_SERVER_MODE="true",
        TEST_SERVER_MODE_ENDPOINT=endpoint,
        AWS_MAX_ATTEMPTS="1",  # no retries: the first answer counts
        PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
    )
    began = time.monotonic()
    with contextlib.suppress(FileNotFoundError):
        report.unlink()
    with report.with_suffix(".log").open("w") as log:
        subprocess.run(argv, cwd=checkout, env=settings, stdout=log, stderr=log, timeout=SUITE_SECONDS, check=False)
    if not report.exists():
        sys.exit(f"{suite} did not run: see {report.with_suffix('.log')}")
    passed = sum(outcome == "" for outcome in outcomes(report).values())
    print(f"{report.stem}: {passed} passed in {time.monotonic() - began:.0f} s", flush=True)


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment, without variables that could lead to a real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**kept, **keys, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **more}


def wait_for(url: str, seconds: float = 60.0) -> None:
    """Return when `url` answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def outcomes(report: Path) -> Outcomes:
    """Return the outcome of each test."""
    found: Outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('tests.')[2]}::{case.get('name')}"
        problem = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        if problem is None:
            found[name] = ""
        else:
            said = (problem.get("message") or problem.text or problem.tag).strip().splitlines()
            found[name] = "skipped" if problem.tag == "skipped" else (said[0] if said else problem.tag)
    return found


def compare(suite: str, plain: Outcomes, lab: Outcomes) -> None:
    """Print how many passed, and each test whose outcome differs."""
    print(f"\n{suite}: plain moto {_passed(plain)}, lab {_passed(lab)}")
    for name in sorted(plain.keys() | lab.keys()):
        before, now = plain.get(name, "not run"), lab.get(name, "not run")
        if (before == "") != (now == ""):
            print(f"  {'-' if before == '' else '+'} {name}: {(now or before)[:300]}")


def _passed(found: Outcomes) -> int:
    return sum(outcome == "" for outcome in found.values())


if __name__ == "__main__":
    main()

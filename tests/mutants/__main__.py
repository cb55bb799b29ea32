"""Put one-line faults ("mutants") into the parts that make decisions, and see whether tests notice: `make mutants`.

    make mutants                      every part, the sample that parts.toml gives
    make mutants PART=iam SAMPLE=40   one part, 40 of its mutants
    make mutants PART=iam SAMPLE=0    one part, all of its mutants (hours)

The faults come from cosmic-ray (https://cosmic-ray.readthedocs.io), which changes one operator, number, condition or
loop at a time, and runs the tests of the part. It changes files in place, so this works on a copy of the tree in
`.mutants/tree`, with its own environment: a killed run leaves nothing behind in your files.

The sample is chosen with a fixed seed: the same tree gives the same mutants. A survivor is a gap in the tests, or it is
equivalent: no input can tell it from the original. equivalent.toml lists the equivalent ones, with the reason. The
command fails if the tests of a part notice fewer mutants than its goal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / ".mutants"
TREE = WORK / "tree"

# Swaps that stay close to the original find real gaps; the others (`==` to `>=`, `+` to `<<`) find the same ones again.
KEPT = (
    "core/ReplaceComparisonOperator_Eq_NotEq",
    "core/ReplaceComparisonOperator_NotEq_Eq",
    "core/ReplaceComparisonOperator_Lt_LtE",
    "core/ReplaceComparisonOperator_LtE_Lt",
    "core/ReplaceComparisonOperator_Gt_GtE",
    "core/ReplaceComparisonOperator_GtE_Gt",
    "core/ReplaceComparisonOperator_Is_IsNot",
    "core/ReplaceComparisonOperator_IsNot_Is",
    "core/ReplaceBinaryOperator_Add_Sub",
    "core/ReplaceBinaryOperator_Sub_Add",
    "core/ReplaceBinaryOperator_Mul_Div",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ExceptionReplacer",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
)


@dataclass(frozen=True)
class Part:
    """A part that makes decisions: its files, its tests, the number of mutants to try, and the share to notice."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int
    goal: float


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed: the file, its changed line before and after, and where it is."""

    file: str
    line: int
    before: str
    after: str


def parts() -> list[Part]:
    """Return the parts in parts.toml, in its order."""
    table = tomllib.loads((HERE / "parts.toml").read_text())
    return [
        Part(name, tuple(entry["files"]), tuple(entry["tests"]), entry.get("sample", table["sample"]), table["goal"])
        for name, entry in table["parts"].items()
    ]


def copy_tree() -> None:
    """Update `.mutants/tree` from the working tree, and install it; its environment is kept between runs."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    for old in TREE.rglob("*.py"):
        if ".venv" not in old.relative_to(TREE).parts:
            old.unlink()
    for name in names:
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, TREE / name)
    subprocess.run(["make", "--silent", "setup"], cwd=TREE, check=True)


def mutants(part: Part, sample: int) -> Path:
    """Choose the part's mutants, and return cosmic-ray's database with them (without results)."""
    config, database = WORK / f"{part.name}.toml", WORK / f"{part.name}.sqlite"
    database.unlink(missing_ok=True)
    # -B: a mutant and its original can have the same size and modification time, so bytecode must not be reused.
    command = " ".join(
        [str(TREE / ".venv/bin/python"), "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *part.tests]
    )
    config.write_text(
        "[cosmic-ray]\n"
        f"module-path = {json.dumps(list(part.files))}\n"
        "timeout = 300.0\n"
        "excluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    cosmic_ray("init", str(config), str(database))
    with use_db(str(database), WorkDB.Mode.open) as work:
        kept = [item for item in work.work_items if item.mutations[0].operator_name in KEPT]
        chosen = sorted(kept, key=place)[: sample or None]
        left = {item.job_id for item in work.work_items} - {item.job_id for item in chosen}
        work.set_multiple_results(left, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
    print(f"{part.name}: {len(chosen)} mutants of {len(kept)}", flush=True)
    return database


def place(item: WorkItem) -> str:
    """Return a sort key that orders mutants at random, but always in the same way: a hash of the change."""
    one = item.mutations[0]
    return hashlib.sha256(f"{one.module_path}|{one.operator_name}|{one.occurrence}".encode()).hexdigest()


def cosmic_ray(*arguments: str) -> None:
    """Run cosmic-ray in the copied tree."""
    program = Path(sys.executable).with_name("cosmic-ray")
    # Loading pytest's plugins (nbval, Hypothesis, Faker) would take longer than most parts' tests.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run([str(program), *arguments], cwd=TREE, env=environment, check=True)


def judge(part: Part, database: Path, equivalent: list[dict[str, Any]]) -> bool:
    """Print how many mutants were noticed, and each survivor; return whether the part reaches its goal."""
    tried, named, survivors = 0, 0, []
    with use_db(str(database), WorkDB.Mode.open) as work:
        for item, result in work.completed_work_items:
            if result.worker_outcome == WorkerOutcome.SKIPPED:
                continue
            tried += 1
            if result.test_outcome == TestOutcome.SURVIVED:
                found = survivor(item, result)
                if any(is_named(found, entry) for entry in equivalent):
                    named += 1
                else:
                    survivors.append(found)
    counted = tried - named
    share = (counted - len(survivors)) / counted if counted else 0.0
    print(f"\n{part.name}: {share:.0%} noticed ({counted - len(survivors)} of {counted}; {named} more are equivalent)")
    for found in sorted(survivors, key=lambda one: (one.file, one.line)):
        print(f"  {found.file}:{found.line}\n    - {found.before}\n    + {found.after}")
    return share >= part.goal


def survivor(item: WorkItem, result: WorkResult) -> Survivor:
    """Return the survivor in a result, with the changed line from its diff."""
    lines = (result.diff or "").splitlines()
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++"))
    one = item.mutations[0]
    return Survivor(one.module_path.as_posix(), one.start_pos[0], before, after)


def is_named(found: Survivor, entry: dict[str, Any]) -> bool:
    """Whether this entry of equivalent.toml names the survivor. Lines are compared, not line numbers, as code moves."""
    return (found.file, found.before, found.after) == (entry["file"], entry["before"], entry["after"])


def main() -> int:
    """Run the requested parts; return 1 if one of them misses its goal."""
    reader = argparse.ArgumentParser(prog="make mutants", description="See whether the tests notice one-line faults.")
    reader.add_argument("--part", choices=[part.name for part in parts()], help="only this part")
    reader.add_argument("--sample", type=int, help="how many mutants of each part; 0: all of them")
    chosen = reader.parse_args()
    equivalent = tomllib.loads((HERE / "equivalent.toml").read_text()).get("equivalent", [])
    TREE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    kept = True
    for part in parts():
        if chosen.part in (None, part.name):
            database = mutants(part, part.sample if chosen.sample is None else chosen.sample)
            config = str(WORK / f"{part.name}.toml")
            cosmic_ray("baseline", config)  # Fails if the tests fail without a mutant: results would mean nothing.
            cosmic_ray("exec", config, str(database))
            kept &= judge(part, database, equivalent)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

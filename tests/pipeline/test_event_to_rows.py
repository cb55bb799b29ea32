"""One file that lands ends as rows, with nothing else called; whatever the file is like, good rows are not lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.conftest import ShellLab
from tests.pipeline.rows import single_quoted, strict, toll


def test_a_plain_put_of_a_json_file_ends_as_rows(lab: ShellLab) -> None:
    before = lab.count()
    lab.client("s3").put_object(
        Bucket=lab.config["landing_bucket"], Key="plain.json", Body=strict(1_000_000, 100).encode()
    )
    lab.wait(lambda: lab.count() == before + 100)
    lab.wait(lab.idle)


def test_the_cli_lands_both_forms_and_another_run_loads_nothing_twice(lab: ShellLab, tmp_path: Path) -> None:
    before = lab.count()
    for name, text in (("quoted.json", single_quoted(2_000_000, 100)), ("strict.json", strict(2_000_100, 100))):
        (tmp_path / name).write_text(text)
        runs = lab.runs()
        subprocess.run(
            ["aws", "s3", "cp", str(tmp_path / name), f"s3://{lab.config['landing_bucket']}/cli/{name}"],
            env=lab.environment,
            check=True,
            capture_output=True,
        )
        lab.wait(lambda runs=runs: lab.runs() > runs and lab.idle())
    assert lab.count() == before + 200
    lab.client("glue").start_workflow_run(Name=lab.config["workflow"])
    lab.wait(lab.idle)
    assert lab.count() == before + 200


def rejects(lab: ShellLab) -> list[dict[str, object]]:
    """All rows that the job set aside, from the staging bucket."""
    s3, bucket = lab.client("s3"), lab.config["staging_bucket"]
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="rejects/"):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
            found += [json.loads(line) for line in body.splitlines() if line.strip()]
    return found


@pytest.mark.parametrize(
    ("name", "bad_line"),
    [
        ("not-json", "this is not JSON {"),
        ("cut-short", '{"transaction_id": 5, "transaction_date": "2023/0'),
        ("missing-field", json.dumps(toll(3_000_001, toll_booth=None))),
        ("wrong-type", json.dumps(toll(3_000_002) | {"transaction_id": "abc"})),
        ("array", "[1, 2]"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason_and_the_good_ones_load(lab: ShellLab, name: str, bad_line: str) -> None:
    before, rejected = lab.count(), len(rejects(lab))
    good = strict(3_100_000, 3).splitlines()
    lab.put(f"broken/{name}.json", "\n".join([good[0], bad_line, *good[1:]]) + "\n")
    assert lab.count() == before + 3
    new = rejects(lab)[rejected:]
    assert len(rejects(lab)) == rejected + 1, new


def test_an_extra_field_does_not_keep_a_row_from_loading(lab: ShellLab) -> None:
    before = lab.count()
    lab.put("broken/extra.json", json.dumps(toll(3_200_000, colour="red")) + "\n" + strict(3_200_001, 1))
    assert lab.count() == before + 2


@pytest.mark.parametrize(("name", "body"), [("empty", ""), ("blank", "\n\n"), ("binary", bytes(range(256)))])
def test_a_file_without_a_row_loads_nothing_and_stops_nothing(lab: ShellLab, name: str, body: str | bytes) -> None:
    before = lab.count()
    lab.put(f"broken/{name}.json", body)
    assert lab.count() == before
    lab.put(f"broken/after-{name}.json", strict(3_300_000, 2))
    assert lab.count() == before + 2


def test_a_key_with_spaces_and_plus_signs_loads(lab: ShellLab) -> None:
    before = lab.count()
    lab.put("odd keys/a b+c (1) ä.json", strict(3_400_000, 4))
    assert lab.count() == before + 4


def test_a_file_that_is_not_json_by_its_name_starts_nothing(lab: ShellLab) -> None:
    runs = lab.runs()
    lab.client("s3").put_object(Bucket=lab.config["landing_bucket"], Key="notes.txt", Body=b"hello")
    lab.put("after-notes.json", strict(3_500_000, 1))
    assert lab.runs() == runs + 1


def test_many_files_at_once_lose_no_row(lab: ShellLab) -> None:
    before = lab.count()
    s3 = lab.client("s3")
    for number in range(8):
        s3.put_object(
            Bucket=lab.config["landing_bucket"],
            Key=f"burst/{number}.json",
            Body=strict(4_000_000 + number * 10, 10).encode(),
        )
    lab.wait(lambda: lab.count() >= before + 80)
    lab.wait(lab.idle)
    assert lab.count() == before + 80

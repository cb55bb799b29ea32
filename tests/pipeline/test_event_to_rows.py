"""Landed files become rows without any other call; good rows are never lost, whatever else a file contains."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.pipeline.conftest import ShellLab
from tests.pipeline.rows import single_quoted, strict, toll

BAD_LINES = {
    "not-json": ("this is not JSON {", "not a JSON object"),
    "cut-short": ('{"transaction_id": 5, "transaction_date": "2023/0', "not a JSON object"),
    "missing-field": (json.dumps(toll(3_000_001, toll_booth=None)), "toll_booth is missing"),
    "wrong-type": (
        json.dumps(toll(3_000_002) | {"transaction_id": "abc"}),
        "transaction_id is not a whole number: abc",
    ),
    "array": ("[1, 2]", "not a JSON object"),
}


def test_a_json_file_that_is_put_into_the_bucket_is_loaded_as_rows(lab: ShellLab) -> None:
    before = lab.count()
    lab.client("s3").put_object(
        Bucket=lab.config["landing_bucket"], Key="plain.json", Body=strict(1_000_000, 100).encode()
    )
    lab.wait(lambda: lab.count() == before + 100)
    lab.wait_until_quiet()
    assert lab.count() == before + 100


def test_files_from_the_cli_in_both_notations_are_loaded_and_a_manual_run_loads_nothing_twice(
    lab: ShellLab, tmp_path: Path
) -> None:
    before = lab.count()
    for name, text in (("quoted.json", single_quoted(2_000_000, 100)), ("strict.json", strict(2_000_100, 100))):
        (tmp_path / name).write_text(text)
    target = f"s3://{lab.config['landing_bucket']}/cli/"
    subprocess.run(
        [sys.executable, "-m", "awscli", "s3", "cp", "--recursive", str(tmp_path), target],
        env=lab.environment,
        check=True,
        capture_output=True,
    )
    lab.wait(lambda: lab.count() >= before + 200)
    lab.wait_until_quiet()
    lab.client("glue").start_workflow_run(Name=lab.config["workflow"])
    lab.wait_until_quiet()
    assert lab.count() == before + 200


def test_bad_rows_are_kept_with_file_line_and_reason_and_good_rows_are_loaded(lab: ShellLab) -> None:
    before, good = lab.count(), strict(3_100_000, 3).splitlines()
    lab.put(*((f"bad/{name}.json", "\n".join([good[0], bad, *good[1:]])) for name, (bad, _) in BAD_LINES.items()))
    assert lab.count() == before + 3 * len(BAD_LINES)
    kept = {reject["file"]: reject for reject in lab.rejects()}
    for name, (bad, reason) in BAD_LINES.items():
        file = f"s3://{lab.config['landing_bucket']}/bad/{name}.json"
        expected = {"file": file, "line": 2, "reason": reason, "row": bad}
        assert {field: kept[file][field] for field in expected} == expected


def test_empty_files_and_rows_with_extra_fields_do_not_stop_the_load(lab: ShellLab) -> None:
    before = lab.count()
    extra = json.dumps(toll(3_200_000, colour="red")) + "\n" + strict(3_200_001, 1)
    lab.put(("odd/empty.json", ""), ("odd/blank.json", "\n\n"), ("odd/extra.json", extra))
    assert lab.count() == before + 2


def test_files_with_special_characters_in_their_key_are_loaded_and_other_suffixes_start_nothing(lab: ShellLab) -> None:
    before, runs = lab.count(), lab.runs()
    lab.client("s3").put_object(Bucket=lab.config["landing_bucket"], Key="notes.txt", Body=b"hello")
    lab.wait_until_quiet()
    assert lab.runs() == runs
    lab.put(("odd keys/a b+c (1) ä.json", strict(3_400_000, 4)), ("odd keys/50%25 'x'.json", strict(3_500_000, 4)))
    assert lab.count() == before + 8

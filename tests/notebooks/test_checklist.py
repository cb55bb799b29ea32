"""docs/checklist.md, line by line: a deployed lab meets each numbered line of the description."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from story import NAMES

import localaws
from labkit import Lab

PROJECT = Path(__file__).parents[2]
# How many numbered lines each part of the description has.
LINES = {"Objective": 9, "Setup": 10, "Notification": 3, "Redshift crawler": 17, "Job": 6, "Workflow": 11, "Query": 3}


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    part: str
    number: int
    step: str
    check: str
    notebook: str


def read() -> list[Line]:
    lines = []
    for row in (PROJECT / "docs" / "checklist.md").read_text().splitlines():
        if row.startswith("|") and (found := re.match(r"\| ([A-Z][a-z ]+) (\d+) \|", row)):
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            lines.append(Line(found[1], int(found[2]), cells[2], cells[3], cells[4]))
    return lines


CHECKLIST = read()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The described lab, with the description's own names, the sample file and 100 rows of TestEvent loaded."""
    home = tmp_path_factory.mktemp("lab")
    lab = Lab(home=home, progress="static")
    lab.up()
    lab.deploy(as_described=True)
    lab.follow(lab.send(PROJECT / "data" / "sample_data_toll_application.json"))
    lab.follow([str(lab.functions.invoke(lab.names.generator_function, TEST_EVENT)["key"])])
    yield lab
    localaws.stop(home)


# What the Lambda console's template "hello-world" holds.
TEST_EVENT = {"key1": "value1", "key2": "value2", "key3": "value3"}


@pytest.fixture(scope="module")
def said(lab: Lab) -> dict[str, Any]:
    """step → its check on that lab."""
    return {check.step: check for check in lab.status()}


def test_every_numbered_line_of_the_description_appears_once() -> None:
    assert Counter(line.part for line in CHECKLIST) == LINES
    for part, count in LINES.items():
        assert [line.number for line in CHECKLIST if line.part == part] == list(range(1, count + 1))


@pytest.mark.parametrize("line", CHECKLIST, ids=lambda line: f"{line.part} {line.number}")
def test_each_line_of_the_description_is_met(line: Line, said: dict[str, Any]) -> None:
    assert line.notebook in NAMES
    if named := re.fullmatch(r"`(test_\w+)`", line.check):
        assert named[1] in globals(), f"there is no test {named[1]}"
        return
    quoted = line.check.strip('"')
    assert f'"{quoted}"' == line.check
    facts = [fact for fact in said[line.step].facts if quoted in fact.what]
    assert facts, (
        f"lab.{line.step}.check() doesn't say {quoted!r}, but: {[fact.what for fact in said[line.step].facts]}"
    )
    assert all(fact.holds for fact in facts), facts


def test_the_notebook_of_each_line_uses_its_step() -> None:
    ways = {"functions": ["lab.send"], "workflow": ["lab.follow"]}
    for line in CHECKLIST:
        source = (PROJECT / "notebooks" / f"{line.notebook}.ipynb").read_text()
        assert any(way in source for way in (f"lab.{line.step}", *ways.get(line.step, []))), line


def test_the_sample_file_and_the_generator_land_data(lab: Lab) -> None:
    assert lab.counts(["sample_data_toll_application.json"]).landed == 100
    assert lab.counts().landed >= 200


def test_the_console_s_test_event_makes_100_rows(lab: Lab) -> None:
    answer = lab.functions.invoke(lab.names.generator_function, TEST_EVENT)
    assert answer["rows"] == 100
    assert lab.follow([str(answer["key"])]).status == "COMPLETED"
    assert lab.counts([answer["key"]]).landed == 100


def test_the_two_tables_have_the_described_names_classifications_and_columns(lab: Lab) -> None:
    landed, loaded = lab.crawlers.table("landing_bucket"), lab.crawlers.table("toll_db_public_toll_table")
    assert (landed.classification, loaded.classification) == ("json", "redshift")
    assert set(landed.columns) == set(loaded.columns)
    assert (landed.columns["transaction_id"], landed.columns["transaction_amount"]) == ("int", "double")
    assert (loaded.columns["transaction_id"], loaded.columns["transaction_amount"]) == ("bigint", "float")


def test_the_job_maps_the_columns_as_described() -> None:
    script = (PROJECT / "glue" / "s3_to_redshift_job.py").read_text()
    assert re.search(r'\("transaction_id", "\w+", "transaction_id", "bigint"\)', script)
    assert re.search(r'\("transaction_amount", "\w+", "transaction_amount", "double"\)', script)


def test_a_complete_run_reports_the_results_of_its_crawl_and_its_job(lab: Lab) -> None:
    run = lab.follow(lab.send(rows=3))
    assert (run.status, run.crawl, run.job) == ("COMPLETED", "SUCCEEDED", "SUCCEEDED")


def test_the_driver_connects_with_a_password_and_with_temporary_credentials(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab.query.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select current_user, current_database()")
        assert tuple(cursor.fetchone()) == ("admin", "toll_db")
    for name, value in lab.session.environment().items():
        monkeypatch.setitem(os.environ, name, value)
    with (
        redshift_connector.connect(
            iam=True,
            cluster_identifier=lab.names.cluster_identifier,
            database="toll_db",
            db_user="admin",
            region=lab.config.region,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select count(*) from toll_table")
        assert cursor.fetchone()[0] >= 200


def test_the_three_row_counts_of_the_description_agree(lab: Lab) -> None:
    lab.workflow.wait_until_idle()
    lab.workflow.run()
    assert lab.counts().agree

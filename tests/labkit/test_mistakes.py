"""docs/instructor.md quotes the messages of typical mistakes. Each is made here, and the message is the quoted one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.stub import Stubber

from labkit import Lab, LabError

PREFIX = "mistaken"


def not_up(lab: Lab, tmp_path: Path) -> None:
    Lab(home=tmp_path / "lab").buckets.create()


def out_of_order(lab: Lab, tmp_path: Path) -> None:
    Lab(home=lab.config.home, prefix=PREFIX, progress="static").job.create()


def wrong_delivery(lab: Lab, tmp_path: Path) -> None:
    lab.job.run()


def prefix_with_a_capital(lab: Lab, tmp_path: Path) -> None:
    Lab(prefix="Alice")


def unknown_target(lab: Lab, tmp_path: Path) -> None:
    Lab(target="AWS")


def mistyped_sql(lab: Lab, tmp_path: Path) -> None:
    lab.query("selec count(*) from toll_table")


def wrong_file_name(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text('{"transaction_id": 1}')
    lab.send(tmp_path / "rows.txt")


def no_such_notebook(lab: Lab, tmp_path: Path) -> None:
    lab.catch_up("12")


def nobody_agreed(lab: Lab, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.input", lambda _question: "no")
        Lab(home=lab.config.home, prefix=PREFIX, ask_before_create=True).network.create()


def taken_bucket(lab: Lab, tmp_path: Path) -> None:
    mine = Lab(home=lab.config.home, prefix=PREFIX)
    with Stubber(mine.session.client("s3")) as stub:
        stub.add_client_error("head_bucket", "404", http_status_code=404)
        stub.add_client_error("create_bucket", "BucketAlreadyExists", "The requested bucket name is not available.")
        mine.buckets.create()


def no_credentials(lab: Lab, tmp_path: Path) -> None:
    Lab(target="aws").session.client("s3").list_buckets()


MISTAKES = (
    not_up, out_of_order, wrong_delivery, prefix_with_a_capital, unknown_target, mistyped_sql, wrong_file_name,
    no_such_notebook, nobody_agreed, taken_bucket, no_credentials,
)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: str(mistake.__name__))
def test_the_message_of_a_typical_mistake_is_the_one_in_the_instructor_s_document(
    lab: Lab, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[Lab, Path], None]
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(LabError) as caught:
        mistake(lab, tmp_path)
    said = f"{type(caught.value).__name__}: {caught.value}".replace(str(tmp_path), "…")
    for prefix in (f"{PREFIX}-", f"-{PREFIX}", "kit-"):  # the document shows a lab without a prefix
        said = said.replace(prefix, "")
    quoted = (root / "docs" / "instructor.md").read_text()
    assert f"```\n{said}\n```" in quoted

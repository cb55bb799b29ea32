"""docs/fidelity.md lists exactly what the tests prove."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_fidelity
import operation_lists

MARKED = '''
import pytest

@pytest.mark.{mark}
def test_s3_keeps_a_json_object():
    """{docstring}"""
'''


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    return tmp_path / "tests"


def write(tests: Path, mark: str, docstring: str = "As https://docs.aws.amazon.com/a/b.html says.") -> None:
    (tests / "test_it.py").write_text(MARKED.format(mark=mark, docstring=docstring))


def test_fidelity_md_is_up_to_date(root: Path) -> None:
    text = (root / "docs" / "fidelity.md").read_text()
    made = operation_lists.render(make_fidelity.render(text, make_fidelity.claims(root / "tests")))
    assert text == made, "docs/fidelity.md is not up to date: run `make fidelity`"


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ('as_on_aws("S3")', "- S3 keeps a JSON object ([AWS](https://docs.aws.amazon.com/a/b.html))"),
        ('simplified("S3", "once")', "- S3 keeps a JSON object: once ([AWS](https://docs.aws.amazon.com/a/b.html))"),
        ('refused("S3")', "- S3 keeps a JSON object"),
    ],
)
def test_a_marked_test_becomes_a_line_under_its_service(tests: Path, mark: str, line: str) -> None:
    write(tests, mark, "" if mark.startswith("refused") else "https://docs.aws.amazon.com/a/b.html.")
    text = "By hand.\n<!-- tests of: S3 -->\nold\n<!-- end -->\nMore.\n<!-- tests of: SQS -->\n<!-- end -->\n"
    made = make_fidelity.render(text, make_fidelity.claims(tests))
    assert line in made.partition("<!-- tests of: SQS -->")[0].splitlines()
    assert "old" not in made
    assert made.startswith("By hand.\n")
    assert make_fidelity.render(made, make_fidelity.claims(tests)) == made


@pytest.mark.parametrize(
    ("mark", "docstring", "problem"),
    [
        ('as_on_aws("S3")', "No page.", "names no page"),
        ('simplified("S3", "how")', "See https://www.postgresql.org/docs/.", "names no page"),
        ('simplified("S3")', "https://docs.aws.amazon.com/a", "simplified takes 2 texts"),
    ],
)
def test_a_mark_without_its_page_or_texts_is_an_error(tests: Path, mark: str, docstring: str, problem: str) -> None:
    write(tests, mark, docstring)
    with pytest.raises(make_fidelity.Wrong, match=f"test_it.py::test_s3_keeps_a_json_object: .*{problem}"):
        make_fidelity.claims(tests)


def test_a_service_without_a_section_is_an_error(tests: Path) -> None:
    write(tests, 'refused("S4")')
    with pytest.raises(make_fidelity.Wrong, match=r"test_s3_keeps_a_json_object: no place .* 'S4'"):
        make_fidelity.render("<!-- tests of: S3 -->\n<!-- end -->\n", make_fidelity.claims(tests))

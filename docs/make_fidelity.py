"""Writes the lists in docs/fidelity.md, from the tests that prove them and from the tables of operations.

A test's mark says which service it is about, and whether the behaviour is as on AWS, is different, or is refused. The
test's name is the sentence, and its docstring has AWS's page. The text between the lists is written by hand in
fidelity.md.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import operation_lists

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docs" / "fidelity.md"

_URL = re.compile(r"https://docs\.aws\.amazon\.com/[^\s<>\"'`]*[^\s<>\"'`.,;:)\]]")
_LISTS = re.compile(r"(<!-- tests of: (?P<service>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
# Words with capital letters, which a test's name can't have.
_WRITTEN = """
ACL ACLs API APIs ARN ARNs AWS CSV CloudWatch DLQ DLQs DPU DynamoDB ETag EventBridge FIFO GetObject GetQueueAttributes
Glue HTTP IAM ID IDs JDBC JSON KMS Lambda MD5 NULL NULLs Parquet PostgreSQL PutLogEvents PutObject Python Redshift S3
SNS SQL SQLite SQS STS Spark StartCrawler StartJobRun StartWorkflowRun StopCrawler Studio TLS UNLOAD URI URL URLs UTC
VPC VersionId XML boto3
"""
_NAMES = {name.lower(): name for name in _WRITTEN.split()}


class Kind(StrEnum):
    """The marks, with the headings of their lists."""

    AS_ON_AWS = "as_on_aws"
    SIMPLIFIED = "simplified"
    REFUSED = "refused"

    @property
    def heading(self) -> str:
        """The heading above the list."""
        return {"as_on_aws": "As on AWS", "simplified": "Simplified", "refused": "Refused"}[self]


@dataclass(frozen=True, order=True)
class Claim:
    """One mark on one test."""

    service: str
    kind: Kind
    file: str
    line: int
    test: str
    how: str
    pages: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The test's name as a readable sentence."""
        words = [_NAMES.get(word, word) for word in self.test.removeprefix("test_").split("_")]
        if words[0] not in _NAMES.values():
            words[0] = words[0][:1].upper() + words[0][1:]
        return re.sub(r"(?<=[a-z]) (?=(s|t)\b)", "'", " ".join(words))  # names have no apostrophes: the lab's, can't

    def to_markdown(self) -> str:
        """Return the claim as a line of a list."""
        how = f": {self.how.rstrip('.')}" if self.how else ""
        links = ", ".join(f"[AWS]({page})" for page in self.pages)
        return f"- {self.sentence}{how}{f' ({links})' if links else ''}"


class Wrong(Exception):
    """The file can't be made. Each problem names its test or its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


def claims(tests: Path) -> list[Claim]:
    """Return all marks below `tests`, in the order of their files and lines.

    Raises:
        Wrong: a mark's arguments can't be read, or a test that needs AWS's page in its docstring has none.
    """
    found: list[Claim] = []
    problems: list[str] = []
    for file in sorted(tests.rglob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text(), str(file))):
            if not isinstance(function, ast.FunctionDef) or not function.name.startswith("test_"):
                continue
            place = f"{file.relative_to(tests.parent)}::{function.name}"
            for kind, arguments in _marks(function):
                wanted = 2 if kind is Kind.SIMPLIFIED else 1
                if len(arguments) != wanted or not all(isinstance(value, str) for value in arguments):
                    problems.append(f"{place}: {kind} takes {wanted} text{'s' * (wanted > 1)}")
                    continue
                pages = tuple(dict.fromkeys(_URL.findall(ast.get_docstring(function) or "")))
                if not pages and kind is not Kind.REFUSED:
                    problems.append(f"{place}: its docstring names no page of https://docs.aws.amazon.com/")
                texts = [str(value) for value in arguments]
                how = texts[1] if kind is Kind.SIMPLIFIED else ""
                found.append(
                    Claim(texts[0], kind, str(file.relative_to(tests)), function.lineno, function.name, how, pages)
                )
    if problems:
        raise Wrong(problems)
    return found


def render(text: str, found: list[Claim]) -> str:
    """Return `text` with its lists rebuilt from `found`.

    Raises:
        Wrong: a mark names a service for which `text` has no list.
    """
    places = {match["service"] for match in _LISTS.finditer(text)}
    lost = [f"{claim.file}::{claim.test}: no place in fidelity.md for {claim.service!r}" for claim in found]
    lost = [problem for problem, claim in zip(lost, found, strict=True) if claim.service not in places]
    if lost:
        raise Wrong([*lost, f"its services are {', '.join(sorted(places))}"])

    def lists(match: re.Match[str]) -> str:
        return match[1] + _lists([claim for claim in found if claim.service == match["service"]]) + match[3]

    return _LISTS.sub(lists, text)


def _lists(found: list[Claim]) -> str:
    parts = []
    for kind in Kind:
        lines = [claim.to_markdown() for claim in sorted(found) if claim.kind is kind]
        if lines:
            parts.append(f"\n*{kind.heading}*\n\n" + "\n".join(dict.fromkeys(lines)) + "\n")
    return "".join(parts) + ("\n" if parts else "")


def _marks(function: ast.FunctionDef) -> Iterator[tuple[Kind, list[object]]]:
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr=name), args=arguments):
                if name in list(Kind):
                    yield Kind(name), [_constant(argument) for argument in arguments]


def _constant(argument: ast.expr) -> object:
    return argument.value if isinstance(argument, ast.Constant) else None


def main() -> None:
    """Write the file."""
    try:
        FILE.write_text(operation_lists.render(render(FILE.read_text(), claims(ROOT / "tests"))))
    except Wrong as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

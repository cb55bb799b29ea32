"""Each command in the documents and the error messages exists, has valid arguments, and works."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from labkit import Lab
from labkit.data.logs import SHORT
from labkit.names import Names
from labkit.tools.cli import cli

ROOT = Path(__file__).parents[2]
PREFIX = "doc"
ANY = "…"
"""What stands for a value that a message fills in."""
SAFE = {"up", "status", "env", "config", "doctor", "deploy", "logs", "load", "query", "redrive", "send"}
NOT_WITH = {"--as-described", "DIRECTORY/*.json", "-f"}
"""The first is refused while the exactly-once delivery is in use, the second is an example, the third never ends."""
ON_AWS_ONLY = "aws service-quotas"
PLAIN = Names.of(Lab(prefix="", target="local").config, "")
STEPS = [step.name for step in Lab().steps]
PARTS = {
    value for field, value in dataclasses.asdict(PLAIN).items() if re.search("function|crawler|job|workflow", field)
}


# What is named where


def documents() -> list[Path]:
    """What is written for people."""
    return sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.ipynb")])


def prose(file: Path) -> str:
    """The Markdown of a document."""
    if file.suffix == ".md":
        return file.read_text()
    cells = json.loads(file.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def shown_code(file: Path) -> Iterator[str]:
    """Each piece of inline code, and each line of the blocks."""
    text = prose(file)
    for block in re.findall(r"^```.*?\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield from (line.partition(" #")[0] for line in block.splitlines())
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text))


def in_documents(program: str) -> Iterator[tuple[str, str]]:
    """(document, command) of each command of the program."""
    for file in documents():
        for code in shown_code(file):
            for part in re.split(r"\s*(?:&&|;)\s*", code):
                inner = re.search(rf"\$\(({program} [^)]*)\)", part)
                command = inner[1] if inner else part.strip()
                if command.startswith(f"{program} "):
                    yield file.name, command


def messages() -> Iterator[tuple[str, str]]:
    """(module, text) of each text in labkit's code; what is filled in is ANY."""
    for file in sorted(ROOT.glob("labkit/**/*.py")):
        tree = ast.parse(file.read_text())
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield (
                    file.name,
                    "".join(str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values),
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                yield file.name, node.value


VALUE = r"\w+=[\w.]+|\d\d\b"
"""A parameter of `labkit run`, or a notebook's number."""
ARGUMENT = re.compile(
    rf"\s+(--[\w-]+|-\w\b|{ANY}|\"[^\"]*\"|{VALUE}|[\w.*-]*/[\w.*/-]+|{'|'.join({*STEPS, *SHORT, *PARTS})})(?!\w)"
)


def in_messages() -> Iterator[tuple[str, str]]:
    """(module, command) of each `labkit …` in the messages: the words that follow it are arguments or prose."""
    for module, text in messages():
        for match in re.finditer(r"(?<![\w/])(?<!from )labkit ([a-z]+)\b", text):
            command, rest = match[0], text[match.end() :]
            while argument := ARGUMENT.match(rest):
                command, rest = command + argument[0], rest[argument.end() :]
            yield module, command


COMMANDS = sorted({*in_documents("labkit"), *in_messages()})


def arguments_of(command: str) -> list[str]:
    words = shlex.split(command)[1:]
    value = {"logs": "exactly_once_job", "deploy": "buckets"}.get(words[0], ANY)
    return [word.replace(ANY, value) for word in words]


# They are right


def test_commands_are_found_in_all_documents_and_messages() -> None:
    """Otherwise the tests below prove nothing."""
    named = {command for _, command in COMMANDS}
    assert {"labkit logs s3_crawler", "labkit up", "labkit down --wipe", f"labkit deploy {ANY}", "labkit load"} <= named
    assert {place for place, _ in COMMANDS} >= {"README.md", "troubleshooting.md", "errors.py"}


@pytest.mark.parametrize(("place", "command"), COMMANDS)
def test_every_command_in_the_documents_exists_and_has_valid_arguments(place: str, command: str) -> None:
    name, *arguments = arguments_of(command)
    assert isinstance(cli, click.Group)
    assert name in cli.commands, f"{place}: there is no labkit {name}"
    if arguments:  # else it is named, not shown
        cli.commands[name].make_context(name, list(arguments))
    if name in ("deploy", "destroy"):
        assert {word for word in arguments if not word.startswith("-")} <= set(STEPS), place


def test_every_lab_attribute_in_the_documents_exists() -> None:
    """A call like `lab.crawlers.crawl_s3()` in a message or a document can be made."""
    texts = [*messages(), *((file.name, code) for file in documents() for code in shown_code(file))]
    wrong = []
    lab = Lab()
    for place, text in texts:
        for path in re.findall(r"(?<![\w/.])lab\.((?:[a-z_][a-z0-9_]*\.)*[a-z_][a-z0-9_]*)", text):
            if path not in ("py", "name") and not resolves(lab, path.split(".")):
                wrong.append(f"{place}: lab.{path}")
    assert not wrong


def resolves(thing: object, path: list[str]) -> bool:
    for name in path:
        if name in getattr(thing, "__dict__", {}):
            thing = vars(thing)[name]
        else:
            try:
                inspect.getattr_static(type(thing), name)
            except AttributeError:
                return False
            return True  # a method, or a property that would ask the target
    return True


# They work


@pytest.fixture(scope="module")
def documented(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A lab in which both deliveries have run, the exactly-once one in use."""
    lab = make_lab(PREFIX)
    lab.deploy(as_described=True)
    lab.crawlers.crawl_redshift()
    lab.follow(lab.send(rows=2))
    lab.crawlers.crawl_s3()
    lab.deploy("reliability", "notification")
    lab.follow(lab.send(rows=2))
    yield lab
    lab.destroy()


@pytest.mark.parametrize(
    "command",
    sorted({
        command for _, command in COMMANDS
        if arguments_of(command)[0] in SAFE and not NOT_WITH & set(arguments_of(command))
    }),
)  # fmt: skip
def test_every_read_only_command_in_the_documents_works(documented: Lab, command: str) -> None:
    settings = {"LABKIT_HOME": str(documented.config.home), "LABKIT_PREFIX": PREFIX}
    arguments = arguments_of(command)
    if arguments == ["query"]:
        arguments.append("select 1")
    done = CliRunner().invoke(cli, arguments, env=settings)
    assert done.exit_code == 0, f"{done.output}\n{done.exception}"
    assert done.output.strip()


@pytest.mark.parametrize(
    "command",
    sorted({
        command for _, command in in_documents("aws")
        if re.search(r" (ls|get-|list-|describe-)", command) and not command.startswith(ON_AWS_ONLY)
    }),
)  # fmt: skip
def test_every_read_only_aws_cli_command_in_the_documents_works(documented: Lab, command: str) -> None:
    for field, name in dataclasses.asdict(PLAIN).items():
        command = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", getattr(documented.names, field), command)
    environment = {**os.environ, **documented.session.environment()}
    aws = [sys.executable, "-m", "awscli", *shlex.split(command)[1:]]
    done = subprocess.run(aws, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()

"""The documents stay correct: the commands, links and files that they name exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from labkit.tools.cli import cli

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def texts(root: Path) -> list[Path]:
    """All that is written for people: Markdown files and notebooks."""
    files = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("bench/*.md"), *root.glob("notebooks/*.ipynb")]
    return sorted(files)


def prose(file: Path) -> str:
    """The Markdown of a file or a notebook, without its code blocks."""
    text = file.read_text()
    if file.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(file: Path) -> set[str]:
    """The anchors of a file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def commands() -> dict[str, click.Command]:
    assert isinstance(cli, click.Group)
    return cli.commands


def test_every_command_is_described_in_the_readme(root: Path) -> None:
    readme = (root / "README.md").read_text()
    described = dict(re.findall(r"^\| `labkit (\w+)` \| (.+) \|$", readme, re.MULTILINE))
    assert set(described) == set(commands())
    assert all(described.values())


def test_every_command_and_option_has_a_help_text() -> None:
    for name, command in commands().items():
        assert command.help, f"labkit {name} has no help"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"labkit {name} {parameter.opts[-1]} has no help"


def test_every_command_in_the_documents_exists(root: Path) -> None:
    for file in texts(root):
        for name in re.findall(r"(?<!from )(?<!import )\blabkit ([a-z]+)\b(?=[ `\n])", code(file)):
            assert name in commands(), f"{file.name} shows labkit {name}"


def test_every_make_target_in_the_documents_exists(root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    for file in texts(root):
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", code(file), re.MULTILINE):
            assert name in targets, f"{file.name} shows make {name}"


def test_every_relative_link_has_a_target(root: Path) -> None:
    broken = []
    for file in texts(root):
        for target in LINK.findall(prose(file)):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            place = file if not path else (file.parent / path)
            if not place.exists():
                broken.append(f"{file.relative_to(root)}: {target}")
            elif anchor and place.suffix == ".md" and anchor not in anchors(place):
                broken.append(f"{file.relative_to(root)}: {target} (no such heading)")
    assert not broken


# What documents name a file from: the project, or the package that they are about.
BASES = (".", "localaws", "labkit", "tests")
# What a lab makes while it runs.
MADE = ("site/", "runs/", ".labkit", ".venv", "statements/", "rejects/", "temp/", "logs/", "labkit.toml",
        "progress.json", "archive/", "booths/", "fares.json", "old-2019.json")  # fmt: skip
PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|toml|sql|md|ipynb|json)|(?:[\w.-]+/)+)`")


def test_every_file_and_folder_in_the_documents_exists(root: Path) -> None:
    tracked = {file.name for file in root.rglob("*.*") if not any(part.startswith(".") for part in file.parts[:-1])}
    missing = []
    for file in texts(root):
        if file.name == "CHANGELOG.md":  # which tells of what was
            continue
        for name in PATH.findall(file.read_text()):
            there = any((root / base / name).exists() for base in BASES) or (file.parent / name).exists()
            if not there and not name.startswith(MADE) and not ("/" not in name and name in tracked):
                missing.append(f"{file.relative_to(root)}: {name}")
    assert not missing


@pytest.mark.parametrize("number", range(10))
def test_every_notebook_is_in_the_readme(root: Path, number: int) -> None:
    (notebook,) = root.glob(f"notebooks/{number:02d}_*.ipynb")
    assert f"notebooks/{notebook.name}" in (root / "README.md").read_text()


def code(file: Path) -> str:
    """What a text shows as code: its inline code and its blocks."""
    text = file.read_text()
    if file.suffix == ".ipynb":
        text = "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    blocks = re.findall(r"^```.*?\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*re.findall(r"`[^`\n]+`", text), *blocks])

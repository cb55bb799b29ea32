"""An unusable home and unneeded shell settings: the commands give advice and no traceback."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labkit.tools.cli import _run

COMMANDS = ("up", "status", "down", "doctor")
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command() -> Command:
    """`labkit` in a process of its own."""

    def run(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LABKIT_HOME": str(home), **variables}
        return subprocess.run(
            [sys.executable, "-m", "labkit", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run


@pytest.mark.parametrize("below", ["", "lab"])
def test_a_home_that_is_a_file_is_an_error_that_says_what_to_do(command: Command, tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for name in COMMANDS if not below else ("up", "doctor"):
        done = command(name, home=file / below)
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert "Traceback" not in said
        assert "LABKIT_HOME" in said
        if name != "doctor" or not below:
            assert f"{file} is a file, not a directory" in said
    assert file.read_text() == "mine"


def test_the_doctor_continues_after_an_unusable_home(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = command("doctor", home=tmp_path / "file").stdout.splitlines()
    assert any(line.startswith("✗") and "can be written" in line for line in found)
    assert any(line.startswith("✗") and "the state of the target can be read" in line for line in found)
    assert any(line.startswith("✓ Python") for line in found)


def passable(directory: Path) -> None:
    """Let everybody come to `directory`, of whose parents pytest has made some private."""
    for place in (directory, *directory.parents):
        if place.stat().st_uid == os.geteuid() and not place.stat().st_mode & 0o001:
            place.chmod(0o755)


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """As a user that may do less: nobody, where we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_home_of_another_user_is_an_error_that_names_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    passable(tmp_path)
    private.chmod(0o700 if os.geteuid() == 0 else 0)
    monkeypatch.setenv("LABKIT_HOME", str(private / "home"))
    try:
        with as_somebody_else():
            assert _run([name]) == 1
    finally:
        private.chmod(0o700)
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert "set LABKIT_HOME to a directory of yours" in said
    assert f"{private} belongs to " in said
    assert list(private.iterdir()) == []


def test_a_read_only_home_is_reported(command: Command, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user can't mount a disk")
    try:
        done = command("up", home=place)
        assert done.returncode == 1
        assert "read-only. Make it writable, or set LABKIT_HOME" in done.stderr
        assert command("status", home=place).returncode == 0
        assert "✗" in command("doctor", home=place).stdout
        assert "It was not running. It had no data." in command("down", "--wipe", home=place).stdout
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.nightly
def test_a_missing_profile_and_a_missing_temporary_directory_are_ignored(command: Command, tmp_path: Path) -> None:
    damaged = tmp_path / "config"
    damaged.write_text("[profile")
    shell = {
        "AWS_PROFILE": "not-there",
        "TMPDIR": str(tmp_path / "not-there"),
        "AWS_CONFIG_FILE": str(damaged),
        "AWS_SHARED_CREDENTIALS_FILE": str(damaged),
    }
    home = tmp_path / "lab"
    try:
        for arguments in (["up"], ["deploy", "buckets"], ["status"], ["env"]):
            done = command(*arguments, home=home, **shell)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        command("down", "--wipe", home=home)


def test_a_settings_file_that_cannot_be_read_is_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passable(tmp_path)
    settings = tmp_path / "labkit.toml"
    settings.write_text("")
    settings.chmod(0o600 if os.geteuid() == 0 else 0)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    with as_somebody_else():
        assert _run(["config"]) == 2
    assert f"(from {settings}): the file can't be read: Permission denied" in capsys.readouterr().err

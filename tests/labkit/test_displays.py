"""What the lab's objects look like, as HTML and as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.completer import provisionalcompleter
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell

from labkit import Lab
from labkit.config import Target
from labkit.lab import STORY
from labkit.session import Stopped, TargetStatus
from labkit.show.display import Check, Checks, Deployed, Destroyed, Fact, Removed
from labkit.show.lines import Lines
from labkit.show.preview import Preview
from labkit.show.secret_value import SecretValue
from labkit.steps.job import JobRun
from labkit.steps.queues import DeadLetter, DeadLetters
from labkit.tools.event_status import EventStatus
from labkit.tools.leftovers import Leftovers
from tests.contrast import LEGIBLE
from tests.labkit.display_contrast import lowest_contrast

WRONG = Check("job", (Fact(True, "it exists"), Fact(False, "its <timeout> is 15", "run lab.job.create()")))
RIGHT = Check("buckets", (Fact(True, "bucket b exists"),))
LETTER = DeadLetter("by hand.json", "the function failed: <no>", "receipt", "body")
DISPLAYS: list[Any] = [
    WRONG, RIGHT, WRONG.facts[1], Checks((RIGHT, WRONG)), Removed("job", ("job j",)), Destroyed((Removed("job", ()),)),
    Deployed((("buckets", Removed("b", ())),)), Lines(["one <line>\n", "another\n"]),
    Preview("public.t", (("a", "integer"),), ((1,), (None,)), 5), SecretValue(username="admin", password="hush"),
    DeadLetters([LETTER]), DeadLetters(), EventStatus(1, 2, 3, 1, "f line 2: <bad>"), Leftovers(("step job",), ()),
    Leftovers((), ()), Stopped(True, (), True), TargetStatus(Target.LOCAL, True, True, "us-east-1"),
]  # fmt: skip
OF_A_LAB = ["lab", "lab.config", "lab.names", *(f"lab.{step}" for step in STORY), "lab.reliability.workflow"]


@pytest.fixture
def offline(make_lab: Callable[..., Lab]) -> Lab:
    """A lab with which nothing is looked up on the target."""
    return make_lab("shown", workers=4)


def display(thing: Any) -> dict[str, str]:
    """What IPython displays: kind → text."""
    data, _ = DisplayFormatter().format(thing, include={"text/plain", "text/html"})
    return dict(data)


@pytest.mark.parametrize("thing", DISPLAYS, ids=lambda thing: type(thing).__name__)
def test_every_display_has_html_and_text_without_markup_or_object_addresses(thing: Any) -> None:
    shown = display(thing)
    assert shown["text/html"]
    assert not re.search(r"<\w+[ >]|0x[0-9a-f]{6}", re.sub(r"<(timeout|line|bad|no|hint)>", "", shown["text/plain"]))
    assert not re.search(r"<(timeout|line|bad|no|hint)>", shown["text/html"])


@pytest.mark.parametrize("thing", DISPLAYS, ids=lambda thing: type(thing).__name__)
def test_coloured_text_has_a_contrast_of_at_least_4_5_in_both_themes(thing: Any) -> None:
    assert lowest_contrast(display(thing)["text/html"]) >= LEGIBLE


@pytest.mark.parametrize("expression", OF_A_LAB)
def test_the_lab_and_its_parts_have_displays_that_ask_nothing_of_the_target(offline: Lab, expression: str) -> None:
    shown = display(eval(expression, {"lab": offline}))
    assert lowest_contrast(shown["text/html"]) >= LEGIBLE
    assert "object at 0x" not in shown["text/plain"]
    assert "`" not in shown["text/plain"]
    assert len(shown["text/plain"].splitlines()) < 40
    assert not offline.calls()


def test_the_contrast_of_the_colours_that_displays_used_to_have_is_too_low() -> None:
    assert lowest_contrast('<b style="color:#b42318">✗</b>') < LEGIBLE
    assert lowest_contrast('<b style="color:#57606a">○</b>') < LEGIBLE
    assert lowest_contrast('<b style="color:#24292f;background:#ffffff">dark on a light fill</b>') > LEGIBLE


def test_a_step_shows_its_notebook_what_it_makes_and_its_methods(offline: Lab) -> None:
    assert repr(offline.secrets) == (
        "lab.secrets (notebook 03_secrets)\n"
        "Makes the secret's link to its cluster, and the Glue connection.\n"
        "In the description, the password is copied by hand. Here the connection names the secret, and Glue reads it.\n"
        "lab.secrets.create()    Write the host and port into the secret, and create the connection.\n"
        "lab.secrets.check()     Check the target: what is as it should be, what isn't, and how to fix it.\n"
        "lab.secrets.describe()  The secret's keys and the connection.\n"
        "lab.secrets.destroy()   Delete the connection. The secret is deleted with its cluster, which can't be reached "
        "without it.\n"
        "lab.secrets.read()      The secret's value. It is a dict with the password, which its display hides.\n"
        "lab.secrets.test()      Make Glue connect to Redshift through the connection, like the console's "
        '"Test connection".'
    )


def test_an_empty_text_is_left_out() -> None:
    assert str(JobRun("load", "SUCCEEDED", "", "jr_1")).split() == ["job", "load", "state", "SUCCEEDED"]
    assert "message" not in JobRun("load", "SUCCEEDED", "", "jr_1")._repr_html_()
    assert "message" in str(JobRun("load", "FAILED", "no table", "jr_1"))


def test_the_settings_are_shown_with_where_they_come_from(
    make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_JOB_RETRIES", "2")
    config = make_lab("shown", workers=4).config
    assert (config.source("workers"), config.source("job_retries")) == ("argument", "LABKIT_JOB_RETRIES")
    assert config.source("region") == "default"
    assert re.search(r"^workers +4 +argument$", str(config), re.MULTILINE)
    assert re.search(r"\d\d settings have their default", str(config))


def test_the_password_is_in_the_secret_and_not_in_its_display() -> None:
    secret = SecretValue(username="admin", password="hush")
    assert secret == {"username": "admin", "password": "hush"}
    assert json.loads(json.dumps(secret))["password"] == "hush"
    for text in (repr(secret), str(secret), *display(secret).values(), repr([secret])):
        assert "admin" in text
        assert "hush" not in text


def test_a_log_is_a_list_that_is_shown_line_by_line() -> None:
    lines = Lines(["one\n", "two\n"])
    assert lines == ["one\n", "two\n"]
    assert display(lines)["text/plain"] == "one\ntwo"


def test_the_status_is_a_table_with_the_failed_checks_of_each_step() -> None:
    checks = Checks((RIGHT, WRONG))
    assert str(checks) == "✓ buckets\n✗ job\n    ✗ its <timeout> is 15 → run lab.job.create()"
    assert "1 of 2 steps pass" in checks._repr_html_()
    assert [check.step for check in checks] == [checks[0].step, checks[1].step]
    assert not checks


@pytest.mark.parametrize("shell_class", [InteractiveShell, ZMQInteractiveShell])
@pytest.mark.parametrize("with_jedi", [True, False])
def test_completion_shows_the_steps_in_order_then_the_verbs_and_no_internals(
    make_lab: Callable[..., Lab], shell_class: Any, with_jedi: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A kernel's shell would color what all later programs print.
    monkeypatch.setattr(shell_class, "init_environment", lambda _self: None)
    shell = shell_class.instance()
    try:
        shell.user_ns["lab"] = make_lab("shown")  # it registers itself
        shell.Completer.use_jedi = with_jedi

        def completions(text: str) -> list[str]:
            with provisionalcompleter():
                return [one.text for one in shell.Completer.completions(text, len(text))]

        assert completions("lab.")[:15] == [*STORY, "up", "send", "follow"]
        assert not {"agree", "chosen", "consent", "owner", "workflow_of"} & {*completions("lab.")}
        assert completions("x = lab.ca") == ["calls", "catch_up"]
        assert completions("lab.secrets.") == ["create", "check", "describe", "destroy", "read", "test"]
        assert "aws" not in completions("lab.reliability.workflow.")
        assert completions("other.lab.") == []
    finally:
        shell_class.clear_instance()


def test_a_terminal_completes_the_same_names(offline: Lab) -> None:
    assert {*STORY, "up", "calls", "config", "require"} <= {*dir(offline)}
    assert not {"agree", "chosen", "consent", "owner", "workflow_of"} & {*dir(offline)}
    assert dir(offline.network) == ["check", "create", "describe", "destroy"]

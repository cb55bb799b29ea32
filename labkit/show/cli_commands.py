"""Writes AWS calls as commands of the AWS CLI that can be pasted into a shell.

Secrets and the content of files have placeholders, and a comment above the command says what to put there.
https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters.html
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name

from labkit.recorder import Call, Content, Hidden

SERVICES = {"s3": "s3api"}
"""botocore's name of a service → the CLI's, where they differ."""

OPTIONS = {("sns", "Subscribe", "Endpoint"): "notification-endpoint"}
"""(service, operation, parameter) → the CLI's option, where it is not the parameter's name."""

PACKAGES = {("lambda", "CreateFunction"): "Code", ("lambda", "PublishLayerVersion"): "Content"}
"""The parameters whose member ZipFile is an option of its own: --zip-file."""


def command(call: Call) -> str:
    """The call as a command. Lines with # above it say what its placeholders stand for."""
    service = SERVICES.get(call.service, call.service)
    words, notes = ["aws", service, xform_name(call.operation, "-")], []
    for name, value in call.parameters.items():
        for option, argument, note in _options(call, name, value):
            words += [option, *argument]
            notes += [note] if note else []
    if call.model.has_streaming_output:
        words.append(shlex.quote(str(call.parameters.get("Key", "")).rpartition("/")[2] or "answer.json"))
    return "\n".join([*(f"# {note}" for note in dict.fromkeys(notes)), " ".join(words)])


def _options(call: Call, name: str, value: Any) -> Iterator[tuple[str, list[str], str]]:
    """Yield (option, its arguments, a note) for one parameter."""
    option = "--" + OPTIONS.get((call.service, call.operation, name), xform_name(name, "-"))
    if PACKAGES.get((call.service, call.operation)) == name and isinstance(value, Mapping) and "ZipFile" in value:
        yield from _options(call, "ZipFile", value["ZipFile"])
        value = {key: item for key, item in value.items() if key != "ZipFile"}
        if not value:
            return
    if isinstance(value, bool):
        yield (option if value else option.replace("--", "--no-", 1)), [], ""
    elif isinstance(value, Hidden):
        variable = xform_name(name, "_").upper()
        yield option, [f'"${{{variable}:?is hidden: set it first}}"'], f"{variable} is a secret, which is not shown."
    elif isinstance(value, Content):
        yield _from_file(call, option, name, value)
    elif isinstance(value, list) and value and all(_is_plain(item) for item in value):
        yield option, [shlex.quote(str(item)) for item in value], ""
    elif isinstance(value, Mapping | list):
        yield option, [shlex.quote(json.dumps(value, default=str, ensure_ascii=False))], _hidden_inside(value)
    else:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        if text.startswith("-"):
            yield f"{option}={shlex.quote(text)}", [], ""
        else:
            yield option, [shlex.quote(text)], ""


def _from_file(call: Call, option: str, name: str, content: Content) -> tuple[str, list[str], str]:
    file = xform_name(name, "-") + (".txt" if content.is_text else ".bin")
    shape = call.model.input_shape.members.get(name) if call.model.input_shape else None
    streams = shape is not None and shape.serialization.get("streaming")
    prefix = "" if streams or option == "--body" else "file://" if content.is_text else "fileb://"
    return option, [prefix + file], f"{file} stands for the content that was sent, which is not kept {content}."


def _is_plain(item: Any) -> bool:
    """Whether the CLI takes this member of a list as it is."""
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        return False
    return not str(item).startswith(("-", "[", "{", "file:", "fileb:", "http:", "https:")) and str(item) != ""


def _hidden_inside(value: Any) -> str:
    if isinstance(value, Hidden):
        return "*** stands for a hidden value."
    if isinstance(value, Content):
        return f"{value} stands for content that is not kept."
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return next((note for item in items if (note := _hidden_inside(item))), "")

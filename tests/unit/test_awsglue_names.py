"""How the local ``awsglue`` reads names: the catalog's types, and the keys of JSON files."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _runtime(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root / "localaws" / "glue" / "jobs" / "runtime"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("struct<a-b:int,c d:array<string>>", "struct<`a-b`:int,`c d`:array<string>>"),
        ("struct<a:b:int>", "struct<`a:b`:int>"),
        ("struct<a:int:string>", "struct<`a:int`:string>"),
        ("struct<a,b:int>", "struct<`a,b`:int>"),
        ("struct<a>b:int,c<d:string>", "struct<`a>b`:int,`c<d`:string>"),
        ("struct<m:map<string,struct<x.y:decimal(10, 2)>>>", "struct<`m`:map<string,struct<`x.y`:decimal(10, 2)>>>"),
        ("struct<a: int, `b-c` : varchar(10)>", "struct<`a`:int,`b-c`:string>"),
        ("array<struct<>>", "array<struct<>>"),
        ("BIGINT", "bigint"),
    ],
)
def test_a_field_name_ends_at_the_first_colon_after_which_the_type_can_be_parsed(text: str, expected: str) -> None:
    from awsglue import _hive_types

    assert _hive_types.ddl(_hive_types.parse(text)).replace(" ", "") == expected.replace(" ", "")


def test_names_that_a_crawler_wrote_keep_their_spaces_and_backticks() -> None:
    from awsglue import _hive_types

    assert _hive_types.parse("struct< a:int,`b`:int>", exact_names=True).names == [" a", "`b`"]
    assert _hive_types.parse("struct< a:int,`b`:int>").names == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["struct<a:uniontype<int>>", "struct<a:int", "struct<a>", "array<>", "map<string>", "x"]
)
def test_an_invalid_type_is_refused_with_its_text(text: str) -> None:
    from awsglue import _hive_types
    from awsglue._errors import NotSupportedLocally

    with pytest.raises(NotSupportedLocally) as refused:
        _hive_types.parse(text)
    assert repr(text) in str(refused.value)


def test_a_struct_with_thousands_of_fields_is_parsed_quickly() -> None:
    from awsglue import _hive_types

    fields = ",".join(f"f{number}:struct<x:int,y:array<string>>" for number in range(3000))
    assert len(_hive_types.parse(f"struct<{fields}>").names) == 3000
    with pytest.raises(Exception, match="not supported"):
        _hive_types.parse(f"struct<{fields},z:nothing>")


def test_every_spelling_of_a_column_name_is_found_in_any_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random objects with keys of quotes, escapes, braces and letters that are not ASCII."""
    from awsglue import _spelling

    monkeypatch.setattr(_spelling, "_CHUNK", 64)
    chance = random.Random(10)

    def word() -> str:
        return "".join(chance.choice("aAbB\"'\\:{},[] éİß\n\t0_.") for _ in range(chance.randint(0, 6)))

    def value() -> Any:
        return chance.choice([1, word(), [word(), {word(): word()}], {word(): 1}, None])

    for _ in range(1500):
        objects = [{word(): value() for _ in range(chance.randint(1, 3))} for _ in range(chance.randint(1, 4))]
        separators = chance.choice([(",", ":"), (", ", " : "), (",\t", ":  ")])
        lines = (json.dumps(one, ensure_ascii=chance.random() < 0.5, separators=separators) for one in objects)
        (tmp_path / "file").write_text("\n".join(lines))
        keys = {key for one in objects for key in one}
        found = _spelling.spellings(tmp_path, {key.lower() for key in keys})
        assert all(key in found[key.lower()] for key in keys if key != key.lower()), lines

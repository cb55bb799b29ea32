"""Statements, parameters and places of errors in a cell of SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.data.sql_text import Statement, statements


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("", []),
        (" ;\n; -- nothing; here\n/* or; here */", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("\n-- first\nselect 1 -- one;\n;\nselect 2\n", ["select 1", "select 2"]),
        ("select ';', \";\", $$;$$, $x$;$$;$x$; select 2", ["select ';', \";\", $$;$$, $x$;$$;$x$", "select 2"]),
        (r"select 'it\'s; one'; select 'it''s; one'", [r"select 'it\'s; one'", "select 'it''s; one'"]),
        ("select 'open; select 2", ["select 'open; select 2"]),
        ("select 1 /* open; select 2", ["select 1"]),
    ],
)  # fmt: skip
def test_semicolons_outside_of_quotes_and_comments_end_statements(sql: str, parts: list[str]) -> None:
    assert [statement.text for statement in statements(sql)] == parts


@given(st.text(alphabet="select '\"$;:-/*\\\nx1"))
def test_no_text_breaks_the_reader_and_every_statement_is_a_part_of_it(sql: str) -> None:
    for statement in statements(sql):
        assert statement.text in sql
        assert all(f":{name}" in statement.text for name in statement.parameters)


def test_parameters_are_found_outside_of_quotes_comments_and_casts() -> None:
    statement = Statement("select :a, ':b', \":c\", x::int, :a::date -- :d\nfrom t where y = :e_1 /* :f */")
    assert statement.parameters == ("a", "e_1")
    assert statement.verb == "SELECT"


@pytest.mark.parametrize(
    ("sql", "message", "place"),
    [
        ("selct 1", 'ERROR: syntax error at or near "selct"\n  Position: 1', "selct 1\n^"),
        ("select a,\n\tnope\nfrom t", 'ERROR: column "nope" does not exist\n  Position: 12', "\tnope\n\t^"),
        # Redshift sees: select $1, $2, nope
        ("select :rows, :rows, nope", 'ERROR: column "nope" does not exist\n  Position: 16',
         "select :rows, :rows, nope\n                     ^"),
        ("select frob(1)", "ERROR: function frob(integer) does not exist\n  Position: 8", "select frob(1)\n       ^"),
        ("select t.x from t", 'ERROR: column t.x does not exist\n  Position: 8', "select t.x from t\n       ^"),
        # Without a position, the name in the message says where, if it is there once.
        ("select a, -- nope\n'nope', :nope, Nope\nfrom t", 'ERROR: column "nope" does not exist',
         "'nope', :nope, Nope\n               ^"),
        ("select 1 from a.nope", 'ERROR: relation "a.nope" does not exist', "select 1 from a.nope\n              ^"),
        ('select "No" from t', 'ERROR: column "no" does not exist', 'select "No" from t\n        ^'),
        ("select frob(1)", "ERROR: function frob(integer) does not exist", "select frob(1)\n       ^"),
        ("select t.x from t", "ERROR: column t.x does not exist", "select t.x from t\n       ^"),
        ("select nope, nope from t", 'ERROR: column "nope" does not exist', ""),
        ("select nopes from t", 'ERROR: column "nope" does not exist', ""),
        ("select a", 'ERROR: column "a" of relation "t" does not exist', ""),
        ("select 1/0", "ERROR: division by zero", ""),
        ("select nope", 'ERROR: column "nope" does not exist\n  Position: 3', ""),  # a position that can't be right
        ("select nope", 'ERROR: column "nope" does not exist\n  Position: 300', ""),
    ],
)  # fmt: skip
def test_the_place_of_an_error_is_shown_in_the_participants_own_text(sql: str, message: str, place: str) -> None:
    assert Statement(sql).place_of_error(message) == place

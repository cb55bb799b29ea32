"""The one tokenizer of Redshift's SQL."""

from __future__ import annotations

import random

import pytest

from localaws.redshift.sql.tokens import Kind, tokenize

_PIECES = r"""select ' " $$ $tag$ /* */ -- \ E N U& 1 . e :: #t é $1 ;"""
PIECES = [*_PIECES.split(), " ", "\n"]


def kinds(sql: str, *, backslash_escapes: bool = True) -> list[tuple[Kind, str]]:
    tokens = tokenize(sql, backslash_escapes=backslash_escapes)
    return [(token.kind, token.text) for token in tokens if not token.is_blank]


@pytest.mark.parametrize("escapes", [True, False])
def test_the_tokens_of_any_text_add_up_to_the_whole_text(escapes: bool) -> None:
    chance = random.Random(20240229)
    for _ in range(5000):
        sql = "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        tokens = tokenize(sql, backslash_escapes=escapes)
        assert "".join(token.text for token in tokens) == sql
        assert all(sql[token.start :].startswith(token.text) for token in tokens)


@pytest.mark.parametrize("opened", ["'a''b", "E'a\\'", "N'a", '"a""b', "$$a$", "$x$a$$", "/* a /* b */"])
def test_an_unterminated_string_or_comment_is_one_token_to_the_end(opened: str) -> None:
    assert kinds(f"select {opened}") == [(Kind.WORD, "select"), (Kind.UNTERMINATED, opened)]


def test_a_backslash_before_a_quote_is_an_escape_only_if_the_session_says_so() -> None:
    assert kinds(r"'a\'b'") == [(Kind.STRING, r"'a\'b'")]
    assert kinds(r"'a\'b", backslash_escapes=False) == [(Kind.STRING, r"'a\'"), (Kind.WORD, "b")]
    assert kinds(r"E'a\'b'", backslash_escapes=False) == [(Kind.STRING, r"E'a\'b'")]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Name", "name"),
        ('"A ""b"" C"', 'A "b" C'),
        (r"'it''s \t\101\x42\N\q'", "it's \tAB\\Nq"),
        ("$$it's$$", "it's"),
        ("$x$ $$ $x$", " $$ "),
        ("1.5e3", "1.5e3"),
        ("::", "::"),
    ],
)
def test_a_token_has_its_unquoted_value(written: str, value: str) -> None:
    (token,) = tokenize(written)
    assert token.value == value

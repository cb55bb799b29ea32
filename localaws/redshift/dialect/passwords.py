"""CREATE and ALTER USER … PASSWORD: Redshift's rules for passwords.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
"""

from __future__ import annotations

import re

from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind, Token

_INVALID = "22023"
_MD5 = re.compile(r"md5[0-9a-f]{32}")
_QUOTES = re.compile(r"(?:[eEnN]?'(?P<string>.*)'|\$\w*\$(?P<dollar>.*)\$\w*\$)", re.DOTALL)
_LETTERS = (("[A-Z]", "an uppercase letter"), ("[a-z]", "a lowercase letter"), ("[0-9]", "a number"))


def rewrite(sentence: Sentence, index: int) -> None:
    """Check what follows the word PASSWORD at `index`; DISABLE becomes PostgreSQL's NULL.

    Raises:
        SqlError: the password breaks Redshift's rules, or is of a kind that is not supported here.
    """
    at = index + 1
    if sentence.text(at) == "DISABLE":
        sentence.write(at, "NULL")
        return
    written = []
    while at < len(sentence) and sentence[at].kind in (Kind.STRING, Kind.DOLLAR):
        written.append(_content(sentence[at]))  # consecutive strings are one string
        at += 1
    if written:
        check("".join(written))


def check(password: str) -> None:
    """Raise SqlError unless this is a valid clear-text password or an MD5 hash."""
    if password.startswith("sha256|"):
        raise SqlError(
            "0A000",
            "sha256 passwords are not supported by this embedded Redshift",
            hint="Give the password in clear text, or as an MD5 hash.",
        )
    if _MD5.fullmatch(password):
        return
    if _MD5.fullmatch(password.lower()):
        raise SqlError(_INVALID, "invalid MD5 password hash: its digits must be lowercase")
    if not 8 <= len(password) <= 64:
        raise SqlError(_INVALID, "password must be 8 to 64 characters in length")
    for pattern, what in _LETTERS:
        if not re.search(pattern, password):
            raise SqlError(_INVALID, f"password must contain {what}")
    if not re.fullmatch(r"""(?:(?!['"\\/@])[!-~])+""", password):
        raise SqlError(_INVALID, "password must contain only printable ASCII characters other than ' \" \\ / @")


def _content(token: Token) -> str:
    """Return the text between the quotes. Escapes are not decoded: their backslash or quote is refused anyway."""
    match = _QUOTES.fullmatch(token.text)
    if match is None:
        raise SqlError("42601", f'syntax error at or near "{token.text[:2]}"', position=token.start + 1)
    return match["string"] if match["string"] is not None else match["dollar"]

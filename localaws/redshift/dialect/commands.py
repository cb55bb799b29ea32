"""Commands with another syntax on Redshift: settings, users, databases, maintenance."""

from __future__ import annotations

from localaws.redshift.dialect import passwords, show
from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind, Token

# Redshift's settings that PostgreSQL does not know. They are stored with a prefix, so that SHOW returns what SET set.
# https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
_SETTINGS = """
activate_aqua analyze_threshold_percent auto_analyze auto_mv cast_super_null_on_error
datashare_break_glass_session_var default_geometry_encoding describe_field_name_in_uppercase
downcase_delimited_identifier enable_case_sensitive_identifier enable_case_sensitive_super_attribute
enable_numeric_rounding enable_result_cache_for_session enable_vacuum_boost error_on_nondeterministic_update
json_parse_dedup_attributes json_serialization_enable json_serialization_parse_nested_strings
max_concurrency_scaling_clusters max_cursor_result_set_size mv_enable_aqmv_for_session navigate_super_null_on_error
parse_super_null_on_error pg_federation_repeatable_read query_group require_ssl spectrum_enable_pseudo_columns
spectrum_query_maxerror stored_proc_log_min_messages use_fips_ssl wlm_json_configuration wlm_query_slot_count
"""
SETTINGS = frozenset(_SETTINGS.split())
PREFIX = "redshift."

# Statements that Redshift has and the embedded one does not: they get a clearer error than a syntax error.
_UNSUPPORTED = (
    ("ANALYZE", "COMPRESSION"),
    ("CREATE", "EXTERNAL"),
    ("ALTER", "EXTERNAL"),
    ("DROP", "EXTERNAL"),
    ("CREATE", "DATASHARE"),
    ("ALTER", "DATASHARE"),
    ("CREATE", "MODEL"),
    ("CREATE", "LIBRARY"),
    ("CREATE", "IDENTITY"),
    ("CREATE", "MASKING"),
    ("ATTACH", "MASKING"),
    ("CREATE", "RLS"),
    ("ATTACH", "RLS"),
)
# PostgreSQL's options of a database that Redshift does not have: settings for all its sessions, its template, ...
# https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html, r_ALTER_DATABASE.html
_FOREIGN_OPTIONS = """
set reset template is_template allow_connections tablespace encoding strategy locale lc_collate lc_ctype builtin_locale
icu_locale icu_rules locale_provider collation_version oid refresh
"""
_NOT_OF_DATABASES = frozenset(_FOREIGN_OPTIONS.upper().split())


def rewrite(sentence: Sentence) -> None:
    """Rewrite one statement's command words."""
    _refuse(sentence)
    rule = _RULES.get(sentence.text(0))
    if rule is not None:
        rule(sentence)


def _refuse(sentence: Sentence) -> None:
    for words in _UNSUPPORTED:
        if sentence.reads(0, *words):
            raise SqlError("0A000", f"{' '.join(words)} is not supported by this embedded Redshift")
    if sentence.reads(0, "ALTER", "TABLE") and "APPEND" in (sentence.text(3), sentence.text(5)):
        raise SqlError("0A000", "ALTER TABLE APPEND is not supported by this embedded Redshift")


def _show(sentence: Sentence) -> None:
    if not show.rewrite(sentence):
        _setting(sentence)


def _cancel(sentence: Sentence) -> None:
    """CANCEL process_id [message]."""
    if len(sentence) in (2, 3) and sentence[1].kind == Kind.NUMBER:
        sentence.replace(0, len(sentence), f"select pg_cancel_backend({sentence[1].text})")


def _setting(sentence: Sentence) -> None:
    at = 2 if sentence.text(1) in ("SESSION", "LOCAL") else 1
    if at < len(sentence) and sentence[at].name in SETTINGS:
        sentence.write(at, PREFIX + sentence[at].name)


def _vacuum(sentence: Sentence) -> None:
    """VACUUM [FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER] [table [TO n PERCENT]] [BOOST]."""
    at = 1
    if sentence.text(1) in ("SORT", "DELETE") and sentence.text(2) == "ONLY":
        at = 3
    elif sentence.text(1) in ("FULL", "REINDEX", "RECLUSTER"):
        at = 2
    sentence.blank(1, at)
    for index in range(at, len(sentence)):
        if sentence.reads(index, "TO") and sentence.text(index + 2) == "PERCENT":
            sentence.blank(index, index + 3)
        elif sentence.text(index) == "BOOST" and index == len(sentence) - 1:
            sentence.blank(index, index + 1)


def _analyze(sentence: Sentence) -> None:
    for index in range(1, len(sentence)):
        if sentence.text(index) in ("PREDICATE", "ALL") and sentence.text(index + 1) == "COLUMNS":
            sentence.blank(index, index + 2)


def _create(sentence: Sentence) -> None:
    what = sentence.text(1)
    if what == "DATABASE":
        _refuse_options(sentence)
        for index in range(3, len(sentence)):
            if sentence.text(index) == "COLLATE":
                sentence.blank(index, index + 2)
            elif sentence.reads(index, "ISOLATION", "LEVEL"):
                sentence.blank(index, index + 3)
            elif sentence.reads(index, "CONNECTION", "LIMIT", "UNLIMITED"):
                sentence.write(index + 2, "-1")
    elif what == "USER":
        _user(sentence)
    elif what in ("ROLE", "GROUP"):
        _no_password(sentence)
    elif what == "SCHEMA":
        for index in range(3, len(sentence)):
            if sentence.text(index) == "QUOTA":
                sentence.blank(index, len(sentence))
                break
    elif what in ("VIEW", "OR"):
        _view(sentence)


def _view(sentence: Sentence) -> None:
    end = len(sentence)
    if sentence.reads(end - 4, "WITH", "NO", "SCHEMA", "BINDING"):
        sentence.blank(end - 4, end)


def _alter(sentence: Sentence) -> None:
    if sentence.text(1) == "USER":
        _user(sentence)
    elif sentence.text(1) in ("ROLE", "GROUP"):
        _no_password(sentence)
    elif sentence.text(1) == "DATABASE":
        _refuse_options(sentence)


def _refuse_options(sentence: Sentence) -> None:
    """CREATE | ALTER DATABASE: refuse options that PostgreSQL accepts after the name and Redshift does not."""
    index = 3
    while index < len(sentence):
        if sentence.text(index) in ("OWNER", "TO", "="):  # a name follows, which may be any word
            index += 1 if sentence.text(index + 1) in ("TO", "=") else 2
            continue
        word = sentence[index]
        if word.upper in _NOT_OF_DATABASES:
            raise _syntax_error(word)
        index += 1


def _user(sentence: Sentence) -> None:
    """CREATE | ALTER USER: CREATEUSER makes a superuser, which here is a user who may create users."""
    index = 3
    while index < len(sentence):
        word = sentence.text(index)
        if word in ("CREATEUSER", "NOCREATEUSER"):
            sentence.write(index, word.replace("USER", "ROLE"))
        elif word == "PASSWORD":
            passwords.rewrite(sentence, index)
        elif word == "SYSLOG" and sentence.text(index + 1) == "ACCESS":
            sentence.blank(index, index + 3)
        elif sentence.reads(index, "CONNECTION", "LIMIT", "UNLIMITED"):
            sentence.write(index + 2, "-1")
        elif (word == "SESSION" and sentence.text(index + 1) == "TIMEOUT") or (
            word == "RESET" and sentence.reads(index + 1, "SESSION", "TIMEOUT")
        ):
            sentence.blank(index, index + 3)
        elif word == "EXTERNALID":
            sentence.blank(index, index + 2)
        index += 1


def _no_password(sentence: Sentence) -> None:
    """CREATE | ALTER ROLE, GROUP: refuse PASSWORD, as roles and groups can't log in on Redshift."""
    for index in range(3, len(sentence)):
        if sentence.text(index) == "PASSWORD" and index + 1 < len(sentence):
            raise SqlError(
                "42601", f'syntax error at or near "{sentence[index].text}"', position=sentence[index].start + 1
            )


def _syntax_error(token: Token) -> SqlError:
    return SqlError("42601", f'syntax error at or near "{token.text}"', position=token.start + 1)


def _delete(sentence: Sentence) -> None:
    """DELETE [FROM] table."""
    if len(sentence) > 1 and sentence.text(1) != "FROM" and sentence[1].kind in (Kind.WORD, Kind.QUOTED):
        sentence.append(0, " FROM")


_RULES = {
    "SET": _setting,
    "SHOW": _show,
    "CANCEL": _cancel,
    "RESET": _setting,
    "VACUUM": _vacuum,
    "ANALYZE": _analyze,
    "ANALYSE": _analyze,
    "CREATE": _create,
    "ALTER": _alter,
    "DELETE": _delete,
}
VERBS = frozenset(_RULES) | {words[0] for words in _UNSUPPORTED}

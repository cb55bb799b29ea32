"""Filter patterns of CloudWatch Logs: each example of AWS's guide, and what it doesn't define.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import time

import pytest

from localaws.logs.patterns import InvalidPattern, compile_pattern

REQUESTS = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[INFO] REQUEST FAILED",
)
TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "cluster.name": "c",
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
LINES = (
    "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
    "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310",
    "WARNING 09/25/2014 12:00:02 Invalid user request",
    "ERROR 09/25/2014 12:00:02 Failed to process request",
)


def matches(pattern: str, message: str) -> bool:
    return compile_pattern(pattern).matches(message)


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("ERROR", [0, 1, 2, 3]),
        ("ERROR ARGUMENTS", [2, 3]),
        ("?ERROR ?ARGUMENTS", [0, 1, 2, 3]),
        ("?ERROR ?ARGUMENTS REQUEST", [0, 1, 4]),
        ("?ARGUMENTS -ERROR", [4]),
        ("ERROR -ARGUMENTS", [0, 1]),
        ('ERROR -"BAD REQUEST"', [1, 2, 3]),
        ('?"BAD REQUEST" ?INFO', [0, 4]),
        ("-ERROR", [4]),
        ("error", []),
        ("RROR", [0, 1, 2, 3]),
        ('"[ERROR 4" REQUEST', [0, 1]),
        ("", [0, 1, 2, 3, 4]),
        ("  ", [0, 1, 2, 3, 4]),
        ('" "', [0, 1, 2, 3, 4]),
        ("%AUTHORIZED%", [1]),
    ],
)
def test_terms_are_found_anywhere_in_a_message(pattern: str, places: list[int]) -> None:
    assert [place for place, message in enumerate(REQUESTS) if matches(pattern, message)] == places


def test_a_phrase_is_found_word_for_word_with_its_escaped_quotes_and_backslashes() -> None:
    assert matches('"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR")
    assert not matches('"INTERNAL SERVER ERROR"', "INTERNAL  SERVER ERROR")
    assert matches(r'"\"level\\\":\\\"error"', r'{"log": "level\":\"error"}')
    assert matches(r'"say \"no\"" "C:\\Users"', r'they say "no" in C:\Users')


@pytest.mark.parametrize(
    ("regex", "found", "not_found"),
    [
        ("^[hc]at", ["hat", "cat trick"], ["a hat", "bat"]),
        ("[hc]at$", ["the cat"], ["cats"]),
        ("colou?r", ["color", "colour"], ["colouur"]),
        ("[abcx-z]", ["a", "y"], ["d", "A"]),
        ("^a{3,5}$", ["aaa", "aaaaa"], ["aa", "aaaaaa"]),
        ("^a{2,}$", ["aa", "aaaaaaaa"], ["a"]),
        ("^a{,2}b", ["b", "aab"], ["aaab"]),
        ("x{2}", ["xx"], ["x"]),
        ("gra|ey", ["gray", "grey"], ["gr"]),
        ("^starting|^initializing|^shutting down", ["shutting down now"], ["skipping initializing ..."]),
        ("abcc|ab[^c]$", ["abcc ...", "aba"], ["aac ..."]),
        (r"\[.\]", ["[a]", "[]]", "[ ]"], ["[]", "[ab]"]),
        (r"10\.10\.0\.1", ["10.10.0.1"], ["10010,051"]),
        ("10.10.0.1", ["10010,051", "10.10.0.1"], []),
        ("ab*c", ["ac", "abbbc"], ["bb"]),
        ("^ab+c$", ["abc", "abbc"], ["ac"]),
        (".at", ["#at", " at"], ["at"]),
        (r"^\d\D$", ["1a"], ["11", "aa"]),
        (r"^\s\S$", [" a", "\ta"], ["aa"]),
        (r"^\w+$", ["aZ_9"], ["a-b"]),
        (r"\W", ["a-b"], ["ab"]),
        (r"\x3A\x28", [":("], [":"]),
        (r"[\d-]", ["-", "7"], ["x"]),
        ("a.*b", ["a\nb"], ["b a"]),
    ],
)
def test_a_regex_matches_as_documented(regex: str, found: list[str], not_found: list[str]) -> None:
    assert all(matches(f"%{regex}%", text) for text in found)
    assert not any(matches(f"%{regex}%", text) for text in not_found)


def test_a_regex_is_not_slow_on_text_that_almost_matches() -> None:
    began = time.monotonic()
    assert not matches("%a*a*a*a*a*a*a*b%", "a" * 20_000)
    assert not matches(r"%.*.*.*=.*\d%", "a" * 20_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "something!",
            "(ab)+",
            "café",
            "a(?=b)",
            r"\p",
            "[abc",
            "a{3,",
            "a{}",
            "a{5,3}",
            "a{0}",
            "a{1025}",
            "+a",
            "a**",
        ),
        *("", "a||b", "a^b", "$a", "[b-a]", r"[a-\d]", r"\x8F", r"\xZZ", "a\\", "[]", ".{600}.{600}"),
    ],
)
def test_a_regex_outside_of_the_documented_syntax_is_refused(pattern: str) -> None:
    for whole in (f"%{pattern}%", f"{{ $.a = %{pattern}% }}", f"[a = %{pattern}%, b]"):
        with pytest.raises(InvalidPattern):
            compile_pattern(whole)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("http://x", "Invalid character(s) in term ':'"),
        ("a,b", "Invalid character(s) in term ','"),
        ("ERR*", "Invalid character(s) in term '*'"),
        ("x[0]", "Invalid character(s) in term '['"),
        ("größe", "Invalid character(s) in term 'ö'"),
        ("a-b", "Invalid character(s) in term '-'"),
        ("%ERROR", "Invalid character(s) in term '%'"),
        ("ERROR && WARN", "Invalid character(s) in term '&'"),
        ('"ERROR', "Invalid filter pattern"),
        ('"a""b"', "Invalid filter pattern"),
        (r'"\d"', "Invalid filter pattern"),
        ('ERROR - "Exiting"', "Invalid filter pattern"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[time, level=ERROR, msg", "If a filter pattern starts with '[' it must end with ']'"),
        ('{ $.a = "b", $.c = "d" }', "Invalid character(s) in term ','"),
    ],
)
def test_a_malformed_pattern_is_refused_with_the_message_of_aws(pattern: str, message: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        compile_pattern(pattern)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "UpdateTrail"',
        "$.eventType = UpdateTrail",
        '$.eventType = "*Trail"',
        "$.eventType = Update*",
        "$.eventType = *date*",
        "$.eventType = *",
        "$.sourceIPAddress != 123.123.*",
        '$.arrayKey[0] = "value"',
        "$.eventType = %Trail%",
        "$.arrayKey[*] = %val.{2}%",
        r"$.* = %111\.111\.111\.1[0-9]{1,2}%",
        "$.['cluster.name'] = \"c\"",
        "$.objectList[1].id = 2",
        "$.objectList[*].id = 2",
        "$.SomeObject IS NULL",
        "$.SomeOtherObject NOT EXISTS",
        "$.ThisFlag IS TRUE",
    ],
)
def test_json_properties_are_selected_and_compared_as_documented(condition: str) -> None:
    assert matches(f"{{ {condition} }}", TRAIL)
    assert matches(f"{{{condition}}}", TRAIL)


@pytest.mark.parametrize(
    "condition",
    [
        '$.arrayKey[1] = "value"',
        "$.eventType IS NULL",
        "$.eventType NOT EXISTS",
        "$.SomeObject NOT EXISTS",
        "$.ThisFlag IS FALSE",
        # Only strings and numbers can be compared; missing fields can't.
        *("$.arrayKey = value", "$.arrayKey != value", "$.ThisFlag = true", "$.ThisFlag != true", "$.SomeObject = *"),
        *("$.SomeObject != x", "$.Missing != x", "$.objectList[0] != x", "$.eventType[0] = U", "$.arrayKey[7] != x"),
        # A star in the middle is a star.
        "$.eventType = U*l",
        "$.cluster.name = c",
    ],
)
def test_a_condition_does_not_match_missing_or_different_values(condition: str) -> None:
    assert not matches(f"{{ {condition} }}", TRAIL)


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("> 75", "76", True),
        ("> 75", "75", False),
        ("< 50", "49.5", True),
        (">= 60", "60", True),
        ("<= 5", "5.0", True),
        ("= 400", "400", True),
        ("!= 500", "400", True),
        ("= 1e+3", "1000", True),
        ("!= 1e-3", "0.001", False),
        ("> +1000", "1001", True),
        ("= -1", "-1.0", True),
        ("= 4*", "404", True),
        ("= 400", '"400"', True),
        ('= "1"', "1", True),
        ('= "1"', "1.0", False),
        ("> 1", '"many"', False),
        ("= 1", '"many"', False),
        ("!= 1", '"many"', True),
        ("= 12345678901234567890123", "12345678901234567890124", False),
        ("> 1", "1e9999999999999999999999", False),
    ],
)
def test_numbers_are_compared_by_their_values(condition: str, value: str, expected: bool) -> None:
    assert matches(f"{{ $.number[0] {condition} }}", f'{{"number": [{value}]}}') is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ('($.user.id = 1) && ($.users[0].email = "John.Doe@example.com")', True),
        ('$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = no && $.actions[2] = no', True),
        ('($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = no) && $.actions[2] = no', False),
        ('($.user.id = 2 && $.users[0].email = "no") || $.actions[2] = "GET"', False),
        ("$.coordinates[*][0] = 7", True),
        ("$.users[*].id = 2 && $.users[*].email = Jane*", True),
    ],
)
def test_AND_has_precedence_over_OR(conditions: str, expected: bool) -> None:
    assert matches(f"{{ {conditions} }}", USERS) is expected


@pytest.mark.parametrize("message", ["", "x", "[1]", "{broken", '{"a": NaN}', "[" * 100_000, 'INFO {"b": 1}'])
def test_a_message_that_is_not_a_json_object_does_not_match_json_conditions(message: str) -> None:
    assert not matches("{ $.a NOT EXISTS }", message)


@pytest.mark.parametrize(
    "conditions",
    [
        *(
            "",
            "$.a",
            "$.a =",
            "a = 1",
            "$.a == 1",
            "$.a = 1 &&",
            "($.a = 1",
            "$.a = 1)",
            "$.a EXISTS",
            "$.a IS NOT NULL",
        ),
        *(
            "$.a IS null",
            "$.a IS MAYBE",
            "!($.a = 1)",
            "$.a > 0 AND $.a < 2",
            '"a": [1]',
            '$.a > "b"',
            "$.a > b",
            "$ = 1",
        ),
        *("$.items[*].* = 1", "$..a = 1", "$.a[-1] = 1", "$.a[0:2] = 1", "$.a[x] = 1", "$[0] = 1", '$."a-b" = 1'),
        *("$.a[*] = 1 || $.b[*] = 1 || $.* = 1 || $.c[*][0] = 0", "$.a = %x% || $.a = %y% || $.a = %z%", "$.a > %x%"),
        *("$.a = b-c", "$.a = b@c", '$.a = "open', "$.a = 'b'", "$.a = 1 $.b = 2", "$.a = 1e99999999999999999999999"),
        "(" * 500 + "$.a = 1" + ")" * 500,
    ],
)
def test_json_conditions_that_the_guide_does_not_define_are_refused(conditions: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(f"{{ {conditions} }}")


@pytest.mark.parametrize(
    "pattern",
    [
        r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
        "[..., request =*.html*, status_code = 4*, bytes]",
        "[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
        "[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]",
        "[ip, user, username, timestamp, request, status_code, bytes > 1000]",
        '[..., request = "GET /index.html HTTP/1.0", status_code, bytes]',
        "[..., request=*.html*, status_code=4*,]",
        "[ip, ..., bytes = 1534]",
        "[ip, user = Prod, ...]",
        "[ip, ...]",
        "[...]",
        "[]",
        '[ip=127*, user, username, timestamp="10/Oct*", rest]',
    ],
)
def test_space_delimited_fields_are_compared_as_documented(pattern: str) -> None:
    assert matches(pattern, ACCESS)
    assert matches(pattern, ACCESS.replace(" Prod frank ", "\tProd   frank\t"))


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("[w1=ERROR, w2]", [3]),
        ("[w1=ERROR || w1=WARNING, w2]", [2, 3]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [0, 1]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", [0]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]", [1]),
        ("[w1=ERROR]", []),
        ("[a, b, c, d, e, f=12*]", [0]),
        ("[a, b, c, d, e, f, g]", [3]),
        ("[a, b, c, d, e, f, g, ...]", [3]),
        ("[..., milliseconds >= 1300]", [1]),
    ],
)
def test_fields_are_matched_by_position_and_the_last_field_takes_the_rest(pattern: str, places: list[int]) -> None:
    assert [place for place, message in enumerate(LINES) if matches(pattern, message)] == places


def test_the_aws_example_pattern_for_lambda_log_lines_takes_the_message_as_one_field() -> None:
    line = "2026-11-30T01:00:00.000Z\t6bc28136-xmpl-4365\tINFO\tEVENT DATA"
    pattern = compile_pattern('[timestamp=*Z, request_id="*-*", event]')
    assert pattern.matches(line)
    assert pattern.extracted(line)["$event"] == "INFO\tEVENT DATA"


def test_fields_are_extracted_by_name_or_position() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html"""
    places = {"$1": "127.0.0.1", "$2": "Prod", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700"}
    rest = {"$5": "GET /index.html HTTP/1.0", "$6": "404"}
    assert compile_pattern("[..., size]").extracted(ACCESS) == places | rest | {"$size": "1534"}
    assert compile_pattern("[]").extracted(ACCESS) == places | rest | {"$7": "1534"}


@pytest.mark.parametrize(
    "pattern",
    [
        *("[a, ..., b, ...]", "[a, a]", "[a = ]", "[a = 1 ||]", "[1a]", "[a b]", "[a, b = x || c = y]", "[*]", "[a-b]"),
        *("[a = 1 && bytes > 1, b]", "[(a = 1), b]", "[= 1]", "[a = x@y, b]", "[a=%x%, b=%y%, c=%z%]", "[a > b]"),
        "[w1=!ERROR, w2]",
    ],
)
def test_field_conditions_that_the_guide_does_not_define_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(pattern)


def test_many_unclosed_brackets_take_linear_time() -> None:
    """One message of this length took minutes when each bracket was followed to the end."""
    assert not compile_pattern("[..., last = x]").matches("[ " * 100_000)

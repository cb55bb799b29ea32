"""Logs Insights: the supported part of its query language, and the refused rest.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.logs.conftest import Group

LINES = (
    {"level": "INFO", "booth": "A 2", "cars": 12, "lane": {"speed": [80.5, 3]}},
    {"level": "ERROR", "booth": "A 10", "cars": 7, "reason": "time out"},
    {"level": "ERROR", "booth": "B", "cars": 40, "reason": "timed out"},
    {"level": "WARN", "booth": "A 2", "cars": 9},
)
MALFORMED = "MalformedQueryException"


@pytest.fixture
def lines(group: Group) -> Group:
    """A group with LINES, one a second, and a line of text before them."""
    first = int(time.time() * 1000) - 60_000
    group.put("one", "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: Broken", at=first)
    for number, line in enumerate(LINES, 1):
        group.put("two", json.dumps(line), at=first + 1000 * number)
    return group


def ask(group: Group, query: str, **asked: Any) -> dict[str, Any]:
    """The results of a query over the last hour."""
    now = int(time.time())
    where = asked or {"logGroupName": group.name}
    started = group.logs.start_query(startTime=now - 3600, endTime=now + 1, queryString=query, **where)
    answer: dict[str, Any] = group.logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return answer


def rows(answer: dict[str, Any]) -> list[tuple[str, ...]]:
    """The values of each result, but for what points to the event."""
    return [tuple(each["value"] for each in row if each["field"] != "@ptr") for row in answer["results"]]


@pytest.mark.as_on_aws("CloudWatch Logs")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields cars | filter level = 'ERROR' | sort cars asc", [("7",), ("40",)]),
        ('filter level="ERROR" and cars > 10 | display booth, cars', [("B", "40")]),
        ("fields cars | filter level in ['INFO', \"WARN\"] | sort @timestamp asc", [("12",), ("9",)]),
        ("fields cars | filter cars >= 9 and not (cars > 12) | sort cars desc", [("12",), ("9",)]),
        ("fields cars | filter reason like /timed? out/ | sort cars desc", [("40",), ("7",)]),
        ("fields cars | filter reason =~ /(?i)TIMED/", [("40",)]),
        ("fields cars | filter reason like 'time out'", [("7",)]),
        ("fields cars | filter ispresent(level) and level not like /ERR|INFO/", [("9",)]),
        ("fields cars | filter ispresent(cars) and cars not in [7, 40, '12']", [("9",)]),
        ("fields cars | filter level = 'WARN' or (level = 'ERROR' and cars < 10) | sort cars asc", [("7",), ("9",)]),
        ("fields cars\n  # | filter level = 'INFO'\n| filter level = 'WARN'", [("9",)]),
        ("fields lane.speed.0 as speed, `booth` | filter ispresent(speed)", [("80.5", "A 2")]),
        ("filter ispresent(booth) | fields booth | sort booth asc, cars desc", [("A 2",), ("A 2",), ("A 10",), ("B",)]),
        ("fields cars | filter ispresent(cars) | sort cars desc | limit 2", [("40",), ("12",)]),
        ("filter ispresent(level) | stats count(*) as lines by level | sort lines desc, level asc",
         [("ERROR", "2"), ("INFO", "1"), ("WARN", "1")]),
        ("stats count(*), count(cars), sum(cars), min(cars), max(cars)", [("5", "4", "68", "7", "40")]),
        ("filter ispresent(level) | stats count(*) as n by level | filter n > 1", [("ERROR", "2")]),
        ("filter level = 'NONE' | stats count(*)", []),
        ('parse "[*] * The error was: *" as kind, config, broken | filter kind = "ERROR" | display config, broken',
         [("{foo=2, bar=data}", "Broken")]),
        (r"parse @message /\[(?<kind>\S+)\]\s+(?<config>\{.*\})\s+The/ | filter kind = 'ERROR' | display config",
         [("{foo=2, bar=data}",)]),
        ("filter @message like 'foo=2' | display @logStream, @message", [("one", "25 May 2019 10:24:39,474 [ERROR] "
         "{foo=2, bar=data} The error was: Broken")]),
    ],
)  # fmt: skip
def test_a_query_filters_sorts_and_displays_the_fields_of_events(
    lines: Group, query: str, expected: list[tuple[str, ...]]
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html"""
    now = int(time.time())
    asked = {"logGroupName": lines.name, "startTime": now - 3600, "endTime": now + 1, "queryString": query}
    answer = lines.logs.get_query_results(queryId=lines.logs.start_query(**asked)["queryId"])
    assert answer["status"] == "Complete"
    assert rows(answer) == expected


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_query_without_fields_returns_the_latest_events_with_their_times(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html"""
    at = (int(time.time()) - 100) * 1000 + 7
    group.put("one", "a", "b", at=at)
    answer = ask(group, "limit 1")
    (result,) = answer["results"]
    assert [each["field"] for each in result] == ["@timestamp", "@message", "@ptr"]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at / 1000))
    assert [each["value"] for each in result][:2] == [f"{stamp}.008", "b"]
    assert answer["statistics"] == {"recordsMatched": 2.0, "recordsScanned": 2.0, "bytesScanned": 2.0 * 27}


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_query_covers_log_groups_between_two_times_and_has_a_limit(
    lines: Group, refusal: Callable[..., tuple[str, str]]
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""
    query = "fields cars | filter ispresent(cars) | sort cars asc"
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{lines.name}"
    for where in ({"logGroupNames": [lines.name]}, {"logGroupIdentifiers": [arn]}, {"logGroupName": lines.name}):
        assert rows(ask(lines, query, **where)) == [("7",), ("9",), ("12",), ("40",)]
    assert rows(ask(lines, query, logGroupName=lines.name, limit=1)) == [("7",)]
    call, span = lines.logs.start_query, {"startTime": 0, "endTime": 1, "queryString": query}
    id_of_none = call(logGroupName=lines.name, **span)["queryId"]
    assert lines.logs.get_query_results(queryId=id_of_none)["results"] == []
    assert refusal(call, **span)[0] == "InvalidParameterException"
    assert refusal(call, logGroupName=lines.name, logGroupNames=[lines.name], **span)[0] == "InvalidParameterException"
    assert refusal(call, logGroupName=f"{lines.name}x", **span)[0] == "ResourceNotFoundException"
    assert refusal(lines.logs.get_query_results, queryId="nobody")[0] == "ResourceNotFoundException"


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_earlier_queries_are_described(lines: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeQueries.html"""
    for query in ("limit 1", "limit 2", "limit 3"):
        ask(lines, query)
    first = lines.logs.describe_queries(logGroupName=lines.name, maxResults=2)
    assert [(each["queryString"], each["status"]) for each in first["queries"]] == [
        ("limit 3", "Complete"), ("limit 2", "Complete"),
    ]  # fmt: skip
    second = lines.logs.describe_queries(logGroupName=lines.name, maxResults=2, nextToken=first["nextToken"])
    assert [each["queryString"] for each in second["queries"]] == ["limit 1"]
    assert "nextToken" not in second
    assert lines.logs.describe_queries(logGroupName=lines.name, status="Running")["queries"] == []


@pytest.mark.as_on_aws("CloudWatch Logs")
@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "any text",
            "fields",
            "fields @message |",
            "| limit 1",
            "limit x",
            "limit 0",
            "filter level",
            "filter (a = 1",
        ),
        *("filter a == 1", "filter a = ", "filter a like b", "filter a like /(/", "filter a =~ 'x'", "filter a in (1)"),
        *("parse 'a *' as", "parse 'a *' as b, c", "parse /(x)/", "sort", "fields a b", "fields 'a'", "stats count(*"),
        *("fields @message | count()", "stats count(*) as n by a | sort b desc", "fields a as b | fields c as b"),
        *(
            "filter a = 1 $",
            "limit 99999999999999999999",
            "filter " + "(" * 3000 + "a = 1",
            "filter " + "not " * 2000 + "a = 1",
        ),
    ],
)
def test_a_malformed_query_is_refused(group: Group, refusal: Callable[..., tuple[str, str]], query: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""
    given = {"logGroupName": group.name, "startTime": 0, "endTime": 1, "queryString": query}
    code, message = refusal(group.logs.start_query, **given)
    assert (code, bool(message)) == (MALFORMED, True)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("stats avg(cars)", "The function avg"),
        ("stats count(*) by bin(1h)", "The function bin"),
        ("fields concat(level, booth)", "The function concat"),
        ("fields cars + 1", "Arithmetic"),
        ("filter cars * 2 > 10", "Arithmetic"),
        ("dedup level", "The command dedup"),
        ("pattern @message", "The command pattern"),
        ("fields @duration", "The field @duration"),
        ("sort cars", "sort without asc or desc"),
        ("limit 5 | filter cars > 1", "filter after limit"),
        ("stats count(*) as n by level | stats max(n)", "A second stats"),
        ("filter booth > 'A'", "> with text"),
        ("filter reason != 'time out'", "reason != time out if some events lack the field"),
        ("filter not (cars > 5)", "not if some events lack the field"),
        ("display level | stats count(*)", "stats after display"),
        ("fields @timestamp as t", "Another name for @timestamp"),
        ("parse @timestamp '*' as t", "parse of @timestamp"),
        ("sort cars desc", "sort cars, which some events don't have"),
        ("stats count(*) by level", "stats by level, which some events don't have"),
        ("fields lane", "The field lane, which is an object in some events"),
        ("stats sum(lane.speed.0)", "A sum with decimals"),
        ("stats max(level)", "sum, min and max of text"),
    ],
)
def test_unsupported_parts_of_the_query_language_are_refused_by_name(
    lines: Group, refusal: Callable[..., tuple[str, str]], query: str, named: str
) -> None:
    now = int(time.time())
    given = {"logGroupName": lines.name, "startTime": now - 3600, "endTime": now + 1, "queryString": query}
    code, message = refusal(lines.logs.start_query, **given)
    assert (code, named in message) == ("NotImplemented", True), message


def test_a_json_boolean_is_refused_because_aws_does_not_document_its_value(
    group: Group, refusal: Callable[..., tuple[str, str]]
) -> None:
    group.put("one", '{"late": true, "level": "INFO"}')
    now = int(time.time())
    given = {"logGroupName": group.name, "startTime": now - 60, "endTime": now + 1}
    code, message = refusal(group.logs.start_query, queryString="fields late", **given)
    assert (code, "The field late, which is a boolean" in message) == ("NotImplemented", True), message
    assert rows(ask(group, "fields level")) == [("INFO",)]

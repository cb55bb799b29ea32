"""The HTTP side of CloudWatch Logs: moto's, with this package's own reading of events."""

from __future__ import annotations

import json
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.exceptions import InvalidParameterException
from moto.logs.responses import LogsResponse

from localaws.logs.batches import check_batch
from localaws.logs.events import store
from localaws.logs.groups import StoredGroup, StoredStream, missing_stream
from localaws.logs.insights import queries
from localaws.logs.models import LocalLogsBackend
from localaws.logs.patterns import InvalidPattern, Pattern, compile_pattern
from localaws.logs.reading import MOST_EVENTS, Search, Span, search_page, stream_page
from localaws.logs.tokens import Key, Position, after, token

_LATEST = 2**62
_MOST_GROUPS = 50
_NEWEST_FIRST_SINCE = 1_704_067_200_000  # 1 January 2024

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class LocalLogsResponse(LogsResponse):
    """Answers the requests to CloudWatch Logs."""

    @property
    def logs_backend(self) -> LocalLogsBackend:
        """The backend of the caller's account and region."""
        found = super().logs_backend
        assert isinstance(found, LocalLogsBackend)
        return found

    def put_retention_policy(self) -> str:
        """PutRetentionPolicy, only for the numbers of days that AWS offers: the model accepts any number.

        Raises:
            InvalidParameterException: it is another number of days.
        """
        days = self._get_param("retentionInDays")
        if days not in _RETENTION_DAYS:
            raise InvalidParameterException(
                "1 validation error detected: Value at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, _RETENTION_DAYS))}]"
            )
        return str(super().put_retention_policy())

    def describe_log_groups(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html"""
        prefix = self._get_param("logGroupNamePrefix") or ""
        groups = sorted(name for name in self.logs_backend.groups if name.startswith(prefix))
        made_for: Key = ["groups", self.region, prefix]
        given = self._get_param("nextToken")
        (last,) = after(given, made_for, (str,)) if given else [""]
        waiting = [name for name in groups if name > str(last)]
        page = waiting[: self._limit(50)]
        return _answer(
            "logGroups",
            [self.logs_backend.groups[name].to_describe_dict() for name in page],
            token(made_for, [page[-1]]) if len(page) < len(waiting) else None,
        )

    def describe_log_streams(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html"""
        group, prefix = self._group(), self._get_param("logStreamNamePrefix") or ""
        by_time, descending = self._get_param("orderBy") == "LastEventTime", bool(self._get_param("descending"))
        if by_time and prefix:
            raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group.expire()
        told = [each.to_describe_dict() for each in group.stored_streams() if each.log_stream_name.startswith(prefix)]
        keyed = [(_place(each, by_time=by_time), each) for each in told]
        keyed.sort(key=lambda pair: pair[0], reverse=descending)
        made_for: Key = ["streams", group.id, prefix, int(by_time), int(descending)]
        if given := self._get_param("nextToken"):
            time, name = after(given, made_for, (int, str))
            last = (int(time), str(name))
            keyed = [pair for pair in keyed if (pair[0] < last if descending else pair[0] > last)]
        page = keyed[: self._limit(50)]
        more = token(made_for, list(page[-1][0])) if len(page) < len(keyed) else None
        return _answer("logStreams", [each for _, each in page], more)

    def put_log_events(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
        check_batch(self._get_param("logEvents"), int(unix_time_millis(utcnow())))
        return super().put_log_events()

    def get_log_events(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
        group = self._group()
        stream = group.stream(self._get_param("logStreamName"))
        page, back, forward = stream_page(
            store(),
            stream.id,
            self._span(group),
            self._limit(MOST_EVENTS),
            self._get_param("nextToken"),
            from_head=bool(self._get_param("startFromHead")),
        )
        events = [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested} for event in page
        ]
        return json.dumps({"events": events, "nextBackwardToken": back, "nextForwardToken": forward})

    def filter_log_events(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
        group = self._group()
        span = self._span(group, end_included=True)
        newest_first, position = self._newest_first(), None
        made_for: Key = ["events", group.id]
        if given := self._get_param("nextToken"):
            *place, way = after(given, made_for, (int, int, int, int))
            position, newest_first = Position(*map(int, place)), bool(way)
        streams = {stream.id: stream.log_stream_name for stream in self._searched(group)}
        search = Search(streams, self._pattern(), span, newest_first, self._limit(MOST_EVENTS))
        events, position = search_page(store(), search, position)
        more = token(made_for, [*position, int(newest_first)]) if position is not None else None
        # AWS returns an empty list of searched streams.
        return _answer("events", events, more, searchedLogStreams=[])

    def test_metric_filter(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html"""
        pattern = self._pattern()
        matches = [
            {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extracted(message)}
            for number, message in enumerate(self._get_param("logEventMessages"), 1)
            if pattern.matches(message)
        ]
        return json.dumps({"matches": matches})

    def start_query(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""
        start, end = self._get_param("startTime"), self._get_param("endTime")
        if end < start:
            raise InvalidParameterException("The end of the time range is before its start.")
        # Both are seconds, and included.
        span = Span(min(start * 1000, _LATEST), min(end * 1000 + 1, _LATEST))
        query = queries.run(store(), self._get_param("queryString"), self._queried(), span, self._get_param("limit"))
        queries.finished.add(self.region, query)
        return json.dumps({"queryId": query.id})

    def get_query_results(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html"""
        query = queries.finished.get(self.region, self._get_param("queryId"))
        made_for: Key = ["results", query.id]
        given = self._get_param("nextToken")
        (start,) = map(int, after(given, made_for, (int,))) if given else (0,)
        end = start + int(self._get_param("maxItems") or MOST_EVENTS)
        more = token(made_for, [end]) if end < len(query.results) else None
        told = {"queryLanguage": "CWLI", "statistics": query.statistics, "status": "Complete"}
        return _answer("results", query.results[start:end], more, **told)

    def describe_queries(self) -> str:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeQueries.html"""
        group, status = self._get_param("logGroupName"), self._get_param("status") or "Complete"
        found = [each for each in queries.finished.latest(self.region) if group is None or group in each.groups]
        if status != "Complete" or self._get_param("queryLanguage") not in (None, "CWLI"):
            found = []  # every query was complete when StartQuery was answered
        told = [
            {
                "queryLanguage": "CWLI",
                "queryId": each.id,
                "queryString": each.text,
                "status": "Complete",
                "createTime": each.created,
                "logGroupName": each.groups[0],
            }
            for each in found
        ]
        made_for: Key = ["queries", self.region, group or ""]
        if given := self._get_param("nextToken"):
            (last,) = after(given, made_for, (str,))
            places = [place for place, each in enumerate(told) if each["queryId"] == last]
            told = told[places[0] + 1 :] if places else []
        page = told[: int(self._get_param("maxResults") or 1000)]
        return _answer("queries", page, token(made_for, [str(page[-1]["queryId"])]) if len(page) < len(told) else None)

    def _queried(self) -> list[StoredGroup]:
        """Return the groups of a query.

        Raises:
            InvalidParameterException: they are not given in exactly one way, or are too many.
            ResourceNotFoundException: there is no such group.
        """
        name, names, identifiers = map(self._get_param, ("logGroupName", "logGroupNames", "logGroupIdentifiers"))
        if sum(bool(each) for each in (name, names, identifiers)) != 1:
            raise InvalidParameterException(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given."
            )
        if len(names or identifiers or []) > _MOST_GROUPS:
            raise InvalidParameterException(f"A query can have {_MOST_GROUPS} log groups at most.")
        found = [self.logs_backend.group(each) for each in ([name] if name else names or [])]
        found += [self.logs_backend.group(None, each) for each in identifiers or []]
        return list({group.name: group for group in found}.values())

    def _group(self) -> StoredGroup:
        return self.logs_backend.group(self._get_param("logGroupName"), self._get_param("logGroupIdentifier"))

    def _searched(self, group: StoredGroup) -> list[StoredStream]:
        """Return the streams that FilterLogEvents searches.

        Raises:
            InvalidParameterException: they are given in two ways.
            ResourceNotFoundException: there is no such stream.
        """
        names, prefix = self._get_param("logStreamNames"), self._get_param("logStreamNamePrefix") or ""
        if names and prefix:
            raise InvalidParameterException("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        streams = {stream.log_stream_name: stream for stream in group.stored_streams()}
        if names:
            if not streams.keys() >= set(names):
                raise missing_stream()
            return [streams[name] for name in dict.fromkeys(names)]
        return [stream for name, stream in streams.items() if name.startswith(prefix)]

    def _newest_first(self) -> bool:
        if self._get_param("startFromHead") is not False:
            return False
        if (self._get_param("startTime") or 0) < _NEWEST_FIRST_SINCE:
            raise InvalidParameterException(
                "startFromHead can be false only with a startTime on or after Jan 1, 2024 00:00:00 UTC."
            )
        return True

    def _span(self, group: StoredGroup, *, end_included: bool = False) -> Span:
        """Return the requested time span, limited to the group's retention."""
        start, end = self._get_param("startTime") or 0, self._get_param("endTime")
        end = _LATEST if end is None else end + end_included
        return Span(min(max(start, group.expire()), _LATEST), min(end, _LATEST))

    def _pattern(self) -> Pattern:
        try:
            return compile_pattern(self._get_param("filterPattern") or "")
        except InvalidPattern as error:
            raise InvalidParameterException(str(error)) from None

    def _limit(self, most: int) -> int:
        return int(self._get_param("limit") or most)


def _place(told: dict[str, Any], *, by_time: bool) -> tuple[int, str]:
    """Return the key by which streams are ordered."""
    return (told.get("lastEventTimestamp") or 0 if by_time else 0), told["logStreamName"]


def _answer(name: str, items: list[Any], next_token: str | None, **more: Any) -> str:
    """Return a page as JSON, with a token only if there is another page."""
    return json.dumps({name: items, **more} | ({"nextToken": next_token} if next_token else {}))

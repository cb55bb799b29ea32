"""Crawls of many megabytes use a second process, which reads a part of the files for the crawl."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawled import Crawled

import localaws
from localaws.core.children import Children
from localaws.core.ports import ObjectEntry, ObjectGone
from localaws.glue.crawlers import inference_worker
from localaws.glue.crawlers.formats import FIRST_BYTES, Look, look_at
from localaws.glue.crawlers.inference_worker import WORTH_IT, InferenceWorker

ROWS = [{"id": number, "toll": number / 100, "booth": "golf_rd"} for number in range(20_000)]
LINES = "\n".join(map(json.dumps, ROWS)).encode()
FILES = WORTH_IT // len(LINES) + 3
assert len(LINES) < FIRST_BYTES


def _parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "extra": ["a", "b"]}), stream)
    return stream.getvalue()


class _Files:
    """What the crawl knows as objects, each in a file of its own; some are gone."""

    def __init__(self, directory: Path, files: dict[str, bytes], gone: set[str]) -> None:
        self.items = {}
        self._directory = directory
        self._gone = gone
        for key, content in files.items():
            (directory / key).write_bytes(content)
            self.items[key] = ObjectEntry("bucket", key, len(content), "etag", datetime.now(UTC))

    def file(self, item: ObjectEntry) -> tuple[ObjectEntry, Path]:
        if item.key in self._gone:
            raise ObjectGone
        return item, self._directory / item.key


@pytest.fixture
def children() -> Iterator[Children]:
    children = Children()
    yield children
    children.stop_all()


def test_the_second_process_infers_what_the_crawl_would_infer_and_leaves_the_rest_to_it(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_worker, "WORTH_IT", 0)
    told = {
        "lines.json": LINES,
        "quotes.json": b"{'id': 1, 'booth': 'golf_rd'}\n{'id': 2, 'booth': None}",
        "packed.json.gz": gzip.compress(LINES),
        "rows.csv": b"id,booth\n1,golf_rd\n2,york_rd\n",
        "long.json": LINES * 3,
    }
    left = {"rows.parquet": _parquet(), "unknown.bin": b"\x00\x01", "gone.json": LINES}
    files = _Files(tmp_path, told | left, {"gone.json"})
    looking = InferenceWorker(files, files.items)  # type: ignore[arg-type]
    with looking.looking(children):
        _wait_for(lambda: len(looking._looked) == len(told))
        for key, content in told.items():
            expected: Look = look_at(content[:FIRST_BYTES], len(content))
            assert looking.take(files.items[key]) == (expected, files.items[key]), key
        assert [looking.take(files.items[key]) for key in left] == [None] * len(left)
    assert children.running() == []


def test_the_second_process_skips_the_files_that_the_crawl_has_already_read(children: Children, tmp_path: Path) -> None:
    files = _Files(tmp_path, {f"{number}.json": b'{"a": 1}' for number in range(20)}, set())
    looking = InferenceWorker(files, files.items)  # type: ignore[arg-type]
    for key in files.items:
        assert looking.take(files.items[key]) is None
    with looking.looking(children):  # few bytes: not worth a process either
        assert children.running() == []
    assert looking._last() == []


def test_if_no_second_process_can_start_the_crawl_reads_everything_itself(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_worker, "WORTH_IT", 0)
    files = _Files(tmp_path, {"lines.json": LINES}, set())
    looking = InferenceWorker(files, files.items)  # type: ignore[arg-type]
    children.stop_all()  # none can be started any more
    with looking.looking(children):
        assert looking.take(files.items["lines.json"]) is None


def test_a_crawl_of_many_megabytes_reads_every_file(crawled: Crawled, stack: localaws.Status) -> None:
    for number in range(FILES):
        crawled.put_key(f"toll/{number:03}.json", LINES)
    crawled.put_key("toll/998.json", b'{"id": 1, "toll": "free", "lane": 3}')
    crawled.put_key("toll/999.json", b"")
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.columns() == {"id": "int", "toll": "string", "booth": "string", "lane": "int"}
    assert int(crawled.table()["Parameters"]["recordCount"]) == FILES * len(ROWS) + 1
    _wait_for(lambda: not _helpers(stack))


def test_a_crawl_whose_second_process_is_killed_still_reads_every_file(
    crawled: Crawled, stack: localaws.Status
) -> None:
    for number in range(FILES * 2):
        crawled.put_key(f"toll/{number:03}.json", LINES)
    crawled.aws("glue").start_crawler(Name=crawled.crawler)
    _wait_for(lambda: bool(_helpers(stack)))
    for helper in _helpers(stack):
        helper.kill()
    assert crawled.wait()["Status"] == "SUCCEEDED"
    assert int(crawled.table()["Parameters"]["recordCount"]) == FILES * 2 * len(ROWS)


def _helpers(stack: localaws.Status) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(stack.pid).children():
        try:
            if "localaws.glue.crawlers.inference_process" in process.cmdline():
                found.append(process)
        except psutil.Error:  # it has just ended
            continue
    return found


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)

"""Formats that AWS's built-in classifiers know and the embedded AWS does not: refused by name.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-built-in lists them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.orc
import pytest
from crawled import Crawled

from localaws.glue.crawlers.formats import look_at


def orc() -> bytes:
    stream = io.BytesIO()
    pyarrow.orc.write_table(pa.table({"id": [1, 2], "name": ["a", "b"]}), stream)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.json", '{"id": 1}\n')
    return stream.getvalue()


LINE = '127.0.0.1 - frank [10/Oct/2026:13:55:36 -0700] "GET /a,b HTTP/1.0" 200 2326'
FILES = {
    "Apache Avro": b'Obj\x01\x02\x16avro.schema\x1e{"type": "int"}\x00' + bytes(range(16)),
    "Apache ORC": orc(),
    "BSON": b"\x0d\x00\x00\x00\x10id\x00\x01\x00\x00\x00\x00",
    "Amazon Ion": b"\xe0\x01\x00\xea\x21\x01",
    "XML": b'<?xml version="1.0"?>\n<rows><row id="1"/></rows>\n',
    "an Apache log": f"{LINE}\n{LINE}\n".encode(),
    "a combined Apache log": f'{LINE} "http://example.com/" "Mozilla/5.0 (X11; Linux)"\n'.encode(),
    "a Linux kernel log": b"Oct 10 13:55:36 host kernel: [    0.000000] Linux version 6.1\n",
    "a Microsoft log": b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n",
    "a Ruby log": b"I, [2026-10-10T13:55:36.123456 #4242]  INFO -- : started, at last\n",
    "a Squid log": b"1286536309.450  921 10.0.0.1 TCP_MISS/200 507 POST http://a.b/ - DIRECT/1.2.3.4 text/html\n",
    "a Redis monitor log": b'1339518083.107412 [0 127.0.0.1:60866] "keys" "*"\n',
    "a Redis log": b"4018:M 10 Oct 13:55:36.123 * Ready to accept connections\n",
    "ZIP": zipped(),
    "LZ4": b"\x04\x22\x4d\x18\x64\x40\xa7",
    "Snappy": b"\xff\x06\x00\x00sNaPpY\x00",
}
SIMILAR = {
    "xml-like names": b"<id>,<town>\n1,Bern\n",
    "names that begin like ORC": b"ORC,town\n1,Bern\n",
    "a time": b"2026-10-10 13:55:36,1\n2026-10-11 13:55:36,2\n",
    "numbers": b"1286536309.450,1\n1286536310.450,2\n",
}


@pytest.mark.refused("Glue crawlers")
@pytest.mark.parametrize("name", FILES)
def test_formats_that_only_the_classifiers_of_aws_know_are_recognised_by_name(name: str) -> None:
    found = look_at(FILES[name], len(FILES[name]))
    assert (found.classification, found.unsupported) == ("UNKNOWN", name)


@pytest.mark.parametrize("name", SIMILAR)
def test_csv_that_resembles_another_format_is_still_csv(name: str) -> None:
    found = look_at(SIMILAR[name], len(SIMILAR[name]))
    assert (found.classification, found.unsupported) == ("csv", "")


@pytest.mark.refused("Glue crawlers")
def test_a_crawl_fails_if_it_finds_a_file_of_an_unsupported_format_and_names_the_file(
    new_crawled: Callable[..., Crawled],
) -> None:
    crawled = new_crawled("raw/")
    crawled.put(raw__aDOTjson='{"id": 1}\n', raw__bDOTorc=orc())
    for _ in range(2):  # what is remembered of the file counts as what is seen of it
        last = crawled.crawl()
        assert last["Status"] == "FAILED"
        assert f"s3://{crawled.bucket}/raw/b.orc is Apache ORC" in last["ErrorMessage"]
        assert crawled.tables() == {}
    target = {"Path": f"s3://{crawled.bucket}/raw/", "Exclusions": ["*.orc"]}
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": [target]})
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.columns() == {"id": "int"}

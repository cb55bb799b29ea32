"""glue/landing.py: which object versions a run of the exactly-once job reads, and which markers it deletes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from buckets import Buckets
from glue_modules import loaded

STARTED = {"WORKFLOW_NAME": "exactly_once_workflow", "WORKFLOW_RUN_ID": "wr_1"}
"""What Glue adds to the arguments of a run that a workflow started."""


@pytest.fixture
def s3() -> Buckets:
    """S3 with the landing bucket, which keeps versions, and the staging bucket."""
    return Buckets("landing-bucket")


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    with loaded("landing") as (found,):
        yield found


@pytest.fixture
def code(module: ModuleType, s3: Buckets, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    properties = {"wr_1": {"read": "landed", "landed_key": "a.json"}, "wr_by_hand": {}}

    def get_workflow_run_properties(Name: str, RunId: str) -> dict[str, Any]:
        assert Name == "exactly_once_workflow"
        return {"RunProperties": properties[RunId]}

    monkeypatch.setattr(module, "s3", s3)
    monkeypatch.setattr(module, "glue", SimpleNamespace(get_workflow_run_properties=get_workflow_run_properties))
    return module


@pytest.fixture
def land(s3: Buckets) -> Callable[..., str]:
    """`land("a.json")` puts an object, and its marker; the object's version."""

    def put(key: str, marker: bool = True, bucket: str = "landing-bucket") -> str:
        if marker:
            s3.put_object(Bucket="staging-bucket", Key=f"landed/{key}/00A1")
        return str(s3.put_object(Bucket=bucket, Key=key, Body=b"{}").get("VersionId"))

    return put


@pytest.fixture
def landing(code: ModuleType) -> Callable[..., Any]:
    """`landing()` is the landing bucket as a run sees it that the start function started."""

    def make(location: str = "s3://landing-bucket/", **args: str) -> Any:
        return code.Landing(location, {"TempDir": "s3://staging-bucket/temp/", **(args or STARTED)})

    return make


def markers(s3: Buckets) -> set[str]:
    return set(s3.keys("staging-bucket"))


def read(found: list[Any]) -> list[tuple[str, str]]:
    return [(item.key, item.version) for item in found]


def test_a_run_that_an_event_started_reads_only_the_objects_with_markers(
    landing: Callable[..., Any], land: Callable[..., str]
) -> None:
    version = land("day/a b.json")
    land("not-marked.json", marker=False)
    assert read(landing().to_read()) == [("day/a b.json", version)]


def test_an_object_with_several_markers_is_read_once(s3: Buckets, landing: Any, land: Any) -> None:
    land("a.json")
    latest = land("a.json", marker=False)
    s3.put_object(Bucket="staging-bucket", Key="landed/a.json/00A2")
    assert read(landing().to_read()) == [("a.json", latest)]


@pytest.mark.parametrize(
    "args", [{"JOB_RUN_ID": "jr_1"}, {"WORKFLOW_NAME": "exactly_once_workflow", "WORKFLOW_RUN_ID": "wr_by_hand"}]
)
def test_a_manual_run_reads_the_whole_bucket_and_deletes_no_markers(
    s3: Buckets, landing: Any, land: Any, args: dict[str, str]
) -> None:
    land("a.json")
    land("not-marked.json", marker=False)
    by_hand = landing(**args)
    assert [item.key for item in by_hand.to_read()] == ["a.json", "not-marked.json"]
    by_hand.finish()
    assert markers(s3) == {"landed/a.json/00A1"}


def test_a_marker_without_a_key_stands_for_the_whole_bucket_and_is_deleted_too(
    s3: Buckets, landing: Any, land: Any
) -> None:
    land("a.json")
    land("k" * 1019 + ".json", marker=False)
    s3.put_object(Bucket="staging-bucket", Key="landed//00A1")
    run = landing()
    assert len(run.to_read()) == 2
    run.finish()
    assert markers(s3) == set()


def test_the_current_version_of_each_data_file_below_the_prefix_is_read(s3: Buckets, landing: Any, land: Any) -> None:
    land("in/a.json")
    latest = land("in/a.json")
    for other in ("in/_hidden.json", "in/.hidden.json", "in/b.csv", "elsewhere/c.json", "in/deleted.json"):
        land(other)
    s3.delete_object(Bucket="landing-bucket", Key="in/deleted.json")
    assert read(landing("s3://landing-bucket/in/").all()) == [("in/a.json", latest)]


@pytest.mark.parametrize("few", [50, 1], ids=["looked up one by one", "listed"])
def test_the_current_versions_of_keys_leave_out_deleted_objects(
    s3: Buckets, code: ModuleType, landing: Any, land: Any, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(code, "FEW", few)
    land("b.json")
    versions = {key: land(key) for key in ("a.json", "b.json", "b.json0", "c/d.json", "ü.json", "z.json")}
    s3.delete_object(Bucket="landing-bucket", Key="z.json")
    found = landing().current(["b.json", "ü.json", "c/d.json", "z.json", "never.json"])
    assert sorted(read(found)) == [(key, versions[key]) for key in ("b.json", "c/d.json", "ü.json")]
    assert read(landing().current(["z.json", "never.json"])) == []


def test_the_current_versions_of_many_keys_are_listed_from_the_first_key_to_the_last(
    s3: Buckets, code: ModuleType, landing: Any, land: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing begins after its key marker: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""
    monkeypatch.setattr(code, "FEW", 1)
    for key in ("a.json", "b.json", "c.json", "d.json", "e.json"):
        land(key)
    listed: list[str] = []
    run = landing()
    found = run._version
    monkeypatch.setattr(run, "_version", lambda key, answer: listed.append(key) or found(key, answer))
    assert [item.key for item in run.current(["b.json", "d.json"])] == ["b.json", "d.json"]
    assert listed == ["b.json", "c.json", "d.json"]


def test_few_keys_are_looked_up_one_by_one_and_many_keys_are_listed(
    s3: Buckets, code: ModuleType, landing: Any, land: Any
) -> None:
    land("a.json")
    run = landing()
    keys = [f"{number}.json" for number in range(51)]
    s3.calls.clear()
    run.current(keys[1:])
    run.current(keys)
    assert s3.calls == ["head_object"] * 50 + ["list_object_versions"]


def test_without_versioning_the_version_is_the_etag_and_the_time(s3: Buckets, landing: Any, land: Any) -> None:
    land("a.json", bucket="unversioned")
    run = landing("s3://unversioned")
    (looked_up,), (listed,) = run.current(["a.json"]), run.all()
    assert looked_up == listed
    at = s3.head_object(Bucket="unversioned", Key="a.json")["LastModified"]
    assert listed.version == f"99914b932bd37a50b983c5e7c90ae93b@{at:%Y%m%dT%H%M%S}"


def test_an_object_whose_lookup_fails_fails_the_run(
    landing: Any, code: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing permission must not be taken for a deleted object."""
    run = landing()
    error = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    def refuse(**_: str) -> None:
        raise error

    monkeypatch.setattr(code, "s3", SimpleNamespace(head_object=refuse, exceptions=code.s3.exceptions))
    with pytest.raises(ClientError, match="Forbidden"):
        run.current(["a.json"])


def test_markers_from_the_beginning_of_the_run_are_deleted_and_later_ones_are_kept(
    s3: Buckets, landing: Any, land: Any
) -> None:
    """A file that lands again while the job runs may have been read or not, so its own marker is kept."""
    land("a.json")
    land("deleted.json")
    s3.delete_object(Bucket="landing-bucket", Key="deleted.json")
    run = landing()
    land("b.json")
    s3.put_object(Bucket="staging-bucket", Key="landed/a.json/00A2")
    s3.put_object(Bucket="staging-bucket", Key="not-a-marker")
    run.finish()
    assert markers(s3) == {"landed/b.json/00A1", "landed/a.json/00A2", "not-a-marker"}


def test_markers_of_refused_files_are_kept_and_the_run_fails_with_the_file_names(
    s3: Buckets, landing: Any, land: Any, code: ModuleType
) -> None:
    for key in ("good.json", "day/bad.json"):
        land(key)
    run = landing()
    run.refused = [item for item in run.to_read() if item.key == "day/bad.json"]
    with pytest.raises(code.TooManyRejects) as raised:  # type: ignore[attr-defined]
        run.finish()
    assert str(raised.value).startswith("Nothing was loaded from s3://landing-bucket/day/bad.json: the share of rows")
    assert markers(s3) == {"landed/day/bad.json/00A1"}


def test_an_error_names_at_most_five_refused_files(code: ModuleType) -> None:
    def said(count: int) -> str:
        return str(code.TooManyRejects([f"s3://b/{number}" for number in range(count)])).partition(": the")[0]

    assert said(5) == "Nothing was loaded from s3://b/0, s3://b/1, s3://b/2, s3://b/3, s3://b/4"
    assert said(6) == f"{said(5)} and others"


@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
def test_a_request_deletes_at_most_1000_markers(
    landing: Any, code: ModuleType, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    run = landing()
    run._markers = [f"landed/{number}.json/00" for number in range(count)]
    requests: list[list[str]] = []

    def delete_objects(Bucket: str, Delete: dict[str, Any]) -> None:
        assert Bucket == "staging-bucket"
        requests.append([item["Key"] for item in Delete["Objects"]])

    monkeypatch.setattr(code, "s3", SimpleNamespace(delete_objects=delete_objects))
    run.finish()
    assert all(1 <= len(keys) <= 1000 for keys in requests)
    assert len(requests) == -(-count // 1000)
    assert [key for keys in requests for key in keys] == run._markers


def test_the_ledger_has_percent_encoded_keys_with_plain_slashes(code: ModuleType) -> None:
    one = code.ObjectVersion("landing-bucket", "day 1/ü'+%;.json", "v1")
    assert one.name == "day%201/%C3%BC%27%2B%25%3B.json"
    assert one.uri == "s3://landing-bucket/day 1/ü'+%;.json"

"""What a second crawl reads: changed files, new folders, or the objects in S3's events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from crawled import Crawled

from localaws.glue.crawlers.event_queue import objects_of

ROW = json.dumps({"id": 1, "name": "x"}) + "\n"
OTHER = json.dumps({"city": "x", "country": "y"}) + "\n"
UNKNOWN_FORMAT = "classifiers do not recognize the format of bad.json"


def objects(crawled: Crawled) -> str:
    return str(crawled.table()["Parameters"]["objectCount"])


def partitions(crawled: Crawled) -> list[list[str]]:
    found = crawled.aws("glue").get_partitions(DatabaseName=crawled.database, TableName=crawled.table()["Name"])
    return sorted(partition["Values"] for partition in found["Partitions"])


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawl_reads_only_new_and_changed_files(crawled: Crawled) -> None:
    """ "Subsequent crawler runs are often faster": https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""

    def was_read() -> bool:
        return any(UNKNOWN_FORMAT in line for line in crawled.log())

    crawled.put(badDOTjson=b"\x00\xff", aDOTjson=ROW)
    crawled.crawl()
    assert was_read()
    crawled.put(bDOTjson=ROW)
    crawled.crawl()
    assert (was_read(), objects(crawled)) == (False, "2")
    crawled.put(badDOTjson=b"\x00\xfe")
    crawled.crawl()
    assert was_read()


def test_the_next_crawl_notices_deleted_overwritten_and_restored_objects(crawled: Crawled) -> None:
    s3 = crawled.aws("s3")
    s3.put_bucket_versioning(Bucket=crawled.bucket, VersioningConfiguration={"Status": "Enabled"})
    crawled.put(aDOTjson=ROW, bDOTjson=ROW * 2, cDOTjson=ROW * 3)
    crawled.crawl()
    assert crawled.table()["Parameters"]["recordCount"] == "6"
    s3.delete_object(Bucket=crawled.bucket, Key="a.json")  # a delete marker
    crawled.put(bDOTjson=ROW * 5)
    crawled.crawl()
    assert (objects(crawled), crawled.table()["Parameters"]["recordCount"]) == ("2", "8")
    (marker,) = s3.list_object_versions(Bucket=crawled.bucket)["DeleteMarkers"]
    s3.delete_object(Bucket=crawled.bucket, Key="a.json", VersionId=marker["VersionId"])
    crawled.crawl()
    assert (objects(crawled), crawled.table()["Parameters"]["recordCount"]) == ("3", "9")


@pytest.fixture
def incremental(new_crawled: Callable[..., Crawled]) -> Crawled:
    """A crawler of new folders only, after its first crawl."""
    crawled = new_crawled("sales/", RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    crawled.put_key("sales/day=1/a.json", ROW)
    crawled.crawl()
    return crawled


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_incremental_crawl_adds_partitions_and_does_not_crawl_old_folders_again(incremental: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    incremental.put_key("sales/day=1/b.json", OTHER)
    incremental.put_key("sales/day=2/a.json", ROW)
    incremental.crawl()
    assert partitions(incremental) == [["1"], ["2"]]
    assert set(incremental.columns()) == {"id", "name"}
    assert incremental.table()["Parameters"]["recordCount"] == "2"


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_incremental_crawl_ignores_deleted_objects(incremental: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    incremental.aws("s3").delete_object(Bucket=incremental.bucket, Key="sales/day=1/a.json")
    incremental.crawl()
    assert partitions(incremental) == [["1"]]
    assert "DEPRECATED_BY_CRAWLER" not in incremental.table()["Parameters"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_incremental_crawl_adds_no_tables_after_the_first_crawl(
    new_crawled: Callable[..., Crawled],
) -> None:
    """ "No new tables will be added": https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    crawled = new_crawled(RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    crawled.put(orders__aDOTjson=ROW, towns__aDOTjson=OTHER)
    crawled.crawl()
    assert set(crawled.tables()) == {"orders", "towns"}
    crawled.put(cars__aDOTjson='{"wheels": 4}', orders__more__aDOTjson=ROW)
    crawled.crawl()
    assert set(crawled.tables()) == {"orders", "towns"}
    assert any("Table cars was not created" in line for line in crawled.log())


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_s3_targets_of_an_incremental_crawler_cannot_be_changed(incremental: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    glue = incremental.aws("glue")
    targets = {"S3Targets": [{"Path": f"s3://{incremental.bucket}/other/"}]}
    with pytest.raises(glue.exceptions.InvalidInputException, match="can't be changed"):
        glue.update_crawler(Name=incremental.crawler, Targets=targets)
    glue.update_crawler(Name=incremental.crawler, Description="still the same targets")


@dataclass
class Queue:
    """An SQS queue."""

    sqs: Any
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:us-east-1:123456789012:{self.name}"

    @property
    def url(self) -> str:
        return str(self.sqs.get_queue_url(QueueName=self.name)["QueueUrl"])

    def wait_for(self, count: int) -> None:
        """Wait until so many messages are in it: S3 delivers after it has answered."""
        deadline = time.monotonic() + 10
        while self.count() != count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def count(self) -> int:
        """The messages that are in it, taken ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def new_queue(aws: Callable[..., Any], unique: Callable[[str], str]) -> Callable[[], Queue]:
    """Makes queues that S3 may send to."""

    def make() -> Queue:
        queue = Queue(aws("sqs"), unique("events"))
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
        }
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        queue.sqs.create_queue(QueueName=queue.name, Attributes={"Policy": json.dumps(policy)})
        return queue

    return make


@pytest.fixture
def by_events(
    new_crawled: Callable[..., Crawled], new_queue: Callable[[], Queue], aws: Callable[..., Any]
) -> tuple[Crawled, Queue, Queue]:
    """A crawler in event mode after its first crawl, its queue, which S3 sends to, and its dead-letter queue."""
    crawled, queue, dead = new_crawled("sales/"), new_queue(), new_queue()
    target = {"Path": f"s3://{crawled.bucket}/sales/", "EventQueueArn": queue.arn, "DlqEventQueueArn": dead.arn}
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    aws("glue").update_crawler(
        Name=crawled.crawler,
        Targets={"S3Targets": [target]},
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_EVENT_MODE"},
        SchemaChangePolicy=policy,
    )
    for day in (1, 2):
        crawled.put_key(f"sales/day={day}/a.json", ROW)
    crawled.crawl()
    events = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    aws("s3").put_bucket_notification_configuration(
        Bucket=crawled.bucket, NotificationConfiguration={"QueueConfigurations": [events]}
    )
    queue.wait_for(1)  # s3:TestEvent
    return crawled, queue, dead


@pytest.mark.simplified("Glue crawlers", "the first crawl after a restart of the embedded AWS lists everything again")
def test_a_crawler_in_event_mode_crawls_only_the_folders_that_events_in_its_queue_name(
    by_events: tuple[Crawled, Queue, Queue],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html"""
    crawled, queue, _ = by_events
    assert partitions(crawled) == [["1"], ["2"]]
    s3 = crawled.aws("s3")
    s3.put_bucket_notification_configuration(Bucket=crawled.bucket, NotificationConfiguration={})
    crawled.put_key("sales/day=3/unheard.json", ROW)
    events = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=crawled.bucket, NotificationConfiguration={"QueueConfigurations": [events]}
    )
    crawled.put_key("sales/day=4/a b.json", json.dumps({"id": 1, "name": "x", "fee": 2}) * 2)
    s3.delete_object(Bucket=crawled.bucket, Key="sales/day=1/a.json")
    queue.wait_for(4)
    crawled.crawl()
    assert partitions(crawled) == [["2"], ["4"]]
    assert set(crawled.columns()) == {"id", "name", "fee"}
    assert crawled.table()["Parameters"]["recordCount"] == "3"
    assert any("The crawl is running by consuming Amazon S3 events." in line for line in crawled.log())
    assert queue.count() == 0
    crawled.crawl()
    assert any("No S3 event names an object" in line for line in crawled.log())
    assert partitions(crawled) == [["2"], ["4"]]


def test_a_crawler_in_event_mode_crawls_a_single_object_again_if_an_event_names_it(
    by_events: tuple[Crawled, Queue, Queue],
) -> None:
    crawled, queue, _ = by_events
    crawled.put_key("sales/day=1/b.json", OTHER)
    queue.wait_for(2)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    target = {"Path": f"s3://{crawled.bucket}/sales/day=1/a.json", "EventQueueArn": queue.arn}
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": [target]}, TablePrefix="one_")
    crawled.crawl()
    s3 = crawled.aws("s3")

    def crawl_after(count: int) -> bool:
        queue.wait_for(count)
        crawled.crawl()
        return any("nothing to crawl" in line for line in crawled.log())

    crawled.put_key("sales/day=1/c.json", OTHER)
    assert crawl_after(1)
    crawled.put_key("sales/day=1/a.json", ROW * 3)
    assert not crawl_after(1)
    assert crawled.tables()["one_a_json"]["Parameters"]["recordCount"] == "3"
    s3.delete_object(Bucket=crawled.bucket, Key="sales/day=1/a.json")
    assert not crawl_after(1)
    assert "one_a_json" not in crawled.tables()


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_message_that_is_not_an_s3_event_goes_to_the_crawler_s_dead_letter_queue(
    by_events: tuple[Crawled, Queue, Queue],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html"""
    crawled, queue, dead = by_events
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="no event")
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert (queue.count(), dead.count()) == (0, 1)


@pytest.mark.as_on_aws("Glue crawlers")
def test_s3_events_can_reach_the_crawler_s_queue_through_an_sns_topic() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html"""
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "sales/a+b%3D1.json"}}}
    event = json.dumps({"Records": [record]})
    notification = json.dumps({"Type": "Notification", "Message": event})
    assert list(objects_of(event)) == list(objects_of(notification)) == [("b", "sales/a b=1.json")]
    assert list(objects_of(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))) == []


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_updated_crawler_in_event_mode_crawls_everything_once(by_events: tuple[Crawled, Queue, Queue]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html"""
    crawled, queue, _ = by_events
    crawled.put_key("sales/day=3/a.json", ROW)
    queue.wait_for(2)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    crawled.aws("glue").update_crawler(Name=crawled.crawler, TablePrefix="new_")
    crawled.crawl()
    assert "new_sales" in crawled.tables()
    assert crawled.tables()["new_sales"]["Parameters"]["objectCount"] == "3"


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_in_event_mode_needs_an_event_queue(
    new_crawled: Callable[..., Crawled], aws: Callable[..., Any], new_queue: Callable[[], Queue]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html"""
    crawled = new_crawled()
    mode = {"Name": crawled.crawler, "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}}
    with pytest.raises(ClientError, match="Event queue ARN is required"):
        aws("glue").update_crawler(**mode)
    queue = new_queue()
    target = {"Path": f"s3://{crawled.bucket}/", "EventQueueArn": queue.arn}
    aws("glue").update_crawler(**mode, Targets={"S3Targets": [target]})
    crawled.put(aDOTjson=ROW)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    queue.sqs.delete_queue(QueueUrl=queue.url)
    last = crawled.crawl()
    assert last["Status"] == "FAILED"
    assert f"The queue {queue.arn} can't be read" in last["ErrorMessage"]

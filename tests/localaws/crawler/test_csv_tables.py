"""Tables of CSV files, as the crawler writes them into the catalog."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from crawled import Crawled

SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_csv_file_with_a_header_makes_a_table_with_the_properties_that_aws_writes(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html
    https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
    """
    body = "id|town|fee\n1|Bern|0.5\n2|Rom|1\n"
    crawled.put(aDOTcsv=body)
    crawled.crawl()
    assert crawled.columns() == {"id": "bigint", "town": "string", "fee": "double"}
    expected = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawled.crawler,
        "areColumnsQuoted": "false",
        "averageRecordSize": str(round(len(body) / 2)),
        "classification": "csv",
        "columnsOrdered": "true",
        "compressionType": "none",
        "delimiter": "|",
        "objectCount": "1",
        "recordCount": "2",
        "sizeKey": str(len(body)),
        "skip.header.line.count": "1",
        "typeOfData": "file",
    }
    table = crawled.table()
    assert table["Parameters"] == expected
    descriptor = table["StorageDescriptor"]
    assert descriptor["Parameters"] == expected
    assert descriptor["SerdeInfo"] == {"SerializationLibrary": SERDE, "Parameters": {"field.delim": "|"}}
    assert descriptor["InputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert descriptor["OutputFormat"] == "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


@pytest.mark.simplified(
    "Glue crawlers",
    "AWS's page counts from col1, but tables that were crawled on AWS begin with col0",
)
def test_a_csv_file_without_a_header_has_numbered_columns_and_no_skipped_line(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    crawled.put(aDOTcsv="x,Bern\ny,Rom\n")
    crawled.crawl()
    assert crawled.columns() == {"col0": "string", "col1": "string"}
    assert "skip.header.line.count" not in crawled.table()["Parameters"]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_quoted_csv_gets_the_LazySimpleSerDe_as_any_other_csv(crawled: Crawled, delimiter: str) -> None:
    """ "The built-in CSV classifier creates tables referencing the LazySimpleSerDe as the serialization library [...]
    if the CSV data contains quoted strings, edit the table definition and change the SerDe library to OpenCSVSerDe":
    https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
    """
    crawled.put(aDOTcsv=delimiter.join(['"id"', '"town"']) + f'\n1{delimiter}"Bern, BE"\n')
    crawled.crawl()
    table = crawled.table()
    assert crawled.columns() == {"id": "bigint", "town": "string"}
    assert table["Parameters"]["areColumnsQuoted"] == "true"
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": SERDE,
        "Parameters": {"field.delim": delimiter},
    }


@pytest.mark.as_on_aws("Glue crawlers")
def test_each_partition_of_a_csv_table_records_that_its_files_have_a_header(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html"""
    crawled = new_crawled("sales/")
    for day in (1, 2):
        crawled.put_key(f"sales/day={day}/a.csv.gz", gzip.compress(b"id, town\n1,Bern\n2,Rom\n"))
    crawled.crawl()
    assert crawled.columns() == {"id": "bigint", "town": "string"}
    glue = crawled.aws("glue")
    found = glue.get_partitions(DatabaseName=crawled.database, TableName="sales")["Partitions"]
    for described in (crawled.table(), *found):
        parameters, descriptor = described["Parameters"], described["StorageDescriptor"]
        assert (parameters["skip.header.line.count"], parameters["compressionType"]) == ("1", "gzip")
        assert descriptor["Compressed"] is True
        assert descriptor["SerdeInfo"]["Parameters"] == {"field.delim": ","}


def test_the_next_crawl_notices_that_a_file_has_gained_or_lost_its_header(crawled: Crawled) -> None:
    crawled.put(aDOTcsv="1,Bern\n2,Rom\n")
    crawled.crawl()
    crawled.put(aDOTcsv="id,town\n1,Bern\n2,Rom\n")
    crawled.crawl()
    assert crawled.columns() == {"id": "bigint", "town": "string"}
    assert crawled.table()["Parameters"]["skip.header.line.count"] == "1"
    crawled.put(aDOTcsv="1,Bern\n2,Rom\n")
    crawled.crawl()
    assert crawled.columns() == {"col0": "bigint", "col1": "string"}
    assert "skip.header.line.count" not in crawled.table()["Parameters"]

"""What a crawler writes into the catalog: names, TableInput and PartitionInput: without a server.

The parameters are those of https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from localaws.glue.crawlers.files import Statistics
from localaws.glue.crawlers.formats import Look
from localaws.glue.crawlers.grouping import FoundTable, KnownTable, Partition
from localaws.glue.crawlers.naming import Exclusions, distinct_name, table_name
from localaws.glue.crawlers.schema import Primitive, Schema
from localaws.glue.crawlers.tables import jdbc_table, known_tables, s3_partition, s3_table

JSON = Look("json")
CSV = Look("csv", delimiter=";", header=True, quoted=True)
SCHEMA: Schema = {"id": Primitive.INT, "note": Primitive.VOID}


def found(path: str = "folder/", look: Look = JSON, **others: Any) -> FoundTable:
    statistics = others.pop("statistics", Statistics(2, 3, 100))
    return FoundTable(path, look, SCHEMA, ("Id", "Note"), statistics, **others)


def written(table: FoundTable, **others: Any) -> dict[str, Any]:
    return s3_table(table, "s3://bucket/in/", others.pop("prefix", ""), "a_crawler", **others)


def test_a_table_of_json_has_its_location_its_columns_and_the_name_of_its_crawler() -> None:
    table = written(found())
    parameters = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": "a_crawler",
        "averageRecordSize": "33",
        "classification": "json",
        "compressionType": "none",
        "objectCount": "2",
        "recordCount": "3",
        "sizeKey": "100",
        "typeOfData": "file",
    }
    assert table == {
        "Name": "folder",
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": {
            "Columns": [{"Name": "id", "Type": "int"}, {"Name": "note", "Type": "string"}],
            "Location": "s3://bucket/in/folder/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                "Parameters": {"paths": "Id,Note"},
            },
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": parameters,
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": [],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }


@pytest.mark.parametrize(
    ("path", "prefix", "name"),
    [
        ("folder/", "", "folder"),
        ("a/b c/", "x_", "x_b_c"),
        ("a/File.JSON", "", "file_json"),
        ("", "", "in"),
    ],
)
def test_a_table_is_named_after_its_folder_or_its_file(path: str, prefix: str, name: str) -> None:
    assert written(found(path), prefix=prefix)["Name"] == name


def test_a_table_of_a_whole_bucket_is_named_after_the_bucket() -> None:
    assert s3_table(found(""), "s3://landing-bucket/", "", "c")["Name"] == "landing_bucket"


def test_a_table_of_csv_has_its_delimiter_and_its_header_in_its_properties() -> None:
    table = written(found(look=CSV))
    parameters = table["Parameters"]
    assert (parameters["delimiter"], parameters["columnsOrdered"]) == (";", "true")
    assert (parameters["areColumnsQuoted"], parameters["skip.header.line.count"]) == ("true", "1")
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ";"},
    }
    plain = written(found(look=Look("csv", delimiter=",")))["Parameters"]
    assert plain["areColumnsQuoted"] == "false"
    assert "skip.header.line.count" not in plain
    assert not {"delimiter", "columnsOrdered", "areColumnsQuoted"} & set(written(found())["Parameters"])


def test_a_table_of_parquet_has_the_input_and_output_formats_of_parquet() -> None:
    descriptor = written(found(look=Look("parquet")))["StorageDescriptor"]
    package = "org.apache.hadoop.hive.ql.io.parquet"
    assert descriptor["InputFormat"] == f"{package}.MapredParquetInputFormat"
    assert descriptor["OutputFormat"] == f"{package}.MapredParquetOutputFormat"
    assert descriptor["SerdeInfo"] == {
        "SerializationLibrary": f"{package}.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    }


def test_a_table_of_an_unknown_format_has_no_delimiter() -> None:
    assert written(found(look=Look("UNKNOWN")))["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {}


def test_a_table_of_compressed_files_has_their_compression_type() -> None:
    table = written(found(look=Look("json", "gzip")))
    assert (table["Parameters"]["compressionType"], table["StorageDescriptor"]["Compressed"]) == ("gzip", True)


def test_without_records_the_average_record_size_is_0() -> None:
    assert written(found(statistics=Statistics(1, 0, 50)))["Parameters"]["averageRecordSize"] == "0"
    assert written(found(statistics=Statistics(1, 1, 50)))["Parameters"]["averageRecordSize"] == "50"


def test_the_exclusion_patterns_are_a_property_of_the_table() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude"""
    assert written(found(), exclusions=["**.csv", "x"])["Parameters"]["exclusions"] == '["**.csv", "x"]'
    assert "exclusions" not in written(found())["Parameters"]


def test_a_table_with_partitions_has_their_keys_as_strings() -> None:
    table = written(found(partition_keys=("year", "partition_1")))
    assert table["PartitionKeys"] == [{"Name": "year", "Type": "string"}, {"Name": "partition_1", "Type": "string"}]
    assert table["Parameters"]["partition_filtering.enabled"] == "true"
    assert "partition_filtering.enabled" not in written(found())["Parameters"]


def test_a_partition_has_the_location_the_counts_and_the_columns_of_its_own_files() -> None:
    part = Partition(("2017",), "folder/year=2017/", Statistics(1, 2, 10), CSV, {"id": Primitive.BIGINT})
    partition = s3_partition(found(), part, "s3://bucket/in/", "a_crawler")
    assert partition["Values"] == ["2017"]
    descriptor = partition["StorageDescriptor"]
    assert descriptor["Location"] == "s3://bucket/in/folder/year=2017/"
    assert descriptor["Columns"] == [{"Name": "id", "Type": "bigint"}]
    assert partition["Parameters"] == descriptor["Parameters"]
    assert partition["Parameters"]["averageRecordSize"] == "5"
    assert partition["Parameters"]["classification"] == "csv"
    assert partition["Parameters"]["UPDATED_BY_CRAWLER"] == "a_crawler"


def test_a_table_of_a_database_is_named_after_database_schema_and_table() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    table = jdbc_table(("toll_db", "public", "T.1"), "view", [("id", "bigint")], "x_", "a_crawler", "a_connection")
    assert table["Name"] == "x_toll_db_public_t_1"
    assert (table["TableType"], table["Retention"], table["PartitionKeys"]) == ("EXTERNAL_TABLE", 0, [])
    assert table["Parameters"] == {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": "a_crawler",
        "classification": "redshift",
        "compressionType": "none",
        "connectionName": "a_connection",
        "typeOfData": "view",
    }
    assert table["StorageDescriptor"] == {
        "Columns": [{"Name": "id", "Type": "bigint"}],
        "Location": "toll_db.public.T.1",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"Parameters": {}},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": table["Parameters"],
        "StoredAsSubDirectories": False,
    }


def test_the_next_crawl_recognises_the_tables_that_its_crawler_wrote_below_the_include_path() -> None:
    partitioned = written(found(partition_keys=("year", "month")))
    (known,) = known_tables([partitioned], "s3://bucket/in/", "a_crawler")
    assert known == KnownTable("folder/", ("id", "note"), ("year", "month"), Statistics(2, 3, 100))


def test_a_table_elsewhere_or_from_another_crawler_is_not_recognised() -> None:
    table = written(found())
    assert known_tables([table], "s3://bucket/other/", "a_crawler") == []
    assert known_tables([table], "s3://bucket/in/", "another") == []
    assert known_tables([{"Name": "by_hand"}], "s3://bucket/in/", "a_crawler") == []
    bare = {"StorageDescriptor": {"Location": "s3://bucket/in/x/"}, "Parameters": {"UPDATED_BY_CRAWLER": "a_crawler"}}
    assert known_tables([{"Name": "by_hand"}, bare], "s3://bucket/in/", "a_crawler") == [KnownTable("x/", (), ())]


def test_a_table_name_has_at_most_128_characters_and_a_hash_if_it_would_be_a_duplicate() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    assert table_name("", "x" * 128) == "x" * 128
    assert table_name("", "x" * 129) == "x" * 128
    told_apart = distinct_name("y" * 128, "s3://bucket/y/")
    assert re.fullmatch("y{95}_[0-9a-f]{32}", told_apart)
    assert re.fullmatch("short_[0-9a-f]{32}", distinct_name("short", "s3://bucket/y/"))
    assert distinct_name("short", "s3://bucket/y/") != distinct_name("short", "s3://bucket/z/")


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("[]]", ["]"], ["a"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[!]]", ["a"], ["]"]),
        ("[a]b", ["ab"], ["a", "b", "a]b"]),
        ("[!/]x", ["ax"], ["/x"]),
        ("[[]", ["["], ["]", "[["]),
        ("[a^]", ["a", "^"], ["b"]),
        ("[^a]", ["a", "^"], ["b"]),
        ("[!^]", ["a"], ["^"]),
        ("[a&&b||]", ["a", "b", "&", "|"], ["c"]),
        ("[!a]b", ["bb"], ["ab", "b", "/b"]),
        ("[.-0]", [".", "0"], ["/"]),
        ("a,b", ["a,b"], ["a", "b"]),
        ("a}", ["a}"], ["a"]),
        ("{a,b}{c,d}", ["ac", "bd"], ["ab", "cd"]),
        ("{a,b},c", ["a,c", "b,c"], ["a", "c"]),
        ("x\\", ["x\\"], ["x"]),
        (r"\*", ["*"], ["a"]),
        (r"\*bc", ["*bc"], ["*c", "abc"]),
        ("a\nb*", ["a\nbc"], ["a\nb/"]),
        ("a", ["a"], ["a\n"]),
        ("***", ["a", "a/b"], []),
    ],
)
def test_the_characters_of_an_exclusion_pattern_mean_what_aws_documents(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    exclusions = Exclusions([pattern])
    assert [path for path in matching + others if exclusions.match(path)] == matching


def test_a_path_is_excluded_if_any_pattern_matches() -> None:
    exclusions = Exclusions(["a", "b"])
    assert [path for path in "abc" if exclusions.match(path)] == ["a", "b"]
    assert exclusions.patterns == ("a", "b")
    assert not Exclusions([]).match("a")


@pytest.mark.parametrize("pattern", ["[a", "[]", "[!]", "[!", "x[", "[z-a]", "{a", "{a,b", "a{b{c}}"])
def test_a_malformed_exclusion_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not closed|nested|bad character range"):
        Exclusions([pattern])

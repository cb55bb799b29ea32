"""Libraries that read and write files in S3: each reads what it and boto3 wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[[str], Any]
ROWS = {"id": [1, 2, 3], "name": ["a", "ä", None]}
MEGABYTE = 1024 * 1024


def _body(aws: Client, bucket: str, key: str) -> bytes:
    return bytes(aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_s3fs_writes_lists_copies_moves_and_removes(aws: Client, bucket: str) -> None:
    import s3fs

    files = s3fs.S3FileSystem()
    with files.open(f"{bucket}/in/a.txt", "wb") as file:
        file.write(b"one\ntwo\n")
    files.copy(f"{bucket}/in/a.txt", f"{bucket}/in/b.txt")
    files.mv(f"{bucket}/in/b.txt", f"{bucket}/out/c d+e.txt")
    assert files.find(bucket) == [f"{bucket}/in/a.txt", f"{bucket}/out/c d+e.txt"]
    assert (files.info(f"{bucket}/in/a.txt")["size"], files.isdir(f"{bucket}/out")) == (8, True)
    assert files.cat_file(f"{bucket}/in/a.txt", start=4, end=7) == b"two"
    assert files.glob(f"{bucket}/*/*.txt") == files.find(bucket)
    files.rm(f"{bucket}/in", recursive=True)
    assert [key["Key"] for key in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]] == ["out/c d+e.txt"]
    with pytest.raises(FileNotFoundError):
        files.open(f"{bucket}/in/a.txt").read()
    with pytest.raises(FileNotFoundError, match="bucket"):
        files.ls("there-is-no-such-bucket")


def test_s3fs_writes_a_large_file_in_parts_and_appends_to_it(aws: Client, bucket: str) -> None:
    import s3fs

    body = os.urandom(12 * MEGABYTE)
    files = s3fs.S3FileSystem()
    with files.open(f"{bucket}/large", "wb", block_size=5 * MEGABYTE) as file:
        file.write(body)
    with files.open(f"{bucket}/large", "ab", block_size=5 * MEGABYTE) as file:
        file.write(b"the end")
    assert _body(aws, bucket, "large") == body + b"the end"
    with files.open(f"{bucket}/large", "rb") as file:
        file.seek(-7, os.SEEK_END)
        assert file.read() == b"the end"


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_pandas_can_read_the_files_that_it_wrote(bucket: str, kind: str) -> None:
    import pandas

    frame, address = pandas.DataFrame(ROWS), f"s3://{bucket}/frame.{kind}"
    if kind == "json":
        frame.to_json(address, orient="records", lines=True)
        back = pandas.read_json(address, orient="records", lines=True)
    else:
        getattr(frame, f"to_{kind}")(address, index=False)
        back = getattr(pandas, f"read_{kind}")(address)
    pandas.testing.assert_frame_equal(back, frame)


def test_pandas_reads_a_partitioned_folder_of_parquet_files(bucket: str) -> None:
    import pandas

    frame = pandas.DataFrame({"day": ["1", "1", "2"], "n": [1, 2, 3]})
    frame.to_parquet(f"s3://{bucket}/days/", partition_cols=["day"])
    back = pandas.read_parquet(f"s3://{bucket}/days/", filters=[("day", "=", 1)])
    assert back["n"].tolist() == [1, 2]


def test_polars_writes_reads_and_scans_with_a_filter(bucket: str, lab: dict[str, str]) -> None:
    import polars

    options = {
        "aws_access_key_id": lab["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": lab["AWS_SECRET_ACCESS_KEY"],
        "aws_region": lab["AWS_REGION"],
        "aws_endpoint_url": lab["AWS_ENDPOINT_URL"],
        "aws_allow_http": "true",
    }
    frame = polars.DataFrame(ROWS)
    for number in (1, 2):
        frame.write_parquet(f"s3://{bucket}/polars/{number}.parquet", storage_options=options)
    assert polars.read_parquet(f"s3://{bucket}/polars/1.parquet", storage_options=options).equals(frame)
    lazy = polars.scan_parquet(f"s3://{bucket}/polars/*.parquet", storage_options=options)
    assert lazy.filter(polars.col("id") > 1).select(polars.col("id").sum()).collect().item() == 10
    lazy.sink_csv(f"s3://{bucket}/all.csv", storage_options=options)
    assert polars.scan_csv(f"s3://{bucket}/all.csv", storage_options=options).collect().height == 6
    with pytest.raises(Exception, match=r"(?i)not found|404|empty"):
        polars.read_parquet(f"s3://{bucket}/nothing.parquet", storage_options=options)


def test_smart_open_uploads_in_parts_and_leaves_nothing_after_a_failed_upload(aws: Client, bucket: str) -> None:
    import smart_open

    line = b"x" * 1023 + b"\n"
    parts = {"transport_params": {"min_part_size": 5 * MEGABYTE}}
    with smart_open.open(f"s3://{bucket}/large.txt.gz", "wb", **parts) as file:
        for _ in range(1024):
            file.write(line)
    with smart_open.open(f"s3://{bucket}/plain.txt", "wb", **parts) as file:
        for _ in range(11 * 1024):
            file.write(line)
    assert aws("s3").head_object(Bucket=bucket, Key="plain.txt")["ETag"].endswith('-3"')
    with smart_open.open(f"s3://{bucket}/plain.txt", "rb") as file:
        file.seek(11 * MEGABYTE - 1024)
        assert (file.read(), sum(1 for _ in smart_open.open(f"s3://{bucket}/large.txt.gz", "rb"))) == (line, 1024)

    def fail() -> None:
        with smart_open.open(f"s3://{bucket}/broken.txt", "wb", **parts) as file:
            file.write(line * 6 * 1024)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "Uploads" not in aws("s3").list_multipart_uploads(Bucket=bucket)
    assert sorted(key["Key"] for key in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]) == [
        "large.txt.gz",
        "plain.txt",
    ]


def test_pyarrows_file_system_reads_writes_and_lists(aws: Client, bucket: str, lab: dict[str, str]) -> None:
    import pyarrow as pa
    from pyarrow import dataset, fs

    files = fs.S3FileSystem(
        access_key=lab["AWS_ACCESS_KEY_ID"],
        secret_key=lab["AWS_SECRET_ACCESS_KEY"],
        region=lab["AWS_REGION"],
        scheme="http",
        endpoint_override=lab["AWS_ENDPOINT_URL"].removeprefix("http://"),
    )
    table = pa.table({"day": ["1", "1", "2"], "n": [1, 2, 3]})
    dataset.write_dataset(
        table, f"{bucket}/days", format="parquet", partitioning=["day"], partitioning_flavor="hive", filesystem=files
    )
    read = dataset.dataset(f"{bucket}/days", format="parquet", partitioning="hive", filesystem=files)
    assert read.to_table(filter=dataset.field("day") == 2).to_pydict() == {"n": [3], "day": [2]}
    with files.open_output_stream(f"{bucket}/large") as stream:
        stream.write(b"y" * 11 * MEGABYTE)
    assert _body(aws, bucket, "large") == b"y" * 11 * MEGABYTE
    files.move(f"{bucket}/large", f"{bucket}/moved")
    kinds = {info.base_name: info.type for info in files.get_file_info(fs.FileSelector(bucket))}
    assert kinds == {"days": fs.FileType.Directory, "moved": fs.FileType.File}
    files.delete_dir(f"{bucket}/days")
    assert files.get_file_info(f"{bucket}/days").type is fs.FileType.NotFound


def test_duckdb_reads_and_writes_through_s3fs(bucket: str) -> None:
    import duckdb
    import s3fs

    with duckdb.connect() as database:
        database.register_filesystem(s3fs.S3FileSystem())
        for number in (1, 2):
            database.execute(f"copy (select {number} as n, 'x' as t) to 's3://{bucket}/n={number}/a.parquet'")
        rows = database.execute(f"select sum(n), count(*) from read_parquet('s3://{bucket}/*/*.parquet')").fetchall()
        assert rows == [(3, 2)]
        with pytest.raises(Exception, match=r"(?i)no files found"):
            database.execute(f"select * from read_parquet('s3://{bucket}/nothing/*.parquet')")

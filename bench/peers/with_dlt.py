"""dlt: loads JSON lines into PostgreSQL with dlt's defaults. Prints the seconds that it took, without the imports."""

import os
import sys
import time

# The benchmark should not send telemetry.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.sources.filesystem import filesystem, read_jsonl

directory, url, work = sys.argv[1:]
start = time.perf_counter()
pipeline = dlt.pipeline(
    "bench", pipelines_dir=work, destination=dlt.destinations.postgres(url), dataset_name="with_dlt"
)
rows = filesystem(bucket_url=f"file://{directory}", file_glob="*.json") | read_jsonl()
pipeline.run(rows.with_name("toll_table")).raise_on_failed_jobs()
print(time.perf_counter() - start)

"""Check lines with glue/rows.py on a small Spark: reads JSON {URI: line} from stdin, and writes the results to stdout.

This is a separate program, so that Spark's sockets and JVM end with it.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

from glue_modules import loaded
from pyspark.sql import SparkSession

SETTINGS = {
    "spark.master": "local[1]", "spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "1", "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}  # fmt: skip


def main(lines: dict[str, str]) -> dict[str, Any]:
    builder = SparkSession.builder
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()

    def context_with(frame: Any) -> Any:
        read = SimpleNamespace(from_options=lambda **_: SimpleNamespace(toDF=lambda: frame))
        return SimpleNamespace(create_dynamic_frame=read, spark_session=spark)

    with loaded("rows") as (rows,):
        landed = [(line, uri) for uri, line in lines.items()]
        read = rows.read_lines(context_with(spark.createDataFrame(landed, "col0 string, source_file string")), [])
        judged = rows.judge(read).cache()
        # A DynamicFrame without records has no columns.
        empty = rows.read_lines(context_with(spark.createDataFrame([], "")), [])
        return {
            "columns": judged.columns,
            "rows": [found.asDict() for found in judged.collect()],
            "counts": rows.count(judged),
            "columns without lines": empty.columns,
            "counts without lines": rows.count(rows.judge(empty)),
        }


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)

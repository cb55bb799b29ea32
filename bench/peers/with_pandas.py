"""pandas: loads JSON lines into PostgreSQL with to_sql. Prints the seconds that it took, without the imports."""

import sys
import time
from pathlib import Path

import pandas
import sqlalchemy

directory, url, _ = sys.argv[1:]
engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
start = time.perf_counter()
for file in sorted(Path(directory).glob("*.json")):
    frame = pandas.read_json(file, lines=True)
    frame.to_sql("with_pandas", engine, if_exists="append", index=False, method="multi", chunksize=1000)
print(time.perf_counter() - start)

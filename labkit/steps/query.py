"""Query Redshift: through the Data API, as the query editor does, or with a driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.data import data_api, table
from labkit.data.counts import ExactlyOnceCounts
from labkit.errors import LabError
from labkit.show.display import Described, Fact, Removed
from labkit.steps.base import Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class QueryMade(Described):
    """What can be queried."""

    cluster: str
    database: str
    table: str
    columns: tuple[str, ...]


class Query(Step[QueryMade]):
    """`lab.query("select …")` gives a pandas DataFrame.

    Nothing has to be made for it: `create` and `destroy` are here so that it is a step as the others are.
    """

    name = "query"
    notebook = "08_query"

    def create(self) -> QueryMade:
        """See that queries work."""
        return self.describe()

    def __call__(self, sql: str, **parameters: Any) -> pd.DataFrame:
        """Run one statement through the Data API, and return its rows.

        Parameters are written `:name` in the statement: `lab.query("… where toll_booth = :booth", booth="york_rd")`.

        Raises:
            QueryFailed: Redshift refused it.
            MissingStep: there is no cluster yet.
        """
        import pandas as pd  # here: most commands of the lab need no data frame, and it takes its time to load

        result = data_api.execute(self.lab, sql, parameters)
        return pd.DataFrame.from_records(list(result.rows), columns=list(result.columns))

    def preview(self, rows: int = 10) -> pd.DataFrame:
        """The first rows of the table, as the query editor's "preview data"; ordered, so that it is always the same."""
        return self(f"select * from {self._table} order by 1, 2, 3, 4, 5, 6 limit {int(rows)}")

    def history(self) -> pd.DataFrame:
        """The loads into the table, the newest first, as Redshift has them in sys_load_history."""
        return self(
            "select query_id, status, loaded_rows, loaded_bytes, source_file_count, file_format, start_time, "
            "data_source from sys_load_history where table_name = :table order by start_time desc",
            table=self.config.redshift_table,
        )

    def load_errors(self) -> pd.DataFrame:
        """The newest rows that COPY could not load, as Redshift has them in stl_load_errors."""
        return self(
            "select starttime, trim(filename) as filename, line_number, trim(colname) as column_name, "
            "trim(raw_field_value) as value, err_code, trim(err_reason) as reason "
            "from stl_load_errors order by starttime desc limit 100"
        )

    def loaded(self) -> int:
        """Rows that COPY has loaded into the table since it was last emptied, by Redshift's load history."""
        rows = data_api.execute(
            self.lab,
            "select coalesce(sum(loaded_rows), 0) from sys_load_history "
            "where table_name = :table and status = 'completed' and start_time >= cast(:since as timestamp)",
            {"table": self.config.redshift_table, "since": table.counted_since(self.lab)},
        ).rows
        return int(rows[0][0])

    def count(self) -> int:
        """Rows in the table."""
        return int(data_api.execute(self.lab, f"select count(*) from {self._table}").rows[0][0])

    def connect(self) -> Any:
        """A connection of redshift_connector, as the admin of the secret; TLS as the driver has it by default.

        Raises:
            LabError: it can't connect; on AWS the cluster is private, so only from inside its VPC.
        """
        import redshift_connector

        cluster, secret = self.lab.redshift.describe(), self.lab.secrets.read()
        try:
            with self.lab.session.trusted():
                return redshift_connector.connect(
                    host=cluster.host,
                    port=cluster.port,
                    database=cluster.database,
                    user=secret["username"],
                    password=secret["password"],
                    timeout=30,
                )
        except (redshift_connector.Error, OSError) as error:
            raise LabError(
                f"redshift_connector can't connect to {cluster.host}:{cluster.port}: {error}",
                fix='lab.query() needs no connection. From a shell: eval "$(labkit env)" sets the CA it needs.',
            ) from error

    def describe(self) -> QueryMade:
        """The table as Redshift has it."""
        columns = data_api.execute(
            self.lab,
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'public' and table_name = :name order by ordinal_position",
            {"name": self.config.redshift_table},
        ).rows
        if not columns:
            raise self.lab.redshift.missing(f"Table {self.config.redshift_table}")
        return QueryMade(
            self.names.cluster_identifier,
            self.config.redshift_database,
            self.config.redshift_table,
            tuple(f"{name} {kind}" for name, kind in columns),
        )

    def facts(self) -> Iterator[Fact]:
        """The Data API answers, the table has rows, and no load was lost or doubled."""
        self.describe()
        yield Fact(True, "the Data API answers")
        counts = self.lab.counts()
        yield Fact(counts.queried > 0, "the table has rows", "land data: lab.send(), then lab.load()")
        if isinstance(counts, ExactlyOnceCounts):
            yield Fact(counts.loaded == counts.queried, "loaded = queried: every loaded row is in the table once",
                       f"{counts.loaded} loaded, {counts.queried} queried: lab.reliability.rebuild()")  # fmt: skip
            yield Fact(counts.landed == counts.loaded + counts.rejected,
                       "landed = loaded + rejected: every landed record was loaded once, or rejected",
                       f"{counts.sentence}: lab.load() loads what is missing")  # fmt: skip
            return
        advice = "lab.load() loads what is missing; lab.reliability.create() rebuilds the table from the landing bucket"
        yield Fact(counts.missing == 0, "no landed row is missing", f"{counts.missing} are: {advice}")
        yield Fact(counts.doubled == 0, "no row is doubled", f"{counts.doubled} are: {advice}")

    def destroy(self) -> Removed:
        """Nothing was made."""
        return Removed(self.name, ())

    @property
    def _table(self) -> str:
        return f"public.{self.config.redshift_table}"

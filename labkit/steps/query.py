"""Query Redshift through the Data API, as the query editor does, or with a driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.data import counts, data_api, table
from labkit.data.counts import ExactlyOnceCounts
from labkit.errors import LabError
from labkit.show.display import Described, Fact, Removed
from labkit.show.preview import Preview
from labkit.steps.all_missing import names_all_missing
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
    """`lab.query("select …")` returns a pandas DataFrame.

    This step creates nothing. `create` and `destroy` exist so that it works like the other steps.
    """

    name = "query"
    notebook = "08_query"
    makes = "nothing: it runs SQL and counts rows"

    @names_all_missing
    def create(self) -> QueryMade:
        """Make sure that queries work."""
        return self.describe()

    def __call__(self, sql: str, **parameters: Any) -> pd.DataFrame:
        """Run one statement through the Data API, and return its rows.

        Parameters are written `:name` in the statement: `lab.query("… where toll_booth = :booth", booth="york_rd")`.

        Raises:
            QueryFailed: Redshift refused it.
            MissingStep: there is no cluster yet.
        """
        import pandas as pd  # here, because pandas is slow to import, and most commands don't need it

        result = data_api.execute(self.lab.session, sql, parameters)
        return pd.DataFrame.from_records(list(result.rows), columns=list(result.columns))

    def preview(self, name: str = "", *, limit: int = 10) -> Preview:
        """A table as in the query editor's "preview data": columns with types, the first rows, the number of rows.

        The rows are sorted by all columns, so the same table always has the same preview.

        Args:
            name: a table's name, with its schema if that is not `public`; the lab's own table by default.
            limit: the maximum number of rows. `.frame` of the result has them as a DataFrame.

        Raises:
            UsageError: there is no such table.
            MissingStep: the lab's own table is not there yet, or there is no cluster.
        """
        return table.preview(self.lab.session, name or self.config.redshift_table, limit)

    def history(self) -> pd.DataFrame:
        """The loads into the table from Redshift's sys_load_history, newest first."""
        return self(
            "select query_id, status, loaded_rows, loaded_bytes, source_file_count, file_format, start_time, "
            "data_source from sys_load_history where table_name = :table order by start_time desc",
            table=self.config.redshift_table,
        )

    def load_errors(self) -> pd.DataFrame:
        """The newest 100 rows that COPY could not load, from Redshift's stl_load_errors."""
        return self(
            "select starttime, trim(filename) as filename, line_number, trim(colname) as column_name, "
            "trim(raw_field_value) as value, err_code, trim(err_reason) as reason "
            "from stl_load_errors order by starttime desc limit 100"
        )

    def loaded(self) -> int:
        """The number of rows that COPY has loaded since the table was last emptied, from Redshift's load history."""
        return table.loaded(self.lab.session)

    def count(self) -> int:
        """The number of rows in the table."""
        return table.count(self.lab.session)

    def connect(self) -> Any:
        """Connect with redshift_connector, as the admin user in the secret, with the driver's default TLS settings.

        Raises:
            LabError: it can't connect. On AWS the cluster is private, so this works only from inside its VPC.
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
        """The table's columns, as Redshift has them."""
        columns = table.columns(self.lab.session)
        return QueryMade(
            self.names.cluster_identifier,
            self.config.redshift_database,
            self.config.redshift_table,
            tuple(f"{name} {kind}" for name, kind in columns),
        )

    def facts(self) -> Iterator[Fact]:
        """The Data API answers, the table has rows, and no row was lost or loaded twice."""
        self.describe()
        yield Fact(True, "the Data API answers")
        rows = counts.count(self.lab.session, None)
        yield Fact(rows.queried > 0, "the table has rows", "land data: lab.send(), then lab.load()")
        if isinstance(rows, ExactlyOnceCounts):
            yield Fact(rows.loaded == rows.queried, "loaded = queried: every loaded row is in the table once",
                       f"{rows.loaded} loaded, {rows.queried} queried: lab.reliability.rebuild()")  # fmt: skip
            yield Fact(rows.landed == rows.loaded + rows.rejected,
                       "landed = loaded + rejected: every landed record was loaded once, or rejected",
                       f"{rows.sentence}: lab.load() loads what is missing")  # fmt: skip
            return
        advice = "lab.load() loads what is missing; lab.reliability.create() rebuilds the table from the landing bucket"
        yield Fact(rows.missing == 0, "no landed row is missing", f"{rows.missing} are: {advice}")
        yield Fact(rows.doubled == 0, "no row is doubled", f"{rows.doubled} are: {advice}")

    def destroy(self) -> Removed:
        """Nothing to delete: `create` makes nothing."""
        return Removed(self.name, ())

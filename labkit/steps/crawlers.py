"""The Glue catalog: a database, and two crawlers that fill it from Redshift and from S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit import needs, origins
from labkit.calls import found
from labkit.errors import RunFailed
from labkit.show.display import Described, Fact, Removed
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step


@dataclass(frozen=True)
class CrawlersMade(Described):
    """The catalog's database and its crawlers."""

    database: str
    redshift_crawler: str
    redshift_path: str
    s3_crawler: str
    s3_path: str
    s3_workflow: str


@dataclass(frozen=True)
class Crawl(Described):
    """A crawl that succeeded, and the tables that are in the database now."""

    crawler: str
    state: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class CatalogTable(Described):
    """A table in the catalog."""

    name: str
    classification: str
    columns: dict[str, str]


class Crawlers(Step[CrawlersMade]):
    """A crawler reads data and stores what it found in the catalog: tables with typed columns."""

    name = "crawlers"
    notebook = "04_crawlers"
    makes = "a Glue database and two crawlers"

    @names_all_missing
    def create(self) -> CrawlersMade:
        """Create the database, both crawlers and the S3 crawler's workflow. Crawl Redshift if it was never crawled."""
        self.lab.consent(self.name)
        self.lab.secrets.describe()
        glue, names = self.aws("glue"), self.names
        if found(glue.get_database, Name=names.glue_database) is None:
            glue.create_database(DatabaseInput={"Name": names.glue_database}, Tags=self.config.new_tags)
        for crawler, settings in self._wanted().items():
            if found(glue.get_crawler, Name=crawler) is None:
                glue.create_crawler(Name=crawler, Tags=self.config.new_tags, **settings)
            else:
                self._wait_until_ready(crawler)
                glue.update_crawler(Name=crawler, **settings)
        self._make_s3_workflow()
        if found(glue.get_table, DatabaseName=names.glue_database, Name=names.target_table) is None:
            self.crawl_redshift()
        return self.describe()

    def crawl_redshift(self) -> Crawl:
        """Run Redshift-Crawler on demand, and wait until it has ended."""
        return self._crawl(self.names.redshift_crawler)

    def crawl_s3(self) -> Crawl:
        """Run s3_crawler through its own workflow, and wait until it has ended."""
        self.describe()
        glue, workflow, crawler = self.aws("glue"), self.names.s3_crawler_workflow, self.names.s3_crawler
        self._wait_until_ready(crawler)
        run_id = glue.start_workflow_run(Name=workflow)["RunId"]

        def look() -> tuple[str, str | None]:
            run = glue.get_workflow_run(Name=workflow, RunId=run_id)["Run"]
            return f"{workflow}: {run['Status']}", run["Status"] if run["Status"] not in ACTIVE else None

        wait_for(f"workflow {workflow}", look, config=self.config, go_on="The crawl goes on by itself.")
        return self._ended(crawler)

    def table(self, name: str) -> CatalogTable:
        """A table of the catalog.

        Raises:
            MissingStep: no crawl has made it yet.
        """
        answer = found(self.aws("glue").get_table, DatabaseName=self.names.glue_database, Name=name)
        if answer is None:
            raise origins.missing(self.names, "Catalog table", name, self.name)
        table = answer["Table"]
        columns = {item["Name"]: item["Type"] for item in table["StorageDescriptor"]["Columns"]}
        return CatalogTable(table["Name"], table.get("Parameters", {}).get("classification", "unknown"), columns)

    def describe(self) -> CrawlersMade:
        """The database and the crawlers."""
        glue, names = self.aws("glue"), self.names
        if found(glue.get_database, Name=names.glue_database) is None:
            raise self.missing(f"Glue database {names.glue_database}")
        crawlers = {}
        for crawler in (names.redshift_crawler, names.s3_crawler):
            answer = found(glue.get_crawler, Name=crawler)
            if answer is None:
                raise self.missing(f"Crawler {crawler}")
            crawlers[crawler] = answer["Crawler"]["Targets"]
        return CrawlersMade(
            database=names.glue_database,
            redshift_crawler=names.redshift_crawler,
            redshift_path=crawlers[names.redshift_crawler]["JdbcTargets"][0]["Path"],
            s3_crawler=names.s3_crawler,
            s3_path=crawlers[names.s3_crawler]["S3Targets"][0]["Path"],
            s3_workflow=names.s3_crawler_workflow,
        )

    def facts(self) -> Iterator[Fact]:
        """The crawlers have the right targets, and Redshift's table is in the catalog."""
        glue, names = self.aws("glue"), self.names
        self.describe()
        for crawler, wanted in self._wanted().items():
            there = glue.get_crawler(Name=crawler)["Crawler"]
            same = _path(there["Targets"]) == _path(wanted["Targets"])
            yield Fact(same, f"crawler {crawler} looks at {_path(wanted['Targets'])}", self.fix)
            same = there["DatabaseName"] == wanted["DatabaseName"] and there["Role"].endswith(names.glue_role)
            yield Fact(same, f"crawler {crawler} writes to {names.glue_database}", self.fix)
        workflow = found(glue.get_workflow, Name=names.s3_crawler_workflow) is not None
        yield Fact(workflow, f"workflow {names.s3_crawler_workflow} runs {names.s3_crawler}", self.fix)
        table = found(glue.get_table, DatabaseName=names.glue_database, Name=names.target_table) is not None
        yield Fact(table, f"table {names.target_table} is in the catalog", "run lab.crawlers.crawl_redshift()")

    def destroy(self) -> Removed:
        """Delete the S3 workflow with its trigger, the crawlers, and the database with its tables."""
        glue, names, gone = self.aws("glue"), self.names, []
        if found(glue.get_trigger, Name=names.s3_crawler_trigger):
            glue.delete_trigger(Name=names.s3_crawler_trigger)
            gone.append(f"trigger {names.s3_crawler_trigger}")
        if found(glue.get_workflow, Name=names.s3_crawler_workflow):
            glue.delete_workflow(Name=names.s3_crawler_workflow)
            gone.append(f"workflow {names.s3_crawler_workflow}")
        for crawler in (names.redshift_crawler, names.s3_crawler):
            if found(glue.get_crawler, Name=crawler) is not None:
                self._wait_until_ready(crawler)
                glue.delete_crawler(Name=crawler)
                gone.append(f"crawler {crawler}")
        if found(glue.get_database, Name=names.glue_database) is not None:
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=names.glue_database):
                for table in page["TableList"]:
                    glue.delete_table(DatabaseName=names.glue_database, Name=table["Name"])
                    gone.append(f"table {table['Name']}")
            glue.delete_database(Name=names.glue_database)
            gone.append(f"database {names.glue_database}")
        return Removed(self.name, tuple(gone))

    def _wanted(self) -> dict[str, dict[str, Any]]:
        names = self.names
        common = {
            "Role": self.lab.roles.arn(names.glue_role),
            "DatabaseName": names.glue_database,
            "SchemaChangePolicy": {
                "UpdateBehavior": "UPDATE_IN_DATABASE",
                "DeleteBehavior": "DEPRECATE_IN_DATABASE",
            },
        }
        jdbc = {
            "ConnectionName": names.connection,
            "Path": f"{self.config.redshift_database}/public/%",
            "Exclusions": [],
        }
        s3 = {"Path": f"s3://{names.landing_bucket}/", "Exclusions": []}
        return {
            names.redshift_crawler: {**common, "Targets": {"JdbcTargets": [jdbc]}},
            names.s3_crawler: {**common, "Targets": {"S3Targets": [s3]}},
        }

    def _make_s3_workflow(self) -> None:
        """The description's "S3 crawler and an associated workflow": one trigger, one crawler."""
        glue, names = self.aws("glue"), self.names
        if found(glue.get_workflow, Name=names.s3_crawler_workflow) is None:
            glue.create_workflow(Name=names.s3_crawler_workflow, Tags=self.config.new_tags)
        if found(glue.get_trigger, Name=names.s3_crawler_trigger) is None:
            glue.create_trigger(
                Name=names.s3_crawler_trigger,
                WorkflowName=names.s3_crawler_workflow,
                Type="ON_DEMAND",
                Actions=[{"CrawlerName": names.s3_crawler}],
                Tags=self.config.new_tags,
            )

    def _crawl(self, crawler: str) -> Crawl:
        glue = self.aws("glue")
        if found(glue.get_crawler, Name=crawler) is None:
            raise self.missing(f"Crawler {crawler}")
        self._wait_until_ready(crawler)
        glue.start_crawler(Name=crawler)
        self._wait_until_ready(crawler, quiet=False)
        return self._ended(crawler)

    def _wait_until_ready(self, crawler: str, *, quiet: bool = True) -> None:
        def look() -> tuple[str, bool | None]:
            state = self.aws("glue").get_crawler(Name=crawler)["Crawler"]["State"]
            return state, True if state == "READY" else None

        wait_for(f"crawler {crawler}", look, config=self.config, go_on="The crawl goes on by itself.", quiet=quiet)

    def _ended(self, crawler: str) -> Crawl:
        glue = self.aws("glue")
        last = glue.get_crawler(Name=crawler)["Crawler"].get("LastCrawl", {})
        state = last.get("Status", "UNKNOWN")
        if state != "SUCCEEDED":
            log = f"{last.get('LogGroup', '/aws-glue/crawlers')}, stream {last.get('LogStream', crawler)}"
            wanted = needs.S3_CRAWL_NEEDS if crawler == self.names.s3_crawler else needs.REDSHIFT_CRAWL_NEEDS
            raise RunFailed(
                f"Crawler {crawler}",
                state,
                last.get("ErrorMessage", ""),
                where=f"Its log: labkit logs {crawler} (CloudWatch Logs group {log}).",
                fix=needs.of_a_run(self.lab.session, wanted),
            )
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=self.names.glue_database)
        tables = sorted(table["Name"] for page in pages for table in page["TableList"])
        return Crawl(crawler, state, tuple(tables))


ACTIVE = ("RUNNING", "STOPPING")


def _path(targets: dict[str, Any]) -> str:
    found_targets: list[dict[str, Any]] = [*targets.get("JdbcTargets", []), *targets.get("S3Targets", [])]
    return ", ".join(target["Path"] for target in found_targets)

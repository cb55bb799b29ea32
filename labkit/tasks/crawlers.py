"""The tasks of notebook 04: classifications, a crawler that sees nothing, and a crawler with an exclusion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.calls import found
from labkit.show.waiting import wait_for
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import MAPPING
from labkit.tasks.task import Finding, Task, not_attempted, right, wrong

FOLDER = "tasks/fares/"
"""Where the files of task 04.3 are in the staging bucket."""
NARROW = "archive/"
"""What the include path of s3_crawler is narrowed to in task 04.2."""


def _classifications(lab: LabSteps, answer: Any) -> Finding:
    names = (lab.names.source_table, lab.names.target_table)
    classified = {name: lab.crawlers.table(name).classification for name in names}
    if set(answer) != set(names):
        return wrong(f"The keys are the names of the two tables: {' and '.join(names)}.")
    for name, classification in classified.items():
        if answer[name] != classification:
            return wrong(f"{name} is not {answer[name]!r}.")
    return right("Right: a job reads the one as files of JSON, and the other over JDBC.")


def _sees_the_files(lab: LabSteps, _answer: Any) -> Finding:
    crawler = lab.session.client("glue").get_crawler(Name=lab.names.s3_crawler)["Crawler"]
    targets = crawler["Targets"].get("S3Targets", [])
    root = f"s3://{lab.names.landing_bucket}"
    if [target["Path"].rstrip("/") for target in targets] == [f"{root}/{NARROW}".rstrip("/")]:
        return not_attempted(f"{lab.names.s3_crawler} still looks at {targets[0]['Path']}.")
    if len(targets) != 1 or targets[0]["Path"].rstrip("/") != root:
        paths = ", ".join(target["Path"] for target in targets) or "nothing"
        return wrong(f"It looks at {paths}. Wanted: the whole landing bucket, and only that.")
    if targets[0].get("Exclusions"):
        return wrong(f"It leaves out {', '.join(targets[0]['Exclusions'])}. Wanted: no exclusions.")
    if not crawler["Role"].endswith(lab.names.glue_role) or crawler["DatabaseName"] != lab.names.glue_database:
        return wrong("The path is right, but its role or its database has changed.")
    return right("Right: the next crawl looks at everything that has landed.")


def crawler_name(lab: LabSteps) -> str:
    """The name of the crawler of task 04.3."""
    return f"{lab.names.s3_crawler}_fares"


def _leaves_out(lab: LabSteps, _answer: Any) -> Finding:
    name, glue = crawler_name(lab), lab.session.client("glue")
    there = found(glue.get_crawler, Name=name)
    if there is None:
        return not_attempted(f"there is no crawler {name}.")
    crawler = there["Crawler"]
    if crawler["State"] != "READY":
        return wrong(f"The crawler {name} is {crawler['State']}. Wait until it is READY, then check again.")
    if not (last := crawler.get("LastCrawl")):
        return wrong(f"The crawler {name} is there, but it has not run. Start it.")
    if last["Status"] != "SUCCEEDED":
        return wrong(f"The last crawl ended {last['Status']}: {last.get('ErrorMessage', '')}")
    tables = _tables(lab)
    if not tables:
        return wrong(f"No table of {crawler['DatabaseName']} has its data in {FOLDER}. Where does the crawler look?")
    if any("currency" in table for table in tables):
        return wrong("The column currency is in the catalog: the crawler has read old-2019.json too.")
    if len(tables) != 1 or tables[0] != {"booth", "lane", "fare"}:
        return wrong("Wanted: one table with the columns booth, lane and fare. Delete the tables, and crawl again.")
    return right("Right: the crawler has left the old file out.")


def _tables(lab: LabSteps) -> list[set[str]]:
    """The columns of each catalog table whose data is in the task's folder."""
    place = f"s3://{lab.names.staging_bucket}/{FOLDER}"
    pages = lab.session.client("glue").get_paginator("get_tables").paginate(DatabaseName=lab.names.glue_database)
    return [
        {column["Name"] for column in table["StorageDescriptor"]["Columns"]}
        for page in pages
        for table in page["TableList"]
        if f"{table['StorageDescriptor'].get('Location', '')}/".startswith(place)
    ]


def remains(lab: LabSteps) -> Iterator[str]:
    """Delete the crawler of task 04.3, if it is there."""
    glue, name = lab.session.client("glue"), crawler_name(lab)
    if (there := found(glue.get_crawler, Name=name)) is not None:
        if there["Crawler"]["State"] == "RUNNING":
            glue.stop_crawler(Name=name)

        def look() -> tuple[str, bool | None]:
            state = glue.get_crawler(Name=name)["Crawler"]["State"]
            return state, True if state == "READY" else None

        wait_for(f"crawler {name}", look, config=lab.config, go_on="Run it again.", quiet=True)
        glue.delete_crawler(Name=name)
        yield f"crawler {name}"


TASKS: list[Task] = [
    Task(
        id="04.1",
        title="How are they read?",
        text=(
            "Which classification does each of the two tables have? Assign a dict to `answer`: table name → "
            "classification. You can type it, or ask `lab.crawlers.table(name)`."
        ),
        start="answer: dict[str, str] | None = None",
        hints=(
            "The names of the two tables are `lab.names.source_table` and `lab.names.target_table`.",
            "`lab.crawlers.table(name).classification` is the value for each of them.",
        ),
        solution="""
tables = [lab.crawlers.table(name) for name in (lab.names.source_table, lab.names.target_table)]
answer = {table.name: table.classification for table in tables}
""",
        judge=_classifications,
        wants=MAPPING,
    ),
    Task(
        id="04.2",
        title="A crawler that sees nothing",
        breaks_text=(
            f"Somebody has narrowed the crawler of the landing bucket to a folder, `{NARROW}`, in which nothing ever "
            "lands. Its crawls still succeed; they only find nothing new. The next cell does that."
        ),
        breaks=f"""
from labkit.tasks import drills

glue = lab.session.client("glue")
narrow = {{"Path": f"s3://{{lab.names.landing_bucket}}/{NARROW}"}}
glue.update_crawler(Name=lab.names.s3_crawler, Targets={{"S3Targets": [narrow]}})
drills.begin(lab, "04.2")
print("it looks at:", glue.get_crawler(Name=lab.names.s3_crawler)["Crawler"]["Targets"]["S3Targets"][0]["Path"])
""",
        text="Let `s3_crawler` look at the whole landing bucket again, with `glue.update_crawler`.",
        start="# Your code",
        hints=(
            "`lab.crawlers.check()` says which path is wanted.",
            "`update_crawler` changes only what it names: `Targets` is a dict with a list `S3Targets` of dicts with a "
            "`Path`.",
        ),
        solution="""
whole = {"Path": f"s3://{lab.names.landing_bucket}/", "Exclusions": []}
glue.update_crawler(Name=lab.names.s3_crawler, Targets={"S3Targets": [whole]})
""",
        judge=_sees_the_files,
        mends_text="The next cell gives both crawlers the settings that the lab wants, whatever they are now.",
        mends="""
from labkit.tasks import drills

drills.over(lab, "04.2")
lab.crawlers.create()
""",
    ),
    Task(
        id="04.3",
        title="Leave something out",
        breaks_text=(
            "The next cell puts two files into a folder of the staging bucket: `fares.json`, and "
            "`old-2019.json`, whose lines have one more column, `currency`. A crawler would read both."
        ),
        breaks=f"""
glue, s3 = lab.session.client("glue"), lab.session.client("s3")
fares = f"s3://{{lab.names.staging_bucket}}/{FOLDER}"
for name, more in {{"fares.json": "", "old-2019.json": ', "currency": "EUR"'}}.items():
    line = '{{"booth": "york_rd", "lane": 1, "fare": 2.5' + more + "}}\\n"
    s3.put_object(Bucket=lab.names.staging_bucket, Key=f"{FOLDER}{{name}}", Body=line)
crawler = f"{{lab.names.s3_crawler}}_fares"
""",
        text=(
            "Create a crawler. Its name is in `crawler`, and the folder that it looks at is in `fares`. It "
            "writes to `lab.names.glue_database`, has the role `lab.names.glue_role`, and leaves out all files whose "
            "names begin with `old-`: `Exclusions` is a list of patterns beside `Path`. Then run it, and wait until "
            "its state is `READY` again. The new table must not have the column `currency`."
        ),
        start="# Your code",
        hints=(
            "`glue.create_crawler` takes `Name`, `Role`, `DatabaseName` and `Targets`. A pattern such as `*.csv` "
            "is relative to the path, and its `*` stands for any characters except a slash.",
            '`glue.start_crawler(Name=crawler)` starts it. `lab.wait_until("the crawl", lambda: …)` waits until a '
            'function returns True; `glue.get_crawler(Name=crawler)["Crawler"]["State"]` is the state.',
        ),
        solution="""
glue.create_crawler(
    Name=crawler,
    Role=lab.names.glue_role,
    DatabaseName=lab.names.glue_database,
    Targets={"S3Targets": [{"Path": fares, "Exclusions": ["old-*"]}]},
)
glue.start_crawler(Name=crawler)
lab.wait_until("the crawl", lambda: glue.get_crawler(Name=crawler)["Crawler"]["State"] == "READY")
""",
        judge=_leaves_out,
        mends_text="The next cell deletes this crawler, its tables and the two files, as far as they are there.",
        mends=f"""
for there in glue.batch_get_crawlers(CrawlerNames=[crawler])["Crawlers"]:
    if there["State"] != "READY":
        lab.wait_until("the crawl", lambda: glue.get_crawler(Name=crawler)["Crawler"]["State"] == "READY")
    glue.delete_crawler(Name=there["Name"])
for table in glue.get_tables(DatabaseName=lab.names.glue_database)["TableList"]:
    if table["StorageDescriptor"]["Location"].startswith(fares.rstrip("/")):
        glue.delete_table(DatabaseName=lab.names.glue_database, Name=table["Name"])
lab.buckets.empty(lab.names.staging_bucket, "{FOLDER}")
""",
    ),
]

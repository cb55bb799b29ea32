"""The tasks of notebook 05: a mapping, a COPY, and a job whose definition has been changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from labkit import project
from labkit.data import data_api, table
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import drills
from labkit.tasks.answers import LIST, shown
from labkit.tasks.task import Finding, Found, Task, not_attempted, reading, right, wrong

CRAWLED = {"id": "int", "day": "string", "plaza": "string", "make": "string", "kind": "string", "paid": "double"}
"""The other operator's columns, with the types that a crawler finds."""
FILES = (
    {"id": 4711, "day": "2023/08/30", "plaza": "york_rd", "make": "Fiat", "kind": "Sedan", "paid": 2.5},
    {"id": 815, "day": "2023/08/31", "plaza": "golf_rd", "make": "Lada", "kind": "Coupe", "paid": 11.25},
)
LOADED = {
    "transaction_id": "id", "transaction_date": "day", "toll_booth": "plaza",
    "vehicle_make": "make", "vehicle_category": "kind", "transaction_amount": "paid",
}  # fmt: skip
"""The table's columns, with the other operator's columns that belong there."""
CASTS = {
    "bigint": int, "long": int, "int": int, "string": str, "varchar": str, "double": float, "float": float,
}  # fmt: skip
A_MAPPING = 'a list of tuples of four texts, such as ("id", "int", "transaction_id", "bigint")'


def _mapping(lab: LabSteps, answer: Any) -> Finding:
    with reading(A_MAPPING):
        mappings = [tuple(mapping) for mapping in answer]
        if not all(len(mapping) == 4 and all(isinstance(part, str) for part in mapping) for mapping in mappings):
            raise TypeError
    columns = [name for name, _type in table.columns(lab.session)]
    targets = [target for _, _, target, _ in mappings]
    if sorted(targets) != sorted(columns):
        return wrong(f"The result has the columns {', '.join(targets)}. The table has {', '.join(columns)}.")
    if targets != columns:
        return wrong("The result's columns are in another order than the table's, and COPY loads by position.")
    for row in FILES:
        expected = {column: row[LOADED[column]] for column in columns}
        result = dict(zip(targets, (_applied(mapping, row) for mapping in mappings), strict=True))
        if different := [name for name in columns if result[name] != expected[name]]:
            name = different[0]
            return wrong(f"For the row {row}, {name} becomes {result[name]!r} instead of {expected[name]!r}.")
    return right("Right: with these four words for each column, the same job loads the other operator's files.")


def _applied(mapping: tuple[str, ...], row: dict[str, Any]) -> Any:
    """What ApplyMapping makes of the row's field. A field of another type than the mapping says becomes NULL."""
    source, source_type, _target, target_type = mapping
    if target_type.lower() not in CASTS:
        raise Found(wrong(f"The type {target_type!r} fits no column of the table. Known here: {', '.join(CASTS)}."))
    if CRAWLED.get(source) != source_type.lower():
        return None
    try:
        return CASTS[target_type.lower()](row[source])
    except ValueError:
        return None


PRACTICE_TABLE = "toll_practice"
PRACTICE_KEY = "practice/tolls.jsonl"


def make_practice_table(lab: LabSteps) -> str:
    """Make an empty table and stage a file for task 05.2. Return the file's URI.

    Through the Data API, because `lab.query` imports pandas, which takes time, and notebook 05 needs it nowhere else.
    """
    bucket = lab.names.staging_bucket
    lab.session.client("s3").put_object(Bucket=bucket, Key=PRACTICE_KEY, Body=_sample().encode())
    _drop_practice_table(lab)
    data_api.execute(lab.session, f"create table {PRACTICE_TABLE} (like {lab.config.redshift_table})")
    return f"s3://{bucket}/{PRACTICE_KEY}"


def remove_practice_table(lab: LabSteps) -> None:
    """Remove the table and the file of task 05.2."""
    _drop_practice_table(lab)
    lab.session.client("s3").delete_object(Bucket=lab.names.staging_bucket, Key=PRACTICE_KEY)


def _drop_practice_table(lab: LabSteps) -> None:
    data_api.execute(lab.session, f"drop table if exists {PRACTICE_TABLE}")


def _copy(lab: LabSteps, _answer: Any) -> Finding:
    exists = "select count(*) from information_schema.tables where table_schema = 'public' and table_name = :name"
    if not data_api.execute(lab.session, exists, {"name": PRACTICE_TABLE}).rows[0][0]:
        return not_attempted(f"there is no table {PRACTICE_TABLE}. Run the cell above that creates it.")
    wanted = _rows(tuple(json.loads(line).values()) for line in _sample().splitlines())
    loaded = _rows(data_api.execute(lab.session, f"select * from {PRACTICE_TABLE}").rows)
    if not loaded:
        return not_attempted(f"{PRACTICE_TABLE} is empty.")
    if loaded == wanted:
        return right(f"Right: one statement, and {loaded.total()} rows are in the table.")
    if loaded == wanted + wanted:
        return wrong("Each row is there twice: COPY adds. Empty the table with DELETE, then load it once.")
    same = (loaded & wanted).total()
    return wrong(
        f"{PRACTICE_TABLE} has {loaded.total()} rows, and {same} of the file's {wanted.total()} are among them."
    )


def _sample() -> str:
    return project.file("data", "sample_data_toll_application.json").read_text()


def _rows(rows: Iterable[Sequence[Any]]) -> Counter[tuple[Any, ...]]:
    """The rows, each with how often it is there. `real` has seven digits, so amounts are compared in cents."""
    return Counter(tuple(round(value, 2) if isinstance(value, float) else value for value in row) for row in rows)


BOOKMARK = "--job-bookmark-option"
SETTABLE = (
    "Role", "Command", "GlueVersion", "WorkerType", "NumberOfWorkers", "MaxRetries", "Timeout",
    "ExecutionProperty", "Connections", "DefaultArguments",
)  # fmt: skip


def change_the_job(lab: LabSteps) -> None:
    """Change one thing in the job's definition, for task 05.3."""
    lab.job.create()
    glue = lab.session.client("glue")
    job = glue.get_job(JobName=lab.names.job)["Job"]
    update = {name: job[name] for name in SETTABLE if name in job}
    update["DefaultArguments"] = {**job["DefaultArguments"], BOOKMARK: "job-bookmark-disable"}
    glue.update_job(JobName=lab.names.job, JobUpdate=update)
    drills.begin(lab, "05.3")


def _definition(lab: LabSteps, _answer: Any) -> Finding:
    facts = list(lab.job.facts())
    wrong_facts = [fact.what for fact in facts if not fact.holds]
    if not wrong_facts:
        return right("Right: the bookmark is on, and the rest of the definition is as it was.")
    job = lab.session.client("glue").get_job(JobName=lab.names.job)["Job"]
    option = job["DefaultArguments"].get(BOOKMARK)
    if option == "job-bookmark-disable" and len(wrong_facts) == 1:
        return not_attempted("the job's definition is still the changed one.")
    if option != "job-bookmark-enable":
        return wrong(f"{BOOKMARK} is {shown(option)}, so the next run would load every row again.")
    return wrong(f"The bookmark is on, but something else differs now. It should hold that {'; '.join(wrong_facts)}.")


TASKS: list[Task] = [
    Task(
        id="05.1",
        title="A mapping of your own",
        text=(
            "Another operator sends the same data under other names. A crawler finds these columns:\n\n"
            "| column | type | for example |\n|---|---|---|\n"
            + "".join(f"| `{name}` | {kind} | {FILES[0][name]} |\n" for name, kind in CRAWLED.items())
            + "\nWrite the list of `mappings` of a *Change Schema* box that makes rows for `toll_table` from these "
            "files. Keep the order of the table's columns, because COPY loads by position."
        ),
        start="answer: list[tuple[str, str, str, str]] | None = None",
        hints=(
            "The script above has such a list. Each tuple is a column of the file with its type, then a column of the "
            "table with its type.",
            '`("id", "int", "transaction_id", "bigint")` is the first of six. Only the number and the amount need '
            "types other than `string`.",
        ),
        solution="""
answer = [
    ("id", "int", "transaction_id", "bigint"),
    ("day", "string", "transaction_date", "string"),
    ("plaza", "string", "toll_booth", "string"),
    ("make", "string", "vehicle_make", "string"),
    ("kind", "string", "vehicle_category", "string"),
    ("paid", "double", "transaction_amount", "double"),
]
""",
        judge=_mapping,
        wants=LIST,
    ),
    Task(
        id="05.2",
        title="Load with COPY",
        breaks_text=(
            "The next cell makes an empty table, `toll_practice`, and puts a file with the 100 rows of the sample into "
            "the staging bucket. Neither belongs to the pipeline."
        ),
        breaks="""
from labkit.tasks.job import make_practice_table

practice_file = make_practice_table(lab)
print(practice_file)
""",
        text=(
            "Do by hand what the job does at its end: load the file into `toll_practice` with one "
            "[COPY](https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html), sent with `lab.query`. Redshift "
            "fetches the file itself, so COPY has to name a role that may read it: `lab.names.copy_role`, whose ARN is "
            "`lab.roles.arn(lab.names.copy_role)`. Each line of the file is a JSON object."
        ),
        start="# Your code: lab.query(…)",
        hints=(
            "COPY names four things: the table, the file, the role, and the format of the file.",
            "`copy <table> from '<file>' iam_role '<ARN>' format json 'auto'`: `'auto'` takes each column from the "
            "field of the same name.",
        ),
        solution=f"""
copy_role = lab.roles.arn(lab.names.copy_role)
lab.query(f"copy {PRACTICE_TABLE} from '{{practice_file}}' iam_role '{{copy_role}}' format json 'auto'")
""",
        judge=_copy,
        mends_text="The next cell removes the table and the file again.",
        mends="""
from labkit.tasks.job import remove_practice_table

remove_practice_table(lab)
""",
    ),
    Task(
        id="05.3",
        title="Who changed the job?",
        breaks_text=(
            "A colleague wanted to load everything once more, changed the job for it, and went home. The next cell "
            "makes that change without showing it."
        ),
        breaks="""
from labkit.tasks.job import change_the_job

change_the_job(lab)
""",
        text=(
            "With this definition, the job's next run would load every landed row a second time. Find what has been "
            "changed, and put it right with Glue's "
            "[UpdateJob](https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html). Be careful: UpdateJob "
            "replaces the whole definition, and what you don't pass is lost."
        ),
        start="# Your code",
        hints=(
            "`lab.job.check()` shows what differs. GetJob returns the definition; one of its `DefaultArguments` has "
            "`bookmark` in its name.",
            "Take from GetJob's answer what UpdateJob takes: `Role`, `Command`, `Connections`, `DefaultArguments`, "
            "`ExecutionProperty`, `GlueVersion`, `WorkerType`, `NumberOfWorkers`, `MaxRetries`, `Timeout`. Set "
            f"`{BOOKMARK}` to `job-bookmark-enable`, and pass it all as `JobUpdate`.",
        ),
        solution=f"""
found = lab.session.client("glue").get_job(JobName=lab.names.job)["Job"]
parts = ("Role", "Command", "Connections", "DefaultArguments", "ExecutionProperty", "GlueVersion")
limits = ("WorkerType", "NumberOfWorkers", "MaxRetries", "Timeout")
update = {{part: found[part] for part in (*parts, *limits)}}
update["DefaultArguments"]["{BOOKMARK}"] = "job-bookmark-enable"
updated = lab.session.client("glue").update_job(JobName=lab.names.job, JobUpdate=update)
""",
        judge=_definition,
        mends_text="The next cell puts the lab's definition back, whatever it is now.",
        mends="""
from labkit.tasks import drills

lab.job.create()
drills.over(lab, "05.3")
print("The job is as it should be:", lab.job.check().ok)
""",
    ),
]

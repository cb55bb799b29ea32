"""The tasks of notebook 03: a JDBC URL, a secret that is rotated, and a connection that has to be mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from labkit.calls import found
from labkit.errors import AwsRefused
from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import FUNCTION, shown
from labkit.tasks.task import Finding, Found, Task, not_attempted, right, trying, wrong, wrong_type

CLUSTERS = (
    {"host": "tolls.abc123.eu-west-1.redshift.amazonaws.com", "port": 5439, "dbname": "toll_db"},
    {"host": "127.0.0.1", "port": 5440, "dbname": "archive"},
)
WRONG_DATABASE = "toll_archive"
FIRST_KEY = "plaza-0001"


def _url(_lab: LabSteps, answer: Any) -> Finding:
    for cluster in CLUSTERS:
        secret = {"engine": "redshift", "username": "admin", "password": "not shown", **cluster}
        given = trying(answer, secret)
        if not isinstance(given, str):
            return wrong_type(f"it returned {shown(given)}. Wanted: a text (str).")
        if given.strip() != f"jdbc:redshift://{cluster['host']}:{cluster['port']}/{cluster['dbname']}":
            words = ", ".join(f"{key} {value}" for key, value in cluster.items())
            return wrong(f"for {words} it returned {shown(given)}. The form is jdbc:redshift://host:port/database.")
    return right("Right: a secret holds all that a client needs to find its database.")


def plaza_secret(lab: LabSteps) -> str:
    """The name of the secret of task 03.2."""
    return f"{lab.names.secret}Plaza"


def _rotated(lab: LabSteps, _answer: Any) -> Finding:
    current, previous = (_version(lab, stage) for stage in ("AWSCURRENT", "AWSPREVIOUS"))
    if current is None:
        return not_attempted(f"there is no secret {plaza_secret(lab)}. Run the cell that makes it.")
    if current == {"plaza": "golf_rd", "api_key": FIRST_KEY}:
        return not_attempted(f"the secret {plaza_secret(lab)} still has its first key.")
    if current.get("plaza") != "golf_rd":
        return wrong("Only the key changes: the secret has to keep its other field, plaza.")
    key = current.get("api_key")
    if not isinstance(key, str) or len(key) < 20:
        return wrong("A new api_key is wanted, a text of at least 20 characters.")
    if previous is None or previous.get("api_key") != FIRST_KEY:
        return wrong("The version AWSPREVIOUS does not have the first key: it is lost for who still uses it.")
    return right("Right: new clients get the new key, and the version AWSPREVIOUS still has the old one.")


def _version(lab: LabSteps, stage: str) -> dict[str, Any] | None:
    secrets = lab.session.client("secretsmanager")
    answer = found(secrets.get_secret_value, SecretId=plaza_secret(lab), VersionStage=stage)
    if answer is None:
        return None
    try:
        value = json.loads(answer["SecretString"])
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Found(wrong("The secret's text is not a JSON object any more."))
    return value


def _connects(lab: LabSteps, _answer: Any) -> Finding:
    made = lab.secrets.describe()
    properties = lab.session.client("glue").get_connection(Name=made.connection)["Connection"]["ConnectionProperties"]
    try:
        lab.secrets.test()
    except AwsRefused as refused:  # this refusal is what the task is about
        if made.jdbc_url.endswith(f"/{WRONG_DATABASE}"):
            return not_attempted(f"the JDBC URL of {made.connection} still ends with /{WRONG_DATABASE}.")
        return wrong(f"Glue can't connect: {refused.message}")
    if "PASSWORD" in properties or "SECRET_ID" not in properties:
        return wrong("Glue connects, but with a copied password. Let the connection name the secret: SECRET_ID.")
    if properties.get("JDBC_ENFORCE_SSL") != "true":
        return wrong("Glue connects, but the connection no longer requires TLS: JDBC_ENFORCE_SSL.")
    if not lab.secrets.check():
        failed = next(fact.what for fact in lab.secrets.check().facts if not fact.holds)
        return wrong(f"Glue connects, but something got lost: {failed} does not hold.")
    return right("Right: Glue logs in again, with the credentials from the secret.")


def remains(lab: LabSteps) -> Iterator[str]:
    """Delete the secret of task 03.2, if it is there."""
    secrets, name = lab.session.client("secretsmanager"), plaza_secret(lab)
    if found(secrets.describe_secret, SecretId=name) is not None:
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        yield f"secret {name}"


TASKS: list[Task] = [
    Task(
        id="03.1",
        title="The JDBC URL",
        text=(
            "In the console you copy the JDBC URL from the cluster's page. A secret of this form has all its parts. "
            "Write a function that takes such a secret, as a dict, and returns the URL: `jdbc:redshift://`, then host, "
            "port and database, as in the connection's `JDBC_CONNECTION_URL`. The check calls it with other secrets."
        ),
        start="answer = None  # a function: the secret as a dict -> its JDBC URL",
        hints=(
            "The keys are `host`, `port` and `dbname`. Between host and port comes a colon, before the database a "
            "slash.",
            "`f\"jdbc:redshift://{secret['host']}:…\"` puts values into a text.",
        ),
        solution="""
def answer(secret: dict) -> str:
    return f"jdbc:redshift://{secret['host']}:{secret['port']}/{secret['dbname']}"
""",
        judge=_url,
        wants=FUNCTION,
    ),
    Task(
        id="03.2",
        title="Rotate a key",
        breaks_text=(
            "Suppose that each plaza signs what it sends with a key of its own. The next cell stores the key of one "
            "plaza as a secret."
        ),
        breaks=f"""
import json

secrets = lab.session.client("secretsmanager")
plaza_secret = f"{{lab.names.secret}}Plaza"
first = {{"plaza": "golf_rd", "api_key": "{FIRST_KEY}"}}
try:
    secrets.create_secret(Name=plaza_secret, SecretString=json.dumps(first), Tags=lab.secrets.tag_list)
except secrets.exceptions.ResourceExistsException:
    secrets.put_secret_value(SecretId=plaza_secret, SecretString=json.dumps(first))
print("keys:", *first)
""",
        text=(
            "Now somebody has seen the key. Rotate it: the current version of the secret, whose name is in "
            "`plaza_secret`, gets a new, random `api_key` of at least 20 characters, and keeps its other field. The "
            "version before it stays as `AWSPREVIOUS`."
        ),
        start="# Your code",
        hints=(
            "`secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)` makes a random text.",
            "`secrets.put_secret_value(SecretId=…, SecretString=…)` makes a new version, and calls the version before "
            "it AWSPREVIOUS. The text is JSON.",
        ),
        solution="""
new_key = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)["RandomPassword"]
secrets.put_secret_value(SecretId=plaza_secret, SecretString=json.dumps(first | {"api_key": new_key}))
""",
        judge=_rotated,
        mends_text="The pipeline doesn't use this secret. The next cell deletes it for good.",
        mends="""
gone = secrets.delete_secret(SecretId=plaza_secret, ForceDeleteWithoutRecovery=True)
gone["Name"] == plaza_secret
""",
    ),
    Task(
        id="03.3",
        title="Mend the connection",
        breaks_text=(
            f"The next cell changes one thing in the connection: its URL names the database `{WRONG_DATABASE}`, which "
            "does not exist. Glue saves that without a word; only *Test connection* would notice."
        ),
        breaks=f"""
from labkit.tasks import drills

glue = lab.session.client("glue")
connection = glue.get_connection(Name=lab.names.connection)["Connection"]
settings = ("Name", "ConnectionType", "ConnectionProperties", "PhysicalConnectionRequirements")
wanted = {{name: connection[name] for name in settings}}
url = wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"]
wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"] = url.rpartition("/")[0] + "/{WRONG_DATABASE}"
glue.update_connection(Name=lab.names.connection, ConnectionInput=wanted)
drills.begin(lab, "03.3")
print("the URL ends with:", wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"].rpartition("/")[2])
""",
        text=(
            "Mend it with `glue.update_connection`. It replaces the whole connection, so give it everything that "
            "should stay: `wanted` has it, and only the URL in it is wrong. The check lets Glue test "
            "the connection, and looks whether it still takes the credentials from the secret."
        ),
        start="# Your code",
        hints=(
            "The secret has the name of the database, as `dbname`. The URL is wrong only after its last slash.",
            'Change `wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"]`, then make the last call of the cell '
            "above once more.",
        ),
        solution="""
wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"] = url.rpartition("/")[0] + "/" + lab.secrets.read()["dbname"]
glue.update_connection(Name=lab.names.connection, ConnectionInput=wanted)
""",
        judge=_connects,
        mends_text="The next cell brings the connection back to what the lab wants, whatever it is now.",
        mends="""
from labkit.tasks import drills

drills.over(lab, "03.3")
lab.secrets.create()
""",
    ),
]

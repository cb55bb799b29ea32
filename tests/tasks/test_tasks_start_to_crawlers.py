"""The tasks of notebooks 00 to 04 on a real lab: right answers, wrong ones, wrong types and none."""

from __future__ import annotations

import pytest
from attempts import RIGHT, TYPE, WRONG, Attempt, assert_as_expected, attempts, enough_attempts, run

from labkit import Lab
from labkit.data import landing
from labkit.tasks import registry
from labkit.tasks.answers import SQL
from labkit.tasks.task import Task

NUMBERS = ("00", "01", "02", "03", "04")
STEPS = ("buckets", "roles", "functions", "network", "redshift", "secrets", "crawlers")

GRANT = """
import json
policy["Statement"].append({"Effect": "Allow", "Action": %s, "Resource": %s})
iam.put_role_policy(**of_the_role, PolicyDocument=json.dumps(policy))
"""
LANDING, STAGING = 'f"arn:aws:s3:::{lab.names.landing_bucket}/*"', 'f"arn:aws:s3:::{lab.names.staging_bucket}/*"'
RULE = """
lab.session.client("ec2").authorize_security_group_ingress(
    GroupId=lab.network.describe().security_group_id,
    IpPermissions=[{"IpProtocol": "%s", %s}],
)
"""
TO_REDSHIFT = '"FromPort": 5439, "ToPort": 5439, "IpRanges": [{"CidrIp": "%s"}]'
ITSELF = '"UserIdGroupPairs": [{"GroupId": group_id}]'
NEW_KEY = 'secrets.put_secret_value(SecretId=plaza_secret, SecretString=json.dumps({"plaza": "%s", "api_key": "%s"}))'
CONNECT = """
wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"] = url.rpartition("/")[0] + "/toll_db"
%s
glue.update_connection(Name=lab.names.connection, ConnectionInput=wanted)
"""
LOOK_AT = 'glue.update_crawler(Name=lab.names.s3_crawler, Targets={"S3Targets": [%s]})'
TABLES = '{lab.names.source_table: "%s", lab.names.target_table: "%s"}'
BUCKET = 'f"s3://{lab.names.landing_bucket}"'
CRAWL = """
target = {"Path": %s, "Exclusions": %s}
glue.create_crawler(
    Name=crawler, Role=lab.roles.arn(lab.names.glue_role), DatabaseName=lab.names.glue_database,
    Targets={"S3Targets": [target]}, TablePrefix="fare_",
)
%s
lab.wait_until("the crawl", lambda: glue.get_crawler(Name=crawler)["Crawler"]["State"] == "READY")
"""
START = "glue.start_crawler(Name=crawler)"

ATTEMPTS = (
    Attempt("00.1", RIGHT, "import numpy; answer = numpy.array([' BadEvent '])"),
    Attempt("00.1", WRONG, "answer = 'ValueError'", "you gave 'ValueError'"),
    Attempt("00.1", WRONG, "answer = 'FunctionFailed'"),
    Attempt("00.1", TYPE, "answer = ValueError", "a text"),
    Attempt("00.2", RIGHT, GRANT % ('["s3:putobject"]', f"[{LANDING}]")),
    Attempt(
        "00.2",
        RIGHT,
        f'statement = {{"Effect": "Allow", "Action": "s3:Put*", "Resource": {LANDING}}}\n'
        'document = json.dumps({"Version": "2012-10-17", "Statement": statement})\n'
        'iam.put_role_policy(RoleName=lab.names.generator_role, PolicyName="mine", PolicyDocument=document)',
    ),
    Attempt("00.2", WRONG, GRANT % ('"s3:*"', LANDING), "it may delete objects as well"),
    Attempt("00.2", WRONG, GRANT % ('"s3:PutObject"', '"*"'), "write to staging-bucket"),
    Attempt("00.2", WRONG, GRANT % ('"s3:PutObject"', LANDING.replace("/*", "")), "still may not put objects"),
    Attempt("00.3", RIGHT, "s3.put_object(**plan, Body=b'golf_rd opens at 6.\\n')"),
    Attempt("00.3", WRONG, "s3.put_object(**plan, Body=b'golf_rd opens at 7.\\n')", "not that of the deleted version"),
    Attempt("00.3", WRONG, "s3.put_object(**plan, Body=b'')"),
    Attempt("01.1", RIGHT, "answer = lambda address: address.startswith('10.0.')"),
    Attempt("01.1", WRONG, "answer = lambda address: False", "for 10.0.128.20 it returned False"),
    Attempt("01.1", WRONG, "answer = lambda address: address.startswith('10.')"),
    Attempt("01.1", WRONG, "answer = lambda address: 1 / 0", "raised ZeroDivisionError for '198.51.100.7'"),
    Attempt("01.1", TYPE, "answer = lambda address: 'no'", "Wanted: True or False"),
    Attempt("01.1", TYPE, "answer = True", "you gave a bool, True. Wanted: a function"),
    Attempt("01.2", RIGHT, RULE % ("tcp", TO_REDSHIFT % "192.168.8.0/24")),
    Attempt("01.2", RIGHT, "\n".join(RULE % ("tcp", TO_REDSHIFT % f"192.168.8.{half}/25") for half in (0, 128))),
    Attempt("01.2", WRONG, RULE % ("tcp", TO_REDSHIFT % "0.0.0.0/0"), "gets in too"),
    Attempt("01.2", WRONG, RULE % ("tcp", TO_REDSHIFT % "192.168.8.0/25"), "192.168.8.254"),
    Attempt("01.2", WRONG, RULE % ("-1", '"IpRanges": [{"CidrIp": "192.168.8.0/24"}]'), "also to port 22"),
    Attempt("01.3", RIGHT, RULE % ("tcp", f'"FromPort": 0, "ToPort": 65535, {ITSELF}')),
    Attempt("01.3", WRONG, RULE % ("tcp", f'"FromPort": 5439, "ToPort": 5439, {ITSELF}'), "not for all ports"),
    Attempt("01.3", WRONG, RULE % ("-1", '"IpRanges": [{"CidrIp": "0.0.0.0/0"}]'), "the whole internet"),
    Attempt("02.1", RIGHT, "import decimal; answer = decimal.Decimal('3.0')"),
    Attempt("02.1", RIGHT, "answer = ' 3 '"),
    Attempt("02.1", WRONG, "answer = 3.5", "you gave 3.5"),
    Attempt("02.1", WRONG, "answer = 4"),
    Attempt("02.1", TYPE, "answer = [2, 5]", "you gave a list, [2, 5]. Wanted: a number"),
    Attempt("02.2", RIGHT, "answer = \"select to_char(to_date(:day, 'YYYY/MM/DD') - 1, 'YYYY/MM/DD')\""),
    Attempt("02.2", WRONG, "answer = \"select '2023/08/12' where :day <> ''\"", "For 2024/03/01 it"),
    Attempt("02.2", WRONG, "answer = \"select dateadd(day, -1, to_date(:day, 'YYYY/MM/DD'))\"", "the same form"),
    Attempt("02.2", WRONG, "answer = 'select yesterday(:day)'", "Redshift refused the statement"),
    Attempt("02.2", WRONG, "answer = 'select 1 where 1 = 0 and :day = 1'"),
    Attempt("02.2", TYPE, "answer = 20230812", "Wanted: an SQL statement"),
    Attempt("02.3", RIGHT, "lab.query('create table toll_prices (price numeric(5, 2), toll_booth text not null)')"),
    Attempt("02.3", WRONG, "lab.query('create table toll_prices (price real, toll_booth text not null)')", "is real"),
    Attempt("02.3", WRONG, "lab.query('create table toll_prices (price decimal(5, 2), toll_booth text)')", "NULL"),
    Attempt("02.3", WRONG, "lab.query('create table toll_prices (price decimal(5, 2))')", "no column toll_booth"),
    Attempt("02.3", WRONG, "lab.query('create table toll_prices (price decimal, toll_booth text not null)')", "0 d"),
    Attempt("03.1", RIGHT, "answer = 'jdbc:redshift://{0[host]}:{0[port]}/{0[dbname]}'.format"),
    Attempt("03.1", WRONG, "answer = lambda s: f\"jdbc:redshift://{s['host']}:5439/{s['dbname']}\"", "port 5440"),
    Attempt("03.1", WRONG, "answer = lambda s: s['database']", "raised KeyError"),
    Attempt("03.1", TYPE, "answer = lambda s: s", "Wanted: a text"),
    Attempt("03.1", TYPE, "answer = 'jdbc:redshift://localhost:5439/toll_db'", "Wanted: a function"),
    Attempt("03.2", RIGHT, NEW_KEY % ("golf_rd", "0123456789" * 2)),
    Attempt("03.2", WRONG, NEW_KEY % ("golf_rd", "short"), "at least 20 characters"),
    Attempt("03.2", WRONG, NEW_KEY % ("", "0123456789" * 2), "keep its other field"),
    Attempt("03.2", WRONG, "\n".join(2 * [NEW_KEY % ("golf_rd", "0123456789" * 2)]), "AWSPREVIOUS"),
    Attempt("03.2", WRONG, "secrets.put_secret_value(SecretId=plaza_secret, SecretString='abc')", "not a JSON object"),
    Attempt("03.3", RIGHT, "lab.secrets.create()"),
    Attempt("03.3", WRONG, CONNECT.replace("toll_db", "tolls") % "", "Glue can't connect"),
    Attempt(
        "03.3",
        WRONG,
        CONNECT
        % "p = wanted['ConnectionProperties']; p.pop('SECRET_ID'); s = lab.secrets.read(); "
        "p.update(USERNAME=s['username'], PASSWORD=s['password'])",
        "copied password",
    ),
    Attempt("03.3", WRONG, CONNECT % "wanted['ConnectionProperties'].pop('JDBC_ENFORCE_SSL')", "TLS"),
    Attempt("04.1", RIGHT, f"import json; answer = json.dumps({TABLES % ('json', 'redshift')})"),
    Attempt("04.1", WRONG, f"answer = {TABLES % ('csv', 'redshift')}", "is not 'csv'"),
    Attempt("04.1", WRONG, 'answer = {"landing": "json"}', "The keys are the names"),
    Attempt("04.1", TYPE, 'answer = ["json", "redshift"]', "Wanted: a dict"),
    Attempt("04.2", RIGHT, LOOK_AT % f'{{"Path": {BUCKET}}}'),
    Attempt("04.2", WRONG, LOOK_AT % f'{{"Path": {BUCKET} + "/toll_data/"}}', "/toll_data/"),
    Attempt("04.2", WRONG, LOOK_AT % f'{{"Path": {BUCKET}, "Exclusions": ["**.json"]}}', "no exclusions"),
    Attempt("04.3", RIGHT, CRAWL % ("fares.rstrip('/')", ["**/none", "*2019.json"], START)),
    Attempt("04.3", WRONG, CRAWL % ("fares", [], START), "has read old-2019.json"),
    Attempt("04.3", WRONG, CRAWL % ("fares", ["old-*"], ""), "it has not run"),
    Attempt("04.3", WRONG, CRAWL % ("fares", ["**"], START), "Where does the crawler look?"),
)  # fmt: skip


@pytest.mark.parametrize("attempt", attempts(*ATTEMPTS))
def test_an_attempt_at_a_task_gets_its_verdict(lab: Lab, attempt: Attempt) -> None:
    assert_as_expected(lab, attempt)


def test_what_an_unfinished_task_leaves_is_removed_with_the_lab(lab: Lab) -> None:
    assert registry.remove_remains(lab) == ()
    cells = {"lab": lab}
    run(registry.task("03.2").breaks, cells)
    run(registry.task("04.3").breaks, cells)
    run(registry.task("04.3").solution.partition("lab.wait_until")[0], cells)
    removed = ("secret task-tollclusterSecretPlaza", "crawler task-s3_crawler_fares")
    assert registry.remove_remains(lab) == removed
    assert registry.remove_remains(lab) == ()
    run(registry.task("04.3").mends, cells)


def test_the_cells_of_all_tasks_leave_the_lab_as_it_was(lab: Lab) -> None:
    assert lab.check(*STEPS), str(lab.check(*STEPS))
    assert [file.key.startswith("toll_data-") for file in landing.data_files(lab.session)] == [True]
    assert lab.crawlers.table(lab.names.source_table).classification == "json"
    assert len(lab.session.client("glue").get_tables(DatabaseName=lab.names.glue_database)["TableList"]) == 2


@pytest.mark.parametrize(
    "task", [task for number in NUMBERS for task in registry.of_notebook(number)], ids=lambda task: task.id
)
def test_every_task_has_enough_attempts_of_each_kind(task: Task) -> None:
    assert enough_attempts(ATTEMPTS, task.id)


@pytest.mark.parametrize("number", NUMBERS)
def test_at_least_half_of_the_tasks_of_a_notebook_make_or_mend_something(number: str) -> None:
    tasks = registry.of_notebook(number)
    assert 2 <= len(tasks) <= 4
    assert 2 * sum(task.wants in (None, SQL) for task in tasks) >= len(tasks)

"""Attempts at the tasks of notebooks 05 to 07."""

from __future__ import annotations

from attempts import NONE, RIGHT, TYPE, WRONG, Attempt

MAPPING = """
answer = [
    ("id", %s), ("day", "string", "transaction_date", "string"), ("plaza", "string", "toll_booth", "string"),
    ("make", "string", "vehicle_make", "string"), ("kind", "string", "vehicle_category", "string"), ("paid", %s),
]
"""
FIRST, LAST = '"int", "transaction_id", "bigint"', '"double", "transaction_amount", "double"'
COPY = """
role = lab.roles.arn(lab.names.copy_role)
lab.query(f"copy toll_practice from '{practice_file}' iam_role '{role}' %s")
"""
UPDATE_JOB = """
glue = lab.session.client("glue")
job = glue.get_job(JobName=lab.names.job)["Job"]
update = {key: job[key] for key in (%s)}
update["DefaultArguments"] = {**job["DefaultArguments"], "--job-bookmark-option": "%s"}
glue.update_job(JobName=lab.names.job, JobUpdate=update)
"""
ALL_PARTS = (
    "'Role', 'Command', 'GlueVersion', 'WorkerType', 'NumberOfWorkers', 'MaxRetries', 'Timeout', "
    "'ExecutionProperty', 'Connections'"
)
HAS_SUCCEEDED = "answer = lambda run: %s"
TRIGGER = """
lab.session.client("glue").create_trigger(
    Name=practice_trigger, Type="CONDITIONAL", Predicate={"Logical": "ANY", "Conditions": [%s]}, Actions=[{%s}]%s
)
"""
LOADED = '{"LogicalOperator": "EQUALS", "JobName": lab.names.job, "State": "%s"}'
CRAWL = '"CrawlerName": lab.names.redshift_crawler'
UPDATE_TRIGGER = """
crawled = {"LogicalOperator": "EQUALS", "CrawlerName": lab.names.s3_crawler, "CrawlState": "%s"}
glue, name = lab.session.client("glue"), lab.names.event_trigger
update = {"Name": name, "Predicate": {"Logical": "%s", "Conditions": [crawled]}, "Actions": [{%s}]}
glue.update_trigger(Name=name, TriggerUpdate=update)
"""
RUN_JOB = '"JobName": lab.names.job'
KEYS = "answer = lambda event: [%s for record in event%s]"
RECORDS = ".get('Records', [])"
KEY = "record['s3']['object']['key']"
NARROW = """
s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
there = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
%s
s3.put_bucket_notification_configuration(
    Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": there}
)
"""
RULES = "there[0]['Filter']['Key']['FilterRules']"
PERMIT = """
lab.session.client("lambda").add_permission(
    FunctionName=lab.names.start_function, StatementId="mine", Action="lambda:InvokeFunction", %s
)
"""
FROM_S3 = 'Principal="s3.amazonaws.com"'
OF_BUCKET = 'SourceArn=f"arn:aws:s3:::{lab.names.%s_bucket}"'
OF_ACCOUNT = "SourceAccount=lab.session.account_id"

JOB = (
    Attempt("05.1", RIGHT, "import json\n" + MAPPING % (FIRST, LAST) + "answer = json.dumps(answer)"),
    Attempt("05.1", RIGHT, MAPPING % ('"int", "transaction_id", "long"', '"double", "transaction_amount", "float"')),
    Attempt("05.1", WRONG, MAPPING % ('"string", "transaction_id", "bigint"', LAST), "becomes None instead of 4711"),
    Attempt("05.1", WRONG, MAPPING % (FIRST, '"double", "transaction_amount", "int"'), "becomes 2 instead of 2.5"),
    Attempt("05.1", WRONG, MAPPING % (FIRST, LAST) + "answer.pop()", "The table has"),
    Attempt("05.1", WRONG, MAPPING % (FIRST, LAST) + "answer.reverse()", "another order"),
    Attempt("05.1", WRONG, MAPPING % ('"int", "transaction_id", "number"', LAST), "fits no column"),
    Attempt("05.1", TYPE, 'answer = {"id": "transaction_id"}', "Wanted: a list"),
    Attempt("05.1", TYPE, 'answer = [("id", "transaction_id")]', "Wanted: a list of tuples of four texts"),
    Attempt("05.1", TYPE, "answer = [1, 2]"),
    Attempt("05.2", RIGHT, COPY % "json 'auto ignorecase' timeformat 'auto'"),
    Attempt("05.2", WRONG, 2 * (COPY % "json 'auto'"), "Each row is there twice"),
    Attempt("05.2", WRONG, "lab.query('insert into toll_practice values (1, 2, 3, 4, 5, 6)')", "0 of the file's 100"),
    Attempt("05.2", NONE, "lab.query('drop table toll_practice')", "there is no table"),
    Attempt("05.3", RIGHT, "lab.job.create()"),
    Attempt("05.3", RIGHT, UPDATE_JOB % (ALL_PARTS, "job-bookmark-enable")),
    Attempt("05.3", WRONG, UPDATE_JOB % (ALL_PARTS, "job-bookmark-pause"), "is 'job-bookmark-pause'"),
    Attempt("05.3", WRONG, UPDATE_JOB % ("'Role', 'Command'", "job-bookmark-enable"), "something else differs"),
)

WORKFLOW = (
    Attempt("06.1", RIGHT, "answer = ' ' + lab.names.event_trigger"),
    Attempt("06.1", WRONG, "answer = lab.names.start_trigger", "where does it begin"),
    Attempt("06.1", WRONG, "answer = lab.names.s3_crawler", "A crawler starts nothing"),
    Attempt("06.1", TYPE, "answer = 2", "Wanted: a text"),
    Attempt("06.2", RIGHT, HAS_SUCCEEDED % "run['Status'] == 'COMPLETED' and not any("
            "run['Statistics'][f'{bad}Actions'] for bad in ('Failed', 'Errored', 'Timeout', 'Stopped'))"),
    Attempt("06.2", WRONG, HAS_SUCCEEDED % "run['Status'] == 'COMPLETED'", "returned True for a run with status COMP"),
    Attempt("06.2", WRONG, HAS_SUCCEEDED % "run['Statistics']['FailedActions'] == 0", "TimeoutActions"),
    Attempt("06.2", WRONG, HAS_SUCCEEDED % "run['Statistics']['SucceededActions'] == 2"),
    Attempt("06.2", WRONG, HAS_SUCCEEDED % "run['status'] == 'COMPLETED'", "raised KeyError"),
    Attempt("06.2", TYPE, HAS_SUCCEEDED % "'yes'", "Wanted: True or False"),
    Attempt("06.2", TYPE, "answer = True", "Wanted: a function"),
    Attempt("06.3", RIGHT, TRIGGER % (LOADED % "SUCCEEDED", CRAWL, ', Description="after each load"')),
    Attempt("06.3", RIGHT, TRIGGER % (LOADED % "SUCCEEDED", CRAWL, ", StartOnCreation=True")
            + "lab.session.client('glue').stop_trigger(Name=practice_trigger)"),
    Attempt("06.3", WRONG, TRIGGER % (LOADED % "FAILED", CRAWL, ""), "FAILED"),
    Attempt("06.3", WRONG, TRIGGER % (f"{LOADED % 'SUCCEEDED'}, {LOADED % 'FAILED'}", CRAWL, ""), "nothing but"),
    Attempt("06.3", WRONG, TRIGGER % (LOADED % "SUCCEEDED", CRAWL.replace('redshift', 's3'), ""), "start only"),
    Attempt("06.3", WRONG, TRIGGER % (LOADED % "SUCCEEDED", CRAWL, ", StartOnCreation=True"), "ACTIVATED"),
    Attempt("06.3", WRONG, TRIGGER % (LOADED % "SUCCEEDED", CRAWL, ", WorkflowName=lab.names.workflow"), "to none"),
    Attempt("06.3", WRONG, "lab.session.client('glue').create_trigger("
            "Name=practice_trigger, Type='ON_DEMAND', Actions=[{'CrawlerName': lab.names.redshift_crawler}])",
            "type is ON_DEMAND"),
    Attempt("06.4", RIGHT, UPDATE_TRIGGER % ("SUCCEEDED", "ANY", RUN_JOB)),
    Attempt("06.4", RIGHT, "lab.workflow.create()"),
    Attempt("06.4", WRONG, UPDATE_TRIGGER % ("CANCELLED", "ANY", RUN_JOB), "starts what it should"),
    Attempt("06.4", WRONG, UPDATE_TRIGGER % ("SUCCEEDED", "ANY", CRAWL), "starts what it should"),
    Attempt("06.4", WRONG, "lab.workflow.create()\nlab.workflow.pause()", "is active"),
    Attempt("06.4", WRONG, "lab.session.client('glue').delete_trigger(Name=lab.names.event_trigger)",
            "any more"),
)  # fmt: skip

NOTIFICATION = (
    Attempt("07.1", RIGHT, "import urllib.parse\n"
            + KEYS % (f"urllib.parse.unquote({KEY}.replace('+', ' '))", RECORDS)),
    Attempt("07.1", WRONG, KEYS % (KEY, RECORDS), "it returned ['toll+data%2B1.json']"),
    Attempt("07.1", WRONG, "import urllib.parse\n" + KEYS % (f"urllib.parse.unquote({KEY})", RECORDS)),
    Attempt("07.1", WRONG, "import urllib.parse\n" + KEYS % (f"urllib.parse.unquote_plus({KEY})", "['Records']"),
            "raised KeyError"),
    Attempt("07.1", TYPE, "answer = lambda event: 'toll_data.json'", "Wanted: a list of keys"),
    Attempt("07.1", TYPE, "answer = 'toll+data%2B1.json'", "Wanted: a function"),
    Attempt("07.2", RIGHT, NARROW % f"{RULES}.append({{'Name': 'prefix', 'Value': 'booths/'}})"),
    Attempt("07.2", RIGHT, NARROW % f"{RULES}.append({{'Name': 'Prefix', 'Value': 'booths/'}}); there[0].pop('Id')"),
    Attempt("07.2", WRONG, NARROW % f"{RULES}.append({{'Name': 'prefix', 'Value': 'booths'}})", "booths_of_2022"),
    Attempt("07.2", WRONG, NARROW % f"{RULES}[:] = [{{'Name': 'prefix', 'Value': 'booths/'}}]", "readme.txt"),
    Attempt("07.2", WRONG, NARROW % f"{RULES}.append({{'Name': 'prefix', 'Value': '/booths/'}})", "does not start"),
    Attempt("07.2", WRONG, NARROW % f"{RULES}.append({{'Name': 'prefix', 'Value': 'booths/'}})"
            "; there[0]['Events'] = ['s3:ObjectRemoved:*']", "other events"),
    Attempt("07.2", WRONG, NARROW % "there = []", "any more"),
    Attempt("07.3", RIGHT, PERMIT % f"{FROM_S3}, {OF_ACCOUNT}, {OF_BUCKET % 'landing'}"),
    Attempt("07.3", RIGHT, "lab.notification.create()"),
    Attempt("07.3", WRONG, PERMIT % FROM_S3, "Name the bucket"),
    Attempt("07.3", WRONG, PERMIT % f"{FROM_S3}, {OF_BUCKET % 'landing'}", "somebody else could take its name"),
    Attempt("07.3", WRONG, PERMIT % f"{FROM_S3}, {OF_ACCOUNT}, {OF_BUCKET % 'staging'}", "landing bucket's ARN"),
    Attempt("07.3", WRONG, PERMIT % f"{FROM_S3}, {OF_BUCKET % 'landing'}, SourceAccount='210987654321'", "account"),
    Attempt("07.3", WRONG, PERMIT % 'Principal="*"', "everybody in the world"),
    Attempt("07.3", NONE, PERMIT % f"Principal='sns.amazonaws.com', {OF_ACCOUNT}"),
)  # fmt: skip

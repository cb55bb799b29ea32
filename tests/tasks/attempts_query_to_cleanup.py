"""Attempts at the tasks of notebooks 08 to 10."""

from __future__ import annotations

from attempts import RIGHT, TYPE, WRONG, Attempt

SQL = 'answer = """%s"""'
BY_MAKE = "select vehicle_make from toll_table group by vehicle_make order by %s desc limit 1"
SIX = "transaction_id, transaction_date, toll_booth, vehicle_make, vehicle_category, transaction_amount"
DAYS = "select toll_booth, transaction_date, sum(transaction_amount) as revenue from toll_table group by 1, 2"
BEST = (
    "select toll_booth, transaction_date, revenue from (select *, rank() over (%s) as place from ({})) where place = 1"
)
REPAIR = """
import json


def answer(line):
    try:
        row = json.loads(line)
        %s
        return %s
    except ValueError:
        return %s
"""
AMOUNT = "row['transaction_amount'] = %s"
STRIPPED = "float(str(row['transaction_amount']).removesuffix(' USD'))"
MAPPING = """
client = lab.session.client("lambda")
mappings = client.list_event_source_mappings(FunctionName=lab.names.reliable_start_function)["EventSourceMappings"]
uuid = mappings[0]["UUID"]
"""
TAG = '{"Key": "%s", "Values": [%s]}'
MINE = [TAG % (key, f'lab.config.tags["{key}"]') for key in ("lab", "prefix")]
TOPICS = """
sns = lab.session.client("sns")
for topic in sns.list_topics()["Topics"]:
    if topic["TopicArn"].endswith("%s"):
        sns.delete_topic(TopicArn=topic["TopicArn"])
"""

UNTAG = """
from labkit.tasks.cleanup import forgotten_topic
lab.session.client("sns").untag_resource(ResourceArn=forgotten_topic(lab), TagKeys=%s)
"""

QUERY = (
    Attempt("08.1", RIGHT, SQL % "with paid as (select vehicle_make, sum(transaction_amount) as s from toll_table "
            "group by 1) select vehicle_make from paid where s = (select max(s) from paid);"),
    Attempt("08.1", WRONG, SQL % (BY_MAKE % "count(*)"), "wrong: ('Lada',)"),
    Attempt("08.1", WRONG, SQL % (BY_MAKE % "max(transaction_amount)")),
    Attempt("08.1", WRONG, SQL % "select 'Lada'"),
    Attempt("08.1", WRONG, SQL % (BY_MAKE % "sum(amount)"), "Redshift refused the statement"),
    Attempt("08.1", WRONG, SQL % (BY_MAKE % "sum(transaction_amount)").replace("limit 1", ""), "returns 3 rows"),
    Attempt("08.1", WRONG, SQL % (BY_MAKE % "sum(transaction_amount)").replace("toll_table", "public.toll_table"),
            "without its schema"),
    Attempt("08.1", WRONG, SQL % "delete from toll_table", "Write one query"),
    Attempt("08.1", WRONG, "answer = 'Lada'", "Write one query"),
    Attempt("08.1", TYPE, "answer = 3", "Wanted: an SQL statement"),
    Attempt("08.2", RIGHT, SQL % f"select * from (select {SIX}, count(*) as copies from toll_table "
            f"group by {SIX}) where copies >= 2 order by 1 desc"),
    Attempt("08.2", WRONG, SQL % "select transaction_id, count(*) from toll_table group by 1 having count(*) > 1",
            "The result has 2 columns"),
    Attempt("08.2", WRONG, SQL % f"select {SIX}, count(*) from toll_table group by {SIX}", "rows instead of 1"),
    Attempt("08.2", WRONG, SQL % f"select {SIX}, n from (select *, count(*) over (partition by transaction_id) as n "
            "from toll_table) where n > 1"),
    Attempt("08.2", WRONG, SQL % f"select distinct {SIX}, 2 from (select *, count(*) over (partition by {SIX}) as n "
            "from toll_table) where n > 1", "this row of its result is wrong"),
    Attempt("08.2", TYPE, "import pandas; answer = pandas.DataFrame({'copies': [2, 3]})", "Wanted: an SQL statement"),
    Attempt("08.3", RIGHT, SQL % BEST.format(DAYS) % "partition by toll_booth order by revenue desc"),
    Attempt("08.3", WRONG, SQL % BEST.format(DAYS) % "order by revenue desc", "rows instead of"),
    Attempt("08.3", WRONG, SQL % BEST.format(DAYS) % "partition by toll_booth order by revenue", "is wrong"),
    Attempt("08.3", WRONG, SQL % BEST.format("select *, transaction_amount as revenue from toll_table")
            % "partition by toll_booth order by revenue desc", "is wrong"),
    Attempt("08.3", TYPE, "answer = ['golf_rd', '2023/08/02']", "Wanted: an SQL statement"),
)  # fmt: skip

RELIABILITY = (
    Attempt("09.1", RIGHT, "answer = str(lab.counts().rejected)"),
    Attempt("09.1", WRONG, "answer = lab.counts().loaded", "how many rows were loaded"),
    Attempt("09.1", WRONG, "answer = -1", "add up all"),
    Attempt("09.1", TYPE, "answer = [1, 2]", "Wanted: a number"),
    Attempt("09.2", RIGHT, "answer = f's3://{lab.names.landing_bucket}/half bad.json'"),
    Attempt("09.2", WRONG, "answer = 'a third bad.json'", "33% of its rows were rejected. Another file"),
    Attempt("09.2", WRONG, "answer = 'no such file.json'", "no such file"),
    Attempt("09.2", TYPE, "answer = 0.5", "Wanted: a text"),
    Attempt("09.3", RIGHT, "import re\n" + REPAIR
            % (AMOUNT % "float(re.sub(r'\\s*USD$', '', str(row['transaction_amount'])))", "json.dumps(row)", "None")),
    Attempt("09.3", WRONG, "answer = lambda line: line", "it returned '{"),
    Attempt("09.3", WRONG, REPAIR % (AMOUNT % STRIPPED, "json.dumps(row)", "line"), "can't be repaired"),
    Attempt("09.3", WRONG, REPAIR % (AMOUNT % "float(row['transaction_amount'])", "json.dumps(row)", "None"), "None"),
    Attempt("09.3", WRONG, REPAIR % (AMOUNT % "0.0", "json.dumps(row)", "None"), "it returned"),
    Attempt("09.3", WRONG, REPAIR % (AMOUNT % STRIPPED, "str(row)", "None"), "not JSON"),
    Attempt("09.3", WRONG, "import json\nanswer = lambda line: json.loads(line)['amount']", "raised KeyError"),
    Attempt("09.3", TYPE, REPAIR % (AMOUNT % STRIPPED, "row", "None"), "Wanted: a line of text"),
    Attempt("09.3", TYPE, "answer = 6.26", "Wanted: a function"),
    Attempt("09.4", RIGHT, "lab.reliability.queues.create()"),
    Attempt("09.4", WRONG, MAPPING + "client.delete_event_source_mapping(UUID=uuid)", "no event source mapping"),
    Attempt("09.4", WRONG, MAPPING + "client.update_event_source_mapping(UUID=uuid, Enabled=True, "
            "FunctionResponseTypes=[])", "would lose events"),
)  # fmt: skip

CLEANUP = (
    Attempt("10.1", RIGHT, "answer = '02'"),
    Attempt("10.1", WRONG, "answer = '03_secrets'", "last line"),
    Attempt("10.1", WRONG, "answer = 'the cluster'"),
    Attempt("10.1", TYPE, "answer = 2", "Wanted: a text"),
    Attempt("10.2", RIGHT, f"import json\nanswer = json.dumps([{MINE[1]}, {MINE[0]}])"),
    Attempt("10.2", WRONG, f"answer = [{MINE[0]}]", "of another participant"),
    Attempt("10.2", WRONG, f"answer = [{MINE[1]}]", "of another lab"),
    Attempt("10.2", WRONG, f"answer = [{TAG % ('lab', '')}]", "of another participant"),
    Attempt("10.2", WRONG, f"answer = [{TAG % ('name', '1')}]".replace("1", "'toll'"), "don't find it"),
    Attempt("10.2", TYPE, "answer = lab.config.tags", "Wanted: a list"),
    Attempt("10.2", TYPE, "answer = [lab.config.tags]", "Wanted: a list of filters"),
    Attempt("10.2", TYPE, "answer = [{'Key': 'lab', 'Values': 7}]", "Wanted: a list of filters"),
    Attempt("10.2", TYPE, "answer = [{'Key': 'lab', 'Values': [7]}]", "Wanted: a list of filters"),
    Attempt("10.3", RIGHT, TOPICS % "toll-alarms"),
    Attempt("10.3", WRONG, UNTAG % "list(lab.config.tags)", "lost its tags"),
    Attempt("10.3", WRONG, UNTAG % "['prefix']", "lost its tags"),
)  # fmt: skip

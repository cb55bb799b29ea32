"""The command line: output and exit codes that scripts outside the project rely on."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from labkit import Lab
from labkit.tools.cli import cli

Labkit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def labkit() -> Labkit:
    """`labkit("status", home=…)`: the command in a process of its own; never a traceback."""

    def run(*arguments: str, home: Path, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LABKIT_HOME": str(home), **settings}
        done = subprocess.run(
            [sys.executable, "-m", "labkit", *arguments],
            env=environment, input=stdin, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def kit(labkit: Labkit, lab: Lab) -> Labkit:
    """The command on the deployed lab."""

    def run(*arguments: str, **named: str) -> subprocess.CompletedProcess[str]:
        return labkit(*arguments, home=lab.config.home, LABKIT_PREFIX="kit", **named)

    return run


CONTRACT = {
    "target", "region", "landing_bucket", "staging_bucket", "workflow", "job", "s3_crawler", "redshift_crawler",
    "glue_database", "cluster_identifier", "redshift_database", "secret_id", "generator_function", "start_function",
}  # fmt: skip
COMMANDS = ["up", "down", "status", "env", "config", "doctor", "deploy", "destroy", "restart", "send", "load",
            "redrive", "query", "run", "runs", "watch", "logs"]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text(command: str) -> None:
    done = CliRunner().invoke(cli, [command, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) >= 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["send", "--rows", "many"],
        ["send", "--files", "0"],
        ["send", "--until", "yesterday"],
        ["deploy", "roof"],
        ["destroy", "--yes", "roof"],
        ["run", "-p", "nonsense", "1"],
        ["run", "77_nothing"],
        ["query"],
        ["status", "--yaml"],
    ],
)
def test_wrong_usage_exits_with_2_and_shows_the_right_usage(
    labkit: Labkit, tmp_path: Path, arguments: list[str]
) -> None:
    done = labkit(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert not done.stdout


@pytest.mark.parametrize("arguments", [["deploy"], ["send"], ["query", "select 1"], ["env"], ["logs", "job"],
                                       ["destroy", "--yes"], ["runs"], ["watch", "--once"],
                                       ["logs", "-f", "job"]])  # fmt: skip
def test_without_a_running_lab_a_command_exits_with_1_and_names_labkit_up(
    labkit: Labkit, tmp_path: Path, arguments: list[str]
) -> None:
    done = labkit(*arguments, home=tmp_path)
    assert done.returncode == 1
    assert "labkit up" in done.stderr


def test_an_invalid_setting_exits_with_2_and_names_the_variable(labkit: Labkit, tmp_path: Path) -> None:
    done = labkit("config", home=tmp_path, LABKIT_TARGET="mars")
    assert (done.returncode, "LABKIT_TARGET" in done.stderr, "local, aws" in done.stderr) == (2, True, True)


def test_status_of_a_stopped_lab_is_not_a_failure(labkit: Labkit, tmp_path: Path) -> None:
    done = labkit("status", "--json", home=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["running"]) == (0, False)
    assert "down" in labkit("status", home=tmp_path).stdout


@pytest.mark.nightly
def test_two_labs_can_be_started_stopped_and_wiped_side_by_side(labkit: Labkit, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    try:
        for home in (first, second, first):
            assert labkit("up", home=home).returncode == 0
        status = {home: json.loads(labkit("status", "--json", home=home).stdout) for home in (first, second)}
        assert all(found["healthy"] for found in status.values())
        assert status[first]["endpoint_url"] != status[second]["endpoint_url"]
        assert labkit("deploy", "buckets", home=first).returncode == 0
        assert labkit("down", home=first).returncode == 0
        assert "not running" in labkit("down", home=first).stdout
        labkit("up", home=first)
        again = json.loads(labkit("status", "--json", home=first).stdout)
        assert again["endpoint_url"] == status[first]["endpoint_url"], "the port is kept"
        assert again["steps"]["buckets"]["ok"], "the data are kept"
        assert not json.loads(labkit("status", "--json", home=second).stdout)["steps"]["buckets"]["ok"]
        assert labkit("down", "--wipe", home=first).returncode == 0
        labkit("up", home=first)
        assert not json.loads(labkit("status", "--json", home=first).stdout)["steps"]["buckets"]["ok"]
    finally:
        labkit("down", home=first)
        labkit("down", home=second)


def test_config_json_has_all_documented_keys(kit: Labkit, lab: Lab) -> None:
    config = json.loads(kit("config", "--json").stdout)
    assert set(config) >= CONTRACT
    assert config["landing_bucket"] == "landing-bucket-kit"
    assert config["secret_id"] == lab.names.secret
    assert "landing-bucket-kit" in kit("config").stdout


def test_env_gives_all_variables_that_other_tools_need(kit: Labkit, lab: Lab) -> None:
    exports = kit("env").stdout
    variables = dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
    assert {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "SSL_CERT_FILE",
            "AWS_CA_BUNDLE", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLROOTCERT"} <= set(variables)  # fmt: skip
    program = (
        "import os, boto3, redshift_connector\n"
        "print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']])\n"
        "e = os.environ\n"
        "c = redshift_connector.connect(host=e['PGHOST'], port=int(e['PGPORT']), database=e['PGDATABASE'],"
        " user=e['PGUSER'], password=e['PGPASSWORD'])\n"
        "k = c.cursor(); k.execute('select 42'); print(k.fetchone())\n"
    )
    shell = f"{exports}\n{shlex.quote(sys.executable)} -W ignore -c {shlex.quote(program)}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "landing-bucket-kit" in done.stdout
    assert "[42]" in done.stdout


def test_deploy_names_each_step_that_it_creates(kit: Labkit) -> None:
    done = kit("deploy", "notification", "buckets")
    assert done.stdout.splitlines()[:2] == ["✓ buckets", "✓ notification"]


def test_deploying_a_later_step_without_the_earlier_ones_names_the_missing_step(labkit: Labkit, lab: Lab) -> None:
    done = labkit("deploy", "workflow", home=lab.config.home, LABKIT_PREFIX="nobody")
    assert done.returncode == 1
    assert "labkit deploy crawlers" in done.stderr


def test_destroy_asks_first_and_treats_an_empty_answer_as_no(kit: Labkit) -> None:
    for answer in ("n\n", ""):
        done = kit("destroy", stdin=answer)
        assert done.returncode == 1
    assert json.loads(kit("status", "--json").stdout)["steps"]["buckets"]["ok"]


def test_sent_rows_can_be_queried_as_json_and_csv(kit: Labkit, lab: Lab, checkout: Path) -> None:
    before = lab.query.count()
    assert (
        "20 rows landed" in kit("send", "--rows", "10", "--files", "2", "--seed", "4", "--until", "2023-08-31").stdout
    )
    lab.load()
    sql = "select count(*) as n from toll_table"
    assert json.loads(kit("query", sql, "--json").stdout) == [{"n": before + 20}]
    assert list(csv.DictReader(io.StringIO(kit("query", sql, "--csv").stdout))) == [{"n": str(before + 20)}]
    assert str(before + 20) in kit("query", "-", stdin=sql).stdout
    sample = str(checkout / "data" / "sample_data_toll_application.json")
    assert "100 rows landed" in kit("send", sample).stdout


def test_a_refused_statement_exits_with_1_and_shows_redshift_s_message(kit: Labkit) -> None:
    done = kit("query", "select * from nowhere")
    assert done.returncode == 1
    assert 'relation "nowhere" does not exist' in done.stderr


def test_logs_show_the_output_of_each_part(kit: Labkit, lab: Lab) -> None:
    lab.follow(lab.send(rows=1))
    assert "Serving" in kit("logs").stdout
    assert "REPORT RequestId" in kit("logs", "generator", "-n", "3").stdout  # earlier lines are of other tests' events
    assert "Crawler has finished" in kit("logs", "crawler").stdout
    assert "GlueLogger" in kit("logs", "job").stdout
    unknown = kit("logs", "no_such_function")
    assert unknown.returncode == 1
    assert "Logs: server, job" in unknown.stderr


def test_doctor_finds_no_problem_on_this_machine(kit: Labkit) -> None:
    done = kit("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Java 17" in done.stdout


def test_nothing_is_created_on_aws_without_credentials(labkit: Labkit, tmp_path: Path) -> None:
    """Without credentials no call to AWS is possible; the message says how to get them."""
    done = labkit("deploy", home=tmp_path, LABKIT_TARGET="aws", AWS_EC2_METADATA_DISABLED="true")
    assert done.returncode == 1
    assert "no usable AWS credentials" in done.stderr

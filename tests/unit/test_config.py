"""Settings: where they come from, and the errors for invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit import project
from labkit.config import BY_TARGET, LabConfig, Target, load
from labkit.errors import ConfigError
from labkit.names import Names


@pytest.fixture(autouse=True)
def _no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for setting in [*LabConfig.model_fields, "config"]:
        monkeypatch.delenv(f"LABKIT_{setting.upper()}", raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))


def test_the_defaults_match_the_description() -> None:
    config = load()
    assert (config.node_type, config.number_of_nodes) == ("dc2.large", 1)
    assert (config.redshift_database, config.redshift_user) == ("toll_db", "admin")
    assert (config.job_retries, config.job_timeout_minutes, config.workers) == (1, 15, 3)
    assert (config.workflow_max_runs, config.vpc_cidr) == (2, "10.0.0.0/16")


def test_without_a_prefix_the_names_match_the_description() -> None:
    names = Names.of(load(), "")
    assert names.glue_role == "IAMGlueServiceRole"
    assert names.secret == "tollclusterSecret"
    assert names.connection == "redshift_conn"
    assert names.glue_database == "toll-raw-db"
    assert (names.redshift_crawler, names.s3_crawler) == ("Redshift-Crawler", "s3_crawler")
    assert names.job == "s3_to_redshift_job"
    assert (names.workflow, names.start_trigger, names.event_trigger) == (
        "redshift_workflow", "redshift-workflows-start", "s3-crawler-event",
    )  # fmt: skip
    assert names.target_table == "toll_db_public_toll_table"
    assert names.source_table.startswith("landing_bucket")
    assert (names.generator_function, names.start_function) == ("toll_plaza_application", "start_workflow_function")


def test_every_name_contains_the_prefix_and_bucket_names_start_as_described() -> None:
    plain, alice = Names.of(load(), ""), Names.of(load(prefix="alice"), "")
    assert alice.landing_bucket == "landing-bucket-alice"
    assert alice.source_table == "landing_bucket_alice"
    assert alice.workflow == "alice-redshift_workflow"
    within_own_things = {"target_table", "ledger", "notification"}  # in the participant's own database and bucket
    same = {name for name in plain.__dataclass_fields__ if getattr(plain, name) == getattr(alice, name)}
    assert same == within_own_things


def test_on_aws_bucket_names_contain_the_account_id() -> None:
    assert Names.of(load(target="aws"), "123456789012").landing_bucket == "landing-bucket-123456789012"


def test_the_target_decides_the_settings_that_are_not_set() -> None:
    config = load(target="aws")
    defaults = BY_TARGET[Target.AWS]
    assert (config.node_type, config.ask_before_create) == (defaults.node_type, True)
    assert load(target="aws", node_type="ra3.xlplus").node_type == "ra3.xlplus"


def test_the_inbound_range_is_the_vpc_s_range_by_default() -> None:
    assert load(vpc_cidr="10.9.0.0/16").inbound_cidr == "10.9.0.0/16"
    assert load(inbound_cidr="0.0.0.0/0").inbound_cidr == "0.0.0.0/0"


def test_variables_override_the_file_and_arguments_override_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "labkit.toml").write_text('prefix = "file"\nworkers = 5\nregion = "eu-west-1"\n')
    monkeypatch.setenv("LABKIT_PREFIX", "variable")
    monkeypatch.setenv("LABKIT_WORKERS", "7")
    config = load(prefix="argument")
    assert (config.prefix, config.workers, config.region) == ("argument", 7, "eu-west-1")


def test_LABKIT_CONFIG_selects_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "labkit.toml").write_text('prefix = "home"\n')
    other = tmp_path / "other.toml"
    other.write_text('prefix = "other"\n')
    monkeypatch.setenv("LABKIT_CONFIG", str(other))
    assert load().prefix == "other"
    monkeypatch.setenv("LABKIT_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"there is no file .*none\.toml"):
        load()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"tarket": "aws"}, r"'tarket' \(from argument\): there is no such setting\.\nAllowed: .*target"),
        ({"target": "mars"}, r"'target' .*'mars' is not allowed.*\nAllowed: local, aws"),
        ({"worker_type": "big"}, r"'worker_type' .*\nAllowed: G\.1X, G\.2X, G\.4X, G\.8X"),
        ({"workers": "many"}, r"'workers' .*'many' is not allowed: .*valid integer"),
        ({"prefix": "Alice!"}, r"'prefix' .*'Alice!' is not allowed"),
        ({"vpc_cidr": "10.0.0.1/8"}, r"'vpc_cidr' .*host bits set"),
        ({"landing_bucket": "mine-all-mine"}, r"'landing_bucket' .*must start with landing-bucket"),
    ],
)
def test_an_invalid_setting_is_an_error_with_its_name_and_the_allowed_values(
    settings: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(**settings)


def test_an_error_for_an_invalid_variable_or_file_names_its_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LABKIT_WORKER", "3")
    with pytest.raises(ConfigError, match=r"'worker' \(from LABKIT_WORKER\): there is no such setting"):
        load()
    monkeypatch.delenv("LABKIT_WORKER")
    monkeypatch.setenv("LABKIT_WORKERS", "x")
    with pytest.raises(ConfigError, match=r"'workers' \(from LABKIT_WORKERS\)"):
        load()
    monkeypatch.delenv("LABKIT_WORKERS")
    (tmp_path / "labkit.toml").write_text("wrokers = 3\n")
    with pytest.raises(ConfigError, match=r"'wrokers' \(from .*labkit\.toml\): there is no such setting"):
        load()
    (tmp_path / "labkit.toml").write_text("workers = = 3\n")
    with pytest.raises(ConfigError, match=r"the file is not TOML"):
        load()


def test_in_a_checkout_home_and_runs_are_in_the_checkout(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LABKIT_HOME")
    monkeypatch.chdir(tmp_path)
    assert (load().home, load().runs) == (root / ".labkit", root / "runs")


def test_with_an_installed_wheel_home_and_runs_are_in_the_current_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LABKIT_HOME")
    monkeypatch.setattr(project, "is_checkout", lambda: False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".labkit").mkdir()
    (tmp_path / ".labkit" / "labkit.toml").write_text('prefix = "alice"\n')
    assert (load().home, load().runs) == (tmp_path / ".labkit", tmp_path / "runs")
    assert load().prefix == "alice"

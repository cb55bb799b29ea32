"""The lab's settings, typed. The defaults are the original description's names and values.

Settings come from these sources; a later one overrides the earlier ones:

1. the defaults below, and `BY_TARGET` for the few that depend on the target
2. a file: `labkit.toml` in the home, or the file that `LABKIT_CONFIG` names
3. environment variables `LABKIT_<SETTING>`
4. arguments: `Lab(prefix="alice")`
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from labkit import project
from labkit.errors import ConfigError
from labkit.tables import SCROLLS, html_table, text_table

ENV_PREFIX = "LABKIT_"
LAB_NAME = "toll-etl"
"""The value of the tag `lab` on everything that the lab creates."""
EXPIRES = "expires"
"""The tag that tells an account's own clean-up job when a resource can go. The lab deletes nothing because of it."""


DELIVERY_COMMANDS = (
    "There are two deliveries now. The exactly-once delivery has a ledger: put it into use with labkit deploy. The "
    "described delivery has a bookmark: go back to it with labkit restart, or create only it with labkit deploy "
    "--as-described."
)
IN_WORDS = {"prefix": "at most 12 lower-case letters and digits, beginning with a letter"}
"""Settings whose allowed values are said in words, not as a pattern."""
REMOVED = {"ledger": DELIVERY_COMMANDS, "bookmarks": DELIVERY_COMMANDS}
"""Settings that earlier versions had → what replaces them."""


class Target(StrEnum):
    """Where the lab runs."""

    LOCAL = "local"
    AWS = "aws"


@dataclass(frozen=True)
class TargetDefaults:
    """Every setting that differs between the local target and AWS."""

    node_type: str
    encrypted: bool
    ask_before_create: bool
    account_in_bucket_names: bool
    interface_endpoints: tuple[str, ...]
    poll_seconds: float
    wait_minutes: float
    retry_seconds: float
    expires_days: int
    check_node_type: bool


BY_TARGET = {
    # The description names dc2.large. AWS has not created new dc2 clusters since 2025.
    Target.LOCAL: TargetDefaults(
        "dc2.large", False, False, False, (), poll_seconds=0.1, wait_minutes=3, retry_seconds=1, expires_days=0,
        check_node_type=False,
    ),
    # A Glue job in a subnet without internet access reaches the secret and the catalog through interface endpoints,
    # which cost money.
    Target.AWS: TargetDefaults(
        "ra3.large", True, True, True, ("secretsmanager", "glue"), poll_seconds=5, wait_minutes=30, retry_seconds=30,
        expires_days=2, check_node_type=True,
    ),
}  # fmt: skip


class LabConfig(BaseSettings):
    """One lab's settings. Those without a default here take the target's value from `BY_TARGET`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, validate_default=False)

    target: Target = Target.LOCAL
    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    prefix: str = Field(default="", pattern=r"^([a-z][a-z0-9]{0,11})?$")
    home: Path = Field(default_factory=lambda: project.working_directory() / ".labkit")
    runs: Path = Field(default_factory=lambda: project.working_directory() / "runs")  # reports of `labkit run`
    profile: str | None = None

    ask_before_create: bool
    poll_seconds: float = Field(gt=0)
    wait_minutes: float = Field(gt=0)
    retry_seconds: float = Field(ge=1, le=900)
    expires_days: int = Field(ge=0, le=365)  # the tag `expires` of what is created; 0: no such tag
    progress: Literal["auto", "live", "line", "static"] = "auto"
    enforce_iam: bool = True  # on the local target; AWS always does
    verify_signatures: bool = True  # on the local target; AWS always does
    allow_unproven: bool = False  # on the local target: moto answers the operations that it does not vouch for

    landing_bucket: str = Field(default="landing-bucket", pattern=r"^[a-z0-9][a-z0-9.-]{1,40}$")
    staging_bucket: str = Field(default="staging-bucket", pattern=r"^[a-z0-9][a-z0-9.-]{1,40}$")
    account_in_bucket_names: bool
    notify_bucket: Literal["landing", "staging"] = "landing"

    vpc_cidr: str = "10.0.0.0/16"
    interface_endpoints: tuple[str, ...]
    inbound_cidr: str  # if not given, the VPC's own range

    cluster_identifier: str = Field(default="tollcluster", pattern=r"^[a-z][a-z0-9-]{0,40}$")
    node_type: str = Field(pattern=r"^[a-z0-9]+\.[a-z0-9]+$")
    check_node_type: bool  # ask AWS whether the node type can be ordered
    number_of_nodes: int = Field(default=1, ge=1, le=32)
    encrypted: bool
    publicly_accessible: bool = False
    redshift_database: str = Field(default="toll_db", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    redshift_user: str = Field(default="admin", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    redshift_table: str = Field(default="toll_table", pattern=r"^[a-z_][a-z0-9_]{0,62}$")

    secret: str = "tollclusterSecret"
    connection: str = "redshift_conn"
    glue_role: str = "IAMGlueServiceRole"
    glue_database: str = Field(default="toll-raw-db", pattern=r"^[a-z0-9_-]{1,100}$")
    s3_crawler: str = "s3_crawler"
    redshift_crawler: str = "Redshift-Crawler"
    job: str = "s3_to_redshift_job"
    workflow: str = "redshift_workflow"
    generator_function: str = "toll_plaza_application"
    start_function: str = "start_workflow_function"
    exactly_once_job: str = "exactly_once_job"
    exactly_once_workflow: str = "exactly_once_workflow"
    reliable_start_function: str = "start_workflow_reliably"

    runtime: str = Field(default="python3.13", pattern=r"^python3\.\d+$")
    glue_version: str = "5.1"
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    workers: int = Field(default=3, ge=2, le=100)
    job_retries: int = Field(default=1, ge=0, le=10)
    job_timeout_minutes: int = Field(default=15, ge=1, le=2880)
    max_rejected_share: float = Field(default=0.9, ge=0, le=1)
    event_tries: int = Field(default=5, ge=1, le=20)
    workflow_max_runs: int = Field(default=2, ge=1)

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _by_target(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What is given, before the target's values and the VPC's range."""
        target = given.get("target", Target.LOCAL)
        own = BY_TARGET[Target(target)] if target in list(Target) else BY_TARGET[Target.LOCAL]
        inbound = given.get("vpc_cidr", cls.model_fields["vpc_cidr"].default)
        return {**asdict(own), "inbound_cidr": inbound, **given}

    @field_validator("vpc_cidr", "inbound_cidr")
    @classmethod
    def _is_a_network(cls, value: str) -> str:
        ipaddress.IPv4Network(value)
        return value

    @field_validator("home", "runs")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("landing_bucket")
    @classmethod
    def _gives_the_table_its_name(cls, value: str) -> str:
        if not value.startswith("landing-bucket"):
            raise ValueError("must start with landing-bucket, which gives the crawled table its name")
        return value

    def source(self, setting: str) -> str:
        """Where a setting's value comes from: "argument", an environment variable, a file, or "default"."""
        return self._sources.get(setting, "default")

    def __str__(self) -> str:
        given = [row for row in self._rows() if row[2] != "default"]
        rest = f"{len(type(self).model_fields) - len(given)} settings have their default: labkit config shows all."
        return "\n".join(filter(None, (text_table(given), rest)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        heads, rows = ("setting", "value", "from"), self._rows()
        given = html_table((row for row in rows if row[2] != "default"), heads)
        rest = html_table((row for row in rows if row[2] == "default"), heads)
        hidden = f"<details><summary>Settings that have their default</summary>{rest}</details>"
        return f'<div style="{SCROLLS}">{given}{hidden}</div>'

    def _rows(self) -> list[tuple[str, str, str]]:
        values = self.model_dump(mode="json")
        return [(name, _shown(values[name]), self.source(name)) for name in type(self).model_fields]

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which the lab finds everything that it created."""
        return {"lab": LAB_NAME, "prefix": self.prefix or "none"}

    @property
    def new_tags(self) -> dict[str, str]:
        """The tags of what is created now: `tags`, and on AWS the day after which it should be gone."""
        if not self.expires_days:
            return self.tags
        last_day = datetime.now(UTC).date() + timedelta(days=self.expires_days)
        return self.tags | {EXPIRES: last_day.isoformat()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, highest precedence first: arguments, environment variables, the file from `_config_file`."""
        arguments = init_settings()
        file = _config_file(arguments.get("home"))
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, file)) if file else sources


def load(**arguments: Any) -> LabConfig:
    """Load the settings from all sources.

    Raises:
        ConfigError: a setting is unknown, or has a value that is not allowed; the message names it.
    """
    known = LabConfig.model_fields
    for variable in sorted(os.environ):
        name = variable.removeprefix(ENV_PREFIX).lower()
        if variable.startswith(ENV_PREFIX) and name not in {*known, "config"}:
            raise _unknown(name, variable)
    try:
        config = LabConfig(**arguments)
        config._sources.update(_sources(arguments))
        return config
    except ValidationError as error:
        raise _explain(error, arguments) from None
    except OSError as error:
        raise ConfigError("config", f"the file can't be read: {error.strerror}", source=str(error.filename)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config", f"the file is not TOML: {error}", source=str(_config_file(None))) from None


def _config_file(home: Any) -> Path | None:
    """The file to read, if there is one."""
    if named := os.environ.get("LABKIT_CONFIG"):
        file = Path(named).expanduser()
        if not file.is_file():
            raise ConfigError("config", f"there is no file {named}", source="LABKIT_CONFIG")
        return file
    home = home or os.environ.get("LABKIT_HOME") or project.working_directory() / ".labkit"
    file = Path(home).expanduser() / "labkit.toml"
    try:
        return file if file.is_file() else None
    except PermissionError:  # the home can't be entered; the code that uses it reports this
        return None


def _explain(error: ValidationError, arguments: dict[str, Any]) -> ConfigError:
    """Turn pydantic's first validation error into the lab's own error."""
    first = error.errors()[0]
    setting = str(first["loc"][0]) if first["loc"] else "?"
    source = _source_of(setting, arguments)
    if first["type"] == "extra_forbidden":
        return _unknown(setting, source)
    context = first.get("ctx", {})
    reason = f"{first['input']!r} is not allowed: {first['msg'].removeprefix('Value error, ')}"
    allowed: list[str] = []
    if first["type"] == "enum":
        allowed = [member.value for member in Target]
    elif "expected" in context:
        allowed = [part.strip("' ") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
    elif "pattern" in context:
        allowed = [IN_WORDS.get(setting, f"text that matches {context['pattern']}")]
        reason = reason.partition(": ")[0] if setting in IN_WORDS else reason
    return ConfigError(setting, reason, allowed=allowed, source=source)


def _unknown(setting: str, source: str) -> ConfigError:
    if setting in REMOVED:
        return ConfigError(setting, "this setting was removed", fix=REMOVED[setting], source=source)
    return ConfigError(setting, "there is no such setting", allowed=sorted(LabConfig.model_fields), source=source)


def _sources(arguments: dict[str, Any]) -> dict[str, str]:
    """Where each setting that does not have its default comes from."""
    file = _config_file(arguments.get("home"))
    in_file = tomllib.loads(file.read_text()) if file else {}
    known = LabConfig.model_fields
    variables = {name: ENV_PREFIX + name.upper() for name in known if ENV_PREFIX + name.upper() in os.environ}
    return {name: str(file) for name in in_file} | variables | dict.fromkeys(arguments, "argument")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)


def _source_of(setting: str, arguments: dict[str, Any]) -> str:
    if setting in arguments:
        return "argument"
    variable = ENV_PREFIX + setting.upper()
    return variable if variable in os.environ else str(_config_file(arguments.get("home")) or "")

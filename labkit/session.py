"""The connection to the target. Only this module knows which target that is.

On both targets the lab uses plain boto3. On the local target, the clients go to the embedded AWS of the lab's home;
this module starts it, stops it and looks up its address. On AWS, the clients follow the usual AWS configuration.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

import localaws
from labkit import origins
from labkit.clients import Translator, translate_and_record
from labkit.config import LabConfig, Target
from labkit.errors import HomeUnusable, LabError, NotAllWorks, NotRunning, StartError
from labkit.names import Names
from labkit.recorder import Recorder
from labkit.tables import escaped


@dataclass(frozen=True)
class Stopped(localaws.Stopped):
    """What `lab.down()` stopped. Falsy if nothing was running."""

    def __str__(self) -> str:
        said = ["stopped" if self.server else "it was not running"]
        if self.left_over:
            said.append(f"ended what an earlier start had left: {', '.join(map(str, self.left_over))}")
        if self.wiped:
            said.append("its data are gone")
        return f"local AWS: {', '.join(said)}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f"<div>{escaped(str(self))}</div>"


NOTHING_OF_THE_USERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Keeps the user's AWS configuration from clients of the local target.

A missing AWS_PROFILE or a damaged ~/.aws/config must not break them.
"""

MODELS = botocore.loaders.create_loader()
"""botocore's models of the services. The local target's clients share them, because parsing one takes some time."""
SERVICES = ("ec2", "glue", "iam", "lambda", "logs", "redshift", "redshift-data", "s3", "secretsmanager", "sqs")


def load_models() -> None:
    """Parse the models of the services that the lab uses. Clients that are made afterwards find them parsed."""
    session = _own_session("", "", "us-east-1")
    for service in SERVICES:
        session.client(service, endpoint_url="http://127.0.0.1")  # a client that calls nothing


def _own_session(access_key_id: str, secret_access_key: str, region: str) -> boto3.Session:
    """A session that has nothing of the user's AWS configuration, and the models that are parsed already."""
    own = botocore.session.Session(session_vars=NOTHING_OF_THE_USERS)
    own.register_component("data_loader", MODELS)
    return boto3.Session(access_key_id, secret_access_key, region_name=region, botocore_session=own)


@dataclass(frozen=True)
class TargetStatus:
    """Where the lab runs, and whether that target can be used."""

    target: Target
    running: bool
    healthy: bool
    region: str
    endpoint_url: str = ""
    log_file: str = ""
    processes: tuple[tuple[str, int], ...] = ()
    enforces_iam: bool = True
    verifies_signatures: bool = True
    allows_unproven: bool = False
    ports: tuple[tuple[str, int], ...] = ()
    """The ports of 127.0.0.1 that a local lab keeps across restarts, each with its purpose."""
    problems: tuple[localaws.Problem, ...] = ()
    """What does not work in a local lab that is running."""
    left_over: tuple[localaws.LeftOver, ...] = ()
    """Processes of an earlier start that are still running although the local lab is down."""

    def __str__(self) -> str:
        if self.target is Target.AWS:
            return f"AWS, region {self.region}"
        state = "up" if self.healthy else "not answering" if self.running else "down"
        if self.problems:
            state += f", but not all of it works ({', '.join(problem.what for problem in self.problems)})"
        off = [] if self.enforces_iam else ["IAM's policies are not enforced"]
        off += [] if self.verifies_signatures else ["signatures are not verified"]
        off += ["operations that no test proves are answered"] if self.allows_unproven else []
        return ", ".join([f"local AWS: {state}", *off])

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text("\n".join(self._lines()))

    def _repr_html_(self) -> str:
        return f"<div>{escaped(chr(10).join(self._lines()))}</div>"

    def _lines(self) -> Iterator[str]:
        yield f"{'✓' if self.healthy and not self.problems else '✗'} {self}"
        yield from (f"  ✗ {problem}" for problem in self.problems)
        yield from (f"  ✗ left over: {process} (end it: lab.down())" for process in self.left_over)


class Session:
    """boto3 clients for one lab's target."""

    def __init__(self, config: LabConfig) -> None:
        self.config = config
        self._translator = Translator(config, self._advise)
        self._clients: dict[str, Any] = {}
        self.recorder = Recorder()
        self.records: dict[tuple[str, str, str], int] = {}
        """The number of records in the object versions that were counted, by (bucket, key, version)."""

    def __repr__(self) -> str:
        return f'boto3 clients for {self.config.target}, region {self.config.region}: lab.session.client("s3")'

    def client(self, service: str) -> Any:
        """The boto3 client for `service`, e.g. "s3"; the same one each time. Its calls raise the lab's errors.

        Raises:
            NotRunning: the target is local and down.
            LabError: the target is AWS and there are no credentials, or there is no such service.
        """
        if service not in self._clients:
            try:
                self._clients[service] = self._boto3.client(service, **self._client_settings)
            except BotoCoreError as error:
                raise self._translator.error(error, f"of a client for {service!r}") from error
        return self._clients[service]

    @cached_property
    def account_id(self) -> str:
        """The 12-digit account id."""
        if self.config.target is Target.LOCAL:
            return str(self._home_status().account_id)
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def names(self) -> Names:
        """The names of all resources of this lab."""
        needs_account = self.config.account_in_bucket_names
        return Names.of(self.config, self.account_id if needs_account else "")

    def _advise(self, asked: Mapping[str, Any], message: str) -> str:
        """Return what to do about a call that found something missing."""
        try:
            return origins.of_a_call(self.names, asked, message)
        except LabError:  # without the account the names are not known
            return ""

    def start(self, *, warm_jobs: bool = False) -> TargetStatus:
        """Start the target. Does nothing if the target is healthy, or if it is AWS.

        With `warm_jobs`, a local target also begins to start Spark, in the background.

        Raises:
            StartError: the target did not start; the message says why and where its log is.
            HomeUnusable: the home can't be read or written.
            NotAllWorks: the target is up, but something that was deployed does not work.
        """
        if self.config.target is Target.AWS:
            return self.status()
        with self._lifecycle():
            found = localaws.start(
                self.config.home,
                enforce_iam=self.config.enforce_iam,
                verify_signatures=self.config.verify_signatures,
                allow_unproven=self.config.allow_unproven,
                warm_jobs=warm_jobs,
            )
        self._forget_clients()
        if found.problems:
            raise NotAllWorks([str(problem) for problem in found.problems])
        return self._local(found)

    def stop(self, *, wipe: bool = False) -> Stopped:
        """Stop the local target and any processes left over from an earlier start. With `wipe`, also delete its data.

        Raises:
            LabError: the target is AWS, which can't be stopped.
            StartError: a process does not end.
            HomeUnusable: something in the home can't be removed.
        """
        if self.config.target is Target.AWS:
            raise LabError("The target is AWS, which can't be stopped.", fix="Remove what the lab made: labkit destroy")
        with self._lifecycle():
            stopped = localaws.wipe(self.config.home) if wipe else localaws.stop(self.config.home)
        self._forget_clients()
        return Stopped(stopped.server, stopped.left_over, stopped.wiped)

    def status(self) -> TargetStatus:
        """Return the target's status, without changing anything.

        Raises:
            HomeUnusable: the home can't be read.
        """
        if self.config.target is Target.AWS:
            return TargetStatus(Target.AWS, True, True, self.config.region)
        return self._local(self._home_status())

    def _local(self, found: localaws.Status) -> TargetStatus:
        server = [("server", found.pid)] if found.pid is not None else []
        return TargetStatus(
            Target.LOCAL,
            found.running,
            found.healthy,
            self.config.region,
            found.endpoint_url,
            str(found.log_file),
            (*server, *((child.name, child.pid) for child in found.children)),
            found.enforce_iam,
            found.verify_signatures,
            found.allow_unproven,
            found.ports,
            found.problems,
            found.left_over,
        )

    def protection(self) -> localaws.Protection | None:
        """How a local lab is protected from functions and jobs on this machine; None on AWS."""
        return localaws.protection(self.config.home) if self.config.target is Target.LOCAL else None

    def environment(self) -> dict[str, str]:
        """The environment variables with which any AWS tool reaches the target.

        Raises:
            NotRunning: the target is local and down.
        """
        if self.config.target is Target.AWS:
            variables = {"AWS_DEFAULT_REGION": self.config.region}
            return variables | ({"AWS_PROFILE": self.config.profile} if self.config.profile else {})
        found = self._running()
        return {
            "AWS_ENDPOINT_URL": found.endpoint_url,
            "AWS_ACCESS_KEY_ID": found.access_key_id,
            "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
            "AWS_DEFAULT_REGION": self.config.region,
            "AWS_REGION": self.config.region,
            "AWS_CA_BUNDLE": str(found.ca_bundle),
            "SSL_CERT_FILE": str(found.ca_bundle),
        }

    @property
    def ca_bundle(self) -> str | None:
        """The CA file that verifies Redshift's certificate; None means the system's CAs."""
        return str(self._running().ca_bundle) if self.config.target is Target.LOCAL else None

    @contextlib.contextmanager
    def trusted(self) -> Iterator[None]:
        """While this context is active, new TLS connections trust the target's CA: OpenSSL reads SSL_CERT_FILE."""
        before = os.environ.get("SSL_CERT_FILE")
        if self.ca_bundle:
            os.environ["SSL_CERT_FILE"] = self.ca_bundle
        try:
            yield
        finally:
            if before is None:
                os.environ.pop("SSL_CERT_FILE", None)
            else:
                os.environ["SSL_CERT_FILE"] = before

    @cached_property
    def _boto3(self) -> boto3.Session:
        if self.config.target is Target.AWS:
            session = boto3.Session(profile_name=self.config.profile, region_name=self.config.region)
        else:
            found = self._running()
            session = _own_session(found.access_key_id, found.secret_access_key, self.config.region)
        translate_and_record(session, self._translator, self.recorder)
        return session

    @cached_property
    def _client_settings(self) -> dict[str, Any]:
        if self.config.target is Target.AWS:
            return {"config": Config(retries={"mode": "standard"})}
        # A request that fails on loopback fails again; more retries would only hide where it fails.
        retries = Config(retries={"mode": "standard", "max_attempts": 2}, proxies={}, read_timeout=120)
        return {"endpoint_url": self._running().endpoint_url, "config": retries}

    def _home_status(self) -> localaws.Status:
        with self._lifecycle():
            return localaws.status(self.config.home)

    def _running(self) -> localaws.Status:
        found = self._home_status()
        if not found.running:
            raise NotRunning(self.config.home)
        return found

    def _forget_clients(self) -> None:
        self._clients.clear()
        for name in ("_boto3", "_client_settings"):
            self.__dict__.pop(name, None)

    @contextlib.contextmanager
    def _lifecycle(self) -> Iterator[None]:
        try:
            yield
        except localaws.HomeUnusable as error:
            raise HomeUnusable(str(error), self.config.home) from error
        except localaws.LocalAwsError as error:
            raise StartError(str(error), self.config.home) from error

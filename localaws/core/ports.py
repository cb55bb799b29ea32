"""The interfaces through which the parts of the embedded AWS call each other.

No service imports another one. What it needs from another is a Protocol here. The server makes the parts and connects
them (server/parts.py), and `Context.ports` has them. IAM, which all services use, calls services in this way, too.

The API of a service finds its own engine here as well: moto creates the backends, so nothing can be passed to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from localaws.core.events import Predecessors, WorkflowRef

PolicyOf = Callable[[str, str, str], str]
"""Takes a resource's account ("" for an anonymous caller's), its region and the last part of its ARN, and returns the
text of its policy; empty if it has none."""


SecretValue = Callable[[str, str, str], str]
"""Takes a secret's account, its region, and its name or ARN, and returns the text of its current version (AWSCURRENT).
A binary secret's text is empty. Raises SecretUnreadable."""


class SecretUnreadable(Exception):
    """The secret does not exist, has no value, or is scheduled for deletion. The message is from Secrets Manager."""


def policy_text(policy: str | dict[str, Any] | None) -> str:
    """The text of a policy that moto keeps as text, as parsed JSON, or not at all."""
    return policy if isinstance(policy, str) else json.dumps(policy) if policy else ""


class Role(Protocol):
    """A role that a service acts as (iam/service_roles.py)."""

    @property
    def account_id(self) -> str:
        """The role's account."""

    def require(
        self, action: str, resource: str = "*", keys: Mapping[str, str | list[str] | None] | None = None
    ) -> None:
        """Return if the role may do `action` ("s3:GetObject") to `resource` (an ARN); raise AccessDenied if not."""


class ObjectGone(Exception):
    """The object was deleted after it was listed."""


class ObjectArchived(Exception):
    """The object is archived and not restored, so S3 does not give it out. The message is S3's."""


class NoSuchBucket(Exception):
    """There is no bucket of this name."""


@dataclass(frozen=True)
class ObjectEntry:
    """An object of S3 as it was listed, or as it was when its file was opened. `size` is in bytes."""

    bucket: str
    key: str
    size: int
    etag: str
    modified: datetime


class Objects(Protocol):
    """S3's objects as files, for parts of the embedded AWS that read many. Each call checks the role."""

    def current(self, role: Role, bucket: str, prefix: str) -> list[Any]:
        """Return the objects of `bucket` whose keys (their `name`) start with `prefix`, in order, as S3 keeps them.

        A changed object is a new Python object. So a caller that keeps the last listing sees by identity what is new.

        Raises:
            NoSuchBucket: there is no such bucket.
            AccessDenied: the role may not list it.
        """

    def entry(self, listed: Any) -> ObjectEntry:
        """Return the details of an object that `current` returned."""

    def file(self, role: Role, bucket: str, key: str) -> tuple[ObjectEntry, Path]:
        """Return the object as it is now, and the file with its body, which must be opened right away.

        Raises:
            ObjectGone: the object no longer exists.
            ObjectArchived: its storage class is an archive.
            AccessDenied: the role may not read it.
        """


class Buckets(Protocol):
    """What IAM asks of S3 before it decides."""

    def lacks(self, bucket: str, key: str) -> bool:
        """Whether the bucket exists, but the object does not."""

    def is_public(self, bucket: str, action: str, key: str, version: str | None) -> bool:
        """Whether an ACL lets everybody do `action` ("s3:GetObject") to the object, or to the bucket."""

    def is_restricted(self, bucket: str) -> bool:
        """Whether RestrictPublicBuckets keeps out callers that only the bucket's policy lets in."""

    def is_governed(self, bucket: str, key: str, version: str | None) -> bool:
        """Whether a version of the object (None: the current one) has a lock in governance mode."""


class QueueUnavailable(Exception):
    """The queue is gone, or it is a FIFO queue."""


class QueueMessage(Protocol):
    """A message that was received from a queue."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def queue(self) -> str:
        """The queue's ARN."""

    @property
    def body(self) -> str:
        """The text that was sent."""

    @property
    def visible(self) -> int:
        """When others can see it again: a Unix time in milliseconds."""


class Queues(Protocol):
    """SQS's standard queues, as an event source mapping of Lambda reads them. A queue is named by its ARN."""

    def visibility_timeout(self, arn: str) -> int:
        """The queue's visibility timeout in seconds.

        Raises:
            QueueUnavailable: the queue is gone, or it is a FIFO queue.
        """

    def receive(self, arn: str, limit: int, most_bytes: int, holder: str) -> Sequence[QueueMessage]:
        """Take up to `limit` messages, and hide them from others. `holder` names the receiver.

        Raises:
            QueueUnavailable: the queue is gone, or it is a FIFO queue.
        """

    def described(self, message: Any) -> dict[str, Any]:
        """Return a message as the API's ReceiveMessage shows it, with all attributes."""

    def delete(self, messages: Sequence[Any]) -> None:
        """Delete received messages."""

    def let_go(self, messages: Sequence[Any]) -> None:
        """Release received messages: they are visible again after the visibility timeout."""

    def give_back(self, messages: Sequence[Any]) -> None:
        """Make received messages visible immediately, as if they had not been received."""

    def changes(self, arn: str) -> int:
        """Return how often the queue has changed, to pass to `wait`."""

    def wait(self, arn: str, seen: int, seconds: float | None) -> None:
        """Wait until the queue has changed since `seen`, a message becomes visible, or `seconds` have passed."""

    def wait_for_change(self, arn: str, seen: int, seconds: float | None) -> None:
        """Wait until the queue has changed since `seen`, or `seconds` have passed."""

    def wake(self, arn: str) -> None:
        """Wake the threads that wait for the queue."""


class Functions(Protocol):
    """Lambda. A function, version or alias is named by its ARN."""

    def exists(self, account_id: str, arn: str) -> bool:
        """Whether the function exists."""

    def invoke_async(self, arn: str, payload: bytes) -> str:
        """Accept an event (JSON), durably, and return its request id."""

    def invoke(self, function: Any, arn: str, payload: bytes, *, client_context: str | None = None) -> Any:
        """Run a function and wait for its result."""

    def refresh_mappings(self) -> None:
        """Poll the queues of the event source mappings that exist now, and no others."""

    def forget(self, account_id: str, region: str, name: str) -> None:
        """End the workers of a function that is deleted or changed."""


class Clusters(Protocol):
    """Redshift's clusters. Each method that takes an identifier raises KeyError if there is no such cluster."""

    def wait_until_started(self, timeout: float = 30.0) -> None:
        """Wait until each cluster of an earlier server answers or has failed, at most `timeout` seconds."""

    def create_cluster(self, identifier: str, *, database: str, user: str, password: str, region: str) -> Any:
        """Make a cluster, and return its address when it accepts connections."""

    def delete_cluster(self, identifier: str) -> None:
        """Stop a cluster and delete its data."""

    def pause_cluster(self, identifier: str) -> None:
        """Stop a cluster and keep its data."""

    def resume_cluster(self, identifier: str) -> None:
        """Start a paused cluster."""

    def is_paused(self, identifier: str) -> bool:
        """Whether a cluster was paused, also by an earlier server."""

    def wait_until_available(self, identifier: str, timeout: float = 60.0) -> None:
        """Wait until a cluster of an earlier server accepts connections.

        Raises:
            RuntimeError: it could not be started; the message says why.
            TimeoutError: not within `timeout` seconds.
        """

    def address(self, identifier: str) -> Any:
        """Return where a cluster listens: `host` and `port`."""

    def temporary_credentials(
        self,
        identifier: str,
        db_user: str,
        *,
        database: str | None = None,
        auto_create: bool = False,
        duration_seconds: int = 900,
    ) -> Any:
        """Return a temporary password of a database user: `user`, `password` and `expiration`."""

    def set_master_password(self, identifier: str, password: str) -> None:
        """Change the password of the master user."""

    def internal_connection_parameters(
        self, identifier: str, *, db_user: str | None = None, database: str | None = None
    ) -> dict[str, Any]:
        """Return keyword arguments for psycopg.connect to log in as `db_user` (default: the master)."""


class Crawls(Protocol):
    """Glue's crawls."""

    def start_crawl(self, region: str, name: str, *, workflow: WorkflowRef | None = None) -> str:
        """Start a crawl, and return its id."""

    def stop_crawl(self, region: str, name: str) -> None:
        """Tell the crawl of a crawler to stop."""


class Jobs(Protocol):
    """Glue's job runs."""

    def prepare(self) -> None:
        """Warm up a Spark in the background, if there is none."""

    def start_requested(
        self,
        region: str,
        job_name: str,
        request: dict[str, Any],
        *,
        workflow: WorkflowRef | None = None,
        predecessors: Predecessors = (),
    ) -> str:
        """Start a run as StartJobRun's `request` wants it, and return its id."""

    def stop_run(self, region: str, run_id: str, *, job_name: str | None = None) -> None:
        """Stop a run."""

    def abandon(self, region: str, job: Any, run: Any) -> None:
        """Stop a run whose job is being deleted."""


class Workflows(Protocol):
    """Glue's workflow runs and triggers."""

    def start_run(self, region: str, name: str, properties: Mapping[str, str]) -> str:
        """Begin a run of a workflow, and return its id."""

    def stop_run(self, region: str, name: str, run_id: str) -> None:
        """Stop a run."""

    def resume_run(self, region: str, name: str, run_id: str, node_ids: list[str]) -> tuple[str, list[str]]:
        """Begin a run that repeats nodes of a completed one. Return its id, and the nodes."""

    def fire(self, region: str, trigger: Any) -> None:
        """Start what a trigger starts."""

    def schedule(self, region: str, name: str) -> None:
        """Wait for a trigger's schedule; stop waiting if it has none."""


@dataclass(frozen=True)
class Ports:
    """The parts of the running server, as they see each other."""

    objects: Objects
    buckets: Buckets
    queues: Queues
    functions: Functions
    clusters: Clusters
    crawls: Crawls
    jobs: Jobs
    workflows: Workflows
    secret_value: SecretValue
    policies: Mapping[str, PolicyOf] = field(default_factory=dict)
    """The policies of resources, by the service's name in their ARNs."""

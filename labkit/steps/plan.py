"""What the steps will create on AWS and how AWS charges for it: what people see before they are asked.

There are no prices here: they differ by region, and change. Each line that costs money links to AWS's page with the
price. `tests/labkit/test_plan.py` compares the names and counts with the calls that the steps make.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labkit.config import EXPIRES, LabConfig
from labkit.names import Names
from labkit.show.display import Described

FREE = "free"
BY_USE = "by use"
BY_HOUR = "BY THE HOUR, until it is destroyed"
CALCULATOR = "https://calculator.aws/"

S3 = "https://aws.amazon.com/s3/pricing/"
LAMBDA = "https://aws.amazon.com/lambda/pricing/"
PRIVATELINK = "https://aws.amazon.com/privatelink/pricing/"
REDSHIFT = "https://aws.amazon.com/redshift/pricing/"
SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
GLUE = "https://aws.amazon.com/glue/pricing/"
SQS = "https://aws.amazon.com/sqs/pricing/"


@dataclass(frozen=True)
class Planned:
    """Resources of one kind that a step creates."""

    step: str
    kind: str
    names: tuple[str, ...]
    charged: str = FREE
    price: str = ""
    """AWS's page with the price."""

    @property
    def what(self) -> str:
        """Such as "2 buckets"."""
        number, kind = len(self.names), self.kind
        if number == 1:
            return f"1 {kind}"
        return f"{number} {kind[:-1]}ies" if kind.endswith("y") else f"{number} {kind}s"


@dataclass(frozen=True)
class Plan(Described):
    """What these steps will create, in which account, and how it is charged."""

    place: str
    parts: tuple[Planned, ...]
    expires: str

    @property
    def count(self) -> int:
        """The number of resources."""
        return sum(len(part.names) for part in self.parts)

    def shown(self) -> Iterator[tuple[str, str]]:
        """A line for each kind of resource: the step, and what it creates."""
        for part in self.parts:
            price = f" ({part.price})" if part.price else ""
            yield part.step, f"{part.what}: {', '.join(part.names)}; {part.charged}{price}"

    def __str__(self) -> str:
        return f"{self.heading}\n\n{super().__str__()}\n\n" + "\n".join(self.notes)

    @property
    def heading(self) -> str:
        """What is created where."""
        return f"This will create {self.count} resources in {self.place}:"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else to know before agreeing."""
        hourly = ", ".join(part.what for part in self.parts if part.charged.startswith(BY_HOUR))
        return (
            f"Charged by the hour, from creation until labkit destroy: {hourly or 'nothing here'}.",
            f"Prices are not shown, because they differ by region and change: look them up here, or at {CALCULATOR}",
            self.expires,
            "What exists already is kept. These calls have never been tried on a real account: docs/on-aws.md",
        )

    def _repr_html_(self) -> str:
        left = 'style="text-align:left;vertical-align:top"'
        head = "".join(f"<th {left}>{word}</th>" for word in ("step", "creates", "names", "charged"))
        rows = "".join(
            f"<tr><td {left}>{html.escape(part.step)}</td><td {left}>{html.escape(part.what)}</td>"
            f"<td {left}>{html.escape(', '.join(part.names))}</td><td {left}>{_charge(part)}</td></tr>"
            for part in self.parts
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<div><strong>{html.escape(self.heading)}</strong>"
            f"<table><tr>{head}</tr>{rows}</table><ul>{notes}</ul></div>"
        )


def _charge(part: Planned) -> str:
    words = html.escape(part.charged)
    if part.charged.startswith(BY_HOUR):
        words = f"<strong>{words}</strong>"
    return f'{words}: <a href="{part.price}">price</a>' if part.price else words


def plan(config: LabConfig, names: Names, steps: Iterable[str], account: str, expires: str | None) -> Plan:
    """What these steps create in an empty account."""
    wanted = set(steps)
    parts = tuple(part for part in _everything(config, names) if part.step in wanted)
    tagged = f"Everything that can be tagged gets the tag {EXPIRES}={expires}, for your account's own clean-up job. "
    said = (tagged if expires else "") + "The lab deletes nothing by itself: labkit destroy, or notebook 10, does."
    return Plan(f"AWS account {account}, region {config.region}", parts, said)


def _everything(config: LabConfig, names: Names) -> Iterator[Planned]:
    suffix = f"-{config.prefix}" if config.prefix else ""
    subnets = tuple(f"{kind}-subnet-{number}{suffix}" for kind in ("public", "database") for number in (1, 2))
    yield Planned("buckets", "bucket", (names.landing_bucket, names.staging_bucket), BY_USE, S3)
    yield Planned("roles", "role", (names.glue_role, names.generator_role, names.start_role, names.copy_role))
    yield Planned("functions", "function", (names.generator_function, names.start_function), BY_USE, LAMBDA)
    yield Planned("network", "VPC", (names.vpc,))
    yield Planned("network", "internet gateway", (f"{names.vpc}-igw",))
    yield Planned("network", "subnet", subnets)
    yield Planned("network", "route table", tuple(f"{subnet}-rt" for subnet in subnets))
    yield Planned("network", "gateway endpoint", (f"{names.vpc}-s3",))
    yield Planned("network", "security group", (names.security_group,))
    if config.interface_endpoints:
        endpoints = tuple(f"{names.vpc}-{name}" for name in config.interface_endpoints)
        yield Planned("network", "interface endpoint", endpoints, f"{BY_HOUR}, in each of 2 availability zones",
                      PRIVATELINK)  # fmt: skip
    yield Planned("redshift", "secret", (names.secret,), "by the month, and by use", SECRETS)
    yield Planned("redshift", "cluster subnet group", (names.subnet_group,))
    yield Planned("redshift", f"Redshift cluster ({config.number_of_nodes} x {config.node_type})",
                  (names.cluster_identifier,), BY_HOUR, REDSHIFT)  # fmt: skip
    yield Planned("secrets", "Glue connection", (names.connection,))
    yield Planned("crawlers", "Glue database", (names.glue_database,), "free up to a number of objects", GLUE)
    yield Planned("crawlers", "crawler", (names.redshift_crawler, names.s3_crawler), "by the time that it runs", GLUE)
    yield Planned("crawlers", "workflow", (names.s3_crawler_workflow,))
    yield Planned("crawlers", "trigger", (names.s3_crawler_trigger,))
    yield Planned("job", "job", (names.job,), "by the time that it runs", GLUE)
    yield Planned("workflow", "workflow", (names.workflow,))
    yield Planned("workflow", "trigger", (names.start_trigger, names.event_trigger))
    yield Planned("notification", "notification", (names.notification,))
    yield Planned("reliability", "role", (names.reliable_start_role,))
    yield Planned("reliability", "function", (names.reliable_start_function,), BY_USE, LAMBDA)
    yield Planned("reliability", "queue", (names.retry_queue, names.dead_letter_queue), BY_USE, SQS)
    yield Planned("reliability", "event source mapping", (names.retry_queue,))
    yield Planned("reliability", "job", (names.exactly_once_job,), "by the time that it runs", GLUE)
    yield Planned("reliability", "workflow", (names.exactly_once_workflow,))
    yield Planned("reliability", "trigger", (names.exactly_once_start_trigger, names.exactly_once_event_trigger))

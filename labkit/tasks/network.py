"""The tasks of notebook 01: who gets in, a rule for an office, and the group's rule for itself."""

from __future__ import annotations

from typing import Any

from labkit.steps.lab_steps import LabSteps
from labkit.steps.network import REDSHIFT_PORT
from labkit.tasks.answers import FUNCTION, shown
from labkit.tasks.reachability import lets_in, lets_itself_in, rules
from labkit.tasks.task import Finding, Task, not_attempted, right, trying, wrong, wrong_type

ADDRESSES = ("198.51.100.7", "10.0.128.20", "10.0.255.255", "10.1.0.1", "9.255.255.255", "192.168.0.1")
OFFICE = "192.168.8.0/24"


def _who_gets_in(lab: LabSteps, answer: Any) -> Finding:
    inbound = rules(lab)
    for address in ADDRESSES:
        given = trying(answer, address)
        if not isinstance(given, bool):
            return wrong_type(f"for {address} it returned {shown(given)}. Wanted: True or False.")
        if given is not lets_in(inbound, address, REDSHIFT_PORT):
            return wrong(f"for {address} it returned {given}. Look at the rules of {lab.names.security_group} again.")
    return right("Right: a security group refuses what no rule allows.")


def _office_gets_in(lab: LabSteps, _answer: Any) -> Finding:
    inbound = rules(lab)
    inside, outside = ("192.168.8.1", "192.168.8.254"), ("192.168.7.255", "192.168.9.1", "203.0.113.9")
    getting_in = [address for address in inside if lets_in(inbound, address, REDSHIFT_PORT)]
    if not getting_in and not any(lets_in(inbound, address, port) for address in inside for port in (22, 80)):
        return not_attempted(f"port {REDSHIFT_PORT} of {lab.names.security_group} is not open to {OFFICE}.")
    for address in inside:
        if not lets_in(inbound, address, REDSHIFT_PORT):
            return wrong(f"{address} is in {OFFICE}, and can't connect to port {REDSHIFT_PORT}.")
    for address in outside:
        if lets_in(inbound, address, REDSHIFT_PORT):
            return wrong(f"{address} gets in too, and it is not in {OFFICE}.")
    for port in (22, REDSHIFT_PORT - 1, REDSHIFT_PORT + 1, 65535):
        if lets_in(inbound, inside[0], port):
            return wrong(f"The office gets in, but also to port {port}. Open only {REDSHIFT_PORT}.")
    return right("Right: the office gets in, and nobody else does.")


def _members_get_in(lab: LabSteps, _answer: Any) -> Finding:
    inbound, group_id = rules(lab), lab.network.describe().security_group_id
    if any(lets_in(inbound, "203.0.113.9", port) for port in (22, REDSHIFT_PORT, 65535)):
        return wrong("Now the whole internet gets in. The source of this rule is a security group, not a range.")
    if lets_itself_in(inbound, group_id):
        return right("Right: the workers of a Glue job can talk to one another again.")
    if any(origin["GroupId"] == group_id for rule in inbound for origin in rule.get("UserIdGroupPairs", [])):
        return wrong("There is a rule for the group itself, but not for all ports. Glue's workers use any TCP port.")
    return not_attempted(f"{lab.names.security_group} has no rule for itself.")


TASKS: list[Task] = [
    Task(
        id="01.1",
        title="Who gets in?",
        text=(
            'Write a function that takes an IPv4 address, such as `"198.51.100.7"`, and returns whether Redshift\'s '
            "port 5439 is open to it, `True` or `False`. Assign the function to `answer`. The check calls it with "
            "several addresses. Python's `ipaddress` module knows which address is in which range."
        ),
        start="answer = None  # a function: address -> True or False",
        hints=(
            "Which ranges is port 5439 open to? `describe_security_groups` of EC2 lists them. One of them must contain "
            "the address.",
            '`ipaddress.ip_address("10.0.1.2") in ipaddress.ip_network("10.0.0.0/16")` is True.',
        ),
        solution="""
import ipaddress

ids = [lab.network.describe().security_group_id]
group = lab.session.client("ec2").describe_security_groups(GroupIds=ids)["SecurityGroups"][0]
to_redshift = [rule for rule in group["IpPermissions"] if rule.get("FromPort") == 5439]
ranges = [origin["CidrIp"] for rule in to_redshift for origin in rule["IpRanges"]]


def answer(address: str) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(cidr) for cidr in ranges)
""",
        judge=_who_gets_in,
        wants=FUNCTION,
    ),
    Task(
        id="01.2",
        title="Let the office in",
        text=(
            f"The people in the office come through a VPN, with addresses in `{OFFICE}`. Let them connect to Redshift: "
            "add an inbound rule to the security group that opens TCP port 5439 to this range, and to nothing else. "
            '`authorize_security_group_ingress` of `lab.session.client("ec2")` makes a rule.'
        ),
        start="# Your code",
        hints=(
            "It takes `GroupId`, `IpProtocol`, `FromPort`, `ToPort` and `CidrIp`. A single port is a range from itself "
            "to itself.",
            "The group's id is `lab.network.describe().security_group_id`.",
        ),
        solution=f"""
ec2 = lab.session.client("ec2")
ec2.authorize_security_group_ingress(
    GroupId=lab.network.describe().security_group_id,
    IpProtocol="tcp",
    FromPort=5439,
    ToPort=5439,
    CidrIp="{OFFICE}",
)
""",
        judge=_office_gets_in,
        mends_text=(
            "The lab has no office. So the next cell brings the rules back to what the lab wants, whatever you have "
            "added: `create()` removes the rules that it doesn't know."
        ),
        mends="lab.network.create()",
    ),
    Task(
        id="01.3",
        title="Mend the group's rule for itself",
        breaks_text=(
            "The next cell removes the self-referencing rule. On AWS, Glue then refuses to run a job in this network: "
            "*At least one security group must open all ingress ports.*"
        ),
        breaks="""
from labkit.tasks import drills

ec2 = lab.session.client("ec2")
group_id = lab.network.describe().security_group_id
group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
for rule in group["IpPermissions"]:
    if rule["UserIdGroupPairs"]:
        to_itself = {"IpProtocol": rule["IpProtocol"], "UserIdGroupPairs": rule["UserIdGroupPairs"]}
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[to_itself])
drills.begin(lab, "01.3")
print("still open:", *(rule["FromPort"] for rule in group["IpPermissions"] if rule["IpRanges"]))
""",
        text=(
            "Make the rule again: the security group accepts all traffic, or at least all TCP ports, from its own "
            "members, and from nobody else. Here the source of a rule is a security group, not a range of addresses."
        ),
        start="# Your code",
        hints=(
            "`ec2.authorize_security_group_ingress` takes `IpPermissions` in the form in which EC2 describes them.",
            "The cell above has such a rule as `to_itself`: `IpProtocol` is -1, which means all traffic, and "
            "`UserIdGroupPairs` is a list of dicts with a `GroupId`.",
        ),
        solution="""
to_itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]}
ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[to_itself])
""",
        judge=_members_get_in,
        mends_text="The next cell makes the rule again if it is missing, and removes rules that don't belong there.",
        mends="""
from labkit.tasks import drills

drills.over(lab, "01.3")
lab.network.create()
""",
    ),
]

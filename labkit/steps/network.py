"""The VPC: four subnets in two availability zones, route tables, endpoints, and Redshift's security group."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.show.display import Described, Fact, Removed, hidden
from labkit.show.waiting import wait_for
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step

REDSHIFT_PORT = 5439


@dataclass(frozen=True)
class NetworkMade(Described):
    """The network."""

    vpc: str
    cidr: str
    subnets: tuple[str, ...]
    route_tables: int
    gateway_endpoint: str
    security_group: str
    vpc_id: str = hidden()
    database_subnet_ids: tuple[str, ...] = hidden()
    security_group_id: str = hidden()


@dataclass(frozen=True)
class _Subnet:
    name: str
    cidr: str
    zone: int
    public: bool


class Network(Step[NetworkMade]):
    """The description's network, except that port 5439 is open to the VPC only."""

    name = "network"
    notebook = "01_network"
    makes = "a VPC with subnets, route tables, an endpoint and a security group"

    @names_all_missing
    def create(self) -> NetworkMade:
        """Create the VPC and everything in it."""
        self.lab.consent(self.name)
        vpc_id = self._make_vpc()
        gateway_id = self._make_internet_gateway(vpc_id)
        tables = [self._main_route_table(vpc_id)]
        for subnet in self._layout():
            subnet_id = self._make_subnet(vpc_id, subnet)
            tables.append(self._make_route_table(vpc_id, subnet, subnet_id, gateway_id))
        self._make_s3_endpoint(vpc_id, tables)
        self._make_security_group(vpc_id)
        self._make_interface_endpoints(self.describe())
        return self.describe()

    def describe(self) -> NetworkMade:
        """Describe the network."""
        vpc = self._vpc()
        if vpc is None:
            raise self.missing(f"VPC {self.names.vpc}")
        ec2, inside = self.aws("ec2"), [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        subnets = {_name(item): item for item in ec2.describe_subnets(Filters=inside)["Subnets"]}
        for subnet in self._layout():
            if subnet.name not in subnets:
                raise self.missing(f"Subnet {subnet.name}")
        endpoints = [item for item in self._endpoints(vpc["VpcId"]) if item["VpcEndpointType"] == "Gateway"]
        group = self._security_group(vpc["VpcId"])
        if group is None:
            raise self.missing(f"Security group {self.names.security_group}")
        return NetworkMade(
            vpc=self.names.vpc,
            cidr=vpc["CidrBlock"],
            subnets=tuple(sorted(subnets)),
            route_tables=len(ec2.describe_route_tables(Filters=inside)["RouteTables"]),
            gateway_endpoint=", ".join(endpoint["ServiceName"] for endpoint in endpoints),
            security_group=group["GroupName"],
            vpc_id=vpc["VpcId"],
            database_subnet_ids=tuple(
                subnets[subnet.name]["SubnetId"] for subnet in self._layout() if not subnet.public
            ),
            security_group_id=group["GroupId"],
        )

    def facts(self) -> Iterator[Fact]:
        """The VPC's settings, its parts, and the inbound rules."""
        made = self.describe()
        ec2, inside = self.aws("ec2"), [{"Name": "vpc-id", "Values": [made.vpc_id]}]
        yield Fact(made.cidr == self.config.vpc_cidr, f"VPC {made.vpc} has the range {self.config.vpc_cidr}",
                   "a VPC's range can't be changed: destroy the network, then create it")  # fmt: skip
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            answer = ec2.describe_vpc_attribute(VpcId=made.vpc_id, Attribute=attribute)
            on = answer[attribute[0].upper() + attribute[1:]]["Value"]
            yield Fact(on, f"{attribute} is on", self.fix)
        subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
        zones = {subnet["AvailabilityZone"] for subnet in subnets}
        yield Fact(len(subnets) == 4 and len(zones) == 2, "4 subnets lie in 2 availability zones", self.fix)
        yield Fact(made.route_tables == 5, "5 route tables: the main one and one for each subnet", self.fix)
        gateways = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [made.vpc_id]}])
        yield Fact(len(gateways["InternetGateways"]) == 1, "an internet gateway is attached", self.fix)
        yield Fact(made.gateway_endpoint.endswith(".s3"), "a gateway endpoint leads to S3", self.fix)
        interfaces = {item["ServiceName"].rsplit(".", 1)[1] for item in self._endpoints(made.vpc_id)}
        for service in self.config.interface_endpoints:
            yield Fact(service in interfaces, f"an interface endpoint leads to {service}", self.fix)
        group = self._security_group(made.vpc_id)
        rules = _rules(group["IpPermissions"]) if group else set()
        wanted = _rules(self._inbound(made.security_group_id))
        inbound = f"port {REDSHIFT_PORT} is open to {self.config.inbound_cidr}, and the group to itself"
        yield Fact(wanted <= rules, inbound, self.fix)
        yield Fact(rules <= wanted, "there are no other inbound rules", self.fix)

    def destroy(self) -> Removed:
        """Delete the VPC and everything in it. What others depend on goes last."""
        vpc = self._vpc()
        if vpc is None:
            return Removed(self.name, ())
        ec2, vpc_id = self.aws("ec2"), vpc["VpcId"]
        inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
        if endpoints := [item["VpcEndpointId"] for item in self._endpoints(vpc_id)]:
            ec2.delete_vpc_endpoints(VpcEndpointIds=endpoints)
            wait_for(
                "the endpoints to be gone",
                lambda: ("deleting", None if self._endpoints(vpc_id) else True),
                config=self.config,
                go_on="Then run it again: lab.network.destroy()",
                quiet=True,
            )
        group = self._security_group(vpc_id)
        if group is not None:
            ec2.delete_security_group(GroupId=group["GroupId"])
        for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
            links = table["Associations"]
            for link in links:
                if not link.get("Main"):
                    ec2.disassociate_route_table(AssociationId=link["RouteTableAssociationId"])
            if not any(link.get("Main") for link in links):
                ec2.delete_route_table(RouteTableId=table["RouteTableId"])
        for subnet in ec2.describe_subnets(Filters=inside)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc_id)
            ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
        ec2.delete_vpc(VpcId=vpc_id)
        return Removed(self.name, (f"VPC {self.names.vpc} with its subnets, route tables, gateways and group",))

    def _layout(self) -> tuple[_Subnet, ...]:
        """The four subnets. Each is a sixteenth of the VPC's range."""
        parts = list(ipaddress.IPv4Network(self.config.vpc_cidr).subnets(prefixlen_diff=4))
        suffix = f"-{self.config.prefix}" if self.config.prefix else ""
        return (
            _Subnet(f"public-subnet-1{suffix}", str(parts[0]), 0, True),
            _Subnet(f"public-subnet-2{suffix}", str(parts[1]), 1, True),
            _Subnet(f"database-subnet-1{suffix}", str(parts[8]), 0, False),
            _Subnet(f"database-subnet-2{suffix}", str(parts[9]), 1, False),
        )

    def _make_vpc(self) -> str:
        ec2, vpc = self.aws("ec2"), self._vpc()
        if vpc is None:
            tags = self._tags("vpc", self.names.vpc)
            vpc = ec2.create_vpc(CidrBlock=self.config.vpc_cidr, InstanceTenancy="default", TagSpecifications=tags)[
                "Vpc"
            ]
            ec2.get_waiter("vpc_available").wait(VpcIds=[vpc["VpcId"]])
        vpc_id = str(vpc["VpcId"])
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": True})
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
        return vpc_id

    def _make_internet_gateway(self, vpc_id: str) -> str:
        ec2 = self.aws("ec2")
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            return str(gateway["InternetGatewayId"])
        tags = self._tags("internet-gateway", f"{self.names.vpc}-igw")
        gateway_id = str(ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"])
        ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
        return gateway_id

    def _make_subnet(self, vpc_id: str, subnet: _Subnet) -> str:
        ec2 = self.aws("ec2")
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "tag:Name", "Values": [subnet.name]}]
        for there in ec2.describe_subnets(Filters=filters)["Subnets"]:
            return str(there["SubnetId"])
        zones = sorted(zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"])
        made = ec2.create_subnet(
            VpcId=vpc_id,
            CidrBlock=subnet.cidr,
            AvailabilityZone=zones[subnet.zone],
            TagSpecifications=self._tags("subnet", subnet.name),
        )
        return str(made["Subnet"]["SubnetId"])

    def _main_route_table(self, vpc_id: str) -> str:
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
        tables = self.aws("ec2").describe_route_tables(Filters=filters)["RouteTables"]
        return str(tables[0]["RouteTableId"])

    def _make_route_table(self, vpc_id: str, subnet: _Subnet, subnet_id: str, gateway_id: str) -> str:
        """The subnet's own route table. A public subnet's table has a route to the internet."""
        ec2 = self.aws("ec2")
        filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
        for there in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
            return str(there["RouteTableId"])
        tags = self._tags("route-table", f"{subnet.name}-rt")
        table_id = str(ec2.create_route_table(VpcId=vpc_id, TagSpecifications=tags)["RouteTable"]["RouteTableId"])
        ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)
        if subnet.public:
            ec2.create_route(RouteTableId=table_id, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
        return table_id

    def _make_s3_endpoint(self, vpc_id: str, tables: list[str]) -> None:
        """Create the gateway endpoint through which a Glue job in a subnet reaches S3 without leaving AWS's network."""
        ec2, service = self.aws("ec2"), f"com.amazonaws.{self.config.region}.s3"
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "service-name", "Values": [service]}]
        for there in ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]:
            if missing := sorted(set(tables) - set(there["RouteTableIds"])):
                ec2.modify_vpc_endpoint(VpcEndpointId=there["VpcEndpointId"], AddRouteTableIds=missing)
            return
        ec2.create_vpc_endpoint(
            VpcId=vpc_id,
            ServiceName=service,
            VpcEndpointType="Gateway",
            RouteTableIds=tables,
            TagSpecifications=self._tags("vpc-endpoint", f"{self.names.vpc}-s3"),
        )

    def _make_interface_endpoints(self, made: NetworkMade) -> None:
        """Create interface endpoints to services without a gateway endpoint, for jobs in the database subnets."""
        there = {item["ServiceName"] for item in self._endpoints(made.vpc_id)}
        for name in self.config.interface_endpoints:
            service = f"com.amazonaws.{self.config.region}.{name}"
            if service not in there:
                self.aws("ec2").create_vpc_endpoint(
                    VpcId=made.vpc_id,
                    ServiceName=service,
                    VpcEndpointType="Interface",
                    SubnetIds=list(made.database_subnet_ids),
                    SecurityGroupIds=[made.security_group_id],
                    PrivateDnsEnabled=True,
                    TagSpecifications=self._tags("vpc-endpoint", f"{self.names.vpc}-{name}"),
                )

    def _make_security_group(self, vpc_id: str) -> None:
        """Create Redshift's security group, and set its inbound rules. A new group allows all outbound traffic."""
        ec2, group = self.aws("ec2"), self._security_group(vpc_id)
        if group is None:
            ec2.create_security_group(
                GroupName=self.names.security_group,
                Description="Redshift of the toll lab",
                VpcId=vpc_id,
                TagSpecifications=self._tags("security-group", self.names.security_group),
            )
            group = self._security_group(vpc_id)
            assert group is not None
        wanted = self._inbound(group["GroupId"])
        there = group["IpPermissions"]
        if surplus := [rule for rule in there if not _rules([rule]) <= _rules(wanted)]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[_bare(rule) for rule in surplus])
            there = [rule for rule in there if rule not in surplus]
        if lacking := [rule for rule in wanted if not _rules([rule]) <= _rules(there)]:
            ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=lacking)

    def _inbound(self, group_id: str) -> list[dict[str, Any]]:
        port = {"Description": f"Allow access to tcp port {REDSHIFT_PORT}.", "CidrIp": self.config.inbound_cidr}
        itself = {"Description": "Allow access to self SG.", "GroupId": group_id}
        return [
            {"IpProtocol": "tcp", "FromPort": REDSHIFT_PORT, "ToPort": REDSHIFT_PORT, "IpRanges": [port]},
            {"IpProtocol": "-1", "UserIdGroupPairs": [itself]},
        ]

    def _vpc(self) -> dict[str, Any] | None:
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in self.config.tags.items()]
        filters.append({"Name": "tag:Name", "Values": [self.names.vpc]})
        vpcs: list[dict[str, Any]] = self.aws("ec2").describe_vpcs(Filters=filters)["Vpcs"]
        return vpcs[0] if vpcs else None

    def _endpoints(self, vpc_id: str) -> list[dict[str, Any]]:
        inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
        endpoints: list[dict[str, Any]] = self.aws("ec2").describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
        return [item for item in endpoints if item["State"].lower() != "deleted"]

    def _security_group(self, vpc_id: str) -> dict[str, Any] | None:
        filters = [
            {"Name": "vpc-id", "Values": [vpc_id]},
            {"Name": "group-name", "Values": [self.names.security_group]},
        ]
        groups: list[dict[str, Any]] = self.aws("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        return groups[0] if groups else None

    def _tags(self, kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, *self.tag_list]}]


def _rules(permissions: list[dict[str, Any]]) -> set[tuple[str, int | None, str]]:
    """Each rule as (protocol, port, source)."""
    return {
        (permission["IpProtocol"], permission.get("FromPort"), origin)
        for permission in permissions
        for origin in [
            *(item["CidrIp"] for item in permission.get("IpRanges", [])),
            *(item["CidrIpv6"] for item in permission.get("Ipv6Ranges", [])),
            *(item["GroupId"] for item in permission.get("UserIdGroupPairs", [])),
        ]
    }


def _bare(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule without its empty parts, as `revoke` expects it."""
    return {key: value for key, value in rule.items() if value != []}


def _name(item: dict[str, Any]) -> str:
    return next((tag["Value"] for tag in item.get("Tags", []) if tag["Key"] == "Name"), "")

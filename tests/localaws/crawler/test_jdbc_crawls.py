"""Crawls of a Redshift cluster through a connection, and connections that really connect."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

import localaws

PASSWORD = "Passw0rd-of-1-test"
TABLES = """
create table public.toll_table (
    transaction_id bigint, transaction_date varchar(20) not null, transaction_amount real, seen boolean, day date,
    noted timestamp, fee numeric(10,2), share double precision, lane smallint, row_number int, plate char(3));
create view public.toll_view as select transaction_id from public.toll_table;
create schema other;
create table other.towns (name varchar(10));
"""


@dataclass
class Warehouse:
    """A cluster with tables, a secret and a connection to it, and a crawler."""

    aws: Callable[..., Any]
    unique: Callable[[str], str]
    role: str
    url: str
    secret: str

    def connection(self, **properties: str) -> str:
        """The name of a new connection; by default it logs in with the secret."""
        name = self.unique("redshift_conn")
        given = {"JDBC_CONNECTION_URL": self.url, **(properties or {"SECRET_ID": self.secret})}
        self.aws("glue").create_connection(
            ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": given}
        )
        return name

    def crawler(self, path: str, connection: str | None = None, **target: Any) -> tuple[str, str]:
        """The names of a new crawler of `path`, and of its database."""
        name, database = self.unique("Redshift-Crawler"), self.unique("toll-raw-db")
        target |= {"ConnectionName": connection or self.connection(), "Path": path}
        self.aws("glue").create_database(DatabaseInput={"Name": database})
        self.aws("glue").create_crawler(
            Name=name, Role=self.role, DatabaseName=database, Targets={"JdbcTargets": [target]}
        )
        return name, database

    def crawl(self, crawler: str) -> dict[str, Any]:
        """Run the crawler and return its LastCrawl."""
        glue = self.aws("glue")
        glue.start_crawler(Name=crawler)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = glue.get_crawler(Name=crawler)["Crawler"]
            if found["State"] == "READY":
                return dict(found["LastCrawl"])
            time.sleep(0.02)
        raise TimeoutError(crawler)

    def tables(self, database: str) -> dict[str, dict[str, Any]]:
        """The database's tables by name."""
        return {table["Name"]: table for table in self.aws("glue").get_tables(DatabaseName=database)["TableList"]}


@pytest.fixture(scope="module")
def cluster(stack: localaws.Status, aws: Callable[..., Any]) -> Iterator[str]:
    """The JDBC URL of a cluster with some tables."""
    redshift = aws("redshift")
    redshift.create_cluster(
        ClusterIdentifier="crawled-cluster",
        NodeType="dc2.large",
        ClusterType="single-node",
        DBName="toll_db",
        MasterUsername="admin",
        MasterUserPassword=PASSWORD,
    )
    redshift.get_waiter("cluster_available").wait(
        ClusterIdentifier="crawled-cluster", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    endpoint = redshift.describe_clusters(ClusterIdentifier="crawled-cluster")["Clusters"][0]["Endpoint"]
    with psycopg.connect(
        host=endpoint["Address"],
        port=endpoint["Port"],
        user="admin",
        password=PASSWORD,
        dbname="toll_db",
        sslmode="verify-full",
        sslrootcert=str(stack.ca_bundle),
        autocommit=True,
    ) as connection:
        for statement in TABLES.split(";")[:-1]:
            connection.execute(statement)  # type: ignore[call-overload]  # psycopg wants literals
    yield f"jdbc:redshift://{endpoint['Address']}:{endpoint['Port']}/toll_db"
    redshift.delete_cluster(ClusterIdentifier="crawled-cluster", SkipFinalClusterSnapshot=True)


@pytest.fixture
def warehouse(aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str, cluster: str) -> Warehouse:
    """A cluster with tables, and the means to crawl it."""
    secret = unique("tollclusterSecret")
    aws("secretsmanager").create_secret(
        Name=secret, SecretString=json.dumps({"username": "admin", "password": PASSWORD})
    )
    return Warehouse(aws, unique, glue_role, cluster, secret)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_jdbc_crawl_makes_a_table_for_each_table_and_view_of_the_schema(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    connection = warehouse.connection()
    crawler, database = warehouse.crawler("toll_db/public/%", connection)
    assert warehouse.crawl(crawler)["Status"] == "SUCCEEDED"
    tables = warehouse.tables(database)
    assert set(tables) == {"toll_db_public_toll_table", "toll_db_public_toll_view"}
    table = tables["toll_db_public_toll_table"]
    assert {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]} == {
        "transaction_id": "bigint",
        "transaction_date": "string",
        "transaction_amount": "float",
        "seen": "boolean",
        "day": "date",
        "noted": "timestamp",
        "fee": "decimal(10,2)",
        "share": "double",
        "lane": "smallint",
        "row_number": "int",
        "plate": "string",
    }
    assert table["StorageDescriptor"]["Location"] == "toll_db.public.toll_table"
    assert table["Parameters"] == {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "classification": "redshift",
        "compressionType": "none",
        "connectionName": connection,
        "typeOfData": "table",
    }
    assert tables["toll_db_public_toll_view"]["Parameters"]["typeOfData"] == "view"


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("path", "exclusions", "found"),
    [
        ("toll_db/public/toll_table", [], {"toll_table"}),
        ("toll_db/%", [], {"toll_table", "toll_view", "towns"}),
        ("toll_db/public/%", ["*view"], {"toll_table"}),
        ("toll_db/%", ["other/**"], {"toll_table", "toll_view"}),
        ("toll_db/other/t%", [], {"towns"}),
        ("another_db/public/%", [], set()),
    ],
)
def test_jdbc_include_paths_and_exclusions_select_the_tables(
    warehouse: Warehouse, path: str, exclusions: list[str], found: set[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawler, database = warehouse.crawler(path, Exclusions=exclusions)
    assert warehouse.crawl(crawler)["Status"] == "SUCCEEDED"
    locations = (table["StorageDescriptor"]["Location"] for table in warehouse.tables(database).values())
    assert {location.rpartition(".")[2] for location in locations} == found


def test_a_connection_may_have_a_user_and_a_password_instead_of_a_secret(warehouse: Warehouse) -> None:
    crawler, database = warehouse.crawler(
        "toll_db/public/toll_table", warehouse.connection(USERNAME="admin", PASSWORD=PASSWORD)
    )
    assert warehouse.crawl(crawler)["Status"] == "SUCCEEDED"
    assert set(warehouse.tables(database)) == {"toll_db_public_toll_table"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_wrong_password_fails_the_crawl_with_the_database_s_message(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""
    crawler, database = warehouse.crawler("toll_db/public/%", warehouse.connection(USERNAME="admin", PASSWORD="wrong"))
    last = warehouse.crawl(crawler)
    assert last["Status"] == "FAILED"
    assert 'password authentication failed for user "admin"' in last["ErrorMessage"]
    assert warehouse.tables(database) == {}


def test_a_crawl_fails_if_its_connection_was_deleted(warehouse: Warehouse) -> None:
    gone = warehouse.connection()
    crawler, _ = warehouse.crawler("toll_db/public/%", gone)
    warehouse.aws("glue").delete_connection(ConnectionName=gone)
    assert f"The connection {gone} of the crawler is not in the catalog" in warehouse.crawl(crawler)["ErrorMessage"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_running_crawler_can_be_stopped_but_not_started_updated_or_deleted(
    warehouse: Warehouse,
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateCrawler.html
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # Nobody accepts: the kernel takes the connection, and the client waits for a first word.
        url = f"jdbc:redshift://127.0.0.1:{silent.getsockname()[1]}/toll_db"
        connection = warehouse.connection(JDBC_CONNECTION_URL=url, USERNAME="admin", PASSWORD="x")
        crawler, _ = warehouse.crawler("toll_db/public/%", connection)
        glue = warehouse.aws("glue")
        glue.start_crawler(Name=crawler)
        assert glue.get_crawler(Name=crawler)["Crawler"]["State"] == "RUNNING"
        for operation in (glue.start_crawler, glue.delete_crawler, glue.update_crawler):
            with pytest.raises(glue.exceptions.CrawlerRunningException):
                operation(Name=crawler)
        glue.stop_crawler(Name=crawler)
        with pytest.raises((glue.exceptions.CrawlerStoppingException, glue.exceptions.CrawlerNotRunningException)):
            glue.stop_crawler(Name=crawler)
        deadline = time.monotonic() + 5
        while (found := glue.get_crawler(Name=crawler)["Crawler"])["State"] != "READY":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert found["LastCrawl"]["Status"] == "CANCELLED"
        assert glue.list_crawls(CrawlerName=crawler)["Crawls"][0]["State"] == "STOPPED"


@pytest.mark.as_on_aws("Glue crawlers")
def test_TestConnection_opens_a_real_connection(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/console-test-connections.html"""
    name = warehouse.connection()
    warehouse.aws("glue").test_connection(ConnectionName=name)
    assert "LastConnectionValidationTime" in warehouse.aws("glue").get_connection(Name=name)["Connection"]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"USERNAME": "admin", "PASSWORD": "wrong"}, "password authentication failed"),
        ({"SECRET_ID": "no-such-secret"}, "The secret no-such-secret can't be read"),
        (
            {"JDBC_CONNECTION_URL": "jdbc:redshift://127.0.0.1:1/toll_db", "USERNAME": "a", "PASSWORD": "b"},
            "Connection refused",
        ),
        (
            {"JDBC_CONNECTION_URL": "jdbc:oracle:thin://@h:1/x", "USERNAME": "a", "PASSWORD": "b"},
            "must be of the form jdbc:redshift://host:port/database",
        ),
    ],
)
def test_TestConnection_reports_what_is_wrong(warehouse: Warehouse, properties: dict[str, str], reason: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    name = warehouse.connection(**properties)
    with pytest.raises(ClientError, match="Test connection failed") as error:
        warehouse.aws("glue").test_connection(ConnectionName=name)
    assert error.value.response["Error"]["Code"] == "InvalidInputException"
    assert reason in error.value.response["Error"]["Message"]


@dataclass
class Network:
    """A VPC with one subnet and one security group."""

    ec2: Any
    vpc: str
    subnet: str
    group: str

    def requirements(self) -> dict[str, Any]:
        return {"SubnetId": self.subnet, "SecurityGroupIdList": [self.group], "AvailabilityZone": "us-east-1a"}


@pytest.fixture
def network(aws: Callable[..., Any], unique: Callable[[str], str]) -> Network:
    """A network in which Glue can't work yet."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=unique("sg"), Description="test", VpcId=vpc)["GroupId"]
    return Network(ec2, vpc, subnet, group)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_connection_in_a_vpc_needs_a_self_referencing_security_group_and_a_route_to_s3(
    warehouse: Warehouse, network: Network
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html"""
    glue, name = warehouse.aws("glue"), warehouse.unique("conn")
    glue.create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": "JDBC",
            "ConnectionProperties": {"JDBC_CONNECTION_URL": warehouse.url, "SECRET_ID": warehouse.secret},
            "PhysicalConnectionRequirements": network.requirements(),
        }
    )
    with pytest.raises(ClientError, match="At least one security group must open all ingress ports"):
        glue.test_connection(ConnectionName=name)
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": network.group}]}
    network.ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[itself])
    crawler, _ = warehouse.crawler("toll_db/public/%", name)
    assert (
        f"VPC S3 endpoint validation failed for SubnetId: {network.subnet}" in warehouse.crawl(crawler)["ErrorMessage"]
    )
    in_vpc = [{"Name": "vpc-id", "Values": [network.vpc]}]
    tables = [table["RouteTableId"] for table in network.ec2.describe_route_tables(Filters=in_vpc)["RouteTables"]]
    network.ec2.create_vpc_endpoint(
        VpcId=network.vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=tables, VpcEndpointType="Gateway"
    )
    glue.test_connection(ConnectionName=name)
    assert warehouse.crawl(crawler)["Status"] == "SUCCEEDED"


def test_a_connection_in_a_subnet_that_does_not_exist_is_refused(warehouse: Warehouse, network: Network) -> None:
    definition = {
        "ConnectionType": "JDBC",
        "ConnectionProperties": {"JDBC_CONNECTION_URL": warehouse.url, "SECRET_ID": warehouse.secret},
        "PhysicalConnectionRequirements": {**network.requirements(), "SubnetId": "subnet-0123456789abcdef0"},
        "ValidateCredentials": True,
    }
    with pytest.raises(ClientError, match="subnet-0123456789abcdef0"):
        warehouse.aws("glue").create_connection(ConnectionInput={"Name": warehouse.unique("conn"), **definition})

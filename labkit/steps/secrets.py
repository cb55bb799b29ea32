"""The secret with its cluster's address, and the Glue connection that reads the secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.calls import found
from labkit.show.display import Described, Fact, Removed, hidden
from labkit.show.secret_value import SecretValue
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step


@dataclass(frozen=True)
class SecretsMade(Described):
    """The secret's keys, without their values, and the connection."""

    secret: str
    keys: tuple[str, ...]
    connection: str
    connection_type: str
    credentials_from: str
    jdbc_url: str = hidden()


class Secrets(Step[SecretsMade]):
    """In the description, the password is copied by hand. Here the connection names the secret, and Glue reads it."""

    name = "secrets"
    notebook = "03_secrets"
    makes = "the secret's link to its cluster, and the Glue connection"

    @names_all_missing
    def create(self) -> SecretsMade:
        """Write the host and port into the secret, and create the connection."""
        self.lab.consent(self.name)
        secrets, glue = self.aws("secretsmanager"), self.aws("glue")
        self.lab.redshift.secret_arn()
        there = self.read()
        if there != (wanted := self._associated(there)):
            secrets.put_secret_value(SecretId=self.names.secret, SecretString=json.dumps(wanted))
        connection = self._connection_input()
        if self._connection() is None:
            glue.create_connection(ConnectionInput=connection, Tags=self.config.new_tags)
        else:
            glue.update_connection(Name=self.names.connection, ConnectionInput=connection)
        return self.describe()

    def read(self) -> SecretValue:
        """The secret's value. It is a dict with the password, which its display hides.

        Raises:
            MissingStep: there is no secret yet.
        """
        there = found(self.aws("secretsmanager").get_secret_value, SecretId=self.names.secret)
        if there is None:
            raise self.lab.redshift.missing(f"Secret {self.names.secret}")
        return SecretValue(json.loads(there["SecretString"]))

    def test(self) -> bool:
        """Make Glue connect to Redshift through the connection, like the console's "Test connection".

        Raises:
            AwsRefused: Glue can't connect; AWS's error message says why.
        """
        if self._connection() is None:
            raise self.missing(f"Connection {self.names.connection}")
        self.aws("glue").test_connection(ConnectionName=self.names.connection)
        return True

    def describe(self) -> SecretsMade:
        """The secret's keys and the connection."""
        connection = self._connection()
        value = self.read()
        if connection is None:
            raise self.missing(f"Connection {self.names.connection}")
        properties = connection["ConnectionProperties"]
        return SecretsMade(
            secret=self.names.secret,
            keys=tuple(sorted(value)),
            connection=connection["Name"],
            connection_type=connection["ConnectionType"],
            credentials_from=f"secret {properties['SECRET_ID']}" if "SECRET_ID" in properties else "a copied password",
            jdbc_url=properties["JDBC_CONNECTION_URL"],
        )

    def facts(self) -> Iterator[Fact]:
        """The secret has its cluster's address, and the connection works."""
        there = self.read()
        yield Fact(there == self._associated(there), f"secret {self.names.secret} says where its cluster is", self.fix)
        connection = self._connection()
        yield Fact(connection is not None, f"connection {self.names.connection} exists", self.fix)
        if connection is None:
            return
        properties = connection["ConnectionProperties"]
        from_secret = properties.get("SECRET_ID") == self.names.secret and "PASSWORD" not in properties
        yield Fact(from_secret, "it takes its credentials from the secret", self.fix)
        wanted = self._connection_input()
        same = properties.get("JDBC_CONNECTION_URL") == wanted["ConnectionProperties"]["JDBC_CONNECTION_URL"]
        yield Fact(same, "its JDBC URL is the cluster's", self.fix)
        place = connection.get("PhysicalConnectionRequirements", {})
        inside = place.get("SubnetId") in self.lab.network.describe().database_subnet_ids
        yield Fact(inside, "it lies in a database subnet", self.fix)

    def destroy(self) -> Removed:
        """Delete the connection. The secret is deleted with its cluster, which can't be reached without it."""
        if self._connection() is None:
            return Removed(self.name, ())
        self.aws("glue").delete_connection(ConnectionName=self.names.connection)
        return Removed(self.name, (f"connection {self.names.connection}",))

    def _associated(self, value: dict[str, Any]) -> dict[str, Any]:
        """The secret in the usual format of a Redshift secret, which rotation and the query editor expect."""
        cluster = self.lab.redshift.describe()
        return value | {
            "engine": "redshift",
            "host": cluster.host,
            "port": cluster.port,
            "dbname": cluster.database,
            "dbClusterIdentifier": cluster.cluster,
        }

    def _connection_input(self) -> dict[str, Any]:
        cluster, network = self.lab.redshift.describe(), self.lab.network.describe()
        subnet = self.aws("ec2").describe_subnets(SubnetIds=[network.database_subnet_ids[0]])["Subnets"][0]
        return {
            "Name": self.names.connection,
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": f"jdbc:redshift://{cluster.host}:{cluster.port}/{cluster.database}",
                "SECRET_ID": self.names.secret,
                "JDBC_ENFORCE_SSL": "true",
            },
            "PhysicalConnectionRequirements": {
                "SubnetId": subnet["SubnetId"],
                "SecurityGroupIdList": [network.security_group_id],
                "AvailabilityZone": subnet["AvailabilityZone"],
            },
        }

    def _connection(self) -> dict[str, Any] | None:
        answer = found(self.aws("glue").get_connection, Name=self.names.connection, HidePassword=True)
        return answer["Connection"] if answer else None

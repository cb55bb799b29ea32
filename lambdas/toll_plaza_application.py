"""Lambda function: generates toll transactions and lands them in S3 as one file of JSON lines.

Environment:
    LANDING_BUCKET: the bucket to write to.
    LANDING_PREFIX: a folder in the bucket, such as "2026/"; none by default.

Event fields, all optional (other fields, as in the console's TestEvent, are ignored):
    rows: the number of transactions, 1 to 1,000,000; 100 by default.
    seed: a whole number; the same seed and `until` give the same rows. Without it, every call makes new rows.
    until: the last day, YYYY-MM-DD or YYYY/MM/DD; today by default. Transactions are from the 30 days up to it.

Returns:
    {"bucket", "key", "rows", "bytes"} of the file that was written.
"""

import json
import os
import uuid
from datetime import UTC, date, datetime, timedelta

import boto3
from faker import Faker
from faker.providers import BaseProvider

DAYS = 30
MOST_ROWS = 1_000_000

# Created once per worker, so a warm start reuses them.
s3 = boto3.client("s3")


class TollProvider(BaseProvider):
    """Generates what passes a toll plaza."""

    booths = ("buckley_rd", "82nd_st", "royal_ave", "savanna_west", "golf_rd", "york_rd")
    makes = (
        "Acura", "Audi", "BMW", "Buick", "Cadillac", "Chevrolet", "Chrysler", "Dodge", "Ford", "GMC", "Honda",
        "Hyundai", "INFINITI", "Jaguar", "Jeep", "Kia", "Land Rover", "Lexus", "Lincoln", "MAZDA", "Mercedes-Benz",
        "MINI", "Mitsubishi", "Nissan", "Pontiac", "Porsche", "Ram", "Saturn", "Subaru", "Suzuki", "Tesla",
        "Toyota", "Volkswagen", "Volvo",
    )  # fmt: skip
    categories = (
        "Convertible", "Convertible, Sedan", "Coupe", "Coupe, Convertible", "Coupe, Sedan",
        "Coupe, Sedan, Convertible", "Hatchback", "Hatchback, Sedan", "Pickup", "SUV", "Sedan", "Sedan, Hatchback",
        "Sedan, Wagon", "Van/Minivan", "Wagon",
    )  # fmt: skip

    def transaction(self, until: date) -> dict[str, object]:
        """One row of `toll_table`. The id has up to five digits and is not unique."""
        day = until - timedelta(days=self.random_int(0, DAYS - 1))
        return {
            "transaction_id": self.random_int(0, 99_999),
            "transaction_date": day.strftime("%Y/%m/%d"),
            "toll_booth": self.random_element(self.booths),
            "vehicle_make": self.random_element(self.makes),
            "vehicle_category": self.random_element(self.categories),
            "transaction_amount": self.random_int(1, 1000) / 100,
        }


class BadEvent(ValueError):
    """A value in the event is not usable."""


def lambda_handler(event, context):
    rows, seed, until = read_event(event)
    body = "".join(json.dumps(row) + "\n" for row in transactions(rows, seed, until)).encode()
    bucket, key = os.environ["LANDING_BUCKET"], new_key()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    print(f"landed {rows} rows, {len(body)} bytes, in s3://{bucket}/{key}")
    return {"bucket": bucket, "key": key, "rows": rows, "bytes": len(body)}


def transactions(rows, seed=None, until=None):
    """`rows` transactions from the 30 days up to `until`. The same seed and day give the same transactions."""
    fake = Faker("en_US")
    fake.add_provider(TollProvider)
    if seed is not None:
        fake.seed_instance(seed)
    until = until or datetime.now(UTC).date()
    return (fake.transaction(until) for _ in range(rows))


def new_key():
    """A key that no other call makes. The time alone would not do, because two calls may come in the same second."""
    now = datetime.now(UTC)
    return f"{os.environ.get('LANDING_PREFIX', '')}toll_data-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4().hex}.json"


def read_event(event):
    """Return (rows, seed, until) from an event.

    Raises:
        BadEvent: a value is not usable; the message says which one, and what is allowed.
    """
    event = event if isinstance(event, dict) else {}
    rows = event.get("rows", 100)
    if type(rows) is not int or not 1 <= rows <= MOST_ROWS:
        raise BadEvent(f"rows is {rows!r}: it must be a whole number from 1 to {MOST_ROWS}")
    seed = event.get("seed")
    if seed is not None and type(seed) is not int:
        raise BadEvent(f"seed is {seed!r}: it must be a whole number")
    until = event.get("until")
    if until is not None:
        try:
            until = date.fromisoformat(str(until).replace("/", "-"))
        except ValueError:
            raise BadEvent(f"until is {until!r}: it must be a day such as 2026-11-30") from None
    return rows, seed, until

"""Millions of toll rows, like the generator's. Without Faker, which would take longer than what is measured."""

from __future__ import annotations

from random import Random

BOOTHS = ("buckley_rd", "82nd_st", "royal_ave", "savanna_west", "golf_rd", "york_rd")
MAKES = ("Acura", "Audi", "BMW", "Ford", "Land Rover", "Mercedes-Benz", "Saab", "Tesla", "Toyota", "Volvo")
CATEGORIES = ("Convertible", "Coupe, Sedan", "Coupe, Sedan, Convertible", "Pickup", "SUV", "Sedan", "Van/Minivan")


def toll_rows(count: int, seed: int = 0) -> bytes:
    """`count` rows as strict JSON, one per line. The same seed gives the same rows."""
    random = Random(seed)
    columns = zip(
        random.choices(range(100_000), k=count),
        random.choices(range(1, 31), k=count),
        random.choices(BOOTHS, k=count),
        random.choices(MAKES, k=count),
        random.choices(CATEGORIES, k=count),
        random.choices(range(1, 1001), k=count),
        strict=True,
    )
    return "".join(
        f'{{"transaction_id": {number}, "transaction_date": "2023/08/{day:02}", "toll_booth": "{booth}", '
        f'"vehicle_make": "{make}", "vehicle_category": "{category}", "transaction_amount": {cents / 100}}}\n'
        for number, day, booth, make, category, cents in columns
    ).encode()


def toll_files(rows: int, files: int, seed: int = 0) -> list[bytes]:
    """`rows` rows, spread evenly over `files` files. Each file has its own rows, and another seed gives other rows."""
    return [toll_rows(rows // files, seed * files + number) for number in range(files)]

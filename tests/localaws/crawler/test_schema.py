"""Types of the catalog: inferred from values, merged, and written in Hive's notation, without a server.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html says which types a crawler gives. How two of them become
one is not documented: what is here is what catalogs that AWS's crawlers made show.
"""

from __future__ import annotations

from typing import Any

import pytest

from localaws.glue.crawlers.schema import (
    Array,
    Primitive,
    Schema,
    Stated,
    Struct,
    Type,
    hive_type,
    infer,
    infer_schema,
    lower_case,
    merge,
    merge_schemas,
)

VOID, BOOLEAN, INT = Primitive.VOID, Primitive.BOOLEAN, Primitive.INT
BIGINT, DOUBLE, STRING = Primitive.BIGINT, Primitive.DOUBLE, Primitive.STRING


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", STRING),
        (True, BOOLEAN),
        (0.5, DOUBLE),
        (None, VOID),
        (0, INT),
        (-(2**31), INT),
        (2**31 - 1, INT),
        (-(2**31) - 1, BIGINT),
        (2**31, BIGINT),
        ([], Array(VOID)),
        ([1, None, 0.5], Array(DOUBLE)),
        ({}, Struct(())),
        ({"b": 1, "a": ["x"]}, Struct((("b", INT), ("a", Array(STRING))))),
    ],
)
def test_a_value_has_the_narrowest_type_that_holds_it(value: Any, expected: Type) -> None:
    assert infer(value) == expected
    assert infer_schema([{"c": value}]) == {"c": expected}
    assert infer_schema([{"c": value}, {"c": value}]) == {"c": expected}


MERGED = [
    (INT, BIGINT, BIGINT),
    (INT, DOUBLE, DOUBLE),
    (BIGINT, DOUBLE, DOUBLE),
    (INT, STRING, STRING),
    (BIGINT, STRING, STRING),
    (DOUBLE, STRING, STRING),
    (BOOLEAN, STRING, STRING),
    (BOOLEAN, INT, STRING),
    (BOOLEAN, BIGINT, STRING),
    (BOOLEAN, DOUBLE, STRING),
    (Array(INT), Array(DOUBLE), Array(DOUBLE)),
    (Array(VOID), Array(INT), Array(INT)),
    (Array(INT), INT, STRING),
    (Array(INT), Struct((("a", INT),)), STRING),
    (Struct((("a", INT),)), STRING, STRING),
    (Struct((("a", INT),)), Struct((("a", STRING),)), Struct((("a", STRING),))),
    (Stated("date"), STRING, STRING),
    (Stated("date"), INT, STRING),
    (Stated("date"), Stated("timestamp"), STRING),
    (Stated("date"), Array(INT), STRING),
]


@pytest.mark.parametrize(("one", "other", "expected"), MERGED)
def test_two_types_merge_to_the_narrowest_type_that_holds_both_or_to_string(
    one: Type, other: Type, expected: Type
) -> None:
    assert merge(one, other) == expected
    assert merge(other, one) == expected


@pytest.mark.parametrize("kind", [*Primitive, Array(INT), Struct((("a", INT),)), Stated("decimal(5,2)")])
def test_merging_a_type_with_itself_or_with_nulls_does_not_change_it(kind: Type) -> None:
    assert merge(kind, kind) == kind
    assert merge(kind, VOID) == kind
    assert merge(VOID, kind) == kind


def test_merged_structs_have_the_fields_of_the_first_before_the_new_fields_of_the_second() -> None:
    one = Struct((("b", INT), ("a", VOID)))
    other = Struct((("c", STRING), ("a", DOUBLE), ("b", BIGINT)))
    assert merge(one, other) == Struct((("b", BIGINT), ("a", DOUBLE), ("c", STRING)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b"], STRING),
        ([0.5, 1.5], DOUBLE),
        ([1, 2**31 - 1, -(2**31)], INT),
        ([1, 2**31], BIGINT),
        ([1, -(2**31) - 1], BIGINT),
        ([2**31, 0.5], DOUBLE),
        ([True, False], BOOLEAN),
        ([None, None], VOID),
        ([None, 1, None], INT),
        ([1, "a"], STRING),
    ],
)
def test_a_column_s_type_holds_all_values_even_if_rows_have_different_fields(values: list[Any], expected: Type) -> None:
    assert infer_schema([{"c": value} for value in values]) == {"c": expected}
    assert infer_schema([{"c": value} for value in values] + [{"other": 1}]) == {"c": expected, "other": INT}
    assert infer_schema([{"c": value, "d": 1} for value in values]) == {"c": expected, "d": INT}


def test_columns_are_in_the_order_in_which_they_were_first_seen() -> None:
    assert list(infer_schema([{"b": 1, "a": 1}, {"b": 1, "a": 1}])) == ["b", "a"]
    assert list(infer_schema([{"b": 1}, {"c": 1, "a": 1}, {"a": 1, "b": 1}])) == ["b", "c", "a"]
    assert infer_schema([{"a": 1, "b": "x"}, {"b": "y", "a": 0.5}]) == {"a": DOUBLE, "b": STRING}
    assert infer_schema([]) == {}


def test_schemas_of_several_files_are_merged_column_by_column() -> None:
    schemas: list[Schema] = [{"b": INT, "a": VOID}, {"c": STRING, "b": DOUBLE}, {"a": BOOLEAN}]
    merged = merge_schemas(schemas)
    assert merged == {"b": DOUBLE, "a": BOOLEAN, "c": STRING}
    assert list(merged) == ["b", "a", "c"]


def test_column_names_are_lower_case_and_names_that_differ_only_in_case_become_one_column() -> None:
    """The catalog folds column names to lower case, those within a struct it keeps."""
    schema: Schema = {"Id": INT, "ID": DOUBLE, "": STRING, "Car": Struct((("Make", STRING),))}
    assert lower_case(schema) == {"id": DOUBLE, "car": Struct((("Make", STRING),))}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (VOID, "string"),
        (BOOLEAN, "boolean"),
        (INT, "int"),
        (BIGINT, "bigint"),
        (DOUBLE, "double"),
        (STRING, "string"),
        (Stated("decimal(5,2)"), "decimal(5,2)"),
        (Array(Array(INT)), "array<array<int>>"),
        (Array(VOID), "array<string>"),
        (Struct((("Name", STRING), ("sizes", Array(INT)))), "struct<Name:string,sizes:array<int>>"),
    ],
)
def test_types_are_written_in_hive_s_notation(kind: Type, expected: str) -> None:
    assert hive_type(kind) == expected

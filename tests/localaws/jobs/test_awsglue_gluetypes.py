"""awsglue.gluetypes: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html"""

from __future__ import annotations

import importlib
from typing import Any

import pytest

DOCUMENTED = [
    "DataType", "AtomicType", "BinaryType", "BooleanType", "ByteType", "DateType", "DoubleType", "IntegerType",
    "LongType", "NullType", "ShortType", "StringType", "TimestampType", "UnknownType", "DecimalType", "EnumType",
    "ArrayType", "ChoiceType", "MapType", "Field", "StructType", "EntityType",
]  # fmt: skip


@pytest.fixture
def types(awsglue: None) -> Any:
    """The module."""
    return importlib.import_module("awsglue.gluetypes")


@pytest.mark.as_on_aws("awsglue")
def test_a_star_import_of_gluetypes_gives_all_documented_types(types: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html"""
    undocumented = {"FloatType", "SetType", "TimestampNTZType", "mergeDataTypes"}
    assert set(types.__all__) == {*DOCUMENTED, *undocumented}
    assert all(hasattr(types, name) for name in types.__all__)


@pytest.mark.as_on_aws("awsglue")
def test_a_type_can_be_converted_to_json_and_back(types: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html (jsonValue)"""
    struct = types.StructType(
        [
            types.Field("id", types.LongType({"a": 1})),
            types.Field("price", types.DecimalType(12, 4), {"b": 2}),
            types.Field("tags", types.ArrayType(types.StringType())),
            types.Field("by", types.MapType(types.SetType(types.DateType()))),
            types.Field("any", types.ChoiceType([types.IntegerType(), types.StringType()])),
            types.Field("one", types.EnumType(["x", "y"])),
        ]
    )
    assert struct.jsonValue()["fields"][:2] == [
        {"name": "id", "container": {"dataType": "long", "properties": {"a": 1}}, "properties": {}},
        {
            "name": "price",
            "container": {"dataType": "decimal", "properties": {}, "precision": 12, "scale": 4},
            "properties": {"b": 2},
        },
    ]
    assert types.IntegerType().jsonValue() == {"dataType": "int", "properties": {}}
    assert types.StructType.fromJsonValue(struct.jsonValue()) == struct
    assert eval(repr(struct), vars(types)) == struct


@pytest.mark.as_on_aws("awsglue")
def test_fields_can_be_added_to_a_struct_and_types_to_a_choice(types: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html"""
    struct = types.StructType()
    struct.add(types.Field("id", types.LongType()))
    assert (struct.hasField("id"), struct.hasField(types.Field("x", types.LongType()))) == (True, False)
    assert [field.name for field in struct] == ["id"]
    assert struct.getField("id").dataType == types.LongType()
    assert struct != types.StructType()
    assert types.StructType().fields == []
    choice = types.ChoiceType([types.LongType()])
    choice.add(types.StringType())
    with pytest.raises(ValueError, match="long"):
        choice.add(types.LongType())
    choice.merge([types.LongType(), types.DoubleType()])
    assert list(choice.choices) == ["long", "string", "double"]
    with pytest.raises(NotImplementedError):
        types.EntityType("a", types.LongType(), {})


@pytest.mark.as_on_aws("awsglue")
def test_two_types_merge_into_one_type_that_holds_both(types: Any) -> None:
    """The schema of a DynamicFrame is built this way:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html (ChoiceType)
    """
    number, text = types.LongType(), types.StringType()
    one = types.StructType([types.Field("a", number), types.Field("b", types.ArrayType(number))])
    two = types.StructType([types.Field("b", types.ArrayType(text)), types.Field("c", types.NullType())])
    both = types.ChoiceType([number, text])
    merged = types.StructType(
        [types.Field("a", number), types.Field("b", types.ArrayType(both)), types.Field("c", types.NullType())]
    )
    assert types.mergeDataTypes(one, two) == merged
    assert types.mergeDataTypes(types.NullType(), number) == number
    assert types.mergeDataTypes(number, types.UnknownType()) == number
    assert types.mergeDataTypes(both, types.DateType()) == types.ChoiceType([number, text, types.DateType()])
    assert types.mergeDataTypes(types.MapType(number), types.MapType(text)) == types.MapType(both)

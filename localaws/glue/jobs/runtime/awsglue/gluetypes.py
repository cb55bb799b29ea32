"""The types of a DynamicFrame's schema: what `DynamicFrame.schema()` is made of, and what `withSchema` takes.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html

    DataType
    ├── AtomicType: BinaryType BooleanType ByteType DateType DecimalType DoubleType EnumType FloatType IntegerType
    │               LongType NullType ShortType StringType TimestampNTZType TimestampType UnknownType
    ├── ArrayType SetType MapType ChoiceType StructType (of Fields)
    └── EntityType, which Glue itself does not implement
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "ArrayType",
    "AtomicType",
    "BinaryType",
    "BooleanType",
    "ByteType",
    "ChoiceType",
    "DataType",
    "DateType",
    "DecimalType",
    "DoubleType",
    "EntityType",
    "EnumType",
    "Field",
    "FloatType",
    "IntegerType",
    "LongType",
    "MapType",
    "NullType",
    "SetType",
    "ShortType",
    "StringType",
    "StructType",
    "TimestampNTZType",
    "TimestampType",
    "UnknownType",
    "mergeDataTypes",
]

_NONE: Mapping[str, Any] = MappingProxyType({})


class DataType:
    """A type. Two types are equal if they have the same class and attributes."""

    def __init__(self, properties: Mapping[str, Any] = _NONE) -> None:
        self.properties = dict(properties)

    @classmethod
    def typeName(cls) -> str:
        """Return the class's name, in lower case and without "Type"."""
        return cls.__name__.removesuffix("Type").lower()

    def jsonValue(self) -> dict[str, Any]:
        """Return the type as a JSON object."""
        return {"dataType": self.typeName(), "properties": self.properties}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> DataType:
        """Return the type from the JSON object that `jsonValue` made of it."""
        return cls(json_value.get("properties", {}))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        held = [value for name, value in self.__dict__.items() if name != "properties"]
        return f"{type(self).__name__}({', '.join(map(repr, [*held, self.properties]))})"


def _type_of(json_value: Mapping[str, Any]) -> DataType:
    return _BY_NAME[json_value["dataType"]].fromJsonValue(json_value)


def _checked(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{what} must be a {kind.__name__}, not {value!r}")
    return value


class AtomicType(DataType):
    """A type that holds no other."""


class BinaryType(AtomicType):
    """Bytes."""


class BooleanType(AtomicType):
    """True or false."""


class ByteType(AtomicType):
    """Whole numbers of one byte."""


class DateType(AtomicType):
    """Days."""


class DecimalType(AtomicType):
    """Numbers of `precision` decimal digits, `scale` of them after the point."""

    def __init__(self, precision: int = 10, scale: int = 2, properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.precision = precision
        self.scale = scale

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "precision": self.precision, "scale": self.scale}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> DecimalType:
        """See DataType.fromJsonValue."""
        return cls(json_value.get("precision", 10), json_value.get("scale", 2), json_value.get("properties", {}))


class DoubleType(AtomicType):
    """Floating-point numbers of eight bytes."""


class EnumType(AtomicType):
    """One of `options`."""

    def __init__(self, options: Iterable[str], properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.options = list(options)

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "options": self.options}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> EnumType:
        """See DataType.fromJsonValue."""
        return cls(json_value["options"], json_value.get("properties", {}))


class FloatType(AtomicType):
    """Floating-point numbers of four bytes."""


class IntegerType(AtomicType):
    """Whole numbers of four bytes."""

    @classmethod
    def typeName(cls) -> str:
        """Return the type's name in mappings and schemas."""
        return "int"


class LongType(AtomicType):
    """Whole numbers of eight bytes."""


class NullType(AtomicType):
    """Nothing but nulls."""


class ShortType(AtomicType):
    """Whole numbers of two bytes."""


class StringType(AtomicType):
    """Text."""


class TimestampType(AtomicType):
    """Points in time."""


class TimestampNTZType(AtomicType):
    """Dates with a time of day, without a time zone."""


class UnknownType(AtomicType):
    """What is not known yet."""


_UNKNOWN = UnknownType()


class _OfElements(DataType):
    """Elements of one type."""

    def __init__(self, elementType: DataType = _UNKNOWN, properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.elementType = _checked(elementType, DataType, "elementType")

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "elementType": self.elementType.jsonValue()}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> _OfElements:
        """See DataType.fromJsonValue."""
        return cls(_type_of(json_value["elementType"]), json_value.get("properties", {}))


class ArrayType(_OfElements):
    """Elements in their order."""


class SetType(_OfElements):
    """Elements, each once."""


class MapType(DataType):
    """Values by text keys."""

    def __init__(self, valueType: DataType = _UNKNOWN, properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.valueType = _checked(valueType, DataType, "valueType")

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "valueType": self.valueType.jsonValue()}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> MapType:
        """See DataType.fromJsonValue."""
        return cls(_type_of(json_value["valueType"]), json_value.get("properties", {}))


class ChoiceType(DataType):
    """One of several types, which `choices` has by name: the type of a field that differs between records."""

    def __init__(self, choices: Iterable[DataType] = (), properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.choices: dict[str, DataType] = {}
        for choice in choices:
            self.add(choice)

    def add(self, new_choice: DataType) -> None:
        """Add a type.

        Raises:
            ValueError: there is already a choice with its name.
        """
        name = _checked(new_choice, DataType, "a choice").typeName()
        if name in self.choices:
            raise ValueError(f"the choices have a {name} already: {self.choices[name]}")
        self.choices[name] = new_choice

    def merge(self, new_choices: DataType | Iterable[DataType]) -> None:
        """Add types, each merged with the choice of the same name."""
        for choice in [new_choices] if isinstance(new_choices, DataType) else new_choices:
            name = choice.typeName()
            self.choices[name] = mergeDataTypes(self.choices.get(name, UnknownType()), choice)

    def __repr__(self) -> str:
        return f"ChoiceType({list(self.choices.values())!r}, {self.properties!r})"

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "choices": [choice.jsonValue() for choice in self.choices.values()]}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> ChoiceType:
        """See DataType.fromJsonValue."""
        return cls(map(_type_of, json_value["choices"]), json_value.get("properties", {}))


class Field:
    """A field of a StructType."""

    def __init__(self, name: str, dataType: DataType, properties: Mapping[str, Any] = _NONE) -> None:
        self.name = _checked(name, str, "a field's name")
        self.dataType = _checked(dataType, DataType, "dataType")
        self.properties = dict(properties)

    def jsonValue(self) -> dict[str, Any]:
        """Return the field as a JSON object."""
        return {"name": self.name, "container": self.dataType.jsonValue(), "properties": self.properties}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> Field:
        """Return the field from the JSON object that `jsonValue` made of it."""
        return cls(json_value["name"], _type_of(json_value["container"]), json_value.get("properties", {}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and (self.name, self.dataType) == (other.name, other.dataType)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.dataType!r}, {self.properties!r})"


class StructType(DataType):
    """Named fields."""

    def __init__(self, fields: Iterable[Field] = (), properties: Mapping[str, Any] = _NONE) -> None:
        super().__init__(properties)
        self.fields: list[Field] = []
        for field in fields:
            self.add(field)

    def add(self, field: Field) -> None:
        """Add a field after the others."""
        self.fields.append(_checked(field, Field, "a field"))

    @property
    def field_map(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    def hasField(self, field: str | Field) -> bool:
        """Whether there is a field of this name."""
        return _name_of(field) in self.field_map

    def getField(self, field: str | Field) -> Field:
        """Return the field of this name. Raises KeyError if there is none."""
        return self.field_map[_name_of(field)]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def jsonValue(self) -> dict[str, Any]:
        """See DataType.jsonValue."""
        return {**super().jsonValue(), "fields": [field.jsonValue() for field in self.fields]}

    @classmethod
    def fromJsonValue(cls, json_value: Mapping[str, Any]) -> StructType:
        """See DataType.fromJsonValue."""
        return cls(map(Field.fromJsonValue, json_value["fields"]), json_value.get("properties", {}))


class EntityType(DataType):
    """Raises NotImplementedError: Glue does not implement it."""

    def __init__(self, entity: Any, base_type: Any, properties: Any) -> None:
        raise NotImplementedError("EntityType is not implemented in AWS Glue")


_BY_NAME: dict[str, type[DataType]] = {
    kind.typeName(): kind
    for kind in (
        AtomicType, BinaryType, BooleanType, ByteType, DateType, DecimalType, DoubleType, EnumType, FloatType,
        IntegerType, LongType, NullType, ShortType, StringType, TimestampNTZType, TimestampType, UnknownType, ArrayType,
        SetType, MapType, ChoiceType, StructType, EntityType,
    )
}  # fmt: skip


def mergeDataTypes(s1: DataType, s2: DataType) -> DataType:
    """Return the type of a field that has type `s1` in some records and `s2` in others: a ChoiceType if they differ."""
    if isinstance(s1, UnknownType | NullType):
        return s2
    if isinstance(s2, UnknownType | NullType):
        return s1
    if isinstance(s1, ChoiceType) or type(s1) is not type(s2):
        return _choice_of(s1, s2)
    if isinstance(s1, StructType) and isinstance(s2, StructType):
        shared = [field for field in s1 if s2.hasField(field)]
        merged = {field.name: mergeDataTypes(field.dataType, s2.getField(field).dataType) for field in shared}
        ours = [Field(field.name, merged.get(field.name, field.dataType), field.properties) for field in s1]
        return StructType([*ours, *(field for field in s2 if not s1.hasField(field))], s1.properties)
    if isinstance(s1, _OfElements) and isinstance(s2, _OfElements):
        return type(s1)(mergeDataTypes(s1.elementType, s2.elementType), s1.properties)
    if isinstance(s1, MapType) and isinstance(s2, MapType):
        return MapType(mergeDataTypes(s1.valueType, s2.valueType), s1.properties)
    if isinstance(s1, EnumType) and isinstance(s2, EnumType):
        return EnumType(dict.fromkeys([*s1.options, *s2.options]), s1.properties)
    return s1


def _choice_of(s1: DataType, s2: DataType) -> ChoiceType:
    choice = ChoiceType(properties=s1.properties)
    for kind in (s1, s2):
        choice.merge(kind.choices.values() if isinstance(kind, ChoiceType) else kind)
    return choice


def _name_of(field: str | Field) -> str:
    return field.name if isinstance(field, Field) else field

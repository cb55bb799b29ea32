"""The transforms that visual jobs use: `ApplyMapping.apply(frame=..., mappings=...)`, or `ApplyMapping()(frame, ...)`.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-transforms.html

All of AWS's transforms are here, so that importing them works; those in refused.py raise an error when they are used.
"""

from __future__ import annotations

from .base import GlueTransform
from .fields import (
    ApplyMapping,
    DropFields,
    DropNullFields,
    RenameField,
    ResolveChoice,
    SelectFields,
    SplitFields,
    UnnestFrame,
)
from .frame_collections import FlatMap, MapToCollection, SelectFromCollection
from .records import Coalesce, ErrorsAsDynamicFrame, Filter, Join, Map, Repartition, Spigot, SplitRows
from .refused import FillMissingValues, FindIncrementalMatches, FindMatches, Relationalize, Unbox, Union

__all__ = [
    "ApplyMapping",
    "Coalesce",
    "DropFields",
    "DropNullFields",
    "ErrorsAsDynamicFrame",
    "FillMissingValues",
    "Filter",
    "FindIncrementalMatches",
    "FindMatches",
    "FlatMap",
    "GlueTransform",
    "Join",
    "Map",
    "MapToCollection",
    "Relationalize",
    "RenameField",
    "Repartition",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "Spigot",
    "SplitFields",
    "SplitRows",
    "Unbox",
    "Union",
    "UnnestFrame",
]

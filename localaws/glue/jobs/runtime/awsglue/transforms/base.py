"""The base of all transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from awsglue._errors import NotSupportedLocally


class GlueTransform:
    """Base of all transforms.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-GlueTransform.html
    """

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the transform."""
        return cls()(*args, **kwargs)

    __call__: Callable[..., Any]
    """Carries out the transform; each transform has its own parameters."""

    @classmethod
    def name(cls) -> str:
        """Return the transform's name."""
        return cls.__name__

    @classmethod
    def describeArgs(cls) -> NoReturn:
        """Raises NotImplementedError, as Glue does for a transform that does not describe itself."""
        raise NotSupportedLocally(f"{cls.__name__}.describeArgs")

    @classmethod
    def describeReturn(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeReturn")

    @classmethod
    def describeTransform(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeTransform")

    @classmethod
    def describeErrors(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeErrors")

    @classmethod
    def describe(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describe")
